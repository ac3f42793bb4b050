import { randomBytes } from 'node:crypto';
import type { Clock, Random } from './ports.ts';

/** The machine's own clock. */
export const systemClock: Clock = { now: () => new Date() };

/** `hex` is fit for secrets; `fraction` is not, it serves jitter and sampling. */
export const systemRandom: Random = {
  hex: (bytes) => randomBytes(bytes).toString('hex'),
  fraction: () => Math.random(),
};
