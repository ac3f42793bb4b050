/**
 * Broadcasts what is on air once more, by itself, where the head-end does not: a decoder that was
 * off when the rights were sent gets them without anybody asking. A failure is not repeated: the
 * next step comes anyway.
 */
import type { Pool } from 'pg';
import type { Clock, Logger } from '../../platform/ports.ts';
import { type LogLine, sendLogged, writeLog } from '../sending/command-log.ts';
import type { Outlet } from '../sending/outlet.ts';
import { type Command, cardTarget } from '../vip-control/command.ts';
import { nextReair, REAIR_SECONDS_MIN, reairEnd } from './reair-rules.ts';
import { claimReairs, type ReairCard, setReairs } from './reair-store.ts';
import { reairIdOf } from './rules.ts';

export interface Reairs {
  /** When a set that went on air at `onAirAt` is first broadcast once more; null: never. */
  firstAt(set: ReairCard['desired'], onAirAt: Date): Date | null;
  /** Re-airs up to `REAIRS_PER_ROUND_MAX` due cards; returns how many were due. */
  reairDue(): Promise<number>;
  /** Sends nothing more; what is under way is not waited for. */
  stop(): void;
}

export interface ReairsDeps {
  pool: Pool;
  outlet: Outlet;
  cas: { id: string; epoch: () => number };
  clock: Clock;
  logger: Logger;
  processId: string;
  metrics?: { onReaired?(result: 'on_air' | 'failed'): void };
}

/** A round a second: with `REAIRS_PER_ROUND_MAX`, what a flood of due cards is held to. */
export const REAIR_ROUND_MS = 1_000;
export const REAIRS_PER_ROUND_MAX = 200;
/** Few, because a sale that comes waits behind what the head-end has already taken. */
const REAIRS_IN_FLIGHT_MAX = 16;
/** One that lies longer in a queue is overtaken by its next. */
const REAIR_VALID_MS = REAIR_SECONDS_MIN * 1000;

/** Re-airing over one outlet; nothing happens until it is asked. */
export function createReairs(deps: ReairsDeps): Reairs {
  const { pool, outlet, cas, clock, logger } = deps;
  let stopped = false;
  const next = (set: ReairCard['desired'], onAirAt: Date, now: Date): Date | null => {
    const headEndRepeats = outlet.capabilities()?.repeats ?? [];
    return nextReair({ onAirAt, endsAt: reairEnd(set, onAirAt), now, headEndRepeats });
  };
  const sendAll = async (cards: readonly ReairCard[]): Promise<void> => {
    const waiting = cards.values();
    const told: Told[] = [];
    const lane = async () => {
      for (const card of waiting) {
        if (stopped || outlet.state() !== 'connected') return;
        told.push(await reair(deps, card));
      }
    };
    const lanes = Math.min(REAIRS_IN_FLIGHT_MAX, Math.max(1, outlet.room('BULK')));
    await Promise.all(Array.from({ length: lanes }, lane));
    await writeLog(
      pool,
      told.flatMap(({ line }) => line ?? []),
    );
    const failures = told.flatMap(({ failure }) => failure ?? []);
    if (failures.length === 0) return;
    const codes = [...new Set(failures)];
    logger.warn('dispatch.reairs_failed', { cards: failures.length, codes });
  };
  return {
    firstAt: (set, onAirAt) => next(set, onAirAt, clock.now()),
    async reairDue() {
      if (outlet.state() !== 'connected') return 0;
      const now = clock.now();
      const until = new Date(now.getTime() + REAIR_SECONDS_MIN * 1000);
      const due = await claimReairs(pool, {
        ...{ casId: cas.id, now, until },
        limit: REAIRS_PER_ROUND_MAX,
      });
      if (due.length === 0) return 0;
      const steps = due.map((card) => ({
        ...card,
        reairAt: next(card.desired, card.onAirAt, now),
      }));
      await setReairs(pool, steps);
      // Late, after an outage of ours: what is over is not said again.
      await sendAll(due.filter((card) => now < reairEnd(card.desired, card.onAirAt)));
      return due.length;
    },
    stop() {
      stopped = true;
    },
  };
}

/** Why a card was not re-aired, or null, and how that is to be logged. */
interface Told {
  failure: string | null;
  line: LogLine | null;
}

/** Broadcasts one card once more. */
async function reair(deps: ReairsDeps, card: ReairCard): Promise<Told> {
  const { cas, clock, metrics, processId } = deps;
  const command: Command = {
    op: 'REFRESH',
    cmdId: reairIdOf({ id: cas.id, epoch: cas.epoch() }, card),
    target: cardTarget(card.number),
    // Once, and not counted as one that a viewer asked for.
    args: { scope: 'rights', boostSeconds: 0 },
    prio: 'BULK',
    notAfter: new Date(clock.now().getTime() + REAIR_VALID_MS),
    actor: processId,
    reason: `reair:${card.reairs}`,
  };
  const { outcome, line } = await sendLogged(deps, command, { attempt: 1, cardId: card.cardId });
  metrics?.onReaired?.(outcome.kind === 'done' ? 'on_air' : 'failed');
  if (outcome.kind === 'done') return { failure: null, line };
  return { failure: outcome.kind === 'unknown' ? 'NO_ANSWER' : outcome.code, line };
}
