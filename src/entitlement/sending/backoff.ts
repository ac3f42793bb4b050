/** How long to wait before something is tried again. Pure; `fraction` in [0, 1) is for jitter. */

/** Waits after the first, second, … unsuccessful answer; the last one from then on. */
const BACKOFF_S = [1, 2, 5, 10, 30, 60];
/** A wait is between 75 % and 125 % of its length, so that many cards do not knock at once. */
const JITTER = 0.5;

/** Milliseconds to wait after unsuccessful attempt number `attempts` (from 1). */
export function backoffMs(attempts: number, fraction: number): number {
  const index = Math.min(Math.max(attempts, 1), BACKOFF_S.length) - 1;
  return spreadMs(BACKOFF_S[index] ?? 0, fraction);
}

/** Milliseconds of a wait of so many seconds, spread. */
export function spreadMs(seconds: number, fraction: number): number {
  return Math.round(seconds * 1000 * (1 - JITTER / 2 + JITTER * fraction));
}
