/**
 * The circuit breaker of one conditional-access system: when all that is sent fails, nothing is
 * sent for a while, then one command alone tries whether it is better. Pure: times are handed in,
 * in milliseconds.
 */

export type BreakerState = 'closed' | 'open' | 'half_open';

export interface Breaker {
  /** `half_open`: one command may go, and decides. */
  state(nowMs: number): BreakerState;
  /** When it was last opened and its rest is over; since then a probe is awaited. */
  halfOpenForMs(nowMs: number): number;
  /** The system answered, be it with a refusal. Answers whether that closed it. */
  succeeded(): boolean;
  /** It was busy, or did not answer. Answers whether that opened it. */
  failed(nowMs: number): boolean;
}

/** So many failures without one success between them, */
export const FAILURES_TO_OPEN = 20;
/** within this time, open it. */
export const FAILURES_WITHIN_MS = 30_000;
/** It rests so long, and twice as long after each probe that failed, */
export const REST_MS_MIN = 2_000;
/** up to this. */
export const REST_MS_MAX = 30_000;

/** A closed breaker. */
export function createBreaker(): Breaker {
  let failures: number[] = [];
  let restMs = 0;
  let openUntilMs = 0;

  const open = (nowMs: number): true => {
    restMs = Math.min(REST_MS_MAX, Math.max(REST_MS_MIN, restMs * 2));
    openUntilMs = nowMs + restMs;
    failures = [];
    return true;
  };
  return {
    state: (nowMs) => (restMs === 0 ? 'closed' : nowMs < openUntilMs ? 'open' : 'half_open'),
    halfOpenForMs: (nowMs) => (restMs === 0 ? 0 : Math.max(0, nowMs - openUntilMs)),
    succeeded() {
      const wasOpen = restMs > 0;
      failures = [];
      restMs = 0;
      return wasOpen;
    },
    failed(nowMs) {
      // What was under way when it opened says nothing new; the probe does.
      if (restMs > 0) return nowMs >= openUntilMs && open(nowMs);
      failures = [...failures.filter((at) => nowMs - at < FAILURES_WITHIN_MS), nowMs];
      return failures.length >= FAILURES_TO_OPEN && open(nowMs);
    },
  };
}
