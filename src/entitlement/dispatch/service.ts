/**
 * Dispatch: brings the full current set of rights of every due card to the head-end, and keeps at
 * it until it is on air.
 *
 * What can break, and what then holds:
 * - this process dies between sending and writing the answer: the lease runs out, another process
 *   sends the same command under the same cmdId, and the head-end answers what it answered before;
 * - an answer cannot be written: as if the process had died;
 * - the head-end is away: nothing is claimed; cards go out later with the set they then have;
 * - a set is raised while an earlier one is under way: the card stays due and goes out once more;
 * - a decoder is off when its rights are broadcast: they are re-aired by themselves.
 */
import type { Pool } from 'pg';
import type { Outcome, SettleEvent } from '../../billing/settlement/commands.ts';
import { isConnectionLost } from '../../platform/database/pool.ts';
import type { Clock, Logger, Random } from '../../platform/ports.ts';
import { sleep, within } from '../../platform/timers.ts';
import { createGather, type Gather } from '../sending/gather.ts';
import { createLoop } from '../sending/loop.ts';
import { type CommandOutcome, cardTarget } from '../vip-control/command.ts';
import type { VipControlLink } from '../vip-control/link.ts';
import { createDarkAlarm, type DarkAlarm } from './alarm.ts';
import { createHolds, type Holds } from './holds.ts';
import { createReairs, REAIR_ROUND_MS, type Reairs } from './reair.ts';
import { cmdIdOf, judge, type Sending, type Verdict, wireSet } from './rules.ts';
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
  /**
   * Sends, and re-airs, until nothing is due, under way or unwritten. Sends nothing without a
   * session.
   */
  runUntilIdle(): Promise<void>;
  /** Spends held money whose rights are on air, where that was missed. Call it each minute. */
  captureDue(): Promise<number>;
  /** Gives back money held for events that are over and never were on air. Call it each minute. */
  releaseDue(): Promise<number>;
  /** Broadcasts once more, by itself, what is on air and due for it. Returns how many cards. */
  reairDue(): Promise<number>;
  /**
   * Logs, once each, the cards whose wanted set is not on air two minutes after it was raised, and
   * when that is over. Returns how many they are now. Call it each 15 s.
   */
  alarmDark: DarkAlarm;
  /** Cards due or being sent, and for how many seconds the oldest has been. */
  backlog(): Promise<{ waiting: number; oldestSeconds: number }>;
}

export type DispatchResult = 'on_air' | 'refused' | 'retry' | 'unknown';

export interface DispatchMetrics {
  /** `seconds` from when the card was due to the answer. */
  onDispatched(result: DispatchResult, seconds: number): void;
  /** `seconds` from when the wanted set was raised until the head-end had it, or it was on air. */
  onPicture?(stage: 'accepted' | 'on_air', seconds: number): void;
  onReaired?(result: 'on_air' | 'failed'): void;
}

/** Something that happened to a revision on its road; `sent`: handed to the link. */
export interface DispatchStep {
  kind: 'sent' | 'accepted' | 'on_air';
  cardId: bigint;
  number: string;
  rev: number;
  at: Date;
  raisedAt: Date | null;
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
  /** What every right is prolonged by on the wire: at most the `AIR_MARGIN_MS` of the rights. */
  airMarginMs: number;
  settle(command: SettleEvent): Promise<Outcome>;
  metrics?: DispatchMetrics;
  /** Called after the acknowledgement was written. */
  onAir?(cards: readonly OnAirCard[]): void;
  onStep?(step: DispatchStep): void;
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
/** Half a minute in all, for a database that is being started again. */
const WRITE_ATTEMPTS_MAX = 120;
const WRITE_WAIT_MS = 250;
/** A slow head-end may take this long; an expired set of rights helps nobody. */
const COMMAND_VALID_MS = 900_000;
const STOP_WAIT_MS = 5_000;
/** Leaves room for epoch, card, revision and number in the 64 characters of a cmdId. */
const CAS_ID_CHARS_MAX = 16;

interface Answer {
  card: ClaimedCard;
  verdict: Verdict;
}

type Failed = Extract<Verdict, { kind: 'again' }>;
type FailedAnswer = { card: ClaimedCard; verdict: Failed };

interface DispatcherState {
  deps: DispatcherDeps;
  holds: Holds;
  reairs: Reairs;
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
    reairs: createReairs(deps),
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
  const reairLoop = createLoop({
    intervalMs: REAIR_ROUND_MS,
    // Never more at once: the interval is what holds a flood back.
    async step() {
      await state.reairs.reairDue();
      return false;
    },
    onError: (error) => logger.error('dispatch.failed', { error }),
  });
  return {
    start() {
      loop.start();
      reairLoop.start();
    },
    wake: loop.wake,
    async stop() {
      state.reairs.stop();
      const reairing = reairLoop.stop();
      await loop.stop();
      await within(deps.stopWaitMs ?? STOP_WAIT_MS, Promise.all([drain(state), reairing]));
      state.stopped = true;
      const rest = [...state.inFlight.keys()];
      if (rest.length > 0) await leaseCards(pool, rest, { by: deps.processId, until: null });
    },
    async runUntilIdle() {
      for (let sent = -1; sent !== 0; ) {
        sent = await sendDue(state);
        await drain(state);
        sent += await state.reairs.reairDue();
      }
    },
    reairDue: state.reairs.reairDue,
    alarmDark: createDarkAlarm(deps),
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
  const outcome = await sendCommand(state, card, sending);
  if (state.stopped) return;
  const now = clock.now();
  const verdict = judge(outcome, sending, { now, fraction: random.fraction() });
  const result = verdict.kind === 'on_air' ? 'on_air' : verdict.result;
  metrics?.onDispatched(result, secondsBetween(card.dueSince, now));
  await state.answers.add({ card, verdict });
}

async function sendCommand(
  state: DispatcherState,
  card: ClaimedCard,
  sending: Sending,
): Promise<CommandOutcome> {
  const { link, cas, clock, processId, logger, metrics, airMarginMs } = state.deps;
  try {
    const outcome = link.send({
      op: 'ENTITLE',
      cmdId: cmdIdOf({ id: cas.id, epoch: cas.epoch() }, sending),
      target: cardTarget(card.number),
      rev: card.rev,
      set: wireSet(card.desired, airMarginMs),
      ...(card.suspended === null ? {} : { suspended: card.suspended }),
      prio: 'SALE',
      notAfter: new Date(clock.now().getTime() + COMMAND_VALID_MS),
      actor: processId,
      reason: `rev:${card.rev}`,
      onAccepted() {
        const at = clock.now();
        tell(state, 'accepted', card, at);
        if (card.raisedAt) metrics?.onPicture?.('accepted', secondsBetween(card.raisedAt, at));
      },
    });
    tell(state, 'sent', card, clock.now());
    return await outcome;
  } catch (error) {
    // A set that cannot even be put into words: staff must see it, and no other card waits for it.
    logger.error('dispatch.unsendable', { card: card.number, rev: card.rev, error });
    return { kind: 'rejected', code: 'BAD_DATES', class: 'data' };
  }
}

function tell(state: DispatcherState, kind: DispatchStep['kind'], card: ClaimedCard, at: Date) {
  const { cardId, number, rev, raisedAt } = card;
  state.deps.onStep?.({ kind, cardId, number, rev, at, raisedAt });
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
  const onAir: { card: ClaimedCard; at: Date }[] = [];
  const failed: FailedAnswer[] = [];
  for (const { card, verdict } of answers) {
    if (verdict.kind === 'on_air') onAir.push({ card, at: verdict.at });
    else failed.push({ card, verdict });
  }
  if (onAir.length > 0) await writeOnAir(state, onAir);
  if (failed.length > 0) await writeFailed(state, failed);
}

async function writeOnAir(
  state: DispatcherState,
  onAir: readonly { card: ClaimedCard; at: Date }[],
): Promise<void> {
  const { pool, processId, metrics } = state.deps;
  const acked = onAir.map(({ card: { cardId, number, rev, desired }, at }) => {
    return { cardId, number, rev, onAirAt: at, reairAt: state.reairs.firstAt(desired, at) };
  });
  const { fresh, purchases } = await ackCards(pool, acked, processId);
  if (purchases.length > 0) capture(state, purchases);
  state.deps.onAir?.(acked);
  for (const { card, at } of onAir) {
    tell(state, 'on_air', card, at);
    if (!card.raisedAt || !fresh.has(card.cardId)) continue;
    metrics?.onPicture?.('on_air', secondsBetween(card.raisedAt, at));
  }
}

async function writeFailed(state: DispatcherState, failed: readonly FailedAnswer[]): Promise<void> {
  const { pool, processId, logger } = state.deps;
  const rows = failed.map(({ card: { cardId, rev }, verdict }) => {
    return { ...verdict, cardId, rev, raise: verdict.alarm === 'conflict' };
  });
  const recorded = await failCards(pool, rows, processId);
  for (const { card, verdict } of failed) {
    if (recorded.has(card.cardId)) logAlarm(logger, card, verdict);
  }
}

/** Apart from the writing of answers, which must not wait for money. */
function capture(state: DispatcherState, purchases: Parameters<Holds['capture']>[0]): void {
  const work = state.holds.capture(purchases).finally(() => state.capturing.delete(work));
  state.capturing.add(work);
}

function logAlarm(
  logger: Logger,
  { number, rev }: ClaimedCard,
  { alarm, failure, attempts }: Failed,
): void {
  const fields = { card: number, rev, code: failure, attempts };
  if (alarm === 'refused') logger.error('dispatch.refused', fields);
  // Our database is older than what the head-end was told: it was restored without a new epoch.
  if (alarm === 'behind') logger.error('dispatch.behind_head_end', fields);
  // It has another content under our revision; the set goes out anew under the next one.
  if (alarm === 'conflict') logger.error('dispatch.revision_conflict', fields);
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
