/** Billing periods and ratios of a start date alone, without an account. */

import type { Period } from '../../platform/day.ts';
import { type Day, firstBillingDate, plusPeriods } from '../../platform/day.ts';
import { type Interval, OPEN } from './intervals.ts';
import type { Billing } from './plans.ts';
import { countedDays, countedPeriodDays, monthDaysFor, nineDigits } from './proration.ts';
import { piecesOf } from './wanted.ts';

export interface PeriodsQuestion {
  start: Day;
  /** First day without; null = none. */
  end: Day | null;
  billingDay: number;
  period: Period;
  billing: Billing;
  target: Day;
}

type Dated<T> = { ok: true; value: T } | { ok: false; error: 'invalid_date_sequence' };

const REFUSED = { ok: false, error: 'invalid_date_sequence' } as const;

/** The pieces that a run at the target bills. */
export function periodsUntil(question: PeriodsQuestion): Dated<Interval[]> {
  const { start, end, target, billingDay, period, billing } = question;
  if (target < start || (end !== null && end < start)) return REFUSED;
  const segment = {
    from: start,
    to: end ?? OPEN,
    planCode: null,
    phase: null,
    fixed: null,
    fixedTo: null,
    price: 0n,
    period,
    billing,
    billingDay,
    taxCode: null,
    dayBefore: null,
    dayChange: null,
  };
  const value = piecesOf(segment, target).map(({ from, to }) => ({ from, to }));
  return { ok: true, value };
}

/** The end of what a run at the target bills; the start, if it bills nothing. */
export function periodEnd(question: PeriodsQuestion): Dated<Day> {
  const periods = periodsUntil(question);
  if (!periods.ok) return periods;
  return { ok: true, value: periods.value.at(-1)?.to ?? question.start };
}

/** How many full periods a run at the target bills. */
export function wholePeriods(question: PeriodsQuestion): Dated<number> {
  const periods = periodsUntil(question);
  if (!periods.ok) return periods;
  const { start, period, billingDay } = question;
  const first = firstBillingDate(start, period, billingDay);
  const whole = periods.value.filter(
    ({ from, to }) => from >= first && to === plusPeriods(from, period, 1, billingDay),
  );
  return { ok: true, value: whole.length };
}

/** The part of the period ending at the billing date `until`, in billionths. */
export function prorationRatio(
  { from, to: until }: Interval,
  period: Period,
  monthDays: number | null,
): Dated<bigint> {
  if (until < from) return REFUSED;
  const fixed = monthDaysFor(period, monthDays);
  const cycle = { from: plusPeriods(until, period, -1), to: until };
  const ofDays = countedPeriodDays(cycle, period, fixed);
  return { ok: true, value: nineDigits(countedDays(from, until, fixed), ofDays) };
}

/** The days that a piece counts. */
export function prorationDays(
  { from, to: until }: Interval,
  monthDays: number | null,
): Dated<number> {
  if (until < from) return REFUSED;
  return { ok: true, value: countedDays(from, until, monthDays) };
}
