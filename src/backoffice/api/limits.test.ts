import { createMemoryKeyValue } from '../../platform/kv.ts';
import { createLimiter } from './limits.ts';

const LIMITS = { perMinute: 3, moneyPerMinute: 2, strangersPerMinute: 1 };

describe('how often a caller may call', () => {
  it('is counted by caller, by money, and by address for strangers', async () => {
    const limiter = createLimiter(createMemoryKeyValue(), LIMITS);
    const calls = async (key: string, isMoney: boolean, times: number) => {
      let last = '';
      for (let i = 0; i < times; i += 1) last = await limiter.caller(key, isMoney);
      return last;
    };
    expect(await calls('staff:1', false, 3)).toBe('fine');
    expect(await calls('staff:1', false, 1)).toBe('over');
    expect(await calls('staff:2', true, 2)).toBe('fine');
    expect(await calls('staff:2', true, 1)).toBe('over');
    expect([await limiter.stranger('a'), await limiter.stranger('a')]).toEqual(['fine', 'over']);
  });

  it('when nobody counts is counted here, but for money, which waits', async () => {
    const away = { ...createMemoryKeyValue(), incr: () => Promise.reject(new Error('away')) };
    const limiter = createLimiter(away, LIMITS);
    expect(await limiter.caller('staff:1', true)).toBe('away');
    expect(await limiter.caller('staff:1', false)).toBe('fine');
    await limiter.caller('staff:1', false);
    expect(await limiter.caller('staff:1', false)).toBe('over');
  });
});
