/** One round: load, a fault at a random moment, healing, quiet, and the comparison of all books. */
import pg from 'pg';
import { createPool } from '../src/platform/database/pool.ts';
import { silentLogger } from '../src/platform/log.ts';
import { sleep, within } from '../src/platform/timers.ts';
import { type Clearing, type Counts, type Evidence, type Inspection, inspect } from './check.ts';
import type { Customer } from './customers.ts';
import type { Dialler } from './dialler.ts';
import type { House } from './house.ts';
import type { Operator, Played } from './operator.ts';
import type { Plan } from './plan.ts';

export interface World {
  house: House;
  operator: Operator;
  dialler: Dialler;
  customers: readonly Customer[];
  opening: Clearing;
}

export interface RoundResult {
  seed: number;
  kill: string;
  killAtMs: number;
  /** Null when the product never came back, so that there was nothing to measure. */
  measured: Measured | null;
  /** What did not go as it must; none: the round is passed. */
  faults: string[];
}

export interface Measured {
  sent: number;
  duplicates: number;
  twins: number;
  diallings: number;
  played: Played;
  /** From the fault to the first good answer to a message sent after it. */
  firstAnswerMs: number | null;
  /** From the end of the sending until nothing waited any more. */
  quietMs: number | null;
  counts: Counts;
}

const QUIET_MS_MAX = 120_000;
const QUIET_POLL_MS = 250;
const HEAL_MS_MAX = 60_000;
const HEAL_POLL_MS = 20;

/** Runs the plan. Never rejects: what went wrong stands in the result. */
export async function runRound(world: World, plan: Plan): Promise<RoundResult> {
  const { seed, kill, killAtMs } = plan;
  try {
    return { seed, kill, killAtMs, ...(await runPlan(world, plan)) };
  } catch (error) {
    return { seed, kill, killAtMs, measured: null, faults: [String((error as Error).stack)] };
  }
}

type Outcome = Pick<RoundResult, 'faults'> & { measured: Measured };

async function runPlan(world: World, plan: Plan): Promise<Outcome> {
  const { house, operator, dialler } = world;
  const endsBefore = house.unexpectedEnds();
  const load = Promise.all([operator.play(plan.sendings), dialler.play(plan.diallings)]);
  const healing = (async () => {
    await sleep(plan.killAtMs);
    const killedMs = performance.now();
    return { killedMs, faults: await injectFault(house, plan) };
  })();
  // Also when the product stays away, the load is waited for: it would disturb what comes after.
  const [played, healed] = await Promise.allSettled([load, healing]);
  if (played.status === 'rejected') throw played.reason;
  if (healed.status === 'rejected') throw healed.reason;
  const [sent] = played.value;
  const { killedMs, faults } = healed.value;
  await house.ready();
  const quietMs = await waitUntilQuiet(house);
  const inspection = await inspectHouse(world);
  const ends = house.unexpectedEnds() - endsBefore;
  const firstMs = operator.firstAnswerAfter(killedMs);
  return {
    measured: {
      sent: plan.sendings.length,
      duplicates: plan.duplicates,
      twins: plan.twins,
      diallings: plan.diallings.length,
      played: sent,
      firstAnswerMs: firstMs === null ? null : firstMs - killedMs,
      quietMs,
      counts: inspection.counts,
    },
    faults: [
      ...faults,
      ...sent.refusals,
      ...(sent.givenUp > 0 ? [`${sent.givenUp} messages were never answered`] : []),
      ...(ends > 0 ? [`the product ended ${ends} times by itself, see product.log`] : []),
      ...(quietMs === null ? [`not quiet after ${QUIET_MS_MAX / 1_000} s`] : []),
      ...inspection.faults,
    ],
  };
}

/** What the other side of the product knows by now. */
export function evidenceOf({ house, operator, dialler, customers, opening }: World): Evidence {
  return {
    lines: operator.lines,
    customers,
    conversions: dialler.conversions,
    opening,
    vipControlUrl: house.demo().vipControl.http,
  };
}

async function inspectHouse(world: World): Promise<Inspection> {
  const pool = openPool(world.house);
  try {
    return await inspect(pool, evidenceOf(world));
  } finally {
    await pool.end();
  }
}

/** For one look at a database that may be killed again soon. */
const openPool = (house: House) =>
  createPool({
    url: house.databaseUrl('app'),
    max: 1,
    name: 'torture',
    logger: silentLogger,
  });

/** Kills, and starts again what cannot heal itself. Returns what did not go as it must. */
async function injectFault(house: House, { kill, secondLifeMs }: Plan): Promise<string[]> {
  const node = house.nodePid();
  const postmaster = house.postmasterPid();
  if (kill === 'postgres' || kill === 'backend') {
    const hit = kill === 'postgres' ? house.killPostmaster() : killBackend(house);
    await hit;
    await until(() => !house.isRunning() || isHealed(house, kill, postmaster));
    await house.ready();
  } else {
    const nodeGone = house.killNode();
    if (kill === 'both') house.killPostmaster();
    if (kill === 'all') house.killPostgres();
    await nodeGone;
    if (kill === 'twice') {
      house.launch();
      await sleep(secondLifeMs);
      await house.killNode();
    }
    await house.start();
  }
  return fateFaults(kill, {
    isSameNode: house.nodePid() === node,
    isSamePostgres: house.postmasterPid() === postmaster,
  });
}

/** Who must have lived on: a product heals its Postgres, and adopts one that lives. */
function fateFaults(
  kill: Plan['kill'],
  { isSameNode, isSamePostgres }: { isSameNode: boolean; isSamePostgres: boolean },
): string[] {
  const faults: string[] = [];
  const livesNode = kill === 'postgres' || kill === 'backend';
  const livesPostgres = kill === 'node' || kill === 'twice' || kill === 'backend';
  if (isSameNode !== livesNode) faults.push(`product: same process ${isSameNode}`);
  if (isSamePostgres !== livesPostgres) faults.push(`Postgres: same process ${isSamePostgres}`);
  return faults;
}

/** Another Postgres after its first process was killed; else the same, which never went away. */
function isHealed(house: House, kill: Plan['kill'], before: number | undefined): boolean {
  const now = house.postmasterPid();
  return now !== undefined && (kill === 'backend' || now !== before);
}

async function until(condition: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + HEAL_MS_MAX;
  while (!condition() && performance.now() < deadlineMs) await sleep(HEAL_POLL_MS);
}

/** `kill -9` of a connection that settles; Postgres then ends all others and recovers. */
async function killBackend(house: House): Promise<void> {
  const client = new pg.Client({ connectionString: house.databaseUrl('superuser') });
  client.on('error', () => undefined);
  await client.connect();
  const ended = new Promise((resolve) => client.once('end', resolve));
  const { rows } = await client.query<{ pid: number }>(
    `SELECT pid FROM pg_stat_activity WHERE application_name = 'vip-settlement'
      ORDER BY state = 'active' DESC LIMIT 1`,
  );
  if (!rows[0]) throw new Error('no connection settles');
  process.kill(rows[0].pid, 'SIGKILL');
  // Our own connection is thrown out with the others: from then on Postgres recovers.
  await within(HEAL_MS_MAX, ended);
}

/** Until nothing waits to be settled or acknowledged; the milliseconds it took, null: too long. */
async function waitUntilQuiet(house: House): Promise<number | null> {
  const startMs = performance.now();
  const pool = openPool(house);
  try {
    while (performance.now() - startMs < QUIET_MS_MAX) {
      const { rows } = await pool.query(
        'SELECT count(*)::int AS cards FROM card_rights WHERE desired_rev <> acked_rev',
      );
      if (rows[0].cards === 0 && (await waitingIn(house)) === 0) {
        return performance.now() - startMs;
      }
      await sleep(QUIET_POLL_MS);
    }
    return null;
  } finally {
    await pool.end();
  }
}

const WAITING = /^(?:vip_settlement_waiting|vip_cards_waiting(?:\{cas="[^"]*"\})?) (\d+)$/gm;

/** Commands and cards that wait, by the product's own metrics. */
async function waitingIn(house: House): Promise<number> {
  const answer = await fetch(`${house.url}/metrics`);
  const text = await answer.text();
  const found = [...text.matchAll(WAITING)].map(([, count]) => Number(count));
  if (found.length < 2) throw new Error('the metrics do not say what waits');
  return found.reduce((sum, count) => sum + count, 0);
}
