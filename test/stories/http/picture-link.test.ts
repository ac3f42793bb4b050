import type { EmmContent } from '../../../simulators/head-end/air/types.ts';
import { createHouse, type House } from './house.ts';
import type { Customer } from './town.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const PAYMENTS = 100;
/** Payments that are under way at once. */
const LANES = 10;
/** As head-ends of the trade take their time. */
const SLOW = { medianMs: 80, p99Ms: 2_000 };
const LONG = { withinMs: 40_000 };
/** A message and its two repeats are over by then. */
const MESSAGE_OVER_MS = 40 * SECOND_MS;

/** From the operator's notice to the air, in the order of time; all of it as it was written. */
const WAITS = `
  SELECT (extract(epoch FROM r.on_air_at - i.received_at) * 1000)::float AS ms
    FROM term t JOIN subscription s ON s.id = t.subscription_id
    JOIN card_rights r ON r.card_id = s.card_id
    JOIN journal j ON j.id = t.journal_id JOIN inbox i ON i.id = j.inbox_id
   WHERE r.acked_rev = r.desired_rev
   ORDER BY ms`;

/** What a payment left in the books of a card. */
const TERMS = `
  SELECT t.to_at, s.paid_until FROM term t JOIN subscription s ON s.id = t.subscription_id
    JOIN card c ON c.id = s.card_id WHERE c.number = $1`;

let house: House;
let firsts: (card: string) => EmmContent['kind'][];
beforeAll(async () => {
  house = await createHouse();
  house.texts.setDeliveryReportUrl(null);
  firsts = countFirsts(house);
});
afterAll(() => house.close());
afterEach(() => house.settleDown());

/** What the head-end put on air afresh for a card: each execution of a command is one. */
function countFirsts({ headEnd }: House): typeof firsts {
  const seen = new Map<string, EmmContent['kind'][]>();
  headEnd.onAirEvent((event) => {
    if (event.type !== 'broadcast' || !event.first) return;
    seen.set(event.card, [...(seen.get(event.card) ?? []), event.content]);
  });
  return (card) => [...(seen.get(card) ?? [])].sort();
}

const payAll = async (people: readonly Customer[]) => {
  for (let from = 0; from < people.length; from += LANES) {
    await Promise.all(people.slice(from, from + LANES).map((one) => house.pay(one)));
  }
  await house.money.idle();
};
const customers = async (count: number) => {
  const people: Customer[] = [];
  while (people.length < count) {
    people.push(...(await Promise.all(Array.from({ length: LANES }, () => house.customer()))));
  }
  return people;
};
const allOnAir = () =>
  house.until(async () => {
    const waiting = 'SELECT count(*)::int AS cards FROM card_rights WHERE desired_rev > acked_rev';
    expect(await house.rows(waiting)).toEqual([{ cards: 0 }]);
  }, LONG);
const cuts = () => house.logbook.of('vipcontrol.disconnected').length;

/** The head-end took each of these commands under its first name, and did it. */
const expectDone = (card: string, ...ops: string[]) =>
  house.until(() => {
    const commands = house.commands(card);
    expect(commands.map(({ op, result }) => `${op} ${result?.code}`).sort()).toEqual(
      ops.map((op) => `${op} DONE`),
    );
    // Under a second name it would be another command, and be executed once more.
    const renamed = commands.filter(({ cmdId, op }) => op === 'ENTITLE' && !/\.1$/.test(cmdId));
    expect(renamed).toEqual([]);
  });

/** One term, and rights that end with it. */
const expectOneTerm = async (card: string) => {
  const terms = await house.rows(TERMS, [card]);
  expect(terms).toHaveLength(1);
  expect(terms[0]?.paid_until).toBe(terms[0]?.to_at);
  expect(await house.onAir(card)).toMatchObject([{ to: terms[0]?.to_at }]);
};

describe('a head-end of ordinary slowness', () => {
  it('has 95 of 100 payments on air within 5 s of their notice', async () => {
    house.headEnd.setLatency(SLOW);
    await payAll(await customers(PAYMENTS));
    await allOnAir();
    const waits = (await house.rows(WAITS)).map(({ ms }) => Number(ms));
    expect(waits).toHaveLength(PAYMENTS);
    expect(waits[0]).toBeGreaterThan(0);
    expect(waits[0.95 * PAYMENTS - 1]).toBeLessThanOrEqual(5 * SECOND_MS);
    // The head-end was slow indeed.
    expect(waits.at(-1)).toBeGreaterThan(2 * SLOW.medianMs);
    const name = 'vip_time_to_picture_seconds_bucket';
    const counted = await house.metric(`${name}{le="5",cas="vip-control",stage="on_air"}`);
    expect(counted).toBeGreaterThanOrEqual(0.95 * PAYMENTS);
  }, 60_000);

  it('that was lost while it executed a command is not told it once more', async () => {
    house.headEnd.setLatency(0);
    house.headEnd.faults.set({ kind: 'rate', value: 0.1 });
    const customer = await house.customer();
    const { card } = customer;
    const tv = house.tv(card);
    const lost = new Promise<void>((resolve) => {
      const leave = house.headEnd.onAirEvent((event) => {
        if (event.type !== 'broadcast' || event.card !== card) return;
        leave();
        resolve(house.headEnd.setLink(false));
      });
    });
    await house.pay(customer);
    // Both commands of the payment are taken by the time the first is executed.
    await house.until(() => expect(house.commands(card)).toHaveLength(2));
    house.headEnd.faults.heal('rate');
    await lost;
    await tv.until('NOVA1');
    await tv.untilOsd(/^Paid KES 650/);
    // Nobody has told us: we do not say that it is on air.
    house.clock.advance(20 * MINUTE_MS);
    expect(await house.entitlement.dark(120)).toMatchObject([
      { number: card, reasons: ['not_on_air'] },
    ]);
    await house.headEnd.setLink(true);
    await house.until(async () => {
      house.clock.advance(SECOND_MS);
      expect(await house.entitlement.dark(0)).toEqual([]);
    });
    await expectDone(card, 'ENTITLE', 'OSD');
    await expectOneTerm(card);
    expect(firsts(card)).toEqual(['message', 'rights']);
    expect(tv.messages()).toHaveLength(1);
    // On air since when it was broadcast, not since we know of it.
    const [last] = (await house.rows(WAITS)).slice(-1);
    expect(Number(last?.ms)).toBeLessThan(MINUTE_MS);
  }, 60_000);
});

describe.each([
  { kind: 'drop_before_ack', when: 'before the head-end has taken a command' },
  { kind: 'drop_after_exec', when: 'after a command is executed, before its result' },
] as const)('a connection that drops $when', ({ kind }) => {
  /** Lets the line drop once, at one of the commands that the act causes. */
  const dropping = async (act: () => Promise<unknown>): Promise<void> => {
    const before = cuts();
    house.headEnd.faults.set({ kind, times: 1 });
    await act();
    await house.until(() => expect(cuts()).toBe(before + 1), LONG);
    await house.until(
      () => expect(house.entitlement.systems[0]?.driver.state()).toBe('connected'),
      LONG,
    );
  };

  it('costs a payment neither its picture nor a second term', async () => {
    const customer = await house.customer();
    const { msisdn, card } = customer;
    const tv = house.tv(card);
    await dropping(() => house.pay(customer));
    await tv.until('NOVA1');
    await expectDone(card, 'ENTITLE', 'OSD');
    await expectOneTerm(card);
    house.clock.advance(MESSAGE_OVER_MS);
    expect(tv.shows()).toBe('NOVA1');
    expect(tv.messages()).toEqual([expect.stringMatching(/^Paid KES 650\. ESSENTIAL to /)]);
    expect(firsts(card)).toEqual(['message', 'rights']);
    expect(house.inbox(msisdn)).toHaveLength(1);
  });

  it('does each thing once that was under way: rights, messages and refreshes', async () => {
    // All are taken, or all are on the way, when the line drops.
    house.headEnd.setLatency(300);
    const [payers, askers] = [await customers(20), await customers(10)];
    const tvs = [...payers, ...askers].map(({ card }) => house.tv(card));
    await payAll(askers);
    for (const { card } of askers) await expectDone(card, 'ENTITLE', 'OSD');
    // And we have been told so: before, the answer is "on its way", and nothing is refreshed.
    await allOnAir();
    for (const { card } of askers) house.tv(card).turn({ paired: false });
    await dropping(() =>
      Promise.all([
        payAll(payers),
        ...askers.map(({ msisdn }) => house.dial(house.phone(msisdn), '*384*100#', '2')),
      ]),
    );
    await allOnAir();
    for (const { card } of payers) await expectDone(card, 'ENTITLE', 'OSD');
    for (const { card } of askers) await expectDone(card, 'ENTITLE', 'OSD', 'REFRESH');
    await house.until(async () => {
      const sql = "SELECT count(*)::int AS refreshes FROM card_refresh WHERE state = 'queued'";
      expect(await house.rows(sql)).toEqual([{ refreshes: 0 }]);
    });
    for (const { card } of [...payers, ...askers]) await expectOneTerm(card);
    for (const { card } of payers) expect(firsts(card)).toEqual(['message', 'rights']);
    for (const { card } of askers) expect(firsts(card)).toEqual(['all', 'message', 'rights']);
    house.clock.advance(MESSAGE_OVER_MS);
    expect(new Set(tvs.map((tv) => tv.shows()))).toEqual(new Set(['NOVA1']));
    expect(tvs.filter((tv) => tv.messages().length !== 1)).toEqual([]);
  }, 60_000);
});
