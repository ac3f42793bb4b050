/**
 * Readers of YAML nodes. A reader says every problem it meets and still gives a value where it can,
 * so that one pass finds all of them; what it gives then is never used beyond the checks.
 */
import { isAlias, isMap, isScalar, isSeq } from 'yaml';
import { hintFor, keyText, type Path, type Problems, pathText } from './problems.ts';

/** Undefined: there is nothing to go on with, and a problem says why. */
export type Reader<T> = (node: unknown, path: Path, problems: Problems) => T | undefined;

/** A field that may be left out; `instead` is what it is then. */
export interface Optional<T> {
  read: Reader<T>;
  instead: T | null;
}

type Fields = Readonly<Record<string, Reader<unknown> | Optional<unknown>>>;
export type ReadOf<F extends Fields> = {
  [K in keyof F]: F[K] extends Reader<infer T>
    ? T
    : F[K] extends { read: Reader<infer T>; instead: infer D }
      ? T | D
      : never;
};

/** A field that may be left out and is null then. */
export const optional = <T>(read: Reader<T>): { read: Reader<T>; instead: null } => ({
  read,
  instead: null,
});

/** A field that may be left out and is `instead` then. */
export const withDefault = <T>(
  read: Reader<T>,
  instead: NoInfer<T>,
): { read: Reader<T>; instead: T } => ({
  read,
  instead,
});

/** Text of 1 to `max` characters. */
export const text =
  (max: number): Reader<string> =>
  (node, path, problems) => {
    const value = scalar(node, path, problems);
    if (value === undefined) return '';
    if (typeof value !== 'string' || value === '') problems.at(path, 'must be text');
    else if (value.length > max) problems.at(path, `is longer than ${max} characters`);
    return String(value);
  };

/** Text of a given form; `form` says in words what it looks like. */
export const pattern =
  (form: RegExp, words: string): Reader<string> =>
  (node, path, problems) => {
    const value = scalar(node, path, problems);
    if (value === undefined) return undefined;
    if (typeof value === 'string' && form.test(value)) return value;
    problems.at(path, `must be ${words}`, quotesHint(node));
    return undefined;
  };

/** A name that stands in one of these sections of the file. */
export const reference =
  (form: RegExp, words: string, sections: readonly string[]): Reader<string> =>
  (node, path, problems) => {
    const name = pattern(form, words)(node, path, problems);
    if (name !== undefined) problems.refer({ path, name, sections });
    return name;
  };

/** One of a few words. */
export const choice =
  <const T extends string>(...options: readonly [T, ...T[]]): Reader<T> =>
  (node, path, problems) => {
    const value = scalar(node, path, problems);
    const found = options.find((option) => option === value);
    if (found !== undefined || value === undefined) return found ?? options[0];
    problems.at(path, `${String(value)} is not one of them`, hintFor(String(value), options));
    return options[0];
  };

/** A whole number within bounds, both inclusive. */
export const integer =
  (min: number, max: number): Reader<number> =>
  (node, path, problems) => {
    const value = scalar(node, path, problems);
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) {
      return value;
    }
    if (value !== undefined) problems.at(path, `must be a whole number, ${min} to ${max}`);
    return min;
  };

export const flag: Reader<boolean> = (node, path, problems) => {
  const value = scalar(node, path, problems);
  if (value !== undefined && typeof value !== 'boolean') {
    problems.at(path, 'must be true or false');
  }
  return value === true;
};

/** A day of the calendar, `2026-11-23`. */
export const date: Reader<string> = (node, path, problems) => {
  const value = scalar(node, path, problems);
  if (value === undefined) return undefined;
  if (typeof value === 'string' && isDate(value)) return value;
  problems.at(path, `${String(value)} is not a date`, 'write the day as 2026-11-23');
  return undefined;
};

function isDate(value: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(value)) return false;
  const ms = Date.parse(`${value}T00:00:00Z`);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(value);
}

const PPM_DECIMALS = 4;

/** A percentage in quotes with at most four decimals, in parts per million. */
export const percent: Reader<bigint> = (node, path, problems) => {
  const value = scalar(node, path, problems);
  if (value === undefined) return undefined;
  const match = typeof value === 'string' ? /^(\d{1,3})(?:\.(\d{1,4}))?$/.exec(value) : null;
  const parts = match ? BigInt(`${match[1]}${(match[2] ?? '').padEnd(PPM_DECIMALS, '0')}`) : null;
  if (parts !== null && parts <= 1_000_000n) return parts;
  problems.at(path, "must be a percentage like '19.25', 0 to 100", quotesHint(node));
  return undefined;
};

/** Every item that can be read, in order. At least `min` must stand there. */
export const listOf =
  <T>(read: Reader<T>, min = 0): Reader<T[]> =>
  (node, path, problems) => {
    if (!isSeq(node)) {
      problems.at(path, 'must be a list', aliasHint(node));
      return [];
    }
    if (node.items.length < min) problems.at(path, 'must not be empty');
    return node.items.flatMap((item, i) => {
      const value = read(item, [...path, i], problems);
      return value === undefined ? [] : [value];
    });
  };

/**
 * Versions of one thing, oldest first. Two from the same date are a problem, unless they speak of
 * different countries.
 */
export const versionsBy =
  <T extends { from: string; country?: string | null }>(read: Reader<T>): Reader<T[]> =>
  (node, path, problems) => {
    const seen = new Map<string, Path>();
    const distinct: Reader<T> = (item, at, to) => {
      const version = read(item, at, to);
      if (version === undefined) return undefined;
      const scope = `${version.country ?? ''} ${version.from}`;
      const other = seen.get(scope);
      if (other) to.at(at, `a second version from ${version.from}`, `see ${pathText(other)}`);
      else seen.set(scope, at);
      return version;
    };
    return listOf(distinct, 1)(node, path, problems)?.sort(byDate);
  };

/** Order of dates. */
export const byDate = (a: { from: string }, b: { from: string }): number =>
  a.from < b.from ? -1 : a.from > b.from ? 1 : 0;

/** Every entry that can be read, under its name. */
export const mapOf =
  <T>(read: Reader<T>, name: { form: RegExp; words: string }): Reader<Map<string, T>> =>
  (node, path, problems) => {
    const entries = new Map<string, T>();
    for (const [key, value] of pairs(node, path, problems) ?? []) {
      if (!name.form.test(key)) problems.atKey([...path, key], `must be ${name.words}`);
      const entry = read(value, [...path, key], problems);
      if (entry !== undefined) entries.set(key, entry);
    }
    return entries;
  };

/** A map with just these fields. Unread when a field without a stand-in can't be read. */
export const record =
  <F extends Fields>(fields: F): Reader<ReadOf<F>> =>
  (node, path, problems) => {
    const entries = pairs(node, path, problems);
    if (entries === null) return undefined;
    for (const key of entries.keys()) {
      if (!Object.hasOwn(fields, key)) unknownKey(key, Object.keys(fields), path, problems);
    }
    return readFields(fields, entries, path, problems);
  };

/** The fields of a map of which the keys are judged elsewhere. */
export function readFields<F extends Fields>(
  fields: F,
  entries: ReadonlyMap<string, unknown>,
  path: Path,
  problems: Problems,
): ReadOf<F> | undefined {
  const read: Record<string, unknown> = {};
  let isWhole = true;
  for (const [key, field] of Object.entries(fields)) {
    const node = entries.has(key) ? { value: entries.get(key) } : null;
    read[key] = readField(field, node, [...path, key], problems);
    if (read[key] === undefined) isWhole = false;
  }
  return isWhole ? (read as ReadOf<F>) : undefined;
}

function readField<T>(
  field: Reader<T> | Optional<T>,
  node: { value: unknown } | null,
  path: Path,
  problems: Problems,
): T | null | undefined {
  if (typeof field !== 'function') {
    return (node ? field.read(node.value, path, problems) : undefined) ?? field.instead;
  }
  if (!node) problems.at(path, 'is missing');
  // What is missing gets the stand-in of its reader, so that the rest is checked too.
  return field(node?.value, path, node ? problems : SILENT);
}

const SILENT: Problems = {
  at: () => undefined,
  atKey: () => undefined,
  atOffset: () => undefined,
  refer: () => undefined,
  references: () => [],
  has: () => false,
  list: () => [],
};

export const unknownKey = (
  key: string,
  known: readonly string[],
  path: Path,
  problems: Problems,
): void => problems.atKey([...path, key], 'is not a known key here', hintFor(key, known));

/** The entries of a map by the text of their keys; null, with a problem, when it is none. */
export function pairs(node: unknown, path: Path, problems: Problems): Map<string, unknown> | null {
  if (!isMap(node)) {
    problems.at(path, 'must be a map of keys and values', aliasHint(node));
    return null;
  }
  return new Map(node.items.map(({ key, value }) => [keyText(key), value]));
}

/** The value of a scalar; undefined, with a problem, when the node is none. */
export function scalar(node: unknown, path: Path, problems: Problems): unknown {
  if (isScalar(node)) return node.value;
  problems.at(path, 'must be a single value', aliasHint(node));
  return undefined;
}

const aliasHint = (node: unknown): string | null =>
  isAlias(node) ? 'write it out: a reviewer reads what stands in the place itself' : null;

/** Numbers without quotes would pass through floating point in other tools. */
export const quotesHint = (node: unknown): string | null =>
  isScalar(node) && typeof node.value === 'number' ? `in quotes: '${keyText(node)}'` : null;
