import type { TermRules } from '../subscriptions/rules.ts';
import type { LineFacts } from './facts.ts';
import { afterPause, coverageOf, cutAt, daysOf, laidAgain, lastRun, stateAt } from './lines.ts';

/**
 * Goal: the days of a line, and how lines move when one goes, at the edges of days.
 * Method: literal lines of a site in Abidjan, where local time is UTC.
 */
const RULES: TermRules = {
  timeZone: 'Africa/Abidjan',
  termEnd: 'rest_of_day_free',
  monthAnchor: 'kept',
  grace: { hours: 0, nextTerm: 'from_now' },
};
const at = (text: string): Date => new Date(`${text}Z`);

/** A week from noon on 2 November, unless said otherwise. */
const line = (changes: Partial<LineFacts> = {}): LineFacts => ({
  id: 1n,
  subscriptionId: 1n,
  bouquetId: 1n,
  kind: 'week',
  days: null,
  from: at('2026-11-02T12:00'),
  to: at('2026-11-10T00:00'),
  asset: 'XOF',
  price: 700n,
  taxes: [],
  journalId: 1n,
  soldAt: at('2026-11-02T12:00'),
  baseDate: { year: 2026, month: 11, day: 9 },
  anchorDay: null,
  timeOfDay: 43_200_000,
  parts: [],
  paidBy: 'wallet',
  breaks: [],
  beside: null,
  reference: null,
  state: 'sold',
  ...changes,
});
const behind = line({
  id: 2n,
  from: at('2026-11-10T00:00'),
  to: at('2026-11-17T00:00'),
  soldAt: at('2026-11-03T12:00'),
  baseDate: { year: 2026, month: 11, day: 16 },
});
const unused = (when: string, rules = RULES, of = line()) => daysOf(of, at(when), rules);

describe('the days of a line', () => {
  it('leave out the day of purchase where its rest is free, and count from midnights', () => {
    expect(unused('2026-11-02T12:00')).toEqual({ all: 7, unused: 7 });
    expect(unused('2026-11-02T23:59')).toEqual({ all: 7, unused: 7 });
    expect(unused('2026-11-03T00:00')).toEqual({ all: 7, unused: 7 });
    expect(unused('2026-11-03T00:01')).toEqual({ all: 7, unused: 6 });
    expect(unused('2026-11-09T23:59')).toEqual({ all: 7, unused: 0 });
    expect(daysOf(behind, at('2026-11-05T12:00'), RULES)).toEqual({ all: 7, unused: 7 });
  });

  it('are all its dates where the day of purchase counts or the hour is kept', () => {
    const counted = line({ to: at('2026-11-09T00:00') });
    const dayCounts: TermRules = { ...RULES, termEnd: 'day_counts' };
    expect(unused('2026-11-02T12:00', dayCounts, counted)).toEqual({ all: 7, unused: 6 });
    const timed = line({ to: at('2026-11-09T12:00') });
    const sameTime: TermRules = { ...RULES, termEnd: 'same_time' };
    expect(unused('2026-11-02T13:00', sameTime, timed)).toEqual({ all: 8, unused: 7 });
  });

  it('are none of a pause', () => {
    const pause = { from: at('2026-11-04T12:00'), to: at('2026-11-06T00:00') };
    const [paused] = afterPause([line()], pause, RULES);
    expect(paused?.to).toEqual(at('2026-11-12T00:00'));
    expect(paused && daysOf(paused, at('2026-11-06T00:00'), RULES)).toEqual({ all: 7, unused: 6 });
  });
});

describe('lines', () => {
  it('follow at once when the one before ends, the rest of today free', () => {
    const now = at('2026-11-05T12:00');
    const cut = cutAt(line(), now, RULES);
    const [moved] = laidAgain([cut, behind], now, RULES);
    expect(moved?.from).toEqual(now);
    expect(moved?.to).toEqual(at('2026-11-13T00:00'));
  });

  it('begin when they were bought when the one before was never bought', () => {
    const now = at('2026-11-03T12:00');
    const [moved] = laidAgain([line({ state: 'void' }), behind], now, RULES);
    expect([moved?.from, moved?.to]).toEqual([now, at('2026-11-11T00:00')]);
  });

  it('are one run while they touch; a pause is a gap', () => {
    expect(lastRun([behind, line()])).toEqual({ from: line().from, to: behind.to });
    const pause = { from: at('2026-11-04T12:00'), to: at('2026-11-04T15:00') };
    const paused = afterPause([line()], pause, RULES);
    expect(lastRun(paused)).toEqual({ from: pause.to, to: line().to });
    expect(lastRun([])).toBeNull();
  });

  it('cover nothing from the start of a pause on', () => {
    const products = () => ['ESS'];
    const from = at('2026-11-04T12:00');
    expect(coverageOf([line(), behind], products, from)).toEqual([
      { product: 'ESS', from: line().from, to: from },
    ]);
  });

  it('make the state of a subscription', () => {
    const facts = { lines: [line(), { ...behind, kind: 'bonus' as const }], graceHours: 24 };
    const state = (when: string, isPaused = false) => stateAt({ ...facts, isPaused }, at(when));
    expect(state('2026-11-09T23:59')).toBe('ACTIVE');
    expect(state('2026-11-10T00:00')).toBe('FREE_TIME');
    expect(state('2026-11-17T00:00')).toBe('GRACE');
    expect(state('2026-11-18T00:00')).toBe('EXPIRED');
    expect(state('2026-11-10T00:00', true)).toBe('PAUSED_CUSTOMER');
    expect(stateAt({ lines: [], isPaused: false, graceHours: 0 }, at('2026-11-10T00:00'))).toBe(
      'NEW',
    );
  });
});
