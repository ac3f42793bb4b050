/** One seed: a house lives through acts and faults, comes to rest, and is inspected. */
import type { Pool } from 'pg';
import { createPool } from '../../src/platform/database/pool.ts';
import { silentLogger } from '../../src/platform/log.ts';
import { cloneDatabase } from '../../src/platform/test-database.ts';
import { below, oneOf, seededRandom } from '../random.ts';
import { type Base, BEGAN_AT } from './base.ts';
import type { Break } from './breaks.ts';
import { type Findings, inspect } from './check.ts';
import { type House, openHouse } from './house.ts';
import { type Living, openLife } from './life.ts';
import { RARELY_MS } from './product.ts';
import { createTrace, type TraceLine } from './trace.ts';

export interface SeedResult extends Findings {
  seed: number;
  hash: string;
  acts: Record<string, number>;
  /** Injected, by kind. */
  injected: Record<string, number>;
  virtualHours: number;
  statements: number;
  lines: readonly TraceLine[];
}

export interface SeedOptions {
  keepTrace?: boolean;
  /** A defect put in on purpose. */
  broken?: Break;
  /** How many phases full of acts and faults, where that is not the seed's to say. */
  phases?: number;
}

const PHASES_MIN = 4;
const PHASES_MORE = 3;
const PHASE_MS = 6_000;
const ACTS_A_PHASE = 14;
const FAULTS_A_PHASE = 7;
const PROCESSES = 2;
const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** What clocks leap by between phases: nothing, mostly little, sometimes a month. */
const LEAPS_MS = [
  ...[0, 0, 20 * SECOND_MS, 20 * SECOND_MS, 5 * MINUTE_MS, 5 * MINUTE_MS],
  ...[40 * MINUTE_MS, 40 * MINUTE_MS, 7 * HOUR_MS, DAY_MS, 31 * DAY_MS],
];
const REST_MS = 2 * SECOND_MS;
/** Each job wakes in so long. */
const JOBS_MS = RARELY_MS + SECOND_MS;
/** Longer than any repetition waits. */
const REST_LEAP_MS = 130 * SECOND_MS;
const RESTS_MAX = 60;
/** One heals; one sees that all is healed. */
const COMPARISONS = 2;
/** Behind the end of the film, and of the time to object to a move. */
const LAST_LEAP_MS = 13 * HOUR_MS;

/** Lives through a seed; the same seed is the same life, to the last statement. */
export async function runSeed(
  base: Base,
  seed: number,
  { keepTrace = false, broken, phases }: SeedOptions = {},
): Promise<SeedResult> {
  const trace = createTrace({ keep: keepTrace });
  const database = await cloneDatabase(base.database);
  const setting = { base, seed, trace, database, beganAt: BEGAN_AT };
  const house = await openHouse({ ...setting, broken: broken ?? null });
  const life = openLife(house, { base, seed, trace, broken: broken ?? null });
  const faults = [...house.failures];
  let findings: Findings = { faults, checks: 0 };
  try {
    await live(house, life, { seed, phases });
    const isQuiet = await rest(house, life);
    if (!isQuiet) faults.push(`never at rest: ${await whatWaits(life)}`);
    const now = house.time.now();
    const { server, executions, messages, log } = house.headEnd;
    await house.close();
    const found = await look(house.backups.current().appUrl, (pool) =>
      inspect({
        ...{ pool, base, now, lines: life.operator.lines, answers: life.answers },
        ...{ headEnd: server(), executions: executions(), messages: messages() },
        ...{ forgotten: life.forgotten, activations: life.activations, log: log() },
      }),
    );
    findings = { checks: found.checks, faults: [...faults, ...house.failures, ...found.faults] };
  } catch (error) {
    findings = { checks: 0, faults: [...faults, String((error as Error).stack)] };
  } finally {
    await house.close();
    await house.backups.drop();
  }
  const { acts, faults: injected } = trace.counts();
  return {
    ...{ seed, ...findings, hash: trace.hash(), acts, injected, lines: trace.lines() },
    virtualHours: (house.time.now().getTime() - BEGAN_AT.getTime()) / HOUR_MS,
    statements: house.statements.counts().ran,
  };
}

/** Phases full of acts and faults, with leaps of the clocks between them. */
async function live(
  house: House,
  life: Living,
  { seed, phases }: { seed: number; phases: number | undefined },
): Promise<void> {
  const random = seededRandom(seed * 16 + 11);
  house.kernel.soon(() => house.headEnd.start());
  for (let n = 0; n < PROCESSES; n += 1) house.kernel.soon(() => house.start());
  await house.kernel.runFor(SECOND_MS);
  const drawn = PHASES_MIN + below(random, PHASES_MORE);
  for (let phase = 0; phase < (phases ?? drawn); phase += 1) {
    const spread = (count: number, act: () => void) => {
      for (let n = 0; n < count; n += 1) setTimeout(act, below(random, PHASE_MS));
    };
    spread(below(random, ACTS_A_PHASE) + 2, life.act);
    spread(below(random, FAULTS_A_PHASE + 1), life.faults.strike);
    await house.kernel.runFor(PHASE_MS);
    const leapMs = oneOf(random, LEAPS_MS);
    life.trace.tell(`clocks leap by ${leapMs / MINUTE_MS} minutes`);
    house.time.leap(leapMs);
  }
}

/** Nothing goes wrong any more: true when nothing waits, twice, and half a day lies between. */
async function rest(house: House, life: Living): Promise<boolean> {
  const { kernel, headEnd, time } = house;
  life.faults.calm();
  await kernel.runFor(REST_MS);
  if (!headEnd.isUp()) kernel.soon(() => headEnd.start());
  // One process is left: whatever the other had in hand must come through all the same.
  const [, ...others] = house.alive();
  for (const other of others) kernel.soon(() => house.crash(other, false));
  if (house.alive().length === 0) kernel.soon(() => house.start());
  await kernel.runFor(REST_MS);
  life.faults.calm();
  for (const leapMs of [LAST_LEAP_MS, 0]) {
    if (!(await untilQuiet(house, life))) return false;
    time.leap(leapMs);
    await kernel.runFor(JOBS_MS);
  }
  for (const { card } of headEnd.server().air.decoders.list()) {
    headEnd.server().air.decoders.turn(card, { power: true }, time.now());
  }
  time.leap(HOUR_MS);
  await kernel.runFor(JOBS_MS);
  if (!(await untilQuiet(house, life))) return false;
  // Nothing is on its way any more: what somebody did at the console is seen, and healed.
  for (let n = 0; n < COMPARISONS; n += 1) {
    time.leap(REST_LEAP_MS);
    life.compare();
    await kernel.runFor(JOBS_MS);
    if (!(await untilQuiet(house, life))) return false;
  }
  return true;
}

async function untilQuiet(house: House, life: Living): Promise<boolean> {
  for (let n = 0; n < RESTS_MAX; n += 1) {
    await house.kernel.runFor(REST_MS);
    if (life.openActs() === 0 && (await life.waiting()).length === 0) return true;
    house.time.leap(REST_LEAP_MS);
  }
  return false;
}

const whatWaits = async (life: Living): Promise<string> =>
  [...(await life.waiting()), `${life.openActs()} acts`].join(', ');

async function look<T>(url: string, inspecting: (pool: Pool) => Promise<T>): Promise<T> {
  const pool = createPool({ url, max: 1, name: 'simulation', logger: silentLogger });
  try {
    return await inspecting(pool);
  } finally {
    await pool.end();
  }
}
