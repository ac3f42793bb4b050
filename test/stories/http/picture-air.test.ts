import type { Knobs } from '../../../simulators/head-end/air/types.ts';
import { createHouse, type House } from './house.ts';
import { AIR_MARGIN_MS } from './looks.ts';
import type { Customer } from './town.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
/** A pay-per-view right is given no more grace than this. */
const EVENT_AIR_MARGIN_MS = 15 * MINUTE_MS;
/** How often a change is repeated in its first minutes. */
const REPETITION_MS = 10 * SECOND_MS;
/** Cards of others on the same transmitter; 100 kbit/s take 66 EMM a second. */
const OTHERS = 1_500;
/** Their repetition takes so long then, where 10 s are meant. */
const CROWDED_MS = 22 * SECOND_MS;
/** The head-end's own 20 ms, a slot or two, and a busy machine. */
const AT_ONCE_MS = 500;
const HOMES = 60;

let house: House;
beforeAll(async () => {
  house = await createHouse({ kbit: 100 });
});
afterAll(() => house.close());
afterEach(() => house.settleDown());

const paying = async (customer?: Customer) => {
  const payer = customer ?? (await house.customer());
  const tv = house.tv(payer.card);
  await house.pay(payer);
  await house.onAir(payer.card);
  return { ...payer, tv };
};
const watching = async (options: Parameters<House['customer']>[0] = {}) => {
  const customer = await house.customer(options);
  const tv = house.tv(customer.card);
  await house.pay(customer, options.term === 'day' ? 4_000n : 65_000n);
  await house.onAir(customer.card);
  expect(tv.shows()).toBe('NOVA1');
  return { ...customer, tv };
};
/** Moves on to so long after an instant; negative: before. */
const moveTo = (instant: string | number, ms = 0) =>
  house.clock.advance(new Date(instant).getTime() + ms - house.clock.now().getTime());
const buyEvent = async ({ msisdn, card }: Customer) => {
  const code = await house.event();
  await house.dial(house.phone(msisdn), '*384*100#', '5', code, '1', '1');
  await house.textTo(msisdn, /^Paid KES 150\. Cup final/);
  await house.until(async () => {
    expect((await house.onAir(card)).map(({ product }) => product)).toContain(`EVT:${code}`);
  });
  const right = (await house.onAir(card)).find(({ product }) => product === `EVT:${code}`);
  return { code, from: String(right?.from), to: String(right?.to) };
};

describe('a decoder that heard nothing when it was paid for', () => {
  it.each<{ why: string; lost: Partial<Knobs>; mended: Partial<Knobs>; shows: string }>([
    { why: 'was off', lost: { power: false }, mended: { power: true }, shows: 'off' },
    { why: 'had no signal', lost: { signal: false }, mended: { signal: true }, shows: 'V06' },
    { why: 'had no card in it', lost: { cardIn: false }, mended: { cardIn: true }, shows: 'V01' },
  ])('because it $why shows its picture within one repetition', async (one) => {
    const customer = await house.customer();
    house.tv(customer.card).turn(one.lost);
    const { card, tv } = await paying(customer);
    expect(tv.shows()).toBe(one.shows);
    tv.turn(one.mended);
    expect(tv.shows()).toBe('V07');
    house.clock.advance(REPETITION_MS);
    expect(tv.shows()).toBe('NOVA1');
    expect(house.commands(card, 'ENTITLE')).toHaveLength(1);
    expect(house.commands(card, 'REFRESH')).toEqual([]);
  });

  it('is one of 60 that need nobody, whenever they are switched on', async () => {
    const homes = await Promise.all(Array.from({ length: HOMES }, () => house.customer()));
    const tvs = homes.map(({ card }) => house.tv(card));
    const off = tvs.filter((_, index) => index % 3 === 0);
    const on = tvs.filter((_, index) => index % 3 !== 0);
    for (const tv of off) tv.power(false);
    await Promise.all(homes.map((home) => house.pay(home)));
    await Promise.all(on.map((tv) => tv.until('NOVA1')));
    for (const { card } of homes) await house.onAir(card);
    for (const tv of off) {
      house.clock.advance(2 * MINUTE_MS);
      tv.power(true);
    }
    house.clock.advance(MINUTE_MS);
    expect(tvs.filter((tv) => tv.shows() !== 'NOVA1')).toEqual([]);
    for (const { card } of homes) {
      expect(house.commands(card, 'ENTITLE')).toHaveLength(1);
      expect(house.commands(card, 'REFRESH')).toEqual([]);
    }
    expect(await house.entitlement.dark(0)).toEqual([]);
  });

  it('needs nothing when it only went off and on', async () => {
    const { card, tv } = await watching();
    for (const hours of [0, 1, 20]) {
      tv.power(false);
      expect(tv.shows()).toBe('off');
      house.clock.advance(hours * HOUR_MS);
      tv.power(true);
      expect(tv.shows()).toBe('NOVA1');
    }
    expect(house.commands(card, 'ENTITLE')).toHaveLength(1);
  });
});

describe('rights at their end', () => {
  it('go by the decoder itself, six hours after the term, with nobody to tell it', async () => {
    const { card, tv } = await watching({ term: 'day' });
    const until = String(await house.paidUntil(card));
    await house.headEnd.setLink(false);
    const told = house.commands(card).length;
    moveTo(until, AIR_MARGIN_MS - SECOND_MS);
    expect(tv.shows()).toBe('NOVA1');
    moveTo(until, AIR_MARGIN_MS);
    expect(tv.shows()).toBe('V03');
    tv.turn({ service: 'NEWS1' });
    expect(tv.shows()).toBe('NEWS1');
    expect(house.commands(card)).toHaveLength(told);
    await house.headEnd.setLink(true);
  });

  it('are cancelled by no command when all is up', async () => {
    const { card, tv } = await watching({ term: 'day' });
    moveTo(String(await house.paidUntil(card)), AIR_MARGIN_MS);
    await tv.until('V03');
    expect(house.commands(card, 'ENTITLE')).toHaveLength(1);
    // What is paid for after that is shown again.
    await house.pay({ msisdn: house.stranger(), cards: [card], card }, 4_000n);
    await tv.until('NOVA1');
  });

  it.each([
    { clock: 'five hours fast', offsetMs: 5 * HOUR_MS, endsMs: HOUR_MS },
    { clock: 'two hours slow', offsetMs: -2 * HOUR_MS, endsMs: 8 * HOUR_MS },
  ])('are judged by a decoder clock that is $clock', async ({ offsetMs, endsMs }) => {
    const { card, tv } = await watching({ term: 'day' });
    tv.turn({ clockOffsetMs: offsetMs });
    const until = String(await house.paidUntil(card));
    // Whoever has paid sees to the last minute, five hours fast or not.
    moveTo(until, endsMs - SECOND_MS);
    expect(tv.shows()).toBe('NOVA1');
    moveTo(until, endsMs);
    expect(tv.shows()).toBe('V03');
  });

  it('of an event go a quarter of an hour after it, and leave the others', async () => {
    const home = await watching();
    const { code, from, to } = await buyEvent(home);
    home.tv.turn({ service: code });
    moveTo(from, -SECOND_MS);
    expect(home.tv.shows()).toBe('V03');
    moveTo(to, EVENT_AIR_MARGIN_MS - SECOND_MS);
    expect(home.tv.shows()).toBe(code);
    moveTo(to, EVENT_AIR_MARGIN_MS);
    expect(home.tv.shows()).toBe('V03');
    home.tv.turn({ service: 'NOVA1' });
    expect(home.tv.shows()).toBe('NOVA1');
  });
});

describe('what may be shown', () => {
  it('comes back from a suspension without what has ended meanwhile', async () => {
    const home = await watching();
    const { code, from, to } = await buyEvent(home);
    home.tv.turn({ service: code });
    moveTo(from);
    expect(home.tv.shows()).toBe(code);
    const cardId = await house.cardId(home.card);
    const { suspensions } = house.entitlement;
    await suspensions.suspendCard({ cardId, reason: 'dispute', by: 'staff:7' });
    await home.tv.until('V04');
    home.tv.turn({ service: 'NEWS1' });
    expect(home.tv.shows()).toBe('NEWS1');
    moveTo(to, EVENT_AIR_MARGIN_MS);
    await suspensions.resumeCard({ cardId, by: 'staff:7' });
    home.tv.turn({ service: 'NOVA1' });
    await home.tv.until('NOVA1');
    home.tv.turn({ service: code });
    expect(home.tv.shows()).toBe('V03');
  });

  it('is not given by a pairing, nor a pairing by a payment', async () => {
    const customer = await house.customer();
    const { msisdn, card } = customer;
    const tv = house.tv(card);
    tv.turn({ paired: false });
    await paying(customer);
    house.clock.advance(REPETITION_MS);
    expect(tv.shows()).toBe('V02');
    tv.turn({ service: 'NEWS1' });
    expect(tv.shows()).toBe('NEWS1');
    // The card has its rights: all that lacks is what "TV is blocked" has broadcast.
    tv.turn({ service: 'FOOT1' });
    await house.dial(house.phone(msisdn), '*384*100#', '2');
    await tv.until('V03');
    tv.turn({ service: 'NOVA1' });
    expect(tv.shows()).toBe('NOVA1');
  });
});

describe('a code on the screen', () => {
  const blocked = ({ msisdn }: Customer) => house.dial(house.phone(msisdn), '*384*100#', '2');

  it('is V07 on a new card, until its first payment is on air', async () => {
    const customer = await house.customer();
    const tv = house.tv(customer.card);
    expect(tv.shows()).toBe('V07');
    expect(await blocked(customer)).toMatch(/^Card \.\.\d{4}: .*\n1 Pay now/);
    expect(house.commands(customer.card)).toEqual([]);
    await house.pay(customer);
    await tv.until('NOVA1');
  });

  it('is V03 after the end, and on channels that were not bought', async () => {
    const customer = await watching({ term: 'day' });
    customer.tv.turn({ service: 'FOOT1' });
    expect(customer.tv.shows()).toBe('V03');
    customer.tv.turn({ service: 'NOVA1' });
    moveTo(String(await house.paidUntil(customer.card)), AIR_MARGIN_MS);
    expect(customer.tv.shows()).toBe('V03');
    expect(await blocked(customer)).toMatch(/^Card \.\.\d{4}: .*\n1 Pay now/);
    expect(house.commands(customer.card, 'REFRESH').filter((c) => c.boostSeconds)).toEqual([]);
  });

  it.each<{ code: string; knobs: Partial<Knobs>; mended: Partial<Knobs> }>([
    { code: 'V01', knobs: { cardIn: false }, mended: { cardIn: true } },
    { code: 'V05', knobs: { blacklisted: true }, mended: { blacklisted: false } },
    { code: 'V06', knobs: { signal: false }, mended: { signal: true } },
    { code: 'V08', knobs: { service: 'COAST1' }, mended: { region: 'coast' } },
  ])('that rights cannot cure, $code, is explained', async ({ code, knobs, mended }) => {
    const customer = await watching();
    const { msisdn, tv } = customer;
    tv.turn(knobs);
    expect(tv.shows()).toBe(code);
    const phone = house.phone(msisdn);
    expect(await house.dial(phone, '*384*100#', '2')).toMatch(/: paid to .* Rights re-sent/);
    expect(await house.dial(phone, '3', code)).toMatch(new RegExp(`^${code}: `));
    await house.until(() => {
      const [refresh] = house.commands(customer.card, 'REFRESH');
      expect(refresh).toMatchObject({ result: { code: 'DONE' } });
    });
    expect(tv.shows()).toBe(code);
    tv.turn(mended);
    expect(tv.shows()).toBe(knobs.service ?? 'NOVA1');
  });
});

/** Last, because all that is told after it goes through a crowded air. */
describe('an air of 100 kbit/s with more to carry than it can', () => {
  /** How long a sale waited for its first EMM once the head-end had taken it. */
  const airedAfterMs = (card: string): number => {
    const [command] = house.commands(card, 'ENTITLE');
    return Date.parse(command?.result?.emm?.firstAirAt ?? '') - (command?.atMs ?? 0);
  };
  const sellSome = async () => {
    for (let sale = 0; sale < 5; sale += 1) {
      const { card, tv } = await paying();
      expect(tv.shows()).toBe('NOVA1');
      expect(airedAfterMs(card)).toBeLessThan(AT_ONCE_MS);
      await tv.untilOsd(/^Paid KES 650/);
    }
  };
  const refreshOne = async () => {
    const { msisdn, tv } = await paying();
    tv.turn({ paired: false });
    expect(tv.shows()).toBe('V02');
    await house.dial(house.phone(msisdn), '*384*100#', '2');
    await tv.until('NOVA1');
  };

  it('has first airings of sales before all else, and repeats late but for ever', async () => {
    const { air, onAirEvent } = house.headEnd;
    for (let other = 0; other < OTHERS; other += 1) {
      const insertion = { card: `other-${other}`, content: { kind: 'rights' } } as const;
      air.put({ ...insertion, prio: 'BULK', repeat: 'profile' }, house.clock.now());
    }
    await sellSome();
    await refreshOne();
    // First airings of no hurry waited meanwhile.
    expect(air.carousel().waiting.BULK).toBeGreaterThan(OTHERS / 3);

    house.clock.advance(MINUTE_MS);
    const heard = new Map<string, number[]>();
    const leave = onAirEvent((event) => {
      if (event.type !== 'broadcast' || event.first || !event.card.startsWith('other-')) return;
      heard.set(event.card, [...(heard.get(event.card) ?? []), Date.parse(event.at)]);
    });
    await sellSome();
    await refreshOne();
    house.clock.advance(MINUTE_MS);
    air.advance(house.clock.now());
    leave();
    expect(heard.size).toBe(OTHERS);
    const gaps = [...heard.values()].flatMap((times) =>
      times.slice(1).map((atMs, index) => atMs - (times[index] ?? 0)),
    );
    expect(gaps.length).toBeGreaterThan(OTHERS / 2);
    expect(Math.min(...gaps)).toBeGreaterThan(CROWDED_MS);
  }, 30_000);

  it('brings a decoder that was off its picture with the next round', async () => {
    const customer = await house.customer();
    const tv = house.tv(customer.card);
    tv.power(false);
    await paying(customer);
    tv.power(true);
    expect(tv.shows()).toBe('V07');
    house.clock.advance(2 * CROWDED_MS);
    expect(tv.shows()).toBe('NOVA1');
    expect(house.commands(customer.card, 'ENTITLE')).toHaveLength(1);
  });
});
