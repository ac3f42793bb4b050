import fc from 'fast-check';
import { backoffMs } from './backoff.ts';

describe('the back-off', () => {
  it('is 1, 2, 5, 10, 30, then always 60 seconds', () => {
    const waits = [1, 2, 3, 4, 5, 6, 7, 1_000].map((attempts) => backoffMs(attempts, 0.5) / 1000);
    expect(waits).toEqual([1, 2, 5, 10, 30, 60, 60, 60]);
  });

  it('is spread by a quarter to both sides', () => {
    fc.assert(
      fc.property(
        fc.nat(100),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (n, fraction) => {
          const ratio = backoffMs(n, fraction) / backoffMs(n, 0.5);
          expect(ratio).toBeGreaterThanOrEqual(0.75);
          expect(ratio).toBeLessThanOrEqual(1.25);
        },
      ),
    );
  });
});
