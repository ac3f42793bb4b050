/**
 * How much of what nobody waits for may be under way at a conditional-access system: as much as it
 * answers within about a second, so that a sale never stands behind a long queue of its own making.
 * Grows by one with each quick answer, is halved by a slow one. Pure; times in milliseconds.
 */

export interface Pace {
  /** Commands other than sales that may be under way. */
  limit(): number;
  /** A command that was sent at `sentMs` is answered. */
  answered(sentMs: number, nowMs: number): void;
}

/** An answer within this time leaves room for one more. */
export const QUICK_MS = 500;
/** After this time there are too many. */
export const SLOW_MS = 1_500;
const LIMIT_FIRST = 2;
export const LIMIT_MAX = 512;

/** A pace that begins low. */
export function createPace(): Pace {
  let limit = LIMIT_FIRST;
  let cutAtMs = Number.NEGATIVE_INFINITY;
  return {
    limit: () => limit,
    answered(sentMs, nowMs) {
      const tookMs = nowMs - sentMs;
      if (tookMs <= QUICK_MS) limit = Math.min(LIMIT_MAX, limit + 1);
      // What was sent before the last cut says again what that has heard.
      if (tookMs <= SLOW_MS || sentMs < cutAtMs) return;
      limit = Math.max(1, limit >> 1);
      cutAtMs = nowMs;
    },
  };
}
