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
import type { Clock, Logger, Random } from '../../platform/ports.ts';
import { within } from '../../platform/timers.ts';
import { type LogLine, sendLogged } from '../sending/command-log.ts';
import { createGather, type Gather } from '../sending/gather.ts';
import { createLoop } from '../sending/loop.ts';
import type { Outlet } from '../sending/outlet.ts';
import { type Command, type CommandOutcome, cardTarget } from '../vip-control/command.ts';
import { createDarkAlarm, type DarkAlarm } from './alarm.ts';
import { type Answer, type AnswersDeps, keepAnswers } from './answers.ts';
import { createHolds, type Holds } from './holds.ts';
import { createReairs, REAIR_ROUND_MS, type Reairs } from './reair.ts';
import { cmdIdOf, judge, type Sending, wireSet } from './rules.ts';
import { type ClaimedCard, claimCards, leaseCards, readBacklog } from './store.ts';

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
  /** A card has failed for so long that a person must look. */
  onEnded?(): void;
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
  outlet: Outlet;
  /** The head-end, and the epoch of our revisions there. */
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
const ANSWERS_PER_WRITE_MAX = 256;
/** A slow head-end may take this long; an expired set of rights helps nobody. */
const COMMAND_VALID_MS = 900_000;
const STOP_WAIT_MS = 5_000;
/** Leaves room for epoch, card, revision and number in the 64 characters of a cmdId. */
const CAS_ID_CHARS_MAX = 16;

interface DispatcherState {
  deps: DispatcherDeps;
  holds: Holds;
  reairs: Reairs;
  answers: Gather<Answer>;
  /** By card, under its last claim; each promise resolves when its answer was written. */
  inFlight: Map<bigint, { card: ClaimedCard; done: Promise<void> }>;
  capturing: Set<Promise<void>>;
  renewedAtMs: number;
  stopped: boolean;
}

/** A dispatcher of one system that has not started; its link may be down. */
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
      write: (answers) => keepAnswers(answersDeps(state), answers),
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
      const rest = held(state);
      if (rest.length > 0) await leaseCards(pool, rest, null);
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
      const { waiting, oldest } = await readBacklog(pool, cas.id, now);
      return { waiting, oldestSeconds: oldest ? secondsBetween(oldest, now) : 0 };
    },
  };
}

async function drain(state: DispatcherState): Promise<void> {
  while (state.inFlight.size > 0 || state.capturing.size > 0) {
    const sent = [...state.inFlight.values()].map(({ done }) => done);
    await Promise.all([...sent, ...state.capturing]);
  }
}

const held = (state: DispatcherState): ClaimedCard[] =>
  [...state.inFlight.values()].map(({ card }) => card);

/** Claims as many due cards as may be under way, and sends them. Returns how many. */
async function sendDue(state: DispatcherState, onRoom?: () => void): Promise<number> {
  const { pool, outlet, cas, clock, processId } = state.deps;
  // Bulk takes nothing from what somebody waits for: each has a room of its own.
  const asked = Math.min(CLAIM_CARDS_MAX, outlet.room('SALE'));
  const bulk = Math.min(CLAIM_CARDS_MAX, outlet.room('BULK'));
  if (asked + bulk <= 0) return 0;
  const now = clock.now();
  const until = new Date(now.getTime() + LEASE_MS);
  const casId = cas.id;
  const cards = await claimCards(pool, { casId, now, asked, bulk, by: processId, until });
  for (const card of cards) {
    // Raised again while its last answer was being written, or a lease of ours that ran out: the
    // card waits for what is under way, and then goes out as it was claimed now.
    const before = state.inFlight.get(card.cardId);
    const sent = before ? before.done.then(() => send(state, card)) : send(state, card);
    const done: Promise<void> = sent.then(() => {
      if (state.inFlight.get(card.cardId)?.done === done) state.inFlight.delete(card.cardId);
      onRoom?.();
    });
    state.inFlight.set(card.cardId, { card, done });
  }
  return cards.length;
}

/** Sends the set of one card; resolves when the answer was written. Never rejects. */
async function send(state: DispatcherState, card: ClaimedCard): Promise<void> {
  const { clock, random, metrics } = state.deps;
  const { number: cardNumber, rev, attempts, failure, failingSince } = card;
  const sending = { cardNumber, rev, attempts, failure, failingSince };
  const { outcome, line } = await sendCommand(state, card, sending);
  if (state.stopped) return;
  const now = clock.now();
  const verdict = judge(outcome, sending, { now, fraction: random.fraction() });
  const result = verdict.kind === 'on_air' ? 'on_air' : verdict.result;
  metrics?.onDispatched(result, secondsBetween(card.dueSince, now));
  await state.answers.add({ card, verdict, line });
}

async function sendCommand(
  state: DispatcherState,
  card: ClaimedCard,
  sending: Sending,
): Promise<{ outcome: CommandOutcome; line: LogLine | null }> {
  const { cas, clock, processId, logger, metrics, airMarginMs } = state.deps;
  try {
    const command: Command = {
      op: 'ENTITLE',
      cmdId: cmdIdOf({ id: cas.id, epoch: cas.epoch() }, sending),
      target: cardTarget(card.number),
      rev: card.rev,
      set: wireSet(card.desired, airMarginMs),
      ...(card.suspended === null ? {} : { suspended: card.suspended }),
      prio: card.isBulk ? 'BULK' : 'SALE',
      notAfter: new Date(clock.now().getTime() + COMMAND_VALID_MS),
      actor: processId,
      reason: card.raisedFor ?? `rev:${card.rev}`,
      onAccepted() {
        const at = clock.now();
        tell(state, 'accepted', card, at);
        if (card.raisedAt) metrics?.onPicture?.('accepted', secondsBetween(card.raisedAt, at));
      },
    };
    const attempt = sending.attempts + 1;
    const more = { attempt, cardId: card.cardId, marginMs: airMarginMs };
    const sent = sendLogged(state.deps, command, more);
    tell(state, 'sent', card, clock.now());
    return await sent;
  } catch (error) {
    // A set that cannot even be put into words: staff must see it, and no other card waits for it.
    logger.error('dispatch.unsendable', { card: card.number, rev: card.rev, error });
    return { outcome: { kind: 'rejected', code: 'BAD_DATES', class: 'data' }, line: null };
  }
}

function tell(state: DispatcherState, kind: DispatchStep['kind'], card: ClaimedCard, at: Date) {
  const { cardId, number, rev, raisedAt } = card;
  state.deps.onStep?.({ kind, cardId, number, rev, at, raisedAt });
}

function answersDeps(state: DispatcherState): AnswersDeps {
  const { deps } = state;
  return {
    ...deps,
    casId: deps.cas.id,
    isStopped: () => state.stopped,
    reairAt: state.reairs.firstAt,
    onCapturable: (purchases) => capture(state, purchases),
    onEnded: () => deps.metrics?.onEnded?.(),
    onAir(cards) {
      deps.onAir?.(
        cards.map(({ card: { cardId, number, rev }, at }) => {
          return { cardId, number, rev, onAirAt: at };
        }),
      );
      for (const { card, at, isFresh } of cards) {
        tell(state, 'on_air', card, at);
        if (!card.raisedAt || !isFresh) continue;
        deps.metrics?.onPicture?.('on_air', secondsBetween(card.raisedAt, at));
      }
    },
  };
}

/** Apart from the writing of answers, which must not wait for money. */
function capture(state: DispatcherState, purchases: Parameters<Holds['capture']>[0]): void {
  const work = state.holds.capture(purchases).finally(() => state.capturing.delete(work));
  state.capturing.add(work);
}

async function renewLeases(state: DispatcherState): Promise<void> {
  const { pool, clock } = state.deps;
  const nowMs = clock.now().getTime();
  if (nowMs - state.renewedAtMs < LEASE_RENEW_MS) return;
  const until = new Date(nowMs + LEASE_MS);
  if (state.inFlight.size > 0) await leaseCards(pool, held(state), until);
  state.renewedAtMs = nowMs;
}

function secondsBetween(from: Date, to: Date): number {
  return Math.max(0, (to.getTime() - from.getTime()) / 1000);
}
