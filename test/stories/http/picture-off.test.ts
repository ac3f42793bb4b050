import { createHouse, type House } from './house.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** How often the head-end repeats a change in its first hour. */
const REPETITION_MS = MINUTE_MS;
/** A round of the slow cycle over so few cards. */
const ROUND_MS = 5 * MINUTE_MS;

/** Nobody dials, calls or resets anything: the decoder is switched on, and the picture comes. */
describe('a decoder that was off when its month was paid', () => {
  let house: House;
  beforeAll(async () => {
    house = await createHouse();
  });
  afterAll(() => house.close());
  afterEach(() => house.settleDown());

  const paidWhileOff = async () => {
    const customer = await house.customer({ name: 'Amina Diallo' });
    const { msisdn, card } = customer;
    const tv = house.tv(card);
    tv.power(false);
    house.money.setPhone(msisdn, { behaviour: 'manual' });
    await house.dial(house.phone(msisdn), '*384*100#', '1', '1', '1');
    await house.answerPrompt(msisdn, '1234');
    const text = await house.textTo(msisdn, /^Paid KES 650\. ESSENTIAL card/);
    expect(text).toContain('Keep the decoder ON');
    await house.onAir(card);
    await house.until(() => expect(house.commands(card, 'OSD')).toHaveLength(1));
    return { ...customer, tv };
  };
  const reaired = (card: string) =>
    house.until(() => {
      const [first] = house.commands(card, 'REFRESH');
      expect(first).toMatchObject({ boostSeconds: 0, result: { code: 'DONE' } });
    });
  const nobodyIsDark = async () => {
    expect(await house.entitlement.dark(0)).toEqual([]);
    expect(await house.metric('vip_cards_paid_but_dark')).toBe(0);
  };

  it('shows its picture 40 minutes later, within one repetition', async () => {
    const { card, tv } = await paidWhileOff();
    house.clock.advance(40 * MINUTE_MS);
    expect(tv.shows()).toBe('off');
    tv.power(true);
    expect(tv.shows()).toBe('V07');
    house.clock.advance(REPETITION_MS);
    expect(tv.shows()).toBe('NOVA1');
    // The receipt on the screen is not shown 40 minutes late, nor was anything sent once more.
    expect(tv.messages()).toEqual([]);
    expect(
      house
        .commands(card)
        .map(({ op }) => op)
        .sort(),
    ).toEqual(['ENTITLE', 'OSD']);
    await nobodyIsDark();
  });

  it.each([
    { after: 'three hours', ms: 3 * HOUR_MS },
    { after: 'two days', ms: 48 * HOUR_MS },
  ])('shows its picture $after later; we had it broadcast again', async ({ ms }) => {
    const { card, tv } = await paidWhileOff();
    house.clock.advance(ms);
    await reaired(card);
    tv.power(true);
    expect(tv.shows()).toBe('V07');
    house.clock.advance(ROUND_MS);
    expect(tv.shows()).toBe('NOVA1');
    expect(house.commands(card, 'ENTITLE')).toHaveLength(1);
    await nobodyIsDark();
  });

  it('hears of it by our own re-airing', async () => {
    const { card } = await paidWhileOff();
    house.clock.advance(3 * HOUR_MS);
    await reaired(card);
    const before = house.commands(card, 'REFRESH').length;
    const broadcasts: string[] = [];
    const leave = house.headEnd.onAirEvent((event) => {
      if (event.type === 'broadcast' && event.card === card) broadcasts.push(event.content);
    });
    house.clock.advance(15 * MINUTE_MS);
    await house.until(() => {
      expect(house.commands(card, 'REFRESH').length).toBe(before + 1);
      expect(broadcasts).toEqual(['rights']);
    });
    leave();
  });

  it('is counted in the time to picture, as every paid card is', async () => {
    const line = (name: string, stage: string) =>
      house.metric(`vip_time_to_picture_seconds_${name}{cas="vip-control",stage="${stage}"}`);
    const before = await line('count', 'on_air');
    await paidWhileOff();
    expect(await line('count', 'on_air')).toBe(before + 1);
    expect(await line('count', 'accepted')).toBe(before + 1);
    // Seconds, of all cards together: nobody waited for the two days that went by.
    expect(await line('sum', 'on_air')).toBeLessThan(10);
  });
});
