/** When commands are executed: at once, or so many a second, most important first. */
import { PRIORITIES, type Priority } from '../../../src/entitlement/vip-control/messages.ts';
import type { Clock } from '../../../src/platform/ports.ts';
import { createQueue } from '../air/queue.ts';
import type { Timers } from '../pulse.ts';
import type { Faults } from './faults.ts';

export interface Pacer {
  /** Runs it when it is its turn. */
  submit(prio: Priority, run: () => void): void;
  /** Those whose turn has not come. */
  waiting(): Record<Priority, number>;
  /** Forgets those that wait. */
  stop(): void;
}

/** So much lateness of its timers is made up for. */
const LATE_MS_MAX = 100;

interface PacerDeps {
  faults: Faults;
  clock: Clock;
  timers: Timers;
}

/** A pacer that holds nobody up until the fault `rate` is in force. */
export function createPacer({ faults, clock, timers }: PacerDeps): Pacer {
  const lanes = new Map(PRIORITIES.map((prio) => [prio, createQueue<() => void>()]));
  const counts: Record<Priority, number> = { SALE: 0, REFRESH: 0, MESSAGE: 0, BULK: 0 };
  const isEmpty = () => PRIORITIES.every((prio) => counts[prio] === 0);
  let cancel: (() => void) | undefined;
  const nowMs = () => clock.now().getTime();

  /** `fromMs`: since when the next is in hand. */
  function arm(fromMs: number): void {
    if (cancel || isEmpty()) return;
    const rate = faults.inForce('rate');
    const dueMs = fromMs + (rate ? 1_000 / rate.value : 0);
    cancel = timers.after(Math.max(0, dueMs - nowMs()), () => {
      cancel = undefined;
      runFirst();
      arm(Math.min(nowMs(), Math.max(dueMs, nowMs() - LATE_MS_MAX)));
    });
  }

  function runFirst(): void {
    for (const prio of PRIORITIES) {
      const run = lanes.get(prio)?.shift();
      if (!run) continue;
      counts[prio] -= 1;
      run();
      return;
    }
  }

  // Who waits for a slow second does not wait for its end when that is over.
  faults.onChange(() => {
    cancel?.();
    cancel = undefined;
    arm(nowMs());
  });
  return {
    submit(prio, run) {
      if (!faults.inForce('rate') && isEmpty()) {
        run();
        return;
      }
      lanes.get(prio)?.push(run);
      counts[prio] += 1;
      arm(nowMs());
    },
    waiting: () => ({ ...counts }),
    stop() {
      cancel?.();
      cancel = undefined;
      for (const prio of PRIORITIES) {
        counts[prio] = 0;
        while (lanes.get(prio)?.shift());
      }
    },
  };
}
