/**
 * Lines of a subscription: the days of each, what is unused at an instant, how those behind it
 * move when one goes, and the run and the coverage that come of all of them. Pure.
 */
import {
  addDays,
  atWallTime,
  daysBetween,
  type LocalDate,
  localDate,
  midnight,
  wallTime,
} from '../../platform/calendar.ts';
import { nextTerm, type Run, type TermLength, type TermRules } from '../subscriptions/rules.ts';
import type { LineFacts, LineKind, Right } from './facts.ts';

export interface Interval {
  from: Date;
  to: Date;
}

const FREE_KINDS: ReadonlySet<LineKind> = new Set(['trial', 'bonus', 'incident']);

/** Trial, bonus and free days: nobody paid for them. */
export const isFree = (line: Pick<LineFacts, 'kind'>): boolean => FREE_KINDS.has(line.kind);

/** Lines that follow one another; add-ons and upgrades run beside them. */
export const termsOf = (lines: readonly LineFacts[]): LineFacts[] =>
  lines
    .filter((line) => line.beside === null && line.state === 'sold')
    .sort((a, b) => a.from.getTime() - b.from.getTime() || (a.id < b.id ? -1 : 1));

export const isMidnight = (at: Date, timeZone: string): boolean =>
  midnight(localDate(at, timeZone), timeZone).getTime() === at.getTime();

/** The first date that is unused at an instant: today at its midnight, else tomorrow. */
export function nextDate(at: Date, timeZone: string): LocalDate {
  const today = localDate(at, timeZone);
  return isMidnight(at, timeZone) ? today : addDays(today, 1);
}

/** The first date that a line counts. */
function firstDate(line: LineFacts, { timeZone, termEnd }: TermRules): LocalDate {
  const from = localDate(line.from, timeZone);
  const isMidday = !isMidnight(line.from, timeZone);
  if (line.beside !== null) return isMidday ? addDays(from, 1) : from;
  if (termEnd !== 'rest_of_day_free') return from;
  const isBoughtThen = line.soldAt.getTime() === line.from.getTime();
  return isMidday || isBoughtThen ? addDays(from, 1) : from;
}

/** The date after the last one that a line counts. */
const dateAfter = (line: Pick<LineFacts, 'to'>, timeZone: string): LocalDate =>
  nextDate(line.to, timeZone);

/** All days of a line and those unused at `at`; times of pauses are no days of it. */
export function daysOf(
  line: LineFacts,
  at: Date,
  rules: TermRules,
): { all: number; unused: number } {
  const { timeZone } = rules;
  const first = firstDate(line, rules);
  const paused = line.breaks.reduce(
    (sum, { from, to }) => sum + daysBetween(localDate(from, timeZone), localDate(to, timeZone)),
    0,
  );
  const end = dateAfter(line, timeZone);
  const all = Math.max(daysBetween(first, end) - paused, 0);
  if (at.getTime() < line.from.getTime()) return { all, unused: all };
  const left = daysBetween(nextDate(at, timeZone), end);
  return { all, unused: Math.max(0, Math.min(left, all)) };
}

/** The length a line was sold with. */
export const lengthOf = ({ kind, days }: LineFacts): TermLength =>
  days !== null ? { kind: 'days', days } : ({ kind } as TermLength);

/** The run that the last of these lines leaves: what the next term is counted from. */
export function runOf(lines: readonly LineFacts[]): Required<Run> {
  const last = termsOf(lines).at(-1);
  if (!last) {
    return { runFrom: null, paidUntil: null, baseDate: null, anchorDay: null, timeOfDay: null };
  }
  const { to: paidUntil, baseDate, anchorDay, timeOfDay } = last;
  return { runFrom: lastRun(lines)?.from ?? last.from, paidUntil, baseDate, anchorDay, timeOfDay };
}

/** The last run without a gap, or null when nothing was ever bought or given. */
export const lastRun = (lines: readonly LineFacts[]): Interval | null =>
  mergeTouching(termsOf(lines).flatMap((line) => served(line, null))).at(-1) ?? null;

/** When a line is served: not during its breaks, nor from the start of a pause that is on. */
function served(line: LineFacts, pausedFrom: Date | null): Interval[] {
  const pieces: Interval[] = [];
  let from = line.from;
  for (const pause of line.breaks) {
    pieces.push({ from, to: pause.from });
    from = pause.to;
  }
  pieces.push({ from, to: line.to });
  return pieces
    .map((piece) => (pausedFrom && piece.to > pausedFrom ? { ...piece, to: pausedFrom } : piece))
    .filter((piece) => piece.from.getTime() < piece.to.getTime());
}

/** Intervals in the order of their starts, those that touch or overlap made one. */
export function mergeTouching<T extends Interval>(intervals: readonly T[]): T[] {
  const merged: T[] = [];
  for (const one of [...intervals].sort((a, b) => a.from.getTime() - b.from.getTime())) {
    const last = merged.at(-1);
    if (last && one.from.getTime() <= last.to.getTime()) {
      if (one.to.getTime() > last.to.getTime()) merged[merged.length - 1] = { ...last, to: one.to };
    } else merged.push(one);
  }
  return merged;
}

/** Rights of one card with touching intervals of a product merged, by product. */
export function mergeRights(rights: readonly Right[]): Right[] {
  const products = [...new Set(rights.map((right) => right.product))].sort();
  return products.flatMap((product) =>
    mergeTouching(rights.filter((right) => right.product === product)),
  );
}

/** What lines let a card see, by product; nothing from `pausedFrom` on. */
export const coverageOf = (
  lines: readonly LineFacts[],
  productsOf: (bouquetId: bigint) => readonly string[],
  pausedFrom: Date | null,
): Right[] =>
  mergeRights(
    lines
      .filter((line) => line.state === 'sold')
      .flatMap((line) =>
        served(line, pausedFrom).flatMap((piece) =>
          productsOf(line.bouquetId).map((product) => ({ product, ...piece })),
        ),
      ),
  );

/** The line ends now: what of its days was used stays its own. */
export function cutAt(line: LineFacts, at: Date, rules: TermRules): LineFacts {
  const next = nextDate(at, rules.timeZone);
  const baseDate = rules.termEnd === 'rest_of_day_free' ? addDays(next, -1) : next;
  return { ...line, to: at, baseDate, anchorDay: null };
}

/**
 * The lines behind `at` laid out again after one of them has gone or ended: each as if it had been
 * bought when it was bought, behind those before it. Returns only those that moved.
 */
export function laidAgain(lines: readonly LineFacts[], at: Date, rules: TermRules): LineFacts[] {
  const terms = termsOf(lines);
  const begun = terms.filter((line) => line.from.getTime() < at.getTime() || line.to <= at);
  const moved: LineFacts[] = [];
  let before = runOf(begun);
  for (const line of terms.filter((one) => !begun.includes(one))) {
    const sold = nextTerm(before, lengthOf(line), boughtAt(line, before), rules);
    const { baseDate, anchorDay, timeOfDay } = sold.run;
    before = sold.run;
    const { from, to } = sold;
    if (from.getTime() === line.from.getTime() && to.getTime() === line.to.getTime()) continue;
    moved.push({ ...line, from, to, baseDate, anchorDay, timeOfDay });
  }
  return moved;
}

/** A line bought in the grace that went before it still goes on from the end. */
function boughtAt(line: LineFacts, { paidUntil }: Run): Date {
  if (paidUntil === null || line.soldAt.getTime() < paidUntil.getTime()) return line.soldAt;
  // It was bought while something ran that has ended now: it begins where that ends.
  const wentOn = line.from.getTime() !== line.soldAt.getTime();
  return wentOn ? new Date(paidUntil.getTime() - 1) : line.soldAt;
}

/** A pause is over at `to`: what had not ended when it began ends later by its midnights. */
export function afterPause(
  lines: readonly LineFacts[],
  pause: Interval,
  rules: TermRules,
): LineFacts[] {
  const days = midnightsIn(pause, rules.timeZone);
  return lines
    .filter((line) => line.state === 'sold' && line.to.getTime() > pause.from.getTime())
    .map((line) => {
      const hasBegun = line.from.getTime() < pause.from.getTime();
      return {
        ...line,
        from: hasBegun ? line.from : later(line.from, days, line, rules),
        to: later(line.to, days, line, rules),
        baseDate: addDays(line.baseDate, days),
        anchorDay: null,
        breaks: hasBegun ? [...line.breaks, { from: pause.from, to: pause.to }] : line.breaks,
      };
    });
}

/** The local midnights after the start of an interval, up to its end. */
export const midnightsIn = ({ from, to }: Interval, timeZone: string): number =>
  daysBetween(localDate(from, timeZone), localDate(to, timeZone));

/** The same time some days later: midnights stay midnights, also where clocks skip them. */
function later(at: Date, days: number, line: LineFacts, { timeZone, termEnd }: TermRules): Date {
  const date = addDays(localDate(at, timeZone), days);
  if (isMidnight(at, timeZone)) return midnight(date, timeZone);
  const isTimed = termEnd === 'same_time' && line.kind !== 'pass24';
  const time = isTimed ? line.timeOfDay : wallTime(at, timeZone);
  return atWallTime(date, time, timeZone);
}

/** The term that runs at an instant, or null. */
export const runningAt = (lines: readonly LineFacts[], at: Date): LineFacts | null =>
  termsOf(lines).find((line) => line.from <= at && at < line.to) ?? null;

export type SubscriptionState =
  | 'NEW'
  | 'ACTIVE'
  | 'FREE_TIME'
  | 'GRACE'
  | 'EXPIRED'
  | 'PAUSED_CUSTOMER';

/** How a subscription stands at an instant. */
export function stateAt(
  {
    lines,
    isPaused,
    graceHours,
  }: {
    lines: readonly LineFacts[];
    isPaused: boolean;
    graceHours: number;
  },
  at: Date,
): SubscriptionState {
  if (isPaused) return 'PAUSED_CUSTOMER';
  const running = runningAt(lines, at);
  if (running) return isFree(running) ? 'FREE_TIME' : 'ACTIVE';
  const run = lastRun(lines);
  if (!run) return 'NEW';
  return at.getTime() < run.to.getTime() + graceHours * 3_600_000 ? 'GRACE' : 'EXPIRED';
}
