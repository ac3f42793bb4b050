/** Time in the hands of a test: timers that fire when told, and a clock that moves with them. */
import type { Clock, Random } from '../../platform/ports.ts';
import type { Timers } from './link.ts';

export interface FakeTime {
  clock: Clock;
  timers: Timers;
  /** Moves the time on, firing what falls due on the way, in order. */
  advance(ms: number): void;
}

interface FakeTimer {
  dueMs: number;
  everyMs: number | undefined;
  fn: () => void;
}

/** A time that stands still at `start` until it is advanced. */
export function createFakeTime(start = new Date('2026-11-23T13:00:00Z')): FakeTime {
  let nowMs = start.getTime();
  const timers = new Set<FakeTimer>();
  const add = (timer: FakeTimer) => {
    timers.add(timer);
    return () => void timers.delete(timer);
  };
  const firstDue = (untilMs: number) =>
    [...timers].filter(({ dueMs }) => dueMs <= untilMs).sort((a, b) => a.dueMs - b.dueMs)[0];
  return {
    clock: { now: () => new Date(nowMs) },
    timers: {
      after: (ms, fn) => add({ dueMs: nowMs + ms, everyMs: undefined, fn }),
      every: (ms, fn) => add({ dueMs: nowMs + ms, everyMs: ms, fn }),
    },
    advance(ms) {
      const untilMs = nowMs + ms;
      for (let timer = firstDue(untilMs); timer; timer = firstDue(untilMs)) {
        nowMs = timer.dueMs;
        if (timer.everyMs === undefined) timers.delete(timer);
        else timer.dueMs += timer.everyMs;
        timer.fn();
      }
      nowMs = untilMs;
    },
  };
}

/** Randomness that can be foretold: `hex` counts, `fraction` is always a half. */
export function createFakeRandom(): Random {
  let drawn = 0;
  return {
    hex(bytes) {
      drawn += 1;
      return drawn.toString(16).padStart(bytes * 2, '0');
    },
    fraction: () => 0.5,
  };
}

const TURNS_MAX = 200_000;

/** Lets real I/O run until `isTrue`; fails when that takes too many turns of the event loop. */
export async function until(isTrue: () => boolean): Promise<void> {
  for (let turn = 0; turn < TURNS_MAX; turn += 1) {
    if (isTrue()) return;
    await new Promise((next) => setImmediate(next));
  }
  throw new Error(`never became true: ${isTrue.toString()}`);
}
