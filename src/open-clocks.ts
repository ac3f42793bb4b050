/**
 * Time that can be moved, which only a demo has: the whole house's, and that of subscribers with a
 * test clock.
 */
import type { Pool } from 'pg';
import type { DemoClocks } from './backoffice/resources/demo-clocks.ts';
import type { PostpaidService } from './billing/postpaid/service.ts';
import { remindDue } from './billing/reminders/service.ts';
import type { Billing } from './billing/service.ts';
import { listDue } from './billing/settlement/due-list.ts';
import type { Settlement } from './billing/settlement/service.ts';
import { postpaidByClocks } from './billing/test-clocks/postpaid-door.ts';
import { createTestClocks } from './billing/test-clocks/service.ts';
import type { Debts } from './open-debts.ts';
import type { Jobs } from './platform/jobs.ts';
import type { Clock, Ids } from './platform/ports.ts';
import { sleep } from './platform/timers.ts';
import type { createWording } from './telecom/service.ts';

export interface TimeMachineDeps {
  pool: Pool;
  clock: Clock;
  jobs: Jobs;
  /** Sets the clocks of the house on, and of everything that the demo has beside it. */
  move(ms: number): Promise<void>;
  /** Told after each stop, so that nobody waits for their next look. */
  wake(): Promise<void> | undefined;
}

const DAY_MS = 86_400_000;
/** Each day of a long way is stopped at noon in UTC, when reminders may be sent at every site. */
const NOON_MS = DAY_MS / 2;
const STOPS_MAX = 3_000;
/** A job that runs already began before the move: it is run again behind it. */
const BUSY_WAIT_MS = 20;
const BUSY_TRIES_MAX = 500;
/** What is said on a day leaves on it, while the gateway takes it. */
const TEXTS_WAIT_MS = 10;
const TEXTS_TRIES_MAX = 200;

/**
 * Moves the whole house on, one move at a time: from stop to stop, where something is due and
 * every noon, and at each stop every job is run. Resolves to where it then is.
 */
export function createTimeMachine(deps: TimeMachineDeps): (to: Date) => Promise<Date> {
  let last: Promise<unknown> = Promise.resolve();
  return (to) => {
    const mine = last.then(() => travel(deps, to));
    last = mine.catch(() => undefined);
    return mine;
  };
}

async function travel(deps: TimeMachineDeps, to: Date): Promise<Date> {
  const { clock } = deps;
  for (let stops = 0; stops < STOPS_MAX && clock.now() < to; stops += 1) {
    const next = await nextStop(deps, to);
    await deps.move(next.getTime() - clock.now().getTime());
    for (const name of deps.jobs.names()) await runBehind(deps.jobs, name);
    await deps.wake();
    await textsLeft(deps);
  }
  return clock.now();
}

async function nextStop({ pool, clock }: TimeMachineDeps, to: Date): Promise<Date> {
  const nowMs = clock.now().getTime();
  const isLong = to.getTime() - nowMs > DAY_MS;
  const noonMs = (Math.floor((nowMs - NOON_MS) / DAY_MS) + 1) * DAY_MS + NOON_MS;
  const untilMs = isLong ? Math.min(noonMs, to.getTime()) : to.getTime();
  const due = await listDue(pool, new Date(untilMs));
  const dueMs = due.map(({ at }) => at.getTime()).find((ms) => ms > nowMs) ?? untilMs;
  return new Date(Math.min(untilMs, dueMs));
}

async function runBehind(jobs: Jobs, name: string): Promise<void> {
  for (let tries = 0; tries < BUSY_TRIES_MAX; tries += 1) {
    const result = await jobs.runNow(name);
    if (result !== 'busy' && result !== 'elsewhere') return;
    await sleep(BUSY_WAIT_MS);
  }
}

async function textsLeft({ pool, clock }: TimeMachineDeps): Promise<void> {
  const sql = `SELECT EXISTS (SELECT FROM outbound WHERE kind = 'text' AND next_at <= $1) AS waits`;
  for (let tries = 0; tries < TEXTS_TRIES_MAX; tries += 1) {
    const { rows } = await pool.query<{ waits: boolean }>(sql, [clock.now()]);
    if (!rows[0]?.waits) return;
    await sleep(TEXTS_WAIT_MS);
  }
}

interface TimeParts {
  pool: Pool;
  ids: Ids;
  billing: Billing;
  wording: ReturnType<typeof createWording>;
  clock: Clock;
  debts: Debts;
  demo: { move?(ms: number): Promise<void> } | undefined;
}

/** Time that can be moved, before the rooms are open that work by it. */
export interface DemoTime {
  /** The door of billing, where what concerns subscribers with a test clock happens by it. */
  settlement: Settlement;
  /** The same of postpaid. */
  postpaid: PostpaidService;
  /** Makes it movable; `wake` is told after each stop. */
  start(jobs: Jobs, wake: () => Promise<void> | undefined): DemoClocks;
}

/** The time of a demo; null where nobody may move it. */
export function openTime({ demo, clock, wording, debts, ...parts }: TimeParts): DemoTime | null {
  const move = demo?.move;
  if (!move) return null;
  const { pool, ids, billing } = parts;
  const catalogue = () => billing.catalogue.current();
  const { messagesFor } = wording.messages;
  const tests = createTestClocks({
    ...{ pool, ids, settlement: billing.settlement },
    timeZoneOf: (siteId) => catalogue().sites.get(siteId)?.timeZone ?? 'UTC',
    remind: (now, testClock) =>
      remindDue({ pool, ids, clock: now, testClock, catalogue, messagesFor }),
    postpaidAt: debts.postpaidAt,
    dunningAt: (now, id) => debts.dunningAt(now, debts.postpaidAt(now), id).service,
  });
  return {
    settlement: tests.settlement(billing.settlement),
    postpaid: postpaidByClocks(debts.postpaidAt(clock), tests, debts.postpaidAt),
    start(jobs, wake) {
      const moveTo = createTimeMachine({ pool, clock, jobs, move, wake });
      return { tests, house: { now: () => clock.now(), moveTo } };
    },
  };
}
