/** Waiting of those outside the product: they live on when a process dies under their request. */
import { isConnectionLost } from '../../src/platform/database/pool.ts';
import { type Life, within } from './time.ts';

/** Waits so long in virtual time. */
export const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

/**
 * What a life answers; null when it does not answer in time, has lost its database, or dies
 * meanwhile. Rejects for any other failure: nobody may see one.
 */
export function answerWithin<T>(life: Life, ms: number, ask: () => Promise<T>): Promise<T | null> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(null), ms);
    const end = (answer: T | null) => {
      clearTimeout(timer);
      resolve(answer);
    };
    within(life, ask).then(end, (error) => {
      if (isConnectionLost(error)) end(null);
      else reject(error);
    });
  });
}
