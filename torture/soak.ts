/** One run: minutes of load under troubles, then quiet, then the comparison of everything. */
import { once } from 'node:events';
import type { Pool } from 'pg';
import { LANES, verifyAll } from '../src/evidence/verify.ts';
import { createPool } from '../src/platform/database/pool.ts';
import { silentLogger } from '../src/platform/log.ts';
import { systemClock } from '../src/platform/system.ts';
import { sleep } from '../src/platform/timers.ts';
import { type Counts, inspect, readClearing } from './check.ts';
import { addCustomers } from './customers.ts';
import { createDialler } from './dialler.ts';
import { createHavoc } from './havoc.ts';
import { createHomes } from './homes.ts';
import { createOperator, type Played } from './operator.ts';
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
const QUIET_MS_MAX = 300_000;
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
  const { seed, say } = options;
  const customers = await addCustomers(town.databaseUrl, options.cards);
  const pool = createPool({
    url: town.databaseUrl,
    max: CONNECTIONS,
    name: 'torture',
    logger: silentLogger,
  });
  const homes = createHomes(
    town.headEnd,
    customers.map(({ card }) => card),
  );
  const operator = createOperator(() => town.demo);
  const dialler = createDialler(() => town.demo, seededRandom(seed));
  const havoc = createHavoc(town, homes, customers);
  try {
    const opening = await readClearing(pool);
    await homes.furnish();
    const plan = planRound(seed, {
      ratePerSecond: options.ratePerSecond,
      seconds: options.minutes * 60,
      shortCode: town.demo.paybill.shortCode,
      customers,
      kills: KILLS,
      now: new Date(),
    });
    const { sendings, late, lost } = delay(plan.sendings, seed, options.minutes * 60_000);
    say(`${sendings.length} messages and ${result.troubles.length} troubles from here on`);
    const [played, , undone] = await Promise.all([
      operator.play(sendings),
      dialler.play(plan.diallings),
      havoc.play(result.troubles),
    ]);
    result.injected = havoc.done();
    await havoc.heal();
    say('healed; waiting until nothing waits');
    const quietMs = await waitUntilQuiet(town, pool);
    const { faults: homeFaults, ...alike } = await homes.settle();
    const { conversions } = dialler;
    const vipControlUrl = town.demo.vipControl.http;
    const evidence = { lines: operator.lines, customers, conversions, opening, vipControlUrl };
    const inspection = await inspect(pool, evidence);
    const verified = await verifyAll({ pool, clock: systemClock, anchors: [] });
    const messages = homes.messages();
    const { duplicates } = plan;
    const { counts } = inspection;
    result.measured = {
      ...{ sent: sendings.length, late, lost, duplicates, played, quietMs, counts },
      ...{ homes: alike, messagesShown: messages.shown },
      sealed: { rows: verified.rows, blocks: verified.blocks },
    };
    result.faults.push(
      ...undone,
      ...played.refusals,
      ...(played.givenUp > 0 ? [`${played.givenUp} messages were never answered`] : []),
      ...(quietMs === null ? [`not quiet after ${QUIET_MS_MAX / 1_000} s`] : []),
      ...inspection.faults,
      ...homeFaults,
      ...verified.findings.map(({ text }) => `evidence: ${text}`),
      ...messages.faults,
    );
  } finally {
    homes.close();
    operator.close();
    await pool.end();
  }
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

/** Until nothing waits to be settled, acknowledged or shown; null: it took too long. */
async function waitUntilQuiet(town: Town, pool: Pool): Promise<number | null> {
  const startMs = performance.now();
  while (performance.now() - startMs < QUIET_MS_MAX) {
    const { rows } = await pool.query<{ waiting: number }>(
      `SELECT (SELECT count(*) FROM card_rights WHERE desired_rev <> acked_rev)::int
            + (SELECT count(*) FROM outbound WHERE kind = 'osd' AND next_at IS NOT NULL)::int
           AS waiting`,
    );
    const metrics = await (await fetch(`${town.gatewayUrl}/metrics`)).text();
    const [, settling] = WAITING.exec(metrics) ?? [];
    if (settling === undefined) throw new Error('the metrics do not say what waits');
    if (rows[0]?.waiting === 0 && settling === '0') return performance.now() - startMs;
    await sleep(QUIET_POLL_MS);
  }
  return null;
}
