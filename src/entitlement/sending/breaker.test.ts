import fc from 'fast-check';
import {
  createBreaker,
  FAILURES_TO_OPEN,
  FAILURES_WITHIN_MS,
  REST_MS_MAX,
  REST_MS_MIN,
} from './breaker.ts';

describe('a breaker', () => {
  const opened = () => {
    const breaker = createBreaker();
    for (let n = 0; n < FAILURES_TO_OPEN; n += 1) breaker.failed(0);
    return breaker;
  };

  it('opens at so many failures without a success between them', () => {
    const breaker = createBreaker();
    for (let n = 1; n < FAILURES_TO_OPEN; n += 1) expect(breaker.failed(n)).toBe(false);
    breaker.succeeded();
    for (let n = 1; n < FAILURES_TO_OPEN; n += 1) expect(breaker.failed(n)).toBe(false);
    expect(breaker.state(50)).toBe('closed');
    expect(breaker.failed(50)).toBe(true);
    expect(breaker.state(50)).toBe('open');
  });

  it('forgets failures of long ago', () => {
    const breaker = createBreaker();
    for (let n = 0; n < 100; n += 1) {
      expect(breaker.failed(Math.ceil((n * FAILURES_WITHIN_MS) / (FAILURES_TO_OPEN - 1)))).toBe(
        false,
      );
    }
  });

  it('lets one try after a rest, which doubles while that fails', () => {
    const breaker = opened();
    expect(breaker.state(REST_MS_MIN - 1)).toBe('open');
    let now = 0;
    for (const rest of [REST_MS_MIN, 4_000, 8_000, 16_000, REST_MS_MAX, REST_MS_MAX]) {
      now += rest;
      expect(breaker.state(now - 1)).toBe('open');
      expect(breaker.state(now)).toBe('half_open');
      breaker.failed(now);
    }
  });

  it('does not hear what was under way when it opened', () => {
    const breaker = opened();
    breaker.failed(REST_MS_MIN - 1);
    expect(breaker.state(REST_MS_MIN)).toBe('half_open');
  });

  it('closes at a success, and then rests as little as at first', () => {
    const breaker = opened();
    breaker.failed(REST_MS_MIN);
    expect(breaker.succeeded()).toBe(true);
    expect(breaker.succeeded()).toBe(false);
    expect(breaker.state(REST_MS_MIN)).toBe('closed');
    for (let n = 0; n < FAILURES_TO_OPEN; n += 1) breaker.failed(10_000);
    expect(breaker.state(10_000 + REST_MS_MIN)).toBe('half_open');
  });

  it('is never shut for longer than its longest rest, whatever happens', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(20_000), fc.boolean())), (events) => {
        const breaker = createBreaker();
        let now = 0;
        for (const [later, isGood] of events) {
          now += later;
          if (isGood) breaker.succeeded();
          else breaker.failed(now);
          expect(breaker.state(now + REST_MS_MAX)).not.toBe('open');
        }
      }),
      { numRuns: 50 },
    );
  });
});
