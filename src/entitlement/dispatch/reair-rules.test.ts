import fc from 'fast-check';
import type { RepeatStep } from '../vip-control/messages.ts';
import { nextReair, REAIR_PROFILE, reairEnd } from './reair-rules.ts';

const ON_AIR = new Date('2026-11-23T13:00:00Z');
const NEVER = new Date('2030-01-01T00:00:00Z');
const later = (seconds: number) => new Date(ON_AIR.getTime() + seconds * 1000);

/** Every instant of re-airing, in seconds after the first broadcast, when none is late. */
function instants(headEndRepeats: readonly RepeatStep[], endsAt = NEVER): number[] {
  const found: number[] = [];
  let now: Date | null = ON_AIR;
  for (;;) {
    now = nextReair({ onAirAt: ON_AIR, endsAt, now, headEndRepeats });
    if (!now) return found;
    found.push((now.getTime() - ON_AIR.getTime()) / 1000);
  }
}

const repeats = fc.array(
  fc.record({
    everySeconds: fc.integer({ min: 1, max: 7_200 }),
    forSeconds: fc.integer({ min: 1, max: 400_000 }),
  }),
  { maxLength: 4 },
);

describe('the next re-airing', () => {
  it('is each minute for 65 minutes, each quarter for a day, each hour for a week', () => {
    const found = instants([]);
    expect(found.slice(0, 3)).toEqual([60, 120, 180]);
    const steps = [0, ...found].slice(0, -1).map((second, i) => (found[i] ?? 0) - second);
    expect([...new Set(steps)]).toEqual([60, 900, 3_600]);
    expect(found.length).toBe(65 + 96 + 168);
  });

  it('begins where the head-end stops to repeat by itself', () => {
    expect(instants([{ everySeconds: 10, forSeconds: 300 }])[0]).toBe(360);
    expect(instants(REAIR_PROFILE.slice(0, 2))[0]).toBe(300 + 3_600 + 900);
  });

  it('adds nothing to a head-end that does all of it', () => {
    expect(instants(REAIR_PROFILE)).toEqual([]);
    expect(instants([{ everySeconds: 60, forSeconds: 2_000_000 }])).toEqual([]);
  });

  it('does not count a head-end that repeats more rarely than is wanted', () => {
    const rare = [{ everySeconds: 3_600, forSeconds: 2_000_000 }];
    // The hourly part it does itself.
    expect(instants(rare)).toEqual(instants([]).slice(0, 65 + 96));
  });

  it('is never after the end of the set', () => {
    expect(instants([], later(200))).toEqual([60, 120, 180]);
    expect(instants([], later(180))).toEqual([60, 120]);
  });

  it('skips what was missed', () => {
    const late = { onAirAt: ON_AIR, endsAt: NEVER, now: later(70_000), headEndRepeats: [] };
    expect(nextReair(late)).toEqual(later(70_900));
  });

  it('rises by a minute at least, ever more slowly, and ends', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 800_000 }), (endSeconds) => {
        const found = instants([], later(endSeconds));
        const gaps = found.map((second, i) => second - (found[i - 1] ?? 0));
        expect(gaps.every((gap, i) => gap >= Math.max(60, gaps[i - 1] ?? 0))).toBe(true);
        expect(found.every((second) => second < endSeconds)).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  it('rises by a minute at least and ends, whatever the head-end does, however late we are', () => {
    fc.assert(
      fc.property(repeats, fc.integer({ min: -60, max: 900_000 }), (headEndRepeats, second) => {
        const now = later(second);
        const facts = { onAirAt: ON_AIR, endsAt: NEVER, now, headEndRepeats };
        const next = nextReair(facts);
        if (next) expect(next.getTime() - now.getTime()).toBeGreaterThanOrEqual(60_000);
        else expect(instants(headEndRepeats).every((at) => at <= second + 3_600)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });
});

describe('the end of re-airing', () => {
  const right = (to: Date) => ({ to: to.toISOString() });

  it('is that of the last right', () => {
    expect(reairEnd([right(later(50)), right(later(500)), right(later(70))], ON_AIR)).toEqual(
      later(500),
    );
  });

  it('is that of the profile at the latest', () => {
    const profileSeconds = 300 + 3_600 + 86_400 + 604_800;
    expect(reairEnd([right(NEVER)], ON_AIR)).toEqual(later(profileSeconds));
  });

  it('is a day later for a set that takes rights away', () => {
    expect(reairEnd([], ON_AIR)).toEqual(later(86_400));
    expect(reairEnd([right(later(-1))], ON_AIR)).toEqual(later(86_400));
  });
});
