/**
 * Prorated amounts: price × days / days of the period, exact, with one final rounding half-up.
 * Amounts are minor units.
 */

import type { Period } from '../../platform/day.ts';
import { type Day, daysOfPeriod, monthsOfPeriod, partsOf } from '../../platform/day.ts';
import type { PostpaidConfig } from './plans.ts';

const NINE_DIGITS = 1_000_000_000n;

/** numerator / denominator, rounded half-up (away from zero when negative). */
export function divideHalfUp(numerator: bigint, denominator: bigint): bigint {
  if (numerator < 0n) return -divideHalfUp(-numerator, denominator);
  return (2n * numerator + denominator) / (2n * denominator);
}

/** `price × days / ofDays`, rounded by the rule of the house. */
export function prorate(
  price: bigint,
  days: number,
  ofDays: number,
  rounding: PostpaidConfig['rounding'],
): bigint {
  if (rounding === 'exact') return divideHalfUp(price * BigInt(days), BigInt(ofDays));
  return divideHalfUp(price * nineDigits(days, ofDays), NINE_DIGITS);
}

/** days / ofDays as a whole number of billionths, rounded half-up. */
export const nineDigits = (days: number, ofDays: number): bigint =>
  divideHalfUp(BigInt(days) * NINE_DIGITS, BigInt(ofDays));

/**
 * Days that a piece counts. With a fixed length of months, a piece that crosses a month end counts
 * its first month as that long, and every whole month in between.
 */
export function countedDays(from: Day, to: Day, monthDays: number | null): number {
  if (monthDays === null) return to - from;
  const a = partsOf(from);
  const b = partsOf(to);
  const crossed = (b.year - a.year) * 12 + b.month - a.month;
  if (crossed === 0) return to - from;
  return Math.max(0, monthDays - a.day) + (crossed - 1) * monthDays + b.day;
}

/** Days of a period that goes from `from` to `to`. */
export function countedPeriodDays(
  { from, to }: { from: Day; to: Day },
  period: Period,
  monthDays: number | null,
): number {
  const days = daysOfPeriod(period);
  if (days !== null) return days;
  return monthDays === null ? to - from : monthsOfPeriod(period) * monthDays;
}

/** Months have a fixed length only where months are counted. */
export const monthDaysFor = (period: Period, monthDays: number | null): number | null =>
  daysOfPeriod(period) === null ? monthDays : null;
