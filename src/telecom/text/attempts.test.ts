import fc from 'fast-check';
import { afterAttempt, darkBefore, mayTry } from './attempts.ts';
import type { TextResult } from './provider.ts';

const NOW = new Date('2026-11-23T08:00:00Z');
const NOT_AFTER = new Date('2026-11-30T08:00:00Z');
const MIDDLE = 0.5;

const busy: TextResult = { ok: false, kind: 'retry', code: 'busy' };
const dark: TextResult = { ok: false, kind: 'unknown', code: 'timeout' };

const becomes = (attempts: number, result: TextResult, before = 0, fraction = MIDDLE) =>
  afterAttempt({ attempts, notAfter: NOT_AFTER }, result, { dark: before, now: NOW, fraction });

const waitSeconds = (attempts: number, fraction = MIDDLE) => {
  const result = becomes(attempts, busy, 0, fraction);
  return result.state === 'retry' ? (result.nextAt.getTime() - NOW.getTime()) / 1_000 : null;
};

describe('a text that was not taken', () => {
  it('waits longer and longer, up to an hour', () => {
    expect([1, 2, 3, 4, 5, 6, 99].map((n) => waitSeconds(n))).toEqual([
      5, 30, 120, 600, 3_600, 3_600, 3_600,
    ]);
  });

  it('waits a fifth less or more, so that not all come back at once', () => {
    expect(waitSeconds(2, 0)).toBe(24);
    expect(waitSeconds(2, 0.999)).toBeCloseTo(36, 1);
  });

  it('is given up when its time would have passed', () => {
    const notAfter = new Date(NOW.getTime() + 5_000);
    const state = { dark: 0, now: NOW, fraction: MIDDLE };
    expect(afterAttempt({ attempts: 1, notAfter }, busy, state)).toMatchObject({ state: 'failed' });
  });

  it('is given up at once when it never will be', () => {
    const refused: TextResult = { ok: false, kind: 'permanent', code: 'blocked' };
    const failure = 'blocked (attempt 1, 0 in the dark)';
    expect(becomes(1, refused)).toEqual({ state: 'failed', failure });
  });
});

describe('an attempt in the dark', () => {
  it('is followed by one more, ten minutes later', () => {
    const nextAt = new Date('2026-11-23T08:10:00Z');
    const failure = 'timeout (attempt 1, 1 in the dark)';
    expect(becomes(1, dark)).toEqual({ state: 'retry', nextAt, failure });
    expect(becomes(2, dark, 1)).toMatchObject({ state: 'failed' });
  });

  it('is remembered through later attempts that end clearly', () => {
    const second = becomes(2, busy, 1);
    expect(second).toMatchObject({ state: 'retry' });
    expect(darkBefore(3, 'failure' in second ? second.failure : null)).toBe(1);
  });

  it('is also one that was claimed and never finished', () => {
    expect(darkBefore(1, null)).toBe(0);
    expect(darkBefore(2, null)).toBe(1);
    expect(darkBefore(3, 'busy (attempt 1, 0 in the dark)')).toBe(1);
    expect(darkBefore(3, 'timeout (attempt 1, 1 in the dark)')).toBe(2);
    expect(mayTry(2)).toBe(false);
  });

  it('happens twice at most, whatever else happens in between', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('busy', 'dark', 'crash'), { maxLength: 30 }), (ends) => {
        expect(attemptsInTheDark(ends)).toBeLessThanOrEqual(2);
      }),
    );
  });
});

/** Plays attempts that end so, until the text is given up. */
function attemptsInTheDark(ends: readonly ('busy' | 'dark' | 'crash')[]): number {
  let failure: string | null = null;
  let count = 0;
  for (const [index, end] of ends.entries()) {
    const before = darkBefore(index + 1, failure);
    if (!mayTry(before)) return count;
    if (end !== 'busy') count += 1;
    // A process that dies leaves no note.
    if (end === 'crash') continue;
    const result = becomes(index + 1, end === 'dark' ? dark : busy, before);
    if (result.state !== 'retry') return count;
    failure = result.failure;
  }
  return count;
}
