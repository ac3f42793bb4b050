/**
 * Terms of a prepaid subscription, in the local dates of its site. The rest of the first day is
 * free: a month bought on 23 November runs to the end of 23 December. A term bought before the end
 * extends the run; at or after the end it starts at once. Month ends are kept: the day of the first
 * month counts for the months that follow it directly, clamped to the length of the month.
 */
import {
  addDays,
  addMonths,
  type LocalDate,
  localDate,
  midnight,
} from '../../platform/calendar.ts';
import type { TermName } from '../catalogue/rules.ts';

export type TermLength = { kind: TermName } | { kind: 'days'; days: number };

/** What of a subscription decides where its next term lies. */
export interface Run {
  runFrom: Date | null;
  paidUntil: Date | null;
  baseDate: LocalDate | null;
  anchorDay: number | null;
}

export interface SoldTerm {
  from: Date;
  to: Date;
  /** The run after the sale. */
  run: { runFrom: Date; paidUntil: Date; baseDate: LocalDate; anchorDay: number | null };
}

/** Where a term bought at `at` lies, and the run that results. Ends are exclusive. */
export function nextTerm(run: Run, length: TermLength, at: Date, timeZone: string): SoldTerm {
  const extends_ =
    run.paidUntil !== null && run.runFrom !== null && at.getTime() < run.paidUntil.getTime();
  const base = extends_ && run.baseDate ? run.baseDate : localDate(at, timeZone);
  const from = extends_ && run.paidUntil ? run.paidUntil : at;
  const anchorDay =
    length.kind === 'month' ? ((extends_ ? run.anchorDay : null) ?? base.day) : null;
  const last = lastDay(base, length, anchorDay);
  const to = midnight(addDays(last, 1), timeZone);
  return {
    from,
    to,
    run: {
      runFrom: extends_ && run.runFrom ? run.runFrom : at,
      paidUntil: to,
      baseDate: last,
      anchorDay,
    },
  };
}

/** The term of an automatic renewal: as bought in the last instant of the term that ends. */
export function renewedTerm(run: Run, length: TermLength, timeZone: string): SoldTerm {
  if (run.paidUntil === null) throw new Error('Nothing to renew: never paid');
  return nextTerm(run, length, new Date(run.paidUntil.getTime() - 1), timeZone);
}

function lastDay(base: LocalDate, length: TermLength, anchorDay: number | null): LocalDate {
  switch (length.kind) {
    case 'day':
      return addDays(base, 1);
    case 'week':
      return addDays(base, 7);
    case 'days':
      return addDays(base, length.days);
    case 'month':
      return addMonths(base, 1, anchorDay ?? base.day);
  }
}
