/**
 * The time of a whole house: it starts at a fixed instant, runs as fast as ours, and can be moved
 * on. Timers of more than a second wait for that, so that nobody sits out a prompt.
 */
import type { Timers } from '../../../simulators/mobile-money/delivery.ts';
import type { Clock } from '../../../src/platform/ports.ts';
import { after } from '../../../src/platform/timers.ts';

const REAL_MS_MAX = 1_000;

export interface HouseClock extends Clock {
  timers: Timers;
  advance(ms: number): void;
}

export function createHouseClock(startIso: string): HouseClock {
  const zeroMs = Date.parse(startIso) - performance.now();
  const waiting = new Set<{ dueMs: number; fn: () => void }>();
  let movedMs = 0;
  const nowMs = () => zeroMs + movedMs + performance.now();
  return {
    now: () => new Date(nowMs()),
    timers: {
      after(ms, fn) {
        if (ms <= REAL_MS_MAX) return after(ms, fn);
        const timer = { dueMs: nowMs() + ms, fn };
        waiting.add(timer);
        return () => waiting.delete(timer);
      },
    },
    advance(ms) {
      movedMs += ms;
      for (const timer of [...waiting]) {
        if (timer.dueMs > nowMs()) continue;
        waiting.delete(timer);
        timer.fn();
      }
    },
  };
}
