/**
 * Calendar arithmetic on days: whole numbers since 1970-01-01 of an account's local calendar
 * (proleptic Gregorian). To-days are exclusive everywhere.
 */
import { localDate } from './calendar.ts';

export type Day = number;

export type Period = 'weekly' | 'thirty_days' | 'monthly' | 'quarterly' | 'annual';

export interface Length {
  days?: number;
  months?: number;
  years?: number;
}

const DAY_MS = 86_400_000;

export interface YearMonthDay {
  year: number;
  /** 1 to 12. */
  month: number;
  day: number;
}

export const dayOf = (year: number, month: number, day: number): Day =>
  Date.UTC(year, month - 1, day) / DAY_MS;

export function partsOf(day: Day): YearMonthDay {
  const date = new Date(day * DAY_MS);
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
  };
}

/** Reads `YYYY-MM-DD`; throws on anything else, also on 30 February. */
export function parseDay(text: string): Day {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (!match) throw new Error(`Not a date: ${text}`);
  const day = dayOf(Number(match[1]), Number(match[2]), Number(match[3]));
  if (formatDay(day) !== text) throw new Error(`No such date: ${text}`);
  return day;
}

export const formatDay = (day: Day): string => new Date(day * DAY_MS).toISOString().slice(0, 10);

/** The day on which an instant falls in a zone (IANA name or `±hh:mm`). */
export function dayOfInstant(at: Date, timeZone: string): Day {
  const zone = /^[+-]\d\d:\d\d$/.test(timeZone) ? `UTC${timeZone}` : timeZone;
  const { year, month, day } = localDate(at, zone);
  return dayOf(year, month, day);
}

/** A day of a month, clamped to its length; months may run over the year. */
export function onDayOfMonth(year: number, month: number, dayOfMonth: number): Day {
  const last = dayOf(year, month + 1, 1) - 1;
  return Math.min(dayOf(year, month, 1) + dayOfMonth - 1, last);
}

/** `months` later (or earlier), on `dayOfMonth` (its own, if not given) clamped. */
export function plusMonths(from: Day, months: number, dayOfMonth?: number): Day {
  const { year, month, day } = partsOf(from);
  return onDayOfMonth(year, month + months, dayOfMonth ?? day);
}

/** The end of a phase of `length` that begins on `from`. */
export const plusLength = (from: Day, length: Length): Day =>
  plusMonths(from, (length.months ?? 0) + 12 * (length.years ?? 0)) + (length.days ?? 0);

const DAYS: Partial<Record<Period, number>> = { weekly: 7, thirty_days: 30 };
const MONTHS: Partial<Record<Period, number>> = { monthly: 1, quarterly: 3, annual: 12 };

/** Days of a period that is counted in days; null for calendar periods. */
export const daysOfPeriod = (period: Period): number | null => DAYS[period] ?? null;

/** Months of a calendar period; 0 for one that is counted in days. */
export const monthsOfPeriod = (period: Period): number => MONTHS[period] ?? 0;

/** `count` periods later (or earlier); calendar periods fall on `billingDay` clamped. */
export function plusPeriods(from: Day, period: Period, count: number, billingDay?: number): Day {
  const days = daysOfPeriod(period);
  if (days !== null) return from + days * count;
  return plusMonths(from, monthsOfPeriod(period) * count, billingDay);
}

/**
 * The first billing date at or after a start: the billing day in the start's month, or one period
 * later if that has passed. Periods counted in days start at once.
 */
export function firstBillingDate(start: Day, period: Period, billingDay: number): Day {
  if (daysOfPeriod(period) !== null) return start;
  const inMonth = plusMonths(start, 0, billingDay);
  return inMonth >= start ? inMonth : plusPeriods(inMonth, period, 1, billingDay);
}

/** The first such day of a month on or after `from`. */
export const firstDayOfMonth = (from: Day, dayOfMonth: number): Day =>
  firstBillingDate(from, 'monthly', dayOfMonth);
