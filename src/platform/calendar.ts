/**
 * Local dates and their midnights. Proleptic Gregorian, IANA zones; the midnight of a date is its
 * first instant (01:00 where clocks jump over midnight).
 */
import { DateTime } from 'luxon';

export interface LocalDate {
  year: number;
  /** 1 to 12. */
  month: number;
  day: number;
}

/** Remembered answers; a payment asks for few distinct ones. Cleared when full. */
const MEMORY_ENTRIES_MAX = 10_000;
const midnights = new Map<string, number>();
const dates = new Map<string, { from: number; to: number; date: LocalDate }>();

const two = (n: number): string => String(n).padStart(2, '0');

const isoOf = ({ year, month, day }: LocalDate): string =>
  `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}`;

/** `2026-11-23` */
export const formatLocalDate = isoOf;

/** Reads `YYYY-MM-DD`; throws on anything else (our own columns, never a caller's input). */
export function parseLocalDate(text: string): LocalDate {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (!match) throw new Error(`Not a date: ${text}`);
  return { year: Number(match[1]), month: Number(match[2]), day: Number(match[3]) };
}

/** The date on the wall in `timeZone` at an instant. */
export function localDate(at: Date, timeZone: string): LocalDate {
  const known = dates.get(timeZone);
  const ms = at.getTime();
  if (known && known.from <= ms && ms < known.to) return known.date;
  const local = DateTime.fromMillis(ms, { zone: timeZone });
  if (!local.isValid) throw new Error(`Unknown time zone: ${timeZone}`);
  const date = { year: local.year, month: local.month, day: local.day };
  const from = midnight(date, timeZone).getTime();
  const to = midnight(addDays(date, 1), timeZone).getTime();
  dates.set(timeZone, { from, to, date });
  return date;
}

/** First instant of a date in a zone. */
export function midnight(date: LocalDate, timeZone: string): Date {
  const key = `${isoOf(date)} ${timeZone}`;
  const known = midnights.get(key);
  if (known !== undefined) return new Date(known);
  const start = DateTime.fromObject(date, { zone: timeZone }).startOf('day');
  if (!start.isValid) throw new Error(`No such date: ${key}`);
  if (midnights.size >= MEMORY_ENTRIES_MAX) midnights.clear();
  const first = firstOf(start);
  midnights.set(key, first.getTime());
  return first;
}

/** The first of the instants that show this wall time: clocks that go back show some twice. */
const firstOf = (time: DateTime): Date => (time.getPossibleOffsets()[0] ?? time).toJSDate();

export function addDays(date: LocalDate, days: number): LocalDate {
  const moved = new Date(Date.UTC(date.year, date.month - 1, date.day + days));
  return {
    year: moved.getUTCFullYear(),
    month: moved.getUTCMonth() + 1,
    day: moved.getUTCDate(),
  };
}

/** `months` later, on `anchorDay` clamped to the length of that month. */
export function addMonths(date: LocalDate, months: number, anchorDay: number): LocalDate {
  const first = new Date(Date.UTC(date.year, date.month - 1 + months, 1));
  const year = first.getUTCFullYear();
  const month = first.getUTCMonth() + 1;
  const length = new Date(Date.UTC(year, month, 0)).getUTCDate();
  return { year, month, day: Math.min(anchorDay, length) };
}

/** Whole days from one date to another; negative when `to` is earlier. */
export const daysBetween = (from: LocalDate, to: LocalDate): number =>
  Math.round(
    (Date.UTC(to.year, to.month - 1, to.day) - Date.UTC(from.year, from.month - 1, from.day)) /
      86_400_000,
  );

/** What the clock on the wall shows at an instant, in milliseconds since 00:00. */
export function wallTime(at: Date, timeZone: string): number {
  const local = DateTime.fromJSDate(at, { zone: timeZone });
  if (!local.isValid) throw new Error(`Unknown time zone: ${timeZone}`);
  return ((local.hour * 60 + local.minute) * 60 + local.second) * 1000 + local.millisecond;
}

/**
 * The instant of a wall time on a date: the first where clocks show it twice, moved forward by the
 * gap where they skip it.
 */
export function atWallTime(date: LocalDate, timeMs: number, timeZone: string): Date {
  const at = DateTime.fromObject(
    {
      ...date,
      hour: Math.floor(timeMs / 3_600_000),
      minute: Math.floor(timeMs / 60_000) % 60,
      second: Math.floor(timeMs / 1000) % 60,
      millisecond: timeMs % 1000,
    },
    { zone: timeZone },
  );
  if (!at.isValid) throw new Error(`No such time: ${isoOf(date)} ${timeMs} ${timeZone}`);
  return firstOf(at);
}
