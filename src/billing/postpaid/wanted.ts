/**
 * What should be charged for a contract up to a target: a pure function of facts, catalogue and
 * target. How a piece is measured: one that starts on a billing date against the period starting
 * there, any other against the period ending at its end.
 */

import type { Period } from '../../platform/day.ts';
import {
  type Day,
  daysOfPeriod,
  firstBillingDate,
  partsOf,
  plusMonths,
  plusPeriods,
} from '../../platform/day.ts';
import type { Interval } from './intervals.ts';
import type { PostpaidConfig } from './plans.ts';
import { countedDays, countedPeriodDays, monthDaysFor, prorate } from './proration.ts';
import type { Contract } from './rows.ts';
import { type Segment, segmentsOf } from './segments.ts';
import type { View } from './timeline.ts';

/** The recurring part of a segment. */
export type Recurring = Segment & { price: bigint; period: Period };

/** Days that should be charged in one line, if none of them has been yet. */
export interface Piece extends Interval {
  segment: Recurring;
}

export interface Wanted {
  fixed: Segment[];
  pieces: Piece[];
  /** Days of which nothing is charged yet, but which are not given back either. */
  kept: Piece[];
}

/** What makes two charges of a day the same. */
export const saleKey = (of: {
  planCode: string | null;
  price: bigint | null;
  period: Period | null;
}): string => `${of.planCode} ${of.price} ${of.period}`;

const isRecurring = (segment: Segment): segment is Recurring =>
  segment.price !== null && segment.period !== null;

/** All that is wanted of a contract from the beginning of time. */
export function wantedOf(view: View, contract: Contract): Wanted {
  const segments = segmentsOf(view, contract);
  const recurring = segments.filter(isRecurring);
  return {
    fixed: segments.filter(({ fixed, from }) => fixed !== null && from <= view.target),
    pieces: recurring.flatMap((segment) => piecesOf(segment, view.target)),
    kept: recurring.flatMap(keptOf),
  };
}

/** The pieces of a segment that are due at a target. */
export function piecesOf(segment: Recurring, target: Day): Piece[] {
  const end = endOfPieces(segment);
  const first = firstBillingDate(segment.from, segment.period, segment.billingDay);
  const pieces: Piece[] = [];
  let from = segment.from;
  for (let count = first > from ? 0 : 1; from < end; count += 1) {
    const to = Math.min(plusPeriods(first, segment.period, count, segment.billingDay), end);
    if ((segment.billing === 'in_advance' ? from : to) > target) break;
    pieces.push({ segment, from, to });
    from = to;
  }
  return pieces;
}

/** A new billing day to come ends what is still to be charged. */
const endOfPieces = ({ from, to, dayChange }: Segment): Day =>
  dayChange && dayChange.at > from ? Math.min(to, dayChange.at) : to;

/** What is paid beyond a new billing day to come is not re-cut. */
function keptOf(segment: Recurring): Piece[] {
  const end = endOfPieces(segment);
  return end < segment.to ? [{ segment, from: end, to: segment.to }] : [];
}

/** The charge for days of a piece: amount, and the days of the period it was measured against. */
export function measured(
  { segment, ...piece }: Piece,
  days: Interval,
  config: PostpaidConfig,
): { amount: bigint; periodDays: number } {
  const cycle = cycleOf(segment, piece, { days, bridge: config.bridge });
  const monthDays = monthDaysFor(segment.period, config.monthDays);
  const periodDays = countedPeriodDays(cycle, segment.period, monthDays);
  if (cycle.from === days.from && cycle.to === days.to) {
    return { amount: segment.price, periodDays };
  }
  const counted = countedDays(days.from, days.to, monthDays);
  return { amount: prorate(segment.price, counted, periodDays, config.rounding), periodDays };
}

/** The period against which days of a piece are measured. */
function cycleOf(
  segment: Recurring,
  piece: Interval,
  { days, bridge }: { days: Interval; bridge: PostpaidConfig['bridge'] },
): Interval {
  const { period, billingDay, dayBefore, dayChange } = segment;
  const { from, to } = days;
  // The last days of the old cycle, up to a new billing day.
  if (bridge === 'new_cycle' && dayChange && dayChange.at === to && piece.to === to) {
    const isNew = firstBillingDate(to, period, dayChange.day) === to;
    if (isNew) return { from: plusPeriods(to, period, -1, dayChange.day), to };
  }
  // Days after the last old cycle, up to the first new billing day.
  if (bridge === 'old_cycle' && dayBefore !== null && from > segment.from) {
    const isOld = piece.from === segment.from && firstBillingDate(from, period, dayBefore) === from;
    if (isOld) return { from, to: plusPeriods(from, period, 1, dayBefore) };
  }
  if (isBillingDate(segment, from)) return { from, to: plusPeriods(from, period, 1, billingDay) };
  if (isBillingDate(segment, to)) return { from: plusPeriods(to, period, -1, billingDay), to };
  return { from: plusPeriods(to, period, -1), to };
}

/** Is this one of the billing dates of a segment (which may go on after its end)? */
function isBillingDate(segment: Recurring, day: Day): boolean {
  const { from, period, billingDay } = segment;
  const first = firstBillingDate(from, period, billingDay);
  const days = daysOfPeriod(period);
  if (day < first) return false;
  if (days !== null) return (day - first) % days === 0;
  if (plusMonths(day, 0, billingDay) !== day) return false;
  const a = partsOf(first);
  const b = partsOf(day);
  const months = (b.year - a.year) * 12 + b.month - a.month;
  return plusPeriods(first, period, months / monthsIn(period), billingDay) === day;
}

const monthsIn = (period: Period): number =>
  period === 'annual' ? 12 : period === 'quarterly' ? 3 : 1;
