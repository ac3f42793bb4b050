/** Waiting for what must come to pass, without guessing how long it takes. */
import { sleep } from '../../../src/platform/timers.ts';

const LOOK_EVERY_MS = 10;
/** Above what a command of which no answer came waits before it goes out again. */
const WITHIN_MS = 15_000;

/** The value of `look` as soon as it no longer throws; the last error after `withinMs`. */
export async function eventually<T>(
  look: () => Promise<T> | T,
  { withinMs = WITHIN_MS }: { withinMs?: number } = {},
): Promise<T> {
  const until = performance.now() + withinMs;
  for (;;) {
    try {
      return await look();
    } catch (error) {
      if (performance.now() > until) throw error;
      await sleep(LOOK_EVERY_MS);
    }
  }
}
