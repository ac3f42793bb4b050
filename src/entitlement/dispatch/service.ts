/**
 * Dispatch: brings the full current set of rights of every due card to the head-end, and keeps at
 * it until it is on air.
 *
 * What can break, and what then holds:
 * - this process dies between sending and writing the answer: the lease runs out, another process
 *   sends the same command under the same cmdId, and the head-end answers what it answered before;
 * - an answer cannot be written: as if the process had died;
 * - the head-end is away: nothing is claimed; cards go out later with the set they then have;
 * - a set is raised while an earlier one is under way: the card stays due and goes out once more.
 */
import type { Pool } from 'pg';
import type { Outcome, SettleEvent } from '../../billing/settlement/commands.ts';
import { isConnectionLost } from '../../platform/database/pool.ts';
import type { Clock, Logger, Random } from '../../platform/ports.ts';
import { sleep, within } from '../../platform/timers.ts';
import type { CommandOutcome } from '../vip-control/command.ts';
import type { VipControlLink } from '../vip-control/link.ts';
import { createGather, type Gather } from './gather.ts';
import { createHolds, type Holds } from './holds.ts';
import { createLoop } from './loop.ts';
import { cmdIdOf, judge, type Verdict } from './rules.ts';
import {
  ackCards,
  type ClaimedCard,
  claimCards,
  failCards,
  leaseCards,
  readBacklog,
} from './store.ts';

export interface Dispatcher {
  start(): void;
  /** Rights may have been raised: looks at once. */
  wake(): void;
  /** Takes nothing more, waits a while for what is under way, and gives back the rest. */
  stop(): Promise<void>;
  /** Sends until nothing is due, under way or unwritten. Sends nothing without a session. */
  runUntilIdle(): Promise<void>;
  /** Spends held money whose rights are on air, where that was missed. Call it each minute. */
  captureDue(): Promise<number>;
  /** Gives back money held for events that are over and never were on air. Call it each minute. */
  releaseDue(): Promise<number>;
  /** Cards due or being sent, and for how many seconds the oldest has been. */
  backlog(): Promise<{ waiting: number; oldestSeconds: number }>;
}

export type DispatchResult = 'on_air' | 'refused' | 'retry' | 'unknown';

export interface DispatchMetrics {
  /** `seconds` from when the card was due to the answer. */
  onDispatched(result: DispatchResult, seconds: number): void;
}

export interface OnAirCard {
  cardId: bigint;
  number: string;
  rev: number;
  onAirAt: Date;
}

export interface DispatcherDeps {
  pool: Pool;
  link: Pick<VipControlLink, 'send' | 'state' | 'capabilities'>;
  /** The head-end, and the epoch of our revisions there (see `ensureConditionalAccess`). */
  cas: { id: string; epoch: () => number };
  clock: Clock;
  random: Random;
  logger: Logger;
  /** Owns the leases; unique to this start of this process. */
  processId: string;
  settle(command: SettleEvent): Promise<Outcome>;
  metrics?: DispatchMetrics;
  /** Called after the acknowledgement was written. */
  onAir?(cards: readonly OnAirCard[]): void;
  /** How long `stop` waits for answers. */
  stopWaitMs?: number;
}

/** How long a dead process keeps its cards from the others; above any clock difference. */
export const LEASE_MS = 10_000;
const LEASE_RENEW_MS = LEASE_MS / 3;
/** What other processes raised is found this soon. */
const POLL_MS = 250;
const CLAIM_CARDS_MAX = 256;
const IN_FLIGHT_CARDS_MAX = 1_024;
const ANSWERS_PER_WRITE_MAX = 256;
/** A slow head-end may take this long; an expired set of rights helps nobody. */
/** Half a minute in all, for a database that is being started again. */
const WRITE_ATTEMPTS_MAX = 120;
const WRITE_WAIT_MS = 250;
const COMMAND_VALID_MS = 900_000;
const STOP_WAIT_MS = 5_000;
/** Leaves room for epoch, card, revision and attempts in the 64 characters of a cmdId. */
const CAS_ID_CHARS_MAX = 24;

interface Answer {
  card: ClaimedCard;
  verdict: Verdict;
}

interface DispatcherState {
  deps: DispatcherDeps;
  holds: Holds;
  answers: Gather<Answer>;
  /** By card; each promise resolves when its answer was written. */
  inFlight: Map<bigint, Promise<void>>;
  capturing: Set<Promise<void>>;
  renewedAtMs: number;
  stopped: boolean;
}

/** A dispatcher that has not started; its link may be down. */
export function createDispatcher(deps: DispatcherDeps): Dispatcher {
  const { pool, clock, cas, logger } = deps;
  if (cas.id.length > CAS_ID_CHARS_MAX) {
    throw new Error(`The id of a head-end has at most ${CAS_ID_CHARS_MAX} characters: ${cas.id}`);
  }
  const state: DispatcherState = {
    deps,
    holds: createHolds(deps),
    answers: createGather<Answer>({
      itemsMax: ANSWERS_PER_WRITE_MAX,
      write: (answers) => keepAnswers(state, answers),
      onError: (error, answers) =>
        logger.error('dispatch.answers_unwritten', { cards: answers.length, error }),
    }),
    inFlight: new Map(),
    capturing: new Set(),
    renewedAtMs: clock.now().getTime(),
    stopped: false,
  };
  const loop = createLoop({
    intervalMs: POLL_MS,
    async step() {
      await renewLeases(state);
      return (await sendDue(state, () => loop.wake())) > 0;
    },
    onError: (error) => logger.error('dispatch.failed', { error }),
  });
  return {
    start: loop.start,
    wake: loop.wake,
    async stop() {
      await loop.stop();
      await within(deps.stopWaitMs ?? STOP_WAIT_MS, drain(state));
      state.stopped = true;
      const rest = [...state.inFlight.keys()];
      if (rest.length > 0) await leaseCards(pool, rest, { by: deps.processId, until: null });
    },
    async runUntilIdle() {
      for (let sent = -1; sent !== 0; ) {
        sent = await sendDue(state);
        await drain(state);
      }
    },
    captureDue: state.holds.captureDue,
    releaseDue: state.holds.releaseDue,
    async backlog() {
      const now = clock.now();
      const { waiting, oldest } = await readBacklog(pool, now);
      return { waiting, oldestSeconds: oldest ? secondsBetween(oldest, now) : 0 };
    },
  };
}

async function drain(state: DispatcherState): Promise<void> {
  while (state.inFlight.size > 0 || state.capturing.size > 0) {
    await Promise.all([...state.inFlight.values(), ...state.capturing]);
  }
}

/** Claims as many due cards as may be under way, and sends them. Returns how many. */
async function sendDue(state: DispatcherState, onRoom?: () => void): Promise<number> {
  const { pool, link, clock, processId } = state.deps;
  const window = link.capabilities()?.maxWindow;
  if (link.state() !== 'connected' || window === undefined) return 0;
  // Twice the window: the link always has something to send while answers are being written.
  const room = Math.min(2 * window, IN_FLIGHT_CARDS_MAX) - state.inFlight.size;
  if (room <= 0) return 0;
  const now = clock.now();
  const until = new Date(now.getTime() + LEASE_MS);
  const limit = Math.min(room, CLAIM_CARDS_MAX);
  const cards = await claimCards(pool, { now, limit, by: processId, until });
  for (const card of cards) {
    // Raised again while its last answer was being written, or a lease of ours that ran out: the
    // card waits for what is under way, and then goes out as it was claimed now.
    const before = state.inFlight.get(card.cardId);
    const sent = before ? before.then(() => send(state, card)) : send(state, card);
    const done: Promise<void> = sent.then(() => {
      if (state.inFlight.get(card.cardId) === done) state.inFlight.delete(card.cardId);
      onRoom?.();
    });
    state.inFlight.set(card.cardId, done);
  }
  return cards.length;
}

/** Sends the set of one card; resolves when the answer was written. Never rejects. */
async function send(state: DispatcherState, card: ClaimedCard): Promise<void> {
  const { clock, random, metrics } = state.deps;
  const sending = { cardNumber: card.number, rev: card.rev, attempts: card.attempts };
  const outcome = await sendCommand(state.deps, card, sending);
  if (state.stopped) return;
  const now = clock.now();
  const verdict = judge(outcome, sending, { now, fraction: random.fraction() });
  const result = verdict.kind === 'on_air' ? 'on_air' : verdict.result;
  metrics?.onDispatched(result, secondsBetween(card.dueSince, now));
  await state.answers.add({ card, verdict });
}

async function sendCommand(
  { link, cas, clock, processId, logger }: DispatcherDeps,
  card: ClaimedCard,
  sending: Parameters<typeof cmdIdOf>[1],
): Promise<CommandOutcome> {
  try {
    return await link.send({
      op: 'ENTITLE',
      cmdId: cmdIdOf({ id: cas.id, epoch: cas.epoch() }, sending),
      card: card.number,
      rev: card.rev,
      set: card.desired.map(({ product, from, to }) => ({
        product,
        from: new Date(from),
        to: new Date(to),
      })),
      prio: 'SALE',
      notAfter: new Date(clock.now().getTime() + COMMAND_VALID_MS),
      actor: processId,
      reason: `rev:${card.rev}`,
    });
  } catch (error) {
    // A set that cannot even be put into words: staff must see it, and no other card waits for it.
    logger.error('dispatch.unsendable', { card: card.number, rev: card.rev, error });
    return { kind: 'rejected', code: 'BAD_DATES', class: 'data' };
  }
}

/** While the database is away, answers wait for it: a card on air is not sent once more. */
async function keepAnswers(state: DispatcherState, answers: Answer[]): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await writeAnswers(state, answers);
    } catch (error) {
      const again = isConnectionLost(error) && !state.stopped && attempt < WRITE_ATTEMPTS_MAX;
      if (!again) throw error;
      await sleep(WRITE_WAIT_MS);
    }
  }
}

async function writeAnswers(state: DispatcherState, answers: Answer[]): Promise<void> {
  const { pool, processId, onAir } = state.deps;
  const acked: OnAirCard[] = [];
  const failed = new Map<bigint, Answer & { verdict: Extract<Verdict, { kind: 'again' }> }>();
  for (const { card, verdict } of answers) {
    const { cardId, number, rev } = card;
    if (verdict.kind === 'on_air') acked.push({ cardId, number, rev, onAirAt: verdict.at });
    else failed.set(cardId, { card, verdict });
  }
  if (acked.length > 0) {
    const purchases = await ackCards(pool, acked, processId);
    if (purchases.length > 0) capture(state, purchases);
    onAir?.(acked);
  }
  if (failed.size === 0) return;
  const rows = [...failed.values()].map(({ card, verdict }) => ({ ...verdict, ...pick(card) }));
  const recorded = await failCards(pool, rows, processId);
  for (const cardId of recorded) {
    const failure = failed.get(cardId);
    if (failure) logAlarm(state.deps.logger, failure.card, failure.verdict);
  }
}

const pick = ({ cardId, rev }: ClaimedCard) => ({ cardId, rev });

/** Apart from the writing of answers, which must not wait for money. */
function capture(state: DispatcherState, purchases: Parameters<Holds['capture']>[0]): void {
  const work = state.holds.capture(purchases).finally(() => state.capturing.delete(work));
  state.capturing.add(work);
}

function logAlarm(
  logger: Logger,
  { number, rev }: ClaimedCard,
  { alarm, failure, attempts }: Extract<Verdict, { kind: 'again' }>,
): void {
  const fields = { card: number, rev, code: failure, attempts };
  if (alarm === 'refused') logger.error('dispatch.refused', fields);
  // Our database is older than what the head-end was told: it was restored without a new epoch.
  if (alarm === 'behind') logger.error('dispatch.behind_head_end', fields);
}

async function renewLeases(state: DispatcherState): Promise<void> {
  const { pool, clock, processId } = state.deps;
  const nowMs = clock.now().getTime();
  if (nowMs - state.renewedAtMs < LEASE_RENEW_MS) return;
  const until = new Date(nowMs + LEASE_MS);
  if (state.inFlight.size > 0) {
    await leaseCards(pool, [...state.inFlight.keys()], { by: processId, until });
  }
  state.renewedAtMs = nowMs;
}

function secondsBetween(from: Date, to: Date): number {
  return Math.max(0, (to.getTime() - from.getTime()) / 1000);
}
