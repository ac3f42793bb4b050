import { every, after as later, sleep, within } from './timers.ts';

describe('timers', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('sleeps for as long as it is told', async () => {
    let awake = false;
    const nap = sleep(1000).then(() => {
      awake = true;
    });
    await jest.advanceTimersByTimeAsync(999);
    expect(awake).toBe(false);
    await jest.advanceTimersByTimeAsync(1);
    await nap;
    expect(awake).toBe(true);
  });

  it('wakes early when the signal aborts, and leaves no timer behind', async () => {
    const stop = new AbortController();
    const nap = sleep(1000, stop.signal);
    stop.abort();
    await nap;
    await sleep(1000, stop.signal);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('calls once, and not at all when cancelled', () => {
    const calls: string[] = [];
    later(10, () => calls.push('kept'));
    later(10, () => calls.push('cancelled'))();
    jest.advanceTimersByTime(50);
    expect(calls).toEqual(['kept']);
  });

  it('holds a wait longer than a timer can', () => {
    const fortyDaysMs = 40 * 86_400_000;
    let called = 0;
    later(fortyDaysMs, () => {
      called += 1;
    });
    jest.advanceTimersByTime(fortyDaysMs - 1);
    expect(called).toBe(0);
    jest.advanceTimersByTime(1);
    expect(called).toBe(1);
  });

  it('repeats until cancelled, and refuses an interval that would spin', () => {
    let called = 0;
    const cancel = every(10, () => {
      called += 1;
    });
    jest.advanceTimersByTime(35);
    cancel();
    jest.advanceTimersByTime(100);
    expect(called).toBe(3);
    expect(() => every(0, () => undefined)).toThrow(RangeError);
  });

  it('gives up on work that takes too long', async () => {
    const slow = within(100, sleep(1000));
    await jest.advanceTimersByTimeAsync(100);
    expect(await slow).toBe('timeout');
    expect(await within(100, Promise.resolve(7))).toBe(7);
  });
});
