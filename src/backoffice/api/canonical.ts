/** One text for one value, whatever the order of its keys; tags and differences of it. Pure. */
import { createHash } from 'node:crypto';

const TAG_CHARS = 22;

/** JSON with sorted keys; bigint as digits. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, item) => {
    if (typeof item === 'bigint') return item.toString();
    if (typeof item !== 'object' || item === null || Array.isArray(item)) return item;
    return Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** A strong entity tag of a representation. */
export const etagOf = (body: unknown): string =>
  `"${createHash('sha256').update(canonical(body)).digest('base64url').slice(0, TAG_CHARS)}"`;

/** Does a list of tags, as If-Match and If-None-Match have them, name this one? */
export function namesTag(header: string, tag: string): boolean {
  if (header.trim() === '*') return true;
  return header.split(',').some((one) => one.trim().replace(/^W\//, '') === tag);
}

/** The paths at which two JSON values differ: `amount.currency`. At most 20. */
export function differences(a: unknown, b: unknown, path = ''): string[] {
  if (canonical(a) === canonical(b)) return [];
  if (!isRecord(a) || !isRecord(b)) return [path || '.'];
  const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();
  const below = keys.flatMap((key) => differences(a[key], b[key], path ? `${path}.${key}` : key));
  return below.slice(0, 20);
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
