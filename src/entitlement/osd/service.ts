/**
 * Sends on-screen messages to cards. A message has one cmdId for ever, so that however often it is
 * sent after a crash or a doubt, the head-end shows it at most once; and none is shown late.
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
  claimOutbound,
  type FinishedOutbound,
  finishOutbound,
  type OutboundResult,
  type OutboundRow,
} from './outbound-store.ts';

export interface OsdSender {
  start(): void;
  /** There may be a message: looks at once. */
  wake(): void;
  /** Takes nothing more and waits a while for what is under way; the rest keeps its lease. */
  stop(): Promise<void>;
  /** Sends until nothing is due, under way or unwritten. Sends nothing without a session. */
  runUntilIdle(): Promise<void>;
}

export interface OsdSenderDeps {
  pool: Pool;
  link: Pick<VipControlLink, 'send' | 'state'>;
  clock: Clock;
  random: Random;
  logger: Logger;
  metrics?: { onOsd(state: OutboundResult['state'], seconds: number): void };
}

/** How long a message stays on the screen. */
const OSD_SECONDS = 30;
const LEASE_MS = 20_000;
const POLL_MS = 1_000;
/** Few, because rights go first and share the window. */
const IN_FLIGHT_MAX = 32;
const STOP_WAIT_MS = 5_000;

interface SenderState {
  deps: OsdSenderDeps;
  results: Gather<FinishedOutbound>;
  inFlight: Map<bigint, { row: OutboundRow; done: Promise<void> }>;
  stopped: boolean;
}

/** A sender that has not started; its link may be down. */
export function createOsdSender(deps: OsdSenderDeps): OsdSender {
  const { pool, logger } = deps;
  const state: SenderState = {
    deps,
    results: createGather<FinishedOutbound>({
      itemsMax: IN_FLIGHT_MAX,
      write: (finished) => finishOutbound(pool, finished),
      // The leases run out, the messages are sent again, and the head-end knows them.
      onError: (error, rows) => logger.error('osd.results_unwritten', { rows: rows.length, error }),
    }),
    inFlight: new Map(),
    stopped: false,
  };
  const loop = createLoop({
    intervalMs: POLL_MS,
    step: async () => (await sendDue(state, () => loop.wake())) > 0,
    onError: (error) => logger.error('osd.failed', { error }),
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

async function drain({ inFlight }: SenderState): Promise<void> {
  while (inFlight.size > 0) await Promise.all([...inFlight.values()].map(({ done }) => done));
}

async function sendDue(state: SenderState, onRoom?: () => void): Promise<number> {
  const { pool, link, clock } = state.deps;
  const limit = IN_FLIGHT_MAX - state.inFlight.size;
  if (link.state() !== 'connected' || limit <= 0) return 0;
  const now = clock.now();
  const rows = await claimOutbound(pool, { kind: 'osd', now, limit, leaseMs: LEASE_MS });
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

async function send(state: SenderState, flight: { row: OutboundRow }): Promise<void> {
  const { link, clock, random, logger, metrics } = state.deps;
  const { id, target, body, template, notAfter, createdAt } = flight.row;
  const outcome = await link.send({
    op: 'OSD',
    cmdId: `osd.${id}`,
    card: target,
    text: body,
    durationSeconds: OSD_SECONDS,
    prio: 'MESSAGE',
    notAfter,
    reason: template,
  });
  if (state.stopped) return;
  const now = clock.now();
  const { attempts } = flight.row;
  const result = resultOf(outcome, flight.row, { now, fraction: random.fraction() });
  if (result.state === 'failed') {
    logger.warn('osd.refused', { outboundId: id, card: target, code: result.failure });
  }
  metrics?.onOsd(result.state, Math.max(0, (now.getTime() - createdAt.getTime()) / 1000));
  await state.results.add({ id, attempts, result });
}

/** What became of a message; one that is too late is tried when it is over, and so expires. */
function resultOf(
  outcome: CommandOutcome,
  { attempts, notAfter }: OutboundRow,
  { now, fraction }: { now: Date; fraction: number },
): OutboundResult {
  const soon = new Date(now.getTime() + backoffMs(attempts, fraction));
  switch (outcome.kind) {
    case 'done':
      return { state: 'sent', providerId: null };
    case 'unknown':
      return { state: 'retry', nextAt: soon, failure: outcome.sent ? 'NO_ANSWER' : 'NOT_SENT' };
    case 'retry': {
      const allowedMs = now.getTime() + (outcome.retryAfterMs ?? 0);
      const nextAt = new Date(Math.max(soon.getTime(), allowedMs));
      return { state: 'retry', nextAt, failure: outcome.code };
    }
    case 'rejected':
      return outcome.code === 'EXPIRED'
        ? { state: 'retry', nextAt: notAfter, failure: outcome.code }
        : { state: 'failed', failure: outcome.code };
  }
}
