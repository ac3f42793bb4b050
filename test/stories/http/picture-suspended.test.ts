import { createHouse, type House } from './house.ts';
import { AIR_MARGIN_MS } from './looks.ts';
import type { Customer } from './town.ts';

const HOUR_MS = 3_600_000;

describe('a card that is suspended', () => {
  let house: House;
  beforeAll(async () => {
    house = await createHouse();
  });
  afterAll(() => house.close());
  afterEach(() => house.settleDown());

  const watching = async (term: 'month' | 'day' = 'month') => {
    const customer = await house.customer({ term, name: 'Amina Diallo' });
    const tv = house.tv(customer.card);
    await house.pay(customer, term === 'day' ? 4_000n : 65_000n);
    await tv.until('NOVA1');
    return { ...customer, tv };
  };
  const suspend = async ({ card }: Customer) => {
    const cardId = await house.cardId(card);
    const act = { cardId, reason: 'dispute', by: 'staff:7' } as const;
    expect(await house.entitlement.suspensions.suspendCard(act)).toEqual({ ok: true });
  };
  const resume = async ({ card }: Customer) => {
    const act = { cardId: await house.cardId(card), by: 'staff:7' };
    expect(await house.entitlement.suspensions.resumeCard(act)).toEqual({ ok: true });
  };

  it('shows what is free to air and nothing else, and everything after', async () => {
    const home = await watching();
    await suspend(home);
    await home.tv.until('V04');
    for (const service of ['KIDS1', 'MUSI1', 'FOOT1']) {
      home.tv.turn({ service });
      expect(home.tv.shows()).toBe('V04');
    }
    home.tv.turn({ service: 'NEWS1' });
    expect(home.tv.shows()).toBe('NEWS1');
    await resume(home);
    home.tv.turn({ service: 'KIDS1' });
    await home.tv.until('KIDS1');
    // Not part of ESSENTIAL: a resumption grants nothing.
    home.tv.turn({ service: 'FOOT1' });
    expect(home.tv.shows()).toBe('V03');
  });

  it('is still suspended for a decoder that was off, and asks nothing of its owner', async () => {
    const home = await watching();
    home.tv.power(false);
    await suspend(home);
    await house.onAir(home.card);
    home.tv.power(true);
    expect(home.tv.shows()).toBe('NOVA1');
    house.clock.advance(10_000);
    expect(home.tv.shows()).toBe('V04');
    expect(await house.entitlement.dark(0)).toEqual([]);
    await resume(home);
    await home.tv.until('NOVA1');
  });

  it('gets nothing back when its term is over', async () => {
    const home = await watching('day');
    await suspend(home);
    await home.tv.until('V04');
    const until = Date.parse(String(await house.paidUntil(home.card)));
    house.clock.advance(until + AIR_MARGIN_MS - house.clock.now().getTime());
    await resume(home);
    await home.tv.until('V03');
    home.tv.turn({ service: 'NEWS1' });
    expect(home.tv.shows()).toBe('NEWS1');
  });

  it('gets back only what is still in date', async () => {
    const home = await watching();
    const match = await house.event();
    const endsMs = house.clock.now().getTime() + 4 * HOUR_MS;
    // A telephone that is not set to wait answers its prompts by itself.
    house.money.setPhone(home.msisdn, { behaviour: 'manual' });
    await house.dial(house.phone(home.msisdn), '*384*100#', '5', match, '1', '1');
    await house.answerPrompt(home.msisdn, '1234');
    await house.textTo(home.msisdn, /^Paid KES 150\. Cup final/);
    await house.onAir(home.card);
    house.clock.advance(3 * HOUR_MS);
    home.tv.turn({ service: match });
    await home.tv.until(match);
    await suspend(home);
    await home.tv.until('V04');
    house.clock.advance(endsMs + AIR_MARGIN_MS - house.clock.now().getTime());
    await resume(home);
    await home.tv.until('V03');
    home.tv.turn({ service: 'NOVA1' });
    await home.tv.until('NOVA1');
  });

  it('is credited what is paid meanwhile, and shows it after', async () => {
    const home = await watching();
    const until = await house.paidUntil(home.card);
    await suspend(home);
    await home.tv.until('V04');
    await house.pay(home);
    await house.until(() => expect(house.inbox(home.msisdn)).toHaveLength(2));
    const [right] = await house.onAir(home.card);
    expect(Date.parse(String(right?.to))).toBeGreaterThan(Date.parse(String(until)));
    expect(await house.paidUntil(home.card)).toBe(right?.to);
    expect(home.tv.shows()).toBe('V04');
    await resume(home);
    await home.tv.until('NOVA1');
    house.clock.advance(Date.parse(String(until)) + AIR_MARGIN_MS - house.clock.now().getTime());
    expect(home.tv.shows()).toBe('NOVA1');
  });

  it('is told so by "TV is blocked", and its rights are not sent again', async () => {
    const home = await watching();
    await suspend(home);
    const screen = await house.dial(house.phone(home.msisdn), '*384*100#', '2');
    expect(screen).toMatch(/has been stopped since .*: a payment is in dispute\. Please call us/);
    await home.tv.until('V04');
    expect(house.commands(home.card, 'REFRESH')).toEqual([]);
    await resume(home);
    await home.tv.until('NOVA1');
  });
});
