/** A loop that works when it is woken, and looks for itself now and then. */
import { sleep } from '../../platform/timers.ts';

export interface Loop {
  start(): void;
  /** There may be work: looks now, or once more when it is looking. */
  wake(): void;
  /** Resolves when the step in hand is over; nothing begins after it. */
  stop(): Promise<void>;
}

export interface LoopDeps {
  /** How long it sleeps when nobody wakes it: what other processes left is found after this. */
  intervalMs: number;
  /** One look; true when there is more to do at once. */
  step(): Promise<boolean>;
  onError(error: unknown): void;
}

/** A loop that has not started yet. */
export function createLoop({ intervalMs, step, onError }: LoopDeps): Loop {
  let nap = new AbortController();
  let running: Promise<void> | null = null;
  let woken = false;
  let stopped = false;

  const run = async (): Promise<void> => {
    while (!stopped) {
      woken = false;
      nap = new AbortController();
      let more = false;
      try {
        more = await step();
      } catch (error) {
        onError(error);
      }
      if (!more && !woken && !stopped) await sleep(intervalMs, nap.signal);
    }
  };
  return {
    start() {
      running ??= run();
    },
    wake() {
      woken = true;
      nap.abort();
    },
    async stop() {
      stopped = true;
      nap.abort();
      await running;
    },
  };
}
