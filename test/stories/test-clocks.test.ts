import { createCatalogue } from '../../src/billing/catalogue/service.ts';
import { remindDue } from '../../src/billing/reminders/service.ts';
import type { Command } from '../../src/billing/settlement/commands.ts';
import { doDue, listDue } from '../../src/billing/settlement/due-list.ts';
import {
  type Advance,
  createTestClocks,
  type TestClock,
  type TestClocks,
} from '../../src/billing/test-clocks/service.ts';
import { createWorld, type World } from './world.ts';

/**
 * Goal: what is due for the subscribers of a test clock happens at its instants while the clock is
 * moved on, and never by the house's time. Method: the real engine over real Postgres.
 */
const HOUSE = '2026-11-23T11:02:00Z';
const NEW_YEAR = new Date('2027-01-01T09:00:00Z');
const MONTH = 65_000n;

let world: World;
let tests: TestClocks;
beforeAll(async () => {
  world = await createWorld(HOUSE);
  tests = await openTests();
});
afterAll(async () => {
  expect(await world.check()).toMatchObject({ wrongBalances: 0, wrongLots: 0, wrongFolds: 0 });
  await world.close();
});

async function openTests(): Promise<TestClocks> {
  const { pool, ids, settlement } = world;
  const service = await createCatalogue(world.prisma, { now: () => world.now() });
  const catalogue = () => service.current();
  return createTestClocks({
    ...{ pool, ids, settlement },
    timeZoneOf: () => 'Africa/Nairobi',
    remind: (clock, testClock) =>
      remindDue({
        ...{ pool, ids, clock, testClock, catalogue },
        messagesFor: ({ to, message }, at) => ({
          kind: to.kind,
          template: message.name,
          target: to.kind === 'text' ? to.msisdn : to.cardNumber,
          body: message.name === 'reminder' ? message.step : message.name,
          notAfter: new Date(at.getTime() + 60_000),
        }),
      }),
  });
}

interface Living {
  clock: TestClock;
  number: string;
  id: bigint;
}

/** Somebody who renews each month and lives by a new clock. */
async function living(at = NEW_YEAR): Promise<Living> {
  const { number, id } = await world.customer({ term: 'month', autoRenew: true });
  const clock = await tests.make({ siteId: world.site('NBO').id, at, by: 'test' });
  expect(await tests.attach(id, clock)).toBe(true);
  return { clock, number, id };
}

let receipts = 0;
const pay = (number: string, amount: bigint) => {
  receipts += 1;
  const command: Command = {
    ...{ kind: 'payment', provider: 'mpesa', receipt: `T${receipts}`, channelId: 'ke-paybill' },
    ...{ siteId: world.site('NBO').id, at: new Date(HOUSE), raw: Buffer.from('{}'), amount },
    ...{ asset: 'KES', accountRef: number, payerMsisdn: null, payerHash: null, orderId: null },
  };
  return tests.settlement(world.settlement).settle(command);
};

async function advance({ clock }: Living, to: string): Promise<Advance> {
  const done = await tests.advance(clock.id, new Date(to));
  if (!done.ok) throw new Error(done.error);
  return done.advance;
}

const acts = ({ acts: done }: Advance) =>
  done.map(({ at, kind, outcome }) => {
    const settled = outcome.kind === 'done' ? outcome.settled : null;
    return `${at.toISOString()} ${kind} ${settled?.state} ${settled?.paidUntil ?? '-'}`;
  });
const said = ({ messages }: Advance) =>
  messages
    .filter(({ kind }) => kind === 'text')
    .map(({ at, body }) => `${at.toISOString()} ${body}`);
const paidUntil = async (number: string) =>
  (
    await world.rows(
      `SELECT s.paid_until AS at FROM subscription s JOIN card c ON c.id = s.card_id
        WHERE c.number = $1`,
      [number],
    )
  )[0]?.at;

describe('a year of a subscriber, month by month', () => {
  it('renews at each end while there is money, says when there is none, and ends', async () => {
    const somebody = await living();
    await pay(somebody.number, 10n * MONTH);
    expect(await paidUntil(somebody.number)).toBe('2027-02-01T21:00:00.000Z');
    const renewed: string[] = [];
    const texts: string[] = [];
    for (let month = 2; month <= 13; month += 1) {
      const to = new Date(Date.UTC(2027, month - 1, 1, 9)).toISOString();
      const moved = await advance(somebody, to);
      expect(moved.clock.at.toISOString()).toBe(to);
      renewed.push(...acts(moved));
      texts.push(...said(moved));
    }
    expect(renewed).toHaveLength(10);
    expect(renewed.slice(0, 2)).toEqual([
      '2027-02-01T21:00:00.000Z renew settled 2027-03-01T21:00:00.000Z',
      '2027-03-01T21:00:00.000Z renew settled 2027-04-01T21:00:00.000Z',
    ]);
    expect(renewed.at(-1)).toMatch(/^2027-11-01T21:00:00.000Z renew refused/);
    // Only the month that no money is there for is spoken of.
    expect(texts.filter((text) => / d\d$/.test(text))).toEqual([
      '2027-10-29T06:00:00.000Z d3',
      '2027-10-31T06:00:00.000Z d1',
      '2027-11-01T06:00:00.000Z d0',
    ]);
    const waiting = await world.rows(
      "SELECT 1 FROM outbound WHERE next_at IS NOT NULL AND created_at > '2027-01-02'",
    );
    expect(waiting).toEqual([]);
  });

  it('comes out the same in one move as in parts', async () => {
    const inParts = await living();
    const atOnce = await living();
    await pay(inParts.number, 3n * MONTH);
    await pay(atOnce.number, 3n * MONTH);
    const parts: string[] = [];
    for (const to of ['2027-02-01T21:00:00Z', '2027-03-01T20:59:59Z', '2027-05-01T00:00:00Z']) {
      parts.push(...acts(await advance(inParts, to)));
    }
    expect(acts(await advance(atOnce, '2027-05-01T00:00:00Z'))).toEqual(parts);
    expect(parts).toHaveLength(3);
  });
});

describe('the house', () => {
  it('does nothing for those who live by a clock, whatever its own time', async () => {
    const somebody = await living(new Date('2026-11-01T09:00:00Z'));
    const other = await world.customer({ term: 'week', autoRenew: true });
    await pay(somebody.number, 2n * MONTH);
    await world.pay({ amount: 40_000n, accountRef: other.number });
    world.moveTo('2026-12-08T09:00:00Z');
    const due = await listDue(world.pool, world.now(), ['renew']);
    expect(due).toHaveLength(1);
    expect(await doDue({ ...world, clock: { now: world.now } })).toBe(1);
    expect(await paidUntil(somebody.number)).toBe('2026-12-01T21:00:00.000Z');
    expect(acts(await advance(somebody, '2026-12-08T09:00:00Z'))).toEqual([
      '2026-12-01T21:00:00.000Z renew settled 2027-01-01T21:00:00.000Z',
    ]);
    world.moveTo(HOUSE);
  });
});

describe('a clock', () => {
  it('goes on, by a year at the most, and one move at a time', async () => {
    const { clock } = await living();
    const refused = async (to: string) => tests.advance(clock.id, new Date(to));
    expect(await refused('2027-01-01T09:00:00Z')).toEqual({ ok: false, error: 'backwards' });
    expect(await refused('2026-12-31T09:00:00Z')).toEqual({ ok: false, error: 'backwards' });
    expect(await refused('2028-01-03T09:00:00Z')).toEqual({ ok: false, error: 'backwards' });
    expect(await tests.advance(1n, NEW_YEAR)).toEqual({ ok: false, error: 'not_found' });
    const moves = await Promise.all([
      refused('2027-03-01T09:00:00Z'),
      refused('2027-03-01T09:00:00Z'),
    ]);
    expect(moves.filter(({ ok }) => ok)).toHaveLength(1);
    await expect(
      world.pool.query('UPDATE test_clock SET at = $2 WHERE id = $1', [clock.id, NEW_YEAR]),
    ).rejects.toThrow('only goes on');
  });

  it('takes only who has nothing with a date yet', async () => {
    const clock = await tests.make({ siteId: world.site('NBO').id, at: NEW_YEAR, by: 'test' });
    const paid = await world.customer();
    await world.pay({ amount: 1_000n, accountRef: paid.number });
    expect(await tests.attach(paid.id, clock)).toBe(false);
    const elsewhere = await world.customer({ siteCode: 'ABJ' });
    expect(await tests.attach(elsewhere.id, clock)).toBe(false);
    const { id } = await living();
    expect(await tests.attach(id, clock)).toBe(false);
  });

  it('is the time of what is done for its subscribers, by card, owner and payment', async () => {
    const { id, number } = await living();
    await pay(number, 1_000n);
    expect(await tests.timeOf({ subscriberId: id })).toEqual(NEW_YEAR);
    expect(await tests.timeOf({ cardNumber: number })).toEqual(NEW_YEAR);
    const payment = { provider: 'mpesa', receipt: `T${receipts}` };
    expect(await tests.timeOf({ payment })).toEqual(NEW_YEAR);
    const other = await world.customer();
    expect(await tests.timeOf({ subscriberId: other.id, msisdn: other.msisdn })).toBeNull();
  });
});
