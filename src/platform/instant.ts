/**
 * The times of providers, read to UTC. A time that cannot be read is null: it is never a ground
 * to refuse a message.
 */

import { IANAZone } from 'luxon';

const TEXT_CHARS_MAX = 40;

/** `20231121121325` */
const COMPACT = /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})$/;
/** `2023-11-21`, `2023-11-21 12:13:25`, `2023-11-21T12:13:25.123+03:00` */
const YEAR_FIRST = new RegExp(
  '^(\\d{4})[-/](\\d{2})[-/](\\d{2})' +
    '(?:[T ](\\d{2}):(\\d{2}):(\\d{2})(?:[.,](\\d+))?(?: ?(Z|[+-]\\d{2}(?::?\\d{2})?))?)?$',
  'i',
);
/** `21-11-2023 12:13:25`, `21.11.2023 12:13:25` */
const DAY_FIRST = /^(\d{2})([-./])(\d{2})\2(\d{4})(?:[T ](\d{2}):(\d{2}):(\d{2})(?:[.,](\d+))?)?$/;

interface Parts {
  date: readonly [string | undefined, string | undefined, string | undefined];
  time: readonly [string | undefined, string | undefined, string | undefined];
  fraction?: string | undefined;
  offset?: string | undefined;
}

/**
 * ISO 8601 in UTC of a provider's time, or null. Times without zone or offset are local to `zone`
 * (IANA name), dates alone are its midnight, fractions are cut to milliseconds.
 */
export function toInstant(text: string | null | undefined, zone: string): string | null {
  if (text === null || text === undefined || text.length > TEXT_CHARS_MAX) return null;
  const parts = splitTime(text.trim());
  if (parts === null) return null;
  const local = localMs(parts);
  if (local === null) return null;
  const offset = parts.offset === undefined ? zoneOffset(local, zone) : writtenOffset(parts.offset);
  return offset === null ? null : new Date(local - offset).toISOString();
}

function splitTime(text: string): Parts | null {
  let match = COMPACT.exec(text);
  if (match !== null) {
    return { date: [match[1], match[2], match[3]], time: [match[4], match[5], match[6]] };
  }
  match = YEAR_FIRST.exec(text);
  if (match !== null) {
    return {
      date: [match[1], match[2], match[3]],
      time: [match[4], match[5], match[6]],
      fraction: match[7],
      offset: match[8],
    };
  }
  match = DAY_FIRST.exec(text);
  if (match === null) return null;
  return {
    date: [match[4], match[3], match[1]],
    time: [match[5], match[6], match[7]],
    fraction: match[8],
  };
}

/** The written date and time as if they were UTC, in milliseconds; null when no such day is. */
function localMs(parts: Parts): number | null {
  const [year, month, day] = parts.date.map(Number) as [number, number, number];
  const [hour, minute, second] = parts.time.map((part) => Number(part ?? '0')) as [
    number,
    number,
    number,
  ];
  if (hour > 23 || minute > 59 || second > 59 || year < 1970) return null;
  const midnight = new Date(Date.UTC(year, month - 1, day));
  if (midnight.getUTCMonth() !== month - 1 || midnight.getUTCDate() !== day) return null;
  const ms = Number((parts.fraction ?? '').slice(0, 3).padEnd(3, '0'));
  return midnight.getTime() + ((hour * 60 + minute) * 60 + second) * 1000 + ms;
}

function writtenOffset(text: string): number | null {
  if (text === 'Z' || text === 'z') return 0;
  const hours = Number(text.slice(1, 3));
  const minutes = Number(text.slice(3).replace(':', '') || '0');
  if (hours > 14 || minutes > 59) return null;
  return (text.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}

/** No zone has ever changed its offset except on a quarter of an hour. */
const OFFSET_BUCKET_MS = 15 * 60_000;
const OFFSET_CACHE_ENTRIES_MAX = 4_096;
const offsets = new Map<string, number>();

/** Offset of a local time in milliseconds; in the hour that a clock skips or repeats, either. */
function zoneOffset(localMsAsUtc: number, zone: string): number | null {
  const guess = offsetAt(localMsAsUtc, zone);
  return guess === null ? null : offsetAt(localMsAsUtc - guess, zone);
}

function offsetAt(utcMs: number, zone: string): number | null {
  const bucket = Math.floor(utcMs / OFFSET_BUCKET_MS);
  const key = `${bucket}${zone}`;
  const known = offsets.get(key);
  if (known !== undefined) return known;
  if (!IANAZone.isValidZone(zone)) return null;
  const offset = IANAZone.create(zone).offset(bucket * OFFSET_BUCKET_MS) * 60_000;
  if (offsets.size >= OFFSET_CACHE_ENTRIES_MAX) offsets.clear();
  offsets.set(key, offset);
  return offset;
}
