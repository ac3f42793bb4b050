/** What dispatch decides: how a command is named, and what its outcome means. Pure. */
import { offAirAt } from '../rights/rules.ts';
import { backoffMs, spreadMs } from '../sending/backoff.ts';
import type { CommandOutcome, LinkRight } from '../vip-control/command.ts';

export interface Sending {
  cardNumber: string;
  rev: number;
  /** Answers to this revision so far that were no success. */
  attempts: number;
  /** Why it failed last, and since when it has; null: it has not. */
  failure: string | null;
  failingSince: Date | null;
}

export type Verdict =
  | { kind: 'on_air'; at: Date }
  | {
      kind: 'again';
      result: 'refused' | 'retry' | 'unknown';
      nextAt: Date;
      attempts: number;
      /** Kept for staff: a code of the head-end, `NO_ANSWER` or `NOT_SENT`. */
      failure: string;
      /** Since when it fails: anew when there is an answer after silence. */
      failingSince: Date;
      /**
       * `refused`: a person must mend something. `behind`: the head-end knows a later revision.
       * `conflict`: it has another content under ours; only a new revision can replace it.
       * `ended`: it has failed for so long that it is tried once a day from now on.
       */
      alarm: 'refused' | 'behind' | 'conflict' | 'ended' | null;
    };

/** After a refusal that a person has to mend (a card not registered yet): seconds. */
export const REFUSED_WAIT_S = 300;
/** After no answer; the waiting itself took long enough. */
const UNKNOWN_WAIT_S = 5;
/** What has failed for so long is for a person; it is tried again each such time. */
export const RETRY_END_MS = 86_400_000;

/** A set as it is sent: each right until its margin of the air is over (`rights/rules.ts`). */
export function wireSet(
  desired: readonly { product: string; from: string; to: string }[],
  airMarginMs: number,
): LinkRight[] {
  return desired.map(({ product, from, to }) => ({
    product,
    from: new Date(from),
    to: offAirAt({ product, to: new Date(to) }, airMarginMs),
  }));
}

/**
 * The name of the command that sends this revision. The same while nobody knows what became of it,
 * so that a second sending after a crash is no second execution; another one after each
 * unsuccessful answer, because a head-end repeats the stored answer of a command it has judged.
 */
export function cmdIdOf(cas: { id: string; epoch: number }, sending: Sending): string {
  const name = `${cas.id}.${cas.epoch}.${sending.cardNumber}.${sending.rev}`;
  return sending.attempts === 0 ? name : `${name}.${sending.attempts}`;
}

/** The name of re-airing number `reairs` (from 1) of a revision that is on air. */
export function reairIdOf(
  cas: { id: string; epoch: number },
  card: { number: string; rev: number; reairs: number },
): string {
  return `${cas.id}.${cas.epoch}.${card.number}.${card.rev}.air.${card.reairs}`;
}

/** What an outcome means for the card; `fraction` in [0, 1) is for jitter. */
export function judge(
  outcome: CommandOutcome,
  sending: Sending,
  { now, fraction }: { now: Date; fraction: number },
): Verdict {
  if (outcome.kind === 'done') return { kind: 'on_air', at: outcome.firstAirAt ?? now };
  const again = judgeFailure(outcome, sending.attempts, { now, fraction });
  const isHeardAgain = outcome.kind !== 'unknown' && SILENCE.has(sending.failure ?? '');
  const failingSince = isHeardAgain ? now : (sending.failingSince ?? now);
  const isLong = now.getTime() - failingSince.getTime() >= RETRY_END_MS;
  // Who was down for a day has not tried for a day.
  const isEnded = isLong && (outcome.kind === 'unknown' || again.attempts >= TRIES_MIN);
  if (!isEnded) return { ...again, failingSince };
  const nextAt = new Date(now.getTime() + spreadMs(RETRY_END_MS / 1000, fraction));
  return { ...again, failingSince, nextAt, alarm: again.alarm ?? 'ended' };
}

/** Answers to a revision before it is said that it fails for good. */
const TRIES_MIN = 20;
/** Failures that are no answer of the head-end. */
const SILENCE: ReadonlySet<string> = new Set(['NO_ANSWER', 'NOT_SENT']);

function judgeFailure(
  outcome: Exclude<CommandOutcome, { kind: 'done' }>,
  attempts: number,
  { now, fraction }: { now: Date; fraction: number },
): Omit<Extract<Verdict, { kind: 'again' }>, 'failingSince'> {
  const after = (ms: number) => new Date(now.getTime() + ms);
  const more = attempts + 1;
  switch (outcome.kind) {
    case 'unknown':
      return {
        kind: 'again',
        result: 'unknown',
        nextAt: after(spreadMs(UNKNOWN_WAIT_S, fraction)),
        attempts,
        failure: outcome.sent ? 'NO_ANSWER' : 'NOT_SENT',
        alarm: null,
      };
    case 'retry':
      return {
        kind: 'again',
        result: 'retry',
        nextAt: after(Math.max(backoffMs(more, fraction), outcome.retryAfterMs ?? 0)),
        attempts: more,
        failure: outcome.code,
        alarm: null,
      };
    case 'rejected': {
      const alarm = alarmOf(outcome.code);
      const soon = alarm === null || alarm === 'conflict';
      return {
        kind: 'again',
        result: soon ? 'retry' : 'refused',
        nextAt: after(soon ? backoffMs(more, fraction) : spreadMs(REFUSED_WAIT_S, fraction)),
        attempts: more,
        failure: outcome.code,
        alarm,
      };
    }
  }
}

function alarmOf(code: string): 'refused' | 'behind' | 'conflict' | null {
  // It only lay too long in the head-end's queue: nothing is wrong with it.
  if (code === 'EXPIRED') return null;
  if (code === 'STALE_REV') return 'behind';
  return code === 'REV_CONFLICT' ? 'conflict' : 'refused';
}
