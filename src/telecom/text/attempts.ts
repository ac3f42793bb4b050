/**
 * When a text is tried again. A gateway takes no key that would make it refuse a repeat, so a text
 * whose attempt ended in the dark (no answer, or the process died) may have arrived already. It
 * is sent once more, later, and never a third time in the dark: a receipt read twice is harmless,
 * ten are not. What is known of earlier attempts stands in `outbound.failure`.
 */

import type { OutboundResult, OutboundRow } from '../../entitlement/osd/outbound-store.ts';
import type { TextResult } from './provider.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
/** The last wait is repeated until the text may not be sent any more. */
const WAITS_MS = [
  5 * SECOND_MS,
  30 * SECOND_MS,
  2 * MINUTE_MS,
  10 * MINUTE_MS,
  60 * MINUTE_MS,
] as const;
/** After an attempt in the dark: a gateway that hangs has mostly recovered by then. */
const DARK_WAIT_MS = 10 * MINUTE_MS;
/** Attempts in the dark after which a text is given up. */
const DARK_MAX = 2;
/** Waits are spread by so much to both sides, so that an outage does not end in a wave. */
const JITTER = 0.2;

type Attempted = Pick<OutboundRow, 'attempts' | 'notAfter'>;

/**
 * How many attempts ended in the dark before the current one. Those that were claimed and never
 * finished count: nobody knows how far they came.
 */
export function darkBefore(attempts: number, failure: string | null): number {
  const noted = /\(attempt (\d+), (\d+) in the dark\)$/.exec(failure ?? '');
  const finished = Number(noted?.[1] ?? 0);
  const dark = Number(noted?.[2] ?? 0);
  return dark + Math.max(0, attempts - 1 - finished);
}

/** Whether one more attempt may be made at all. */
export function mayTry(dark: number): boolean {
  return dark < DARK_MAX;
}

/** What becomes of a text after an attempt; `fraction` in [0, 1) spreads the waits. */
export function afterAttempt(
  row: Attempted,
  result: TextResult,
  { dark, now, fraction }: { dark: number; now: Date; fraction: number },
): OutboundResult {
  if (result.ok) return { state: 'sent', providerId: result.providerId };
  const darkNow = dark + (result.kind === 'unknown' ? 1 : 0);
  const failure = `${result.code} (attempt ${row.attempts}, ${darkNow} in the dark)`;
  if (result.kind === 'permanent' || !mayTry(darkNow)) return { state: 'failed', failure };
  const index = Math.min(row.attempts, WAITS_MS.length) - 1;
  const waitMs = result.kind === 'unknown' ? DARK_WAIT_MS : (WAITS_MS[index] ?? DARK_WAIT_MS);
  const spreadMs = Math.round(waitMs * (1 + JITTER * (2 * fraction - 1)));
  const nextAt = new Date(now.getTime() + spreadMs);
  return nextAt < row.notAfter ? { state: 'retry', nextAt, failure } : { state: 'failed', failure };
}
