/** How far on: durations as ISO 8601 writes them. */
import { DateTime, Duration } from 'luxon';

const CHARS_MAX = 40;

/**
 * The instant a duration (`P1D`, `PT3H`, `P1M`, of the calendar in UTC) after `from`; null when
 * the text is none, or leads to no date.
 */
export function instantAfter(from: Date, duration: string): Date | null {
  if (duration.length > CHARS_MAX) return null;
  const read = Duration.fromISO(duration);
  if (!read.isValid) return null;
  const at = DateTime.fromJSDate(from, { zone: 'utc' }).plus(read);
  return at.isValid ? at.toJSDate() : null;
}
