/** Waiting. The only place, besides `system.ts`, that touches the process's real time. */

/** The longest wait `setTimeout` can hold; a longer one would fire at once. */
const TIMER_LIMIT_MS = 2 ** 31 - 1;

/**
 * Waits `ms` milliseconds. With a signal, an abort ends the wait early; the promise is then
 * fulfilled all the same, and the caller looks at `signal.aborted`. Never rejects.
 */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) {
      resolve();
      return;
    }
    const done = () => {
      cancel();
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const cancel = after(ms, done);
    signal?.addEventListener('abort', done, { once: true });
  });
}

/** Calls `fn` once, `ms` milliseconds from now. Returns a function that cancels the call. */
export function after(ms: number, fn: () => void): () => void {
  let leftMs = Math.max(0, ms);
  let timer: NodeJS.Timeout;
  const arm = () => {
    const stepMs = Math.min(leftMs, TIMER_LIMIT_MS);
    leftMs -= stepMs;
    timer = setTimeout(leftMs > 0 ? arm : fn, stepMs);
  };
  arm();
  return () => clearTimeout(timer);
}

/**
 * Calls `fn` every `ms` milliseconds (at most 24 days) until the returned function is called.
 * `fn` must handle its own errors and must not mind being called while an earlier call runs.
 */
export function every(ms: number, fn: () => void): () => void {
  if (!(ms > 0 && ms <= TIMER_LIMIT_MS)) throw new RangeError(`every: ${ms} ms is out of range`);
  const timer = setInterval(fn, ms);
  return () => clearInterval(timer);
}

/**
 * The promise's value, or `'timeout'` after `ms` milliseconds. The work itself goes on: pass it
 * a signal where it can be stopped.
 */
export async function within<T>(ms: number, work: Promise<T>): Promise<T | 'timeout'> {
  let cancel: () => void = () => undefined;
  const late = new Promise<'timeout'>((resolve) => {
    cancel = after(ms, () => resolve('timeout'));
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    cancel();
  }
}
