/** One run: minutes of load under troubles, then quiet, then the comparison of everything. */
import { once } from 'node:events';
import type { Pool } from 'pg';
import { LANES, verifyAll } from '../src/evidence/verify.ts';
import { createPool } from '../src/platform/database/pool.ts';
import { silentLogger } from '../src/platform/log.ts';
import { systemClock } from '../src/platform/system.ts';
import { sleep } from '../src/platform/timers.ts';
import { type Accounts, account, readAccounts } from './account.ts';
import { type Clearing, type Counts, inspect, readClearing } from './check.ts';
import { CAS_ID, compareOften, endWell } from './comparing.ts';
import { addCustomers, type Customer } from './customers.ts';
import { createDialler, type Dialler } from './dialler.ts';
import { createHavoc, surely } from './havoc.ts';
import { createHomes, type Homes } from './homes.ts';
import { createMeddling, type Meddling } from './meddling.ts';
import { createOperator, type Operator, type Played } from './operator.ts';
import { pairCards } from './pairing.ts';
import { KILLS, planRound, type Sending } from './plan.ts';
import { below, seededRandom } from './random.ts';
import { openTown, type Town } from './town.ts';
import { planTroubles, type Trouble } from './troubles.ts';

export interface SoakOptions {
  seed: number;
  minutes: number;
  ratePerSecond: number;
  cards: number;
  kinds: readonly Trouble['kind'][];
  folder: string;
  say(line: string): void;
  /** Ends it early; what was started is stopped all the same. */
  stop: AbortSignal;
}

export interface SoakResult {
  troubles: readonly Trouble[];
  injected: Record<string, number>;
  measured: Measured | null;
  /** What did not go as it must; none: passed. */
  faults: string[];
}

export interface Measured {
  sent: number;
  late: number;
  lost: number;
  duplicates: number;
  played: Played;
  /** From the end of load and troubles until nothing waited any more. */
  quietMs: number | null;
  counts: Counts;
  /** What was done behind our back at the head-end. */
  accounts: Accounts['counts'];
  /** Homes that hold what their card has, and those with a picture. */
  homes: { alike: number; pictures: number };
  messagesShown: number;
  /** What the chains of evidence hold, as far as they are sealed. */
  sealed: { rows: number; blocks: number };
}

/** Shares of the messages that the operator sends late, and only when somebody asks for them. */
const LATE = 0.05;
const LOST = 0.02;
const LATE_MS_MAX = 30_000;
/** For the operator's own side of things, beside what is planned. */
const OPERATOR_SALT = 1_000_003;
/** Of so many customers the last ones never pay. */
const IDLER_EVERY = 10;
const IDLERS = 2;
const PAIRED_EVERY = 8;
const QUIET_MS_MAX = 450_000;
const QUIET_POLL_MS = 500;
/** One for each chain that is verified at the same time, twice, as `npm run verify` has. */
const CONNECTIONS = 2 * LANES;

/** Runs it. Never rejects: what went wrong stands in the result. */
export async function runSoak(options: SoakOptions): Promise<SoakResult> {
  const { seed, minutes, kinds, folder } = options;
  const troubles = planTroubles(seed, { loadMs: minutes * 60_000, kinds });
  const result: SoakResult = { troubles, injected: {}, measured: null, faults: [] };
  try {
    const town = await openTown(folder, seed);
    try {
      const stopped = once(options.stop, 'abort').then(() => {
        throw new Error('stopped from outside');
      });
      await Promise.race([soak(town, options, result), stopped]);
    } finally {
      const closing = await town.close();
      result.faults.push(...closing);
    }
  } catch (error) {
    result.faults.push(String((error as Error).stack));
  }
  return result;
}

async function soak(town: Town, options: SoakOptions, result: SoakResult): Promise<void> {
  const url = town.databaseUrl;
  const customers = await addCustomers(url, options.cards);
  const logger = silentLogger;
  const pool = createPool({ url, max: CONNECTIONS, name: 'torture', logger });
  const homes = createHomes(
    town.headEnd,
    customers.map(({ card }) => card),
  );
  const { payers, idlers, paired } = dealt(customers);
  const meddling = createMeddling({ town, payers, idlers, paired, surely });
  const operator = createOperator(() => town.demo);
  const dialler = createDialler(() => town.demo, seededRandom(options.seed));
  const parts = { town, pool, customers, payers, homes, meddling, operator, dialler };
  try {
    const opening = await readClearing(pool);
    await homes.furnish();
    await pairCards(pool, CAS_ID, [...paired]);
    const loaded = await load(parts, options, result);
    const { quietMs, faults } = await endWell({
      ...{ pool, meddling },
      waitUntilQuiet: (but) => waitUntilQuiet(town, pool, but),
    });
    if (quietMs === null) faults.push(`not quiet after ${QUIET_MS_MAX / 1_000} s`);
    result.faults.push(...faults);
    await compare(parts, { ...loaded, opening, quietMs }, result);
  } finally {
    homes.close();
    operator.close();
    await pool.end();
  }
}

interface Parts {
  town: Town;
  pool: Pool;
  customers: readonly Customer[];
  payers: readonly Customer[];
  homes: Homes;
  meddling: Meddling;
  operator: Operator;
  dialler: Dialler;
}

/** Who never pays, and whose card is bound to its decoder. */
function dealt(customers: readonly Customer[]) {
  const idlers = customers.filter((_, n) => n % IDLER_EVERY >= IDLER_EVERY - IDLERS);
  const payers = customers.filter((one) => !idlers.includes(one));
  const paired = new Set(payers.filter((_, n) => n % PAIRED_EVERY === 0).map(({ card }) => card));
  return { idlers, payers, paired };
}

type Loaded = Pick<Measured, 'sent' | 'late' | 'lost' | 'duplicates' | 'played'>;

/** Load and troubles, and comparisons all the while; then everything is healed but for people. */
async function load(parts: Parts, options: SoakOptions, result: SoakResult): Promise<Loaded> {
  const { town, pool, payers, operator, dialler } = parts;
  const { seed, say, minutes } = options;
  const havoc = createHavoc(parts);
  const plan = planRound(seed, {
    ratePerSecond: options.ratePerSecond,
    seconds: minutes * 60,
    shortCode: town.demo.paybill.shortCode,
    customers: payers,
    kills: KILLS,
    now: new Date(),
  });
  const { sendings, late, lost } = delay(plan.sendings, seed, minutes * 60_000);
  say(`${sendings.length} messages and ${result.troubles.length} troubles from here on`);
  const over = new AbortController();
  const comparing = compareOften(pool, over.signal);
  const [played, , undone] = await Promise.all([
    operator.play(sendings),
    dialler.play(plan.diallings),
    havoc.play(result.troubles),
  ]);
  over.abort();
  await comparing;
  result.injected = havoc.done();
  await havoc.heal();
  say('healed; waiting until nothing waits, and for what is compared then');
  result.faults.push(
    ...undone,
    ...played.refusals,
    ...(played.givenUp > 0 ? [`${played.givenUp} messages were never answered`] : []),
  );
  return { sent: sendings.length, late, lost, duplicates: plan.duplicates, played };
}

/** Everything with everything. */
async function compare(
  { town, pool, customers, homes, meddling, operator, dialler }: Parts,
  { opening, ...loaded }: Loaded & { opening: Clearing; quietMs: number | null },
  result: SoakResult,
): Promise<void> {
  const { faults: homeFaults, ...alike } = await homes.settle();
  const meddled = meddling.meddled();
  const accounts = account(meddled, await readAccounts(pool, town));
  const inspection = await inspect(pool, {
    ...{ lines: operator.lines, customers, conversions: dialler.conversions, opening },
    vipControlUrl: town.demo.vipControl.http,
    strangers: new Set(meddled.activations.map(({ card }) => card)),
  });
  const verified = await verifyAll({ pool, clock: systemClock, anchors: [] });
  const messages = homes.messages();
  result.measured = {
    ...{ ...loaded, counts: inspection.counts, accounts: accounts.counts },
    ...{ homes: alike, messagesShown: messages.shown },
    sealed: { rows: verified.rows, blocks: verified.blocks },
  };
  result.faults.push(
    ...inspection.faults,
    ...accounts.faults,
    ...homeFaults,
    ...verified.findings.map(({ text }) => `evidence: ${text}`),
    ...messages.faults,
  );
}

/** Some messages come late and so in another order, and some only with the day's statement. */
function delay(planned: readonly Sending[], seed: number, loadMs: number) {
  const random = seededRandom(seed + OPERATOR_SALT);
  let late = 0;
  let lost = 0;
  const sendings = planned.map((sending) => {
    const roll = random.fraction();
    if (roll < LOST) {
      lost += 1;
      return { ...sending, atMs: loadMs };
    }
    if (roll > LOST + LATE) return sending;
    late += 1;
    return { ...sending, atMs: Math.min(loadMs, sending.atMs + below(random, LATE_MS_MAX)) };
  });
  sendings.sort((a, b) => a.atMs - b.atMs);
  return { sendings, late, lost };
}

const WAITING = /^vip_settlement_waiting (\d+)$/m;

/** What waits for people: what is refused, or only what is refused because we are behind. */
const FOR_PEOPLE = {
  refused: 'AND w.code = r.failure',
  ahead: `AND w.code = r.failure AND w.code = 'STALE_REV'`,
  nothing: 'AND false',
};

/** Until nothing waits to be settled, acknowledged or shown; null: it took too long. */
async function waitUntilQuiet(
  town: Town,
  pool: Pool,
  but: keyof typeof FOR_PEOPLE,
): Promise<number | null> {
  const startMs = performance.now();
  while (performance.now() - startMs < QUIET_MS_MAX) {
    const { rows } = await pool.query<{ waiting: number }>(
      `SELECT (SELECT count(*) FROM card_rights r
                WHERE desired_rev <> acked_rev AND NOT EXISTS (
                      SELECT FROM work_item w WHERE w.card_id = r.card_id
                         AND w.closed_at IS NULL ${FOR_PEOPLE[but]}))::int
            + (SELECT count(*) FROM outbound WHERE kind = 'osd' AND next_at IS NOT NULL)::int
            + (SELECT count(*) FROM cas_command WHERE state = 'waiting')::int AS waiting`,
    );
    const metrics = await (await fetch(`${town.gatewayUrl}/metrics`)).text();
    const [, settling] = WAITING.exec(metrics) ?? [];
    if (settling === undefined) throw new Error('the metrics do not say what waits');
    if (rows[0]?.waiting === 0 && settling === '0') return performance.now() - startMs;
    await sleep(QUIET_POLL_MS);
  }
  return null;
}
