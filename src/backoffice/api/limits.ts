/**
 * How often a caller may call, a minute at a time. Counted where all processes see it; when that is
 * away, calls that move money are refused and all others are counted in this process.
 */
import { createMemoryKeyValue, type KeyValue } from '../../platform/kv.ts';

export interface Limits {
  perMinute: number;
  moneyPerMinute: number;
  /** Calls with a token that is nobody's, and sign-ins, by address. */
  strangersPerMinute: number;
}

export const LIMITS: Limits = { perMinute: 600, moneyPerMinute: 120, strangersPerMinute: 60 };
export const WINDOW_MS = 60_000;

export type Counted = 'fine' | 'over' | 'away';

export interface Limiter {
  caller(key: string, isMoney: boolean): Promise<Counted>;
  stranger(remote: string): Promise<Counted>;
}

/** Counts in `kv`; see the head of the file for what holds when it is away. */
export function createLimiter(kv: KeyValue, limits: Limits): Limiter {
  const local = createMemoryKeyValue();
  const count = async (name: string, max: number, mustBeShared: boolean): Promise<Counted> => {
    try {
      return (await kv.incr(`api:${name}`, WINDOW_MS)) > max ? 'over' : 'fine';
    } catch {
      if (mustBeShared) return 'away';
      return (await local.incr(name, WINDOW_MS)) > max ? 'over' : 'fine';
    }
  };
  return {
    async caller(key, isMoney) {
      const all = await count(`all:${key}`, limits.perMinute, false);
      if (all !== 'fine' || !isMoney) return all;
      return count(`money:${key}`, limits.moneyPerMinute, true);
    },
    stranger: (remote) => count(`stranger:${remote}`, limits.strangersPerMinute, false),
  };
}
