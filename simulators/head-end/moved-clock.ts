/** The machine's time, moved by as much as one likes: for looking at next month today. */
import type { Clock } from '../../src/platform/ports.ts';

export interface MovedClock extends Clock {
  /** Runs `offsetMs` ahead of the machine's clock from now on. */
  moveTo(offsetMs: number): void;
}

/** A clock that runs as fast as ours, `offsetMs` ahead of it. */
export function createMovedClock(offsetMs: number): MovedClock {
  let movedMs = offsetMs;
  return {
    now: () => new Date(Date.now() + movedMs),
    moveTo(newOffsetMs) {
      movedMs = newOffsetMs;
    },
  };
}
