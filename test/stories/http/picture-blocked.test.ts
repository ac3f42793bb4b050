import type { EmmContent } from '../../../simulators/head-end/air/types.ts';
import { createHouse, type House } from './house.ts';
import type { Customer } from './town.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** As after a change: what is asked for is repeated so long. */
const BOOST_SECONDS = 300;
const RESENT = /^Card \.\.\d{4}: paid to 23\/12\/2026\. Rights re-sent \d\d:\d\d\./;
const ON_ITS_WAY = /^Card \.\.\d{4}: paid to 23\/12\/2026\. Rights are being sent since/;

describe('"TV is blocked"', () => {
  let house: House;
  beforeAll(async () => {
    house = await createHouse();
  });
  afterAll(() => house.close());
  afterEach(() => house.settleDown());

  const watching = async () => {
    const customer = await house.customer({ name: 'Amina Diallo' });
    const tv = house.tv(customer.card);
    await house.pay(customer);
    await tv.until('NOVA1');
    await house.onAir(customer.card);
    return { ...customer, tv };
  };
  const say = ({ msisdn }: Customer, ...typed: string[]) =>
    house.dial(house.phone(msisdn), '*384*100#', '2', ...typed);
  /** Fulfilled when rights were sent again on request so often, and no more. */
  const resent = ({ card }: Customer, times: number) =>
    house.until(async () => {
      const sql = `SELECT r.state FROM card_refresh r JOIN card c ON c.id = r.card_id
                    WHERE c.number = $1`;
      expect(await house.rows(sql, [card])).toEqual(Array(times).fill({ state: 'on_air' }));
      const told = house
        .commands(card, 'REFRESH')
        .filter(({ boostSeconds }) => boostSeconds === BOOST_SECONDS);
      expect(told).toHaveLength(times);
    });
  const reports = async ({ card }: Customer) => {
    const sql = `SELECT p.source, p.answer FROM picture_report p JOIN card c ON c.id = p.card_id
                  WHERE c.number = $1 ORDER BY p.at, p.id`;
    return house.rows(sql, [card]);
  };
  const dark = async () =>
    (await house.entitlement.dark(0)).map(({ number, reasons }) => ({ number, reasons }));
  /** Ends what a story leaves in the list. */
  const isBack = async (home: Customer) => {
    expect(await say(home, '1')).toBe('Thank you. Enjoy your programme.');
  };

  it('heals a decoder that forgot its card, as no repetition of rights does', async () => {
    const home = await watching();
    home.tv.turn({ paired: false });
    house.clock.advance(10 * MINUTE_MS);
    expect(home.tv.shows()).toBe('V02');
    const aired: EmmContent['kind'][] = [];
    const leave = house.headEnd.onAirEvent((event) => {
      if (event.type === 'broadcast' && event.card === home.card) aired.push(event.content);
    });
    expect(await say(home)).toMatch(RESENT);
    await home.tv.until('NOVA1');
    leave();
    expect(aired).toContain('all');
    await isBack(home);
    expect(await reports(home)).toEqual([{ source: 'ussd', answer: 'back' }]);
    await resent(home, 1);
    expect(await dark()).toEqual([]);
  });

  it('brings the picture at once to a decoder that was off when it was paid', async () => {
    const home = await house.customer({ name: 'Amina Diallo' });
    const tv = house.tv(home.card);
    tv.power(false);
    await house.pay(home);
    await house.onAir(home.card);
    house.clock.advance(3 * HOUR_MS);
    // Our own re-airing has been, and found it off.
    await house.until(() => expect(house.commands(home.card, 'REFRESH')).not.toEqual([]));
    tv.power(true);
    expect(tv.shows()).toBe('V07');
    await say(home);
    await tv.until('NOVA1');
    await resent(home, 1);
    expect(house.commands(home.card, 'ENTITLE')).toHaveLength(1);
    await isBack(home);
  });

  it('makes staff look when the screen is still black, until the picture is back', async () => {
    const home = await watching();
    home.tv.turn({ signal: false });
    const phone = house.phone(home.msisdn);
    expect(await house.dial(phone, '*384*100#', '2', '2')).toMatch(/^Please check: decoder ON/);
    expect(await dark()).toEqual([]);
    // Asked for again within a minute, it is not sent again.
    expect(await house.dial(phone, '1')).toContain('already');
    expect(await house.dial(phone, '2')).toMatch(/^We look into card \.\.\d{4}/);
    expect(phone.ended()).toBe(true);
    expect(await dark()).toEqual([{ number: home.card, reasons: ['still_black'] }]);
    expect(await house.metric('vip_cards_paid_but_dark')).toBe(1);
    expect(house.logbook.of('picture.still_black')).toHaveLength(1);
    await resent(home, 1);
    home.tv.turn({ signal: true });
    await isBack(home);
    expect((await reports(home)).map(({ answer }) => answer)).toEqual(['black', 'black', 'back']);
    expect(await dark()).toEqual([]);
    expect(await house.metric('vip_cards_paid_but_dark')).toBe(0);
  });

  it('is asked for and answered once, however often the network repeats a hop', async () => {
    const home = await watching();
    const phone = house.phone(home.msisdn);
    const screen = await house.dial(phone, '*384*100#', '2');
    expect(await phone.repeat()).toMatchObject({ ok: true, screen });
    const black = await house.dial(phone, '2');
    expect(await phone.repeat()).toMatchObject({ ok: true, screen: black });
    await resent(home, 1);
    expect(await reports(home)).toEqual([{ source: 'ussd', answer: 'black' }]);
    expect(await dark()).toEqual([]);
  });

  it('says that rights are on their way while the head-end is away, and looks again', async () => {
    const home = await house.customer();
    const tv = house.tv(home.card);
    await house.headEnd.setLink(false);
    await house.pay(home);
    await house.textTo(home.msisdn, /^Paid KES 650/);
    const phone = house.phone(home.msisdn);
    expect(await house.dial(phone, '*384*100#', '2')).toMatch(ON_ITS_WAY);
    await house.headEnd.setLink(true);
    await tv.until('NOVA1');
    await house.onAir(home.card);
    expect(await house.dial(phone, '1')).toMatch(RESENT);
    await resent(home, 1);
  });

  it('tells who paid another card where the money went, and lets this one be paid', async () => {
    const family = await house.customer({ cards: 2, name: 'Amina Diallo' });
    const [paid = '', dry = ''] = family.cards;
    await house.dial(house.phone(family.msisdn), '*384*100#', '1', '1', '1', '1');
    await house.textTo(family.msisdn, /^Paid KES 650/);
    const phone = house.phone(family.msisdn);
    const screen = await house.dial(phone, '*384*100#', '2', '2');
    expect(screen).toMatch(/^Your last payment KES 650 \d\d:\d\d went to card/);
    expect(screen).toContain(`..${paid.slice(-4)}, not ..${dry.slice(-4)}`);
    await house.dial(phone, '1', '1', '1');
    await house.onAir(dry);
    expect(house.commands(dry, 'REFRESH')).toEqual([]);
  });

  it('sends rights three times in an hour and then says when again; staff look', async () => {
    const home = await watching();
    for (let times = 1; times <= 3; times += 1) {
      house.clock.advance(2 * MINUTE_MS);
      expect(await say(home)).toMatch(RESENT);
      await resent(home, times);
    }
    house.clock.advance(2 * MINUTE_MS);
    expect(await say(home)).toMatch(/were re-sent often already; not again before \d\d:\d\d\./);
    await resent(home, 3);
    expect(await dark()).toEqual([{ number: home.card, reasons: ['refreshed_often'] }]);
    house.clock.advance(24 * HOUR_MS);
    expect(await dark()).toEqual([]);
  });
});
