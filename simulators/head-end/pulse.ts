/** Keeps an air going: it has no timers of its own. */
import type { Clock } from '../../src/platform/ports.ts';
import type { Air } from './air/types.ts';

export interface Timers {
  /** Runs `run` once after `ms` milliseconds; the returned function cancels it. */
  after(ms: number, run: () => void): () => void;
}

export interface Pulse {
  /** Something new waits: advances when that is due, if it is before the next beat. */
  hurry(): void;
  stop(): void;
}

/** The longest an event of the air, an expiry say, goes unnoticed. */
const BEAT_MS_MAX = 50;
/** As often as this at most, however much waits. */
const BEAT_MS_MIN = 5;

/** Advances the air at every beat. */
export function createPulse(deps: {
  air: Air;
  clock: Clock;
  timers: Timers;
  onBeat(): void;
}): Pulse {
  const { air, clock, timers, onBeat } = deps;
  let cancel: () => void = () => undefined;
  let armedForMs = 0;
  const arm = () => {
    const nowMs = clock.now().getTime();
    const dueMs = Math.max(
      air.nextAt()?.getTime() ?? Number.POSITIVE_INFINITY,
      nowMs + BEAT_MS_MIN,
    );
    armedForMs = Math.min(dueMs, nowMs + BEAT_MS_MAX);
    cancel = timers.after(armedForMs - nowMs, beat);
  };
  const beat = () => {
    air.advance(clock.now());
    onBeat();
    arm();
  };
  arm();
  return {
    hurry() {
      const dueMs = air.nextAt()?.getTime() ?? Number.POSITIVE_INFINITY;
      // Armed anew only for an earlier beat: else each command would put it off.
      if (Math.max(dueMs, clock.now().getTime() + BEAT_MS_MIN) >= armedForMs) return;
      cancel();
      arm();
    },
    stop: () => cancel(),
  };
}
