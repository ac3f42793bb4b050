import { drawLatencyMs, LATENCY_MS_MAX } from './latency.ts';

/** The low-discrepancy sequence of the golden ratio, in pairs: evenly spread, always the same. */
function createEvenRandom() {
  let drawn = 0;
  const STEPS = [0.7548776662466927, 0.5698402909980532] as const;
  return {
    hex: () => '',
    fraction: () => {
      const step = STEPS[drawn % 2] ?? 0;
      drawn += 1;
      return (Math.ceil(drawn / 2) * step) % 1;
    },
  };
}

describe('a drawn latency', () => {
  it('has the median and the 99th centile that were asked for', () => {
    const random = createEvenRandom();
    const drawn = Array.from({ length: 20_000 }, () =>
      drawLatencyMs({ medianMs: 80, p99Ms: 2_000 }, random),
    ).sort((a, b) => a - b);
    expect((drawn[10_000] ?? 0) / 80).toBeCloseTo(1, 1);
    expect((drawn[19_800] ?? 0) / 2_000).toBeCloseTo(1, 1);
  });

  it('is always the same when it is one number, and never without bound', () => {
    const random = createEvenRandom();
    expect(drawLatencyMs(20, random)).toBe(20);
    expect(drawLatencyMs(0, random)).toBe(0);
    expect(drawLatencyMs({ medianMs: 0, p99Ms: 10 }, random)).toBe(0);
    expect(drawLatencyMs(10 * LATENCY_MS_MAX, random)).toBe(LATENCY_MS_MAX);
  });
});
