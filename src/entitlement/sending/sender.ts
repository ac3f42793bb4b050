/**
 * Sends the rows of a table to one system, each as one command. A row's command has one cmdId for
 * ever, so that however often it is sent after a crash or a doubt, the head-end acts on it once.
 */
import type { Clock, Logger, Random } from '../../platform/ports.ts';
import { within } from '../../platform/timers.ts';
import type { Command, CommandOutcome } from '../vip-control/command.ts';
import type { Priority } from '../vip-control/messages.ts';
import { backoffMs } from './backoff.ts';
import { type LogLine, sendLogged } from './command-log.ts';
import { createGather, type Gather } from './gather.ts';
import { createLoop } from './loop.ts';
import type { Outlet } from './outlet.ts';

export interface Sender {
  start(): void;
  /** There may be a row to send: looks at once. */
  wake(): void;
  /** Takes nothing more and waits a while for what is under way; the rest keeps its lease. */
  stop(): Promise<void>;
  /** Sends until nothing is due, under way or unwritten. Sends nothing without a session. */
  runUntilIdle(): Promise<void>;
}

export interface SenderDeps {
  outlet: Pick<Outlet, 'send' | 'room'>;
  /** Which head-end it is. */
  casId: string;
  /** The epoch of our revisions there; a sender whose commands bring none needs none. */
  epoch?: () => number;
  clock: Clock;
  random: Random;
  logger: Logger;
}

export interface Claim {
  now: Date;
  /** Most rows to take. */
  limit: number;
  /** For how long nobody else is given them. */
  leaseMs: number;
}

export interface Claimed {
  id: bigint;
  /** How often it was claimed, this time included. */
  attempts: number;
}

/** What became of a row whose command was not done; `failure`: a code for staff. */
export type NotDone =
  | { state: 'retry'; nextAt: Date; failure: string }
  | { state: 'failed'; failure: string };

export interface Finished<Result> {
  id: bigint;
  /** As claimed: a retry or failure of an earlier claim yields to the later claim. */
  attempts: number;
  result: Result;
  /** How the sending is to be logged; absent or null when nothing was sent. */
  line?: LogLine | null;
}

/** What is sent, where it comes from, and where it is written what became of it. */
export interface Errand<Row extends Claimed, Result extends { state: string }> {
  /** Begins the names of its log events. */
  name: string;
  /** Of its commands: what is more important goes first. */
  prio: Priority;
  claim(claim: Claim): Promise<Row[]>;
  command(row: Row, now: Date): Command;
  done(outcome: Extract<CommandOutcome, { kind: 'done' }>, now: Date): Result;
  /** How much longer than sold the rights of a row's command are; absent: it brings none. */
  marginMs?(row: Row): number | undefined;
  /** How many may be under way; absent: few, because rights go first and share the window. */
  inFlightMax?: number;
  /** Claimed after this instant, a row ends by itself. Absent: too late is refused for good. */
  endsAt?(row: Row): Date;
  /** Writes it, and the log lines of the sendings, in one statement. */
  finish(finished: Finished<Result | NotDone>[]): Promise<void>;
  onResult(result: Result | NotDone): void;
}

const LEASE_MS = 20_000;
const POLL_MS = 1_000;
const IN_FLIGHT_MAX = 32;
const ROWS_PER_WRITE_MAX = 256;
const STOP_WAIT_MS = 5_000;

interface State<Row extends Claimed, Result extends { state: string }> {
  deps: SenderDeps;
  errand: Errand<Row, Result>;
  results: Gather<Finished<Result | NotDone>>;
  inFlight: Map<bigint, { row: Row; done: Promise<void> }>;
  stopped: boolean;
}

/** A sender that has not started; its link may be down. */
export function createSender<Row extends Claimed, Result extends { state: string }>(
  deps: SenderDeps,
  errand: Errand<Row, Result>,
): Sender {
  const { logger } = deps;
  const state: State<Row, Result> = {
    deps,
    errand,
    results: createGather({
      itemsMax: ROWS_PER_WRITE_MAX,
      write: errand.finish,
      // The leases run out, the rows are sent again, and the head-end knows them.
      onError: (error, rows) =>
        logger.error(`${errand.name}.results_unwritten`, { rows: rows.length, error }),
    }),
    inFlight: new Map(),
    stopped: false,
  };
  const drain = async () => {
    const { inFlight } = state;
    while (inFlight.size > 0) await Promise.all([...inFlight.values()].map(({ done }) => done));
  };
  const loop = createLoop({
    intervalMs: POLL_MS,
    step: async () => (await sendDue(state, () => loop.wake())) > 0,
    onError: (error) => logger.error(`${errand.name}.failed`, { error }),
  });
  return {
    start: loop.start,
    wake: loop.wake,
    async stop() {
      await loop.stop();
      await within(STOP_WAIT_MS, drain());
      state.stopped = true;
    },
    async runUntilIdle() {
      for (let sent = -1; sent !== 0; ) {
        sent = await sendDue(state);
        await drain();
      }
    },
  };
}

async function sendDue<Row extends Claimed, Result extends { state: string }>(
  state: State<Row, Result>,
  onRoom?: () => void,
): Promise<number> {
  const { deps, errand, inFlight } = state;
  const most = (errand.inFlightMax ?? IN_FLIGHT_MAX) - inFlight.size;
  const limit = Math.min(most, deps.outlet.room(errand.prio));
  if (limit <= 0) return 0;
  const rows = await errand.claim({ now: deps.clock.now(), limit, leaseMs: LEASE_MS });
  let sent = 0;
  for (const row of rows) {
    const known = inFlight.get(row.id);
    if (known) {
      // Our lease ran out while the answer is awaited: this claim has prolonged it.
      known.row = row;
      continue;
    }
    const flight = { row, done: Promise.resolve() };
    inFlight.set(row.id, flight);
    flight.done = send(state, flight).then(() => {
      inFlight.delete(row.id);
      onRoom?.();
    });
    sent += 1;
  }
  return sent;
}

async function send<Row extends Claimed, Result extends { state: string }>(
  state: State<Row, Result>,
  flight: { row: Row },
): Promise<void> {
  const { deps, errand, results } = state;
  const command = errand.command(flight.row, deps.clock.now());
  const cas = { id: deps.casId, ...(deps.epoch ? { epoch: deps.epoch } : {}) };
  const marginMs = errand.marginMs?.(flight.row);
  const { outcome, line } = await sendLogged({ ...deps, cas }, command, {
    attempt: flight.row.attempts,
    ...(marginMs === undefined ? {} : { marginMs }),
  });
  if (state.stopped) return;
  const now = deps.clock.now();
  const { row } = flight;
  const { id, attempts } = row;
  const result =
    outcome.kind === 'done'
      ? errand.done(outcome, now)
      : notDone(outcome, {
          now,
          waitMs: backoffMs(attempts, deps.random.fraction()),
          endsAt: errand.endsAt?.(row),
        });
  if (outcome.kind === 'rejected' && result.state === 'failed') {
    const { cmdId, target } = command;
    deps.logger.warn(`${errand.name}.refused`, { cmdId, target, code: outcome.code });
  }
  errand.onResult(result);
  await results.add({ id, attempts, result, line });
}

/** A refusal is final; but what was only too late is looked at when it ends, and so ends. */
function notDone(
  outcome: Exclude<CommandOutcome, { kind: 'done' }>,
  { now, waitMs, endsAt }: { now: Date; waitMs: number; endsAt: Date | undefined },
): NotDone {
  const after = (ms: number) => new Date(now.getTime() + ms);
  switch (outcome.kind) {
    case 'unknown': {
      const failure = outcome.sent ? 'NO_ANSWER' : 'NOT_SENT';
      return { state: 'retry', nextAt: after(waitMs), failure };
    }
    case 'retry': {
      const nextAt = after(Math.max(waitMs, outcome.retryAfterMs ?? 0));
      return { state: 'retry', nextAt, failure: outcome.code };
    }
    case 'rejected':
      return outcome.code === 'EXPIRED' && endsAt
        ? { state: 'retry', nextAt: endsAt, failure: outcome.code }
        : { state: 'failed', failure: outcome.code };
  }
}
