/**
 * Sends the refreshes that were asked for. Each has one cmdId for ever, so that however often it
 * is sent after a crash or a doubt, the head-end begins its repetition anew only once.
 */
import type { Pool } from 'pg';
import type { Clock, Logger, Random } from '../../platform/ports.ts';
import { within } from '../../platform/timers.ts';
import { createGather, type Gather } from '../dispatch/gather.ts';
import { createLoop } from '../dispatch/loop.ts';
import { backoffMs } from '../dispatch/rules.ts';
import type { CommandOutcome } from '../vip-control/command.ts';
import type { VipControlLink } from '../vip-control/link.ts';
import {
  type ClaimedRefresh,
  claimRefreshes,
  type FinishedRefresh,
  finishRefreshes,
  type RefreshResult,
} from './refresh-store.ts';
import { DAY_MS } from './rules.ts';

export interface Refresher {
  start(): void;
  /** There may be a refresh to send: looks at once. */
  wake(): void;
  /** Takes nothing more and waits a while for what is under way; the rest keeps its lease. */
  stop(): Promise<void>;
  /** Sends until nothing is due, under way or unwritten. Sends nothing without a session. */
  runUntilIdle(): Promise<void>;
}

export interface RefresherDeps {
  pool: Pool;
  link: Pick<VipControlLink, 'send' | 'state'>;
  clock: Clock;
  random: Random;
  logger: Logger;
  /** `seconds` from the ask to the answer. */
  metrics?: { onRefresh(result: RefreshResult['state'], seconds: number): void };
}

/** How long the head-end repeats as it does after a change. */
const BOOST_SECONDS = 300;
/** How long a sending may lie in the head-end's queue. */
const COMMAND_VALID_MS = 900_000;
/** While the head-end is away an ask is kept this long; then nobody waits for it any more. */
const ASK_VALID_MS = DAY_MS;
const LEASE_MS = 20_000;
const POLL_MS = 1_000;
/** Few, because rights go first and share the window. */
const IN_FLIGHT_MAX = 32;
const STOP_WAIT_MS = 5_000;

interface RefresherState {
  deps: RefresherDeps;
  results: Gather<FinishedRefresh>;
  inFlight: Map<bigint, { row: ClaimedRefresh; done: Promise<void> }>;
  stopped: boolean;
}

/** A sender that has not started; its link may be down. */
export function createRefresher(deps: RefresherDeps): Refresher {
  const { pool, logger } = deps;
  const state: RefresherState = {
    deps,
    results: createGather<FinishedRefresh>({
      itemsMax: IN_FLIGHT_MAX,
      write: (finished) => finishRefreshes(pool, finished),
      // The leases run out, the refreshes are sent again, and the head-end knows them.
      onError: (error, rows) =>
        logger.error('refresh.results_unwritten', { rows: rows.length, error }),
    }),
    inFlight: new Map(),
    stopped: false,
  };
  const loop = createLoop({
    intervalMs: POLL_MS,
    step: async () => (await sendDue(state, () => loop.wake())) > 0,
    onError: (error) => logger.error('refresh.failed', { error }),
  });
  return {
    start: loop.start,
    wake: loop.wake,
    async stop() {
      await loop.stop();
      await within(STOP_WAIT_MS, drain(state));
      state.stopped = true;
    },
    async runUntilIdle() {
      for (let sent = -1; sent !== 0; ) {
        sent = await sendDue(state);
        await drain(state);
      }
    },
  };
}

async function drain({ inFlight }: RefresherState): Promise<void> {
  while (inFlight.size > 0) await Promise.all([...inFlight.values()].map(({ done }) => done));
}

async function sendDue(state: RefresherState, onRoom?: () => void): Promise<number> {
  const { pool, link, clock } = state.deps;
  const limit = IN_FLIGHT_MAX - state.inFlight.size;
  if (link.state() !== 'connected' || limit <= 0) return 0;
  const now = clock.now();
  const rows = await claimRefreshes(pool, {
    now,
    limit,
    until: new Date(now.getTime() + LEASE_MS),
    expired: new Date(now.getTime() - ASK_VALID_MS),
  });
  let sent = 0;
  for (const row of rows) {
    const known = state.inFlight.get(row.id);
    if (known) {
      // Our lease ran out while the answer is awaited: this claim has prolonged it.
      known.row = row;
      continue;
    }
    const flight = { row, done: Promise.resolve() };
    state.inFlight.set(row.id, flight);
    flight.done = send(state, flight).then(() => {
      state.inFlight.delete(row.id);
      onRoom?.();
    });
    sent += 1;
  }
  return sent;
}

async function send(state: RefresherState, flight: { row: ClaimedRefresh }): Promise<void> {
  const { link, clock, random, logger, metrics } = state.deps;
  const { id, cardNumber, askedAt } = flight.row;
  const outcome = await link.send({
    op: 'REFRESH',
    cmdId: `rfr.${id}`,
    card: cardNumber,
    scope: 'all',
    boostSeconds: BOOST_SECONDS,
    prio: 'REFRESH',
    notAfter: new Date(clock.now().getTime() + COMMAND_VALID_MS),
    reason: 'asked',
  });
  if (state.stopped) return;
  const now = clock.now();
  const { attempts } = flight.row;
  const result = resultOf(outcome, attempts, { now, fraction: random.fraction() });
  if (result.state === 'failed') {
    logger.warn('refresh.refused', { refreshId: id, card: cardNumber, code: result.failure });
  }
  metrics?.onRefresh(result.state, Math.max(0, (now.getTime() - askedAt.getTime()) / 1000));
  await state.results.add({ id, attempts, result });
}

/** What became of a refresh. A refusal is final: the viewer is told, and may ask again. */
function resultOf(
  outcome: CommandOutcome,
  attempts: number,
  { now, fraction }: { now: Date; fraction: number },
): RefreshResult {
  const after = (ms: number) => new Date(now.getTime() + ms);
  const waitMs = backoffMs(attempts, fraction);
  switch (outcome.kind) {
    case 'done':
      return { state: 'on_air', onAirAt: outcome.firstAirAt ?? now };
    case 'unknown': {
      const failure = outcome.sent ? 'NO_ANSWER' : 'NOT_SENT';
      return { state: 'retry', nextAt: after(waitMs), failure };
    }
    case 'retry': {
      const nextAt = after(Math.max(waitMs, outcome.retryAfterMs ?? 0));
      return { state: 'retry', nextAt, failure: outcome.code };
    }
    case 'rejected':
      return { state: 'failed', failure: outcome.code };
  }
}
