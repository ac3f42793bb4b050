import { perform, type Story } from './actions.ts';
import { breaking } from './breaking.ts';
import type { Action, Case } from './file.ts';
import { PLANS } from './histories.ts';
import { CONFIG } from './own-config.ts';
import { openPostgresHouse, type PostgresHouse } from './postgres.ts';
import { setupOf } from './setup.ts';

/**
 * Goal: what was sold is earned as its dates pass, never twice, and nothing of it is deferred when
 * it is over or undone. Method: one house in two time zones; the stories follow one another in
 * time, each begins when all before it is earned. A month costs 1,000.00, 862.07 without tax.
 */
const START = '2026-11-23T08:00:00Z';
const NAMES = ['main', 'b', 'c', 'd', 'e', 'f', 'g'];
const cardOf = (name: string): string => `4021000000${NAMES.indexOf(name)}`;
const OPENINGS: readonly Record<string, unknown>[] = [
  ...NAMES.map((account) => ({
    action: 'create_account',
    account,
    tz: account === 'g' ? 'Africa/Abidjan' : 'Africa/Nairobi',
    currency: 'KES',
  })),
  ...NAMES.map((account) => ({
    action: 'create_subscription',
    ...{ ref: account, account, card: cardOf(account), plan: 'basic' },
  })),
];
const story: Case = {
  id: 'earned',
  config: {
    ...CONFIG,
    move: { window_hours: 2_000, per_month: 9, objection_minutes: 0 },
  },
  timeline: OPENINGS.map((one, i) => ({ ...one, seq: i, instant: START }) as unknown as Action),
  expected: [],
};

let house: PostgresHouse;
let told: Story;
beforeAll(async () => {
  const meta = { format: 'prepaid-cases/1', defaults: {} };
  // Only plans that a story names are read.
  const changed = { ...story.timeline.at(-1), plan: 'rich' } as Action;
  const named = { ...story, timeline: [...story.timeline, changed] };
  const setup = setupOf({ meta, plans: PLANS, cases: [named] }, named);
  house = await openPostgresHouse(setup);
  told = { setup, house, accounts: new Map(), keys: new Map() };
  for (const action of story.timeline) await perform(told, action);
});
beforeEach(async () => {
  before = await booked('earned_revenue');
  expect(await booked('deferred_revenue')).toBe(0n);
});
afterEach(async () => {
  expect(await house.faults()).toEqual([]);
  expect(await booked('deferred_revenue')).toBe(0n);
});
afterAll(() => house.close());

/** What had been earned before the story. */
let before = 0n;

const booked = async (kind: string): Promise<bigint> =>
  (await house.journal()).get('KES')?.get(kind) ?? 0n;

/** What is deferred, and what was earned in the story, when all that is due has been done. */
async function on(instant: string): Promise<[deferred: bigint, earned: bigint]> {
  await house.due(new Date(instant));
  return [await booked('deferred_revenue'), (await booked('earned_revenue')) - before];
}

/** Of the action that was told last: an action is known by it. */
let seq = OPENINGS.length;

async function act(instant: string, action: Record<string, unknown>): Promise<void> {
  seq += 1;
  const { error } = await perform(told, { ...action, seq, instant } as unknown as Action);
  expect(error).toBeNull();
}

/** The account pays, and buys a term with it. */
async function buys(account: string, term: string, instant: string, receipt = account) {
  const payment = { amount: '1000.00', currency: 'KES', provider: 'mpesa', payer: '+254700000009' };
  await act(instant, { action: 'payment', ...payment, receipt, card: cardOf(account) });
  await act(instant, { action: 'buy_term', ref: account, term });
}

describe('a month that was sold', () => {
  it('is earned by its dates, once a day, and what is given back half way is not', async () => {
    await buys('main', 'month', '2026-11-23T11:02:00Z');
    expect(await on('2026-11-24T06:00:00Z')).toEqual([862_07n, 0n]);
    // From 24 November to 8 December: 15 of 30 dates, half a cent rounded up.
    expect(await on('2026-12-09T06:00:00Z')).toEqual([431_03n, 431_04n]);
    expect(await house.earn(new Date('2026-12-09T20:00:00Z'))).toBe(0);
    const move = { provider: 'mpesa', receipt: 'main', payer: '+254700000009' };
    await act('2026-12-09T20:00:00Z', { action: 'move_payment', ...move, to_card: cardOf('b') });
    // 16 dates are kept: 533.33, and 73.56 of it is tax.
    expect(await on('2026-12-10T06:00:00Z')).toEqual([0n, 459_77n]);
  });

  it('comes to the same when nothing ran until its end', async () => {
    await buys('c', 'month', '2026-12-24T11:02:00Z');
    expect(await house.earn(new Date('2027-01-25T06:00:00Z'))).toBe(1);
    expect(await on('2027-01-25T06:00:00Z')).toEqual([0n, 862_07n]);
    // A clock that is late finds the days of its date done.
    expect(await house.earn(new Date('2027-01-20T06:00:00Z'))).toBe(0);
  });

  it('is kept as far as it was watched when its payment is taken back', async () => {
    await buys('d', 'month', '2027-04-01T08:00:00Z');
    expect(await on('2027-04-11T08:00:00Z')).toEqual([603_45n, 258_62n]);
    await act('2027-04-11T08:00:00Z', {
      ...{ action: 'payment_reversed', provider: 'mpesa', receipt: 'd' },
    });
    // Ten dates: 333.33, and 45.98 of it is tax.
    expect(await on('2027-04-12T08:00:00Z')).toEqual([0n, 287_35n]);
  });

  it('makes way for the days of another plan', async () => {
    await buys('e', 'month', '2027-06-01T08:00:00Z');
    const change = { ref: 'e', plan: 'rich', policy: 'immediate' };
    await act('2027-06-11T08:00:00Z', { action: 'change_plan', ...change });
    // Ten dates of the month are kept; 666.67 bought 8 days for 626.67.
    expect(await on('2027-06-12T08:00:00Z')).toEqual([540_23n, 287_35n]);
    expect(await on('2027-06-16T08:00:00Z')).toEqual([270_11n, 557_47n]);
    expect(await on('2027-06-20T08:00:00Z')).toEqual([0n, 827_58n]);
  });
});

it('nothing is earned while a line is paused', async () => {
  await buys('f', 'week', '2027-07-01T07:00:00Z');
  expect(await on('2027-07-04T07:00:00Z')).toEqual([184_73n, 73_89n]);
  await act('2027-07-04T07:00:00Z', { action: 'pause', ref: 'f', days: 7 });
  // Its end of before, 9 July, is no end any more.
  expect(await on('2027-07-05T07:00:00Z')).toEqual([184_73n, 73_89n]);
  expect(await on('2027-07-10T07:00:00Z')).toEqual([184_73n, 73_89n]);
  expect(await on('2027-07-12T07:00:00Z')).toEqual([147_78n, 110_84n]);
  expect(await on('2027-07-16T07:00:00Z')).toEqual([0n, 258_62n]);
});

it('the fee of a loan is earned at once, its week day by day', async () => {
  await act('2027-08-01T07:00:00Z', { action: 'take_loan', ref: 'd' });
  expect(await on('2027-08-02T07:00:00Z')).toEqual([258_62n, 17_24n]);
  expect(await on('2027-08-09T07:00:00Z')).toEqual([0n, 275_86n]);
});

it('each site earns by its own calendar, in a journal of its own', async () => {
  await buys('c', 'day', '2027-09-01T08:00:00Z', 'nairobi');
  await buys('g', 'day', '2027-09-01T08:00:00Z');
  expect(await on('2027-09-02T12:00:00Z')).toEqual([86_20n, 0n]);
  // In Nairobi it is the 3rd, in Abidjan still the 2nd.
  expect(await on('2027-09-02T22:00:00Z')).toEqual([43_10n, 43_10n]);
  expect(await on('2027-09-03T06:00:00Z')).toEqual([0n, 86_20n]);
});

it('a day is earned once, wherever a connection breaks and however many try', async () => {
  await buys('c', 'week', '2027-10-01T07:00:00Z', 'broken');
  const at = new Date('2027-10-05T07:00:00Z');
  let statements = 0;
  for (let isBroken = true; isBroken; ) {
    statements += 1;
    const { pool, broke } = breaking(house.pool, statements);
    await house.earn(at, pool).catch(() => 0);
    expect(await house.faults()).toEqual([]);
    isBroken = broke();
  }
  expect(statements).toBeGreaterThan(6);
  expect(await on('2027-10-05T07:00:00Z')).toEqual([147_78n, 110_84n]);
  const last = new Date('2027-10-09T07:00:00Z');
  const written = await Promise.all([house.earn(last), house.earn(last), house.earn(last)]);
  expect(written.sort()).toEqual([0, 0, 1]);
});
