/** Intervals of days, to-days exclusive; `OPEN` stands for no end. */
import type { Day } from '../../platform/day.ts';

export interface Interval {
  from: Day;
  to: Day;
}

/** Later than every day of a calendar in use. */
export const OPEN: Day = 4_000_000;

/** What `a` and `b` share, or null. */
export function shared(a: Interval, b: Interval): Interval | null {
  const from = Math.max(a.from, b.from);
  const to = Math.min(a.to, b.to);
  return from < to ? { from, to } : null;
}

/** `a` without `b`: none, one or two intervals. */
export function without(a: Interval, b: Interval): Interval[] {
  if (!shared(a, b)) return [a];
  const parts: Interval[] = [];
  if (a.from < b.from) parts.push({ from: a.from, to: b.from });
  if (b.to < a.to) parts.push({ from: b.to, to: a.to });
  return parts;
}

/** `a` without all of `taken`, in order. */
export const withoutAll = (a: Interval, taken: readonly Interval[]): Interval[] =>
  taken
    .reduce((left, one) => left.flatMap((part) => without(part, one)), a.from < a.to ? [a] : [])
    .sort((x, y) => x.from - y.from);

/** Neighbours and overlaps made one, in order. */
export function merged(intervals: readonly Interval[]): Interval[] {
  const result: Interval[] = [];
  for (const { from, to } of [...intervals].sort((a, b) => a.from - b.from)) {
    const last = result.at(-1);
    if (last && from <= last.to) last.to = Math.max(last.to, to);
    else result.push({ from, to });
  }
  return result;
}
