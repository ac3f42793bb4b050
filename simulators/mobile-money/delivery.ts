/**
 * Callbacks to the merchant, and what can go wrong with them. Daraja sends once: what is not
 * answered with 2xx stays in the books as unanswered until somebody resends it by hand.
 */

import { setMaxListeners } from 'node:events';
import type { Books, Callback } from './books.ts';

export const CALLBACK_TIMEOUT_MS = 10_000;
const REPEAT_MAX = 100;
const DELAY_MS_MAX = 600_000;
const ANSWER_CHARS_MAX = 65_536;

/** The waiting that tests may hold still; `src/platform/timers.ts` has the real one. */
export interface Timers {
  /** Runs `run` once after `ms` milliseconds; the returned function cancels it. */
  after(ms: number, run: () => void): () => void;
}

/** Faults of the callbacks of one phone or of all. */
export interface Faults {
  /** How often each callback is sent; 1 is what Daraja does. */
  repeat: number;
  /** Send the repetitions at once instead of one after the other. */
  parallel: boolean;
  delayMs: number;
  /** The callback of a push goes out before the push itself is answered. */
  beforeAnswer: boolean;
  /** No callback at all: only the query and the pull API show the payment. */
  drop: boolean;
  /** The amount the callbacks claim instead of the one that was moved. */
  wrongAmountMinor: bigint | null;
  /** Put the `Balance` item without a value into the metadata of a paid push. */
  valuelessBalance: boolean;
}

export const NO_FAULTS: Faults = {
  repeat: 1,
  parallel: false,
  delayMs: 0,
  beforeAnswer: false,
  drop: false,
  wrongAmountMinor: null,
  valuelessBalance: false,
};

export interface Delivery {
  /** Sends the callbacks side by side; settles when each was answered or given up. */
  deliver(callbacks: Callback[], faults: Faults): Promise<void>;
  /** Sends every unanswered callback once more; the number that was answered with 2xx. */
  resend(): Promise<number>;
  stop(): void;
}

export interface DeliveryDeps {
  books: Books;
  timers: Timers;
  timeoutMs: number;
}

/** Delivers callbacks; each is in the books as owed before its first byte is sent. */
export function createDelivery({ books, timers, timeoutMs }: DeliveryDeps): Delivery {
  const stopped = new AbortController();
  setMaxListeners(0, stopped.signal);

  const send = async (callback: Callback): Promise<boolean> => {
    const answer = await post(callback.url, callback.body, { timeoutMs, stop: stopped.signal });
    const heard = answer !== null && answer.status >= 200 && answer.status < 300;
    if (heard && !stopped.signal.aborted) books.record({ event: 'heard', id: callback.id });
    return heard;
  };

  const sendWith = async (callback: Callback, faults: Faults): Promise<void> => {
    const times = Math.min(Math.max(faults.repeat, 1), REPEAT_MAX);
    if (faults.parallel) {
      await Promise.all(Array.from({ length: times }, () => send(callback)));
      return;
    }
    for (let sent = 0; sent < times; sent += 1) await send(callback);
  };

  return {
    async deliver(callbacks, faults) {
      if (faults.drop) return;
      for (const callback of callbacks) books.record({ event: 'owed', callback });
      if (faults.delayMs > 0) {
        await wait(timers, Math.min(faults.delayMs, DELAY_MS_MAX), stopped.signal);
      }
      if (stopped.signal.aborted) return;
      await Promise.all(callbacks.map((callback) => sendWith(callback, faults)));
    },
    async resend() {
      let heard = 0;
      for (const callback of books.unanswered()) heard += (await send(callback)) ? 1 : 0;
      return heard;
    },
    stop: () => stopped.abort(),
  };
}

export interface PostLimits {
  timeoutMs: number;
  stop: AbortSignal;
  headers?: Record<string, string>;
}

/** Posts JSON; null when there was no answer in time. */
export async function post(
  url: string,
  body: string,
  limits: PostLimits,
): Promise<{ status: number; body: string } | null> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...limits.headers },
      body,
      redirect: 'manual',
      signal: AbortSignal.any([limits.stop, AbortSignal.timeout(limits.timeoutMs)]),
    });
    return { status: response.status, body: (await response.text()).slice(0, ANSWER_CHARS_MAX) };
  } catch {
    return null;
  }
}

function wait(timers: Timers, ms: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      cancel();
      stop.removeEventListener('abort', done);
      resolve();
    };
    const cancel = timers.after(ms, done);
    stop.addEventListener('abort', done);
  });
}
