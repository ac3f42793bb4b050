import { createFakeTime } from '../../../src/entitlement/vip-control/testing.ts';
import { seededRandom } from '../../../torture/random.ts';
import { createFaults } from './faults.ts';
import { createPacer } from './pacer.ts';

const RATE = 50;
const COMMANDS = 100;

/** Runs all of them, with timers that are so late; how long that took. */
function timeOf(lateMs: (timer: number) => number): number {
  const time = createFakeTime();
  let timers = 0;
  const late = {
    after(ms: number, run: () => void) {
      timers += 1;
      return time.timers.after(ms + lateMs(timers), run);
    },
  };
  const faults = createFaults({ random: seededRandom(1), timers: time.timers });
  faults.set({ kind: 'rate', value: RATE });
  const pacer = createPacer({ faults, clock: time.clock, timers: late });
  const startMs = time.clock.now().getTime();
  let ran = 0;
  let lastMs = startMs;
  for (let n = 0; n < COMMANDS; n += 1) {
    pacer.submit('BULK', () => {
      ran += 1;
      lastMs = time.clock.now().getTime();
    });
  }
  for (let ms = 0; ms < 10_000 && ran < COMMANDS; ms += 1) time.advance(1);
  expect(ran).toBe(COMMANDS);
  return lastMs - startMs;
}

describe('a head-end that executes so many commands a second', () => {
  const wholeMs = (COMMANDS * 1_000) / RATE;

  it('does as many, and not one more', () => {
    expect(timeOf(() => 0)).toBe(wholeMs);
  });

  it('does as many with timers that are always late', () => {
    const took = timeOf(() => 3);
    expect(took).toBeGreaterThanOrEqual(wholeMs);
    expect(took).toBeLessThanOrEqual(wholeMs + 3);
  });

  it('does not make up for a second in which it stood still', () => {
    const took = timeOf((timer) => (timer === 10 ? 1_000 : 0));
    expect(took).toBeGreaterThanOrEqual(wholeMs + 890);
    expect(took).toBeLessThanOrEqual(wholeMs + 910);
  });
});
