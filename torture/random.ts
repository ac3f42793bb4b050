/** Chance that can be repeated: the same seed gives the same round. */
import type { Random } from '../src/platform/ports.ts';

/**
 * Random numbers from a 32-bit seed (the public-domain generator "mulberry32" by Tommy Ettinger).
 * Good enough to choose amounts and moments; nothing here is a secret.
 */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const fraction = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const byte = (): string => below({ fraction }, 256).toString(16).padStart(2, '0');
  return { fraction, hex: (bytes) => Array.from({ length: bytes }, byte).join('') };
}

/** A whole number from 0 to `limit` - 1. */
export function below(random: Pick<Random, 'fraction'>, limit: number): number {
  return Math.floor(random.fraction() * limit);
}

/** One of the items; throws when there are none. */
export function oneOf<T>(random: Pick<Random, 'fraction'>, items: readonly T[]): T {
  const item = items[below(random, items.length)];
  if (item === undefined) throw new Error('nothing to choose from');
  return item;
}
