/**
 * Terms of a prepaid subscription, in the local dates of its site. By default the rest of the
 * first day is free: a month bought on 23 November runs to the end of 23 December. A term bought
 * before the end extends the run; at or after the end it starts at once. Month ends are kept: the
 * day of the first month counts for the months that follow it directly, clamped to the length of
 * the month. `TermRules` says what a site does otherwise.
 */
import {
  addDays,
  addMonths,
  atWallTime,
  type LocalDate,
  localDate,
  midnight,
  wallTime,
} from '../../platform/calendar.ts';
import type { PrepaidRules, TermName } from '../catalogue/rules.ts';
import { daysNamed } from '../catalogue/terms.ts';

export type TermLength = { kind: TermName } | { kind: 'days'; days: number };

/** What of a subscription decides where its next term lies. */
export interface Run {
  runFrom: Date | null;
  paidUntil: Date | null;
  baseDate: LocalDate | null;
  anchorDay: number | null;
  /** Local time of the first purchase of the run, ms since midnight; null: that of `runFrom`. */
  timeOfDay?: number | null;
}

/** How a site counts: see `PrepaidRules`. */
export interface TermRules extends Pick<PrepaidRules, 'termEnd' | 'monthAnchor' | 'grace'> {
  timeZone: string;
}

export interface SoldTerm {
  from: Date;
  to: Date;
  /** The run after the sale. */
  run: {
    runFrom: Date;
    paidUntil: Date;
    baseDate: LocalDate;
    anchorDay: number | null;
    timeOfDay: number;
  };
}

const HOUR_MS = 3_600_000;
const PASS_HOURS = 24;
const WEEK_DAYS = 7;
/** Months of the terms that are of months. */
const MONTHS: ReadonlyMap<TermLength['kind'], number> = new Map([
  ['month', 1],
  ['quarter', 3],
  ['year', 12],
]);

const usual = (timeZone: string): TermRules => ({
  timeZone,
  termEnd: 'rest_of_day_free',
  monthAnchor: 'kept',
  grace: { hours: 0, nextTerm: 'from_now' },
});

/**
 * Where a term bought at `at` lies, and the run that results. Ends are exclusive. `where` is the
 * rules of the site, or its time zone when it has no rules of its own.
 */
export function nextTerm(
  run: Run,
  length: TermLength,
  at: Date,
  where: string | TermRules,
): SoldTerm {
  const rules = typeof where === 'string' ? usual(where) : where;
  const { timeZone } = rules;
  const end = run.paidUntil;
  const goesOn = end !== null && run.runFrom !== null && at.getTime() < extendsUntil(end, rules);
  const base = goesOn && run.baseDate ? run.baseDate : localDate(at, timeZone);
  const from = goesOn && end ? end : at;
  const runFrom = goesOn && run.runFrom ? run.runFrom : at;
  // What begins at the very end of a run leaves no gap: it is the same run by the clock.
  const touches = goesOn || end?.getTime() === at.getTime();
  const timeOfDay = (touches ? run.timeOfDay : null) ?? wallTime(runFrom, timeZone);
  const anchorDay = anchorOf(length, base, goesOn ? run.anchorDay : null, rules);
  const last = lastDay(base, length, anchorDay);
  const to =
    length.kind === 'pass24'
      ? new Date(from.getTime() + PASS_HOURS * HOUR_MS)
      : endOn(last, timeOfDay, rules);
  return { from, to, run: { runFrom, paidUntil: to, baseDate: last, anchorDay, timeOfDay } };
}

/** Until when a purchase extends: the end, or the end of the grace where that is borrowed. */
const extendsUntil = (end: Date, { grace }: TermRules): number =>
  end.getTime() + (grace.nextTerm === 'from_end' ? grace.hours * HOUR_MS : 0);

/** The term of an automatic renewal: as bought in the last instant of the term that ends. */
export function renewedTerm(run: Run, length: TermLength, where: string | TermRules): SoldTerm {
  if (run.paidUntil === null) throw new Error('Nothing to renew: never paid');
  return nextTerm(run, length, new Date(run.paidUntil.getTime() - 1), where);
}

/** The end of a term whose last counted date is `last` (`day_counts`: the date after it). */
function endOn(last: LocalDate, timeOfDay: number, { termEnd, timeZone }: TermRules): Date {
  if (termEnd === 'same_time') return atWallTime(last, timeOfDay, timeZone);
  return midnight(termEnd === 'day_counts' ? last : addDays(last, 1), timeZone);
}

/** The day of the month that months keep; null for lengths that are not of months. */
function anchorOf(
  length: TermLength,
  base: LocalDate,
  before: number | null,
  rules: TermRules,
): number | null {
  if (!MONTHS.has(length.kind)) return null;
  return (rules.monthAnchor === 'kept' ? before : null) ?? base.day;
}

function lastDay(base: LocalDate, length: TermLength, anchorDay: number | null): LocalDate {
  const months = MONTHS.get(length.kind);
  return months === undefined
    ? addDays(base, daysOf(length))
    : addMonths(base, months, anchorDay ?? base.day);
}

/** The days of a length that is not of months. */
function daysOf(length: TermLength): number {
  if (length.kind === 'days') return length.days;
  if (length.kind === 'week') return WEEK_DAYS;
  return daysNamed(length.kind) ?? 1;
}
