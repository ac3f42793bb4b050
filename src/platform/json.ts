/**
 * JSON as it comes from outside: numbers keep the digits they were written with (an amount must
 * not pass through a float), nesting and size are limited before anything is parsed, and keys are
 * found whatever their case and the blanks around them. Errors are values.
 */

const LEXEME = Symbol('number lexeme');

/** A JSON number as the text it was written with. */
export interface NumberLexeme {
  readonly [LEXEME]: string;
}

export type Json = null | boolean | string | NumberLexeme | Json[] | { [key: string]: Json };

export type JsonError = 'too_large' | 'too_deep' | 'malformed';

export type JsonResult = { ok: true; value: Json } | { ok: false; error: JsonError };

/** Answers to our own polls may carry many rows; hooks are limited further at the door. */
const JSON_CHARS_MAX = 4 * 1024 * 1024;
const JSON_DEPTH_MAX = 32;

/** Parses JSON text. Errors: `too_large`, `too_deep` (more than 32 levels), `malformed`. */
export function parseJson(text: string): JsonResult {
  if (text.length > JSON_CHARS_MAX) return { ok: false, error: 'too_large' };
  const source = text.startsWith('\uFEFF') ? text.slice(1) : text;
  const shape = scan(source);
  if (shape.depth > JSON_DEPTH_MAX) return { ok: false, error: 'too_deep' };
  try {
    const value: Json = shape.numbers ? JSON.parse(source, keepLexeme) : JSON.parse(source);
    return { ok: true, value };
  } catch {
    return { ok: false, error: 'malformed' };
  }
}

function keepLexeme(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number') return value;
  return { [LEXEME]: context?.source ?? String(value) };
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * One pass before parsing: how deep the text nests, and whether it holds any number. A reviver
 * costs ten times the parse, and most notices write their numbers as strings.
 */
function scan(text: string): { depth: number; numbers: boolean } {
  let depth = 0;
  let deepest = 0;
  let numbers = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = endOfString(text, at);
    } else if (code === 0x7b || code === 0x5b) {
      depth++;
      if (depth > deepest) deepest = depth;
    } else if (code === 0x7d || code === 0x5d) {
      depth--;
    } else if (code >= 0x30 && code <= 0x39) {
      numbers = true;
    }
  }
  return { depth: deepest, numbers };
}

function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === BACKSLASH) at++;
    else if (code === QUOTE) return at;
  }
  return text.length;
}

/** The digits of a number as they were written, or null when the value is no number. */
export function lexemeOf(value: Json | undefined): string | null {
  if (typeof value !== 'object' || value === null || !(LEXEME in value)) return null;
  return (value as NumberLexeme)[LEXEME];
}

/** The fields of an object by trimmed lower-case key; the first of equal keys counts. */
export type Fields = ReadonlyMap<string, Json>;

const NO_FIELDS: Fields = new Map();

/** The fields of a JSON object; of anything else, none. */
export function fieldsOf(value: Json | undefined): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return NO_FIELDS;
  if (LEXEME in value) return NO_FIELDS;
  return fieldsFrom(Object.entries(value));
}

/** Fields from key-value pairs (a form, a query, the children of an XML element). */
export function fieldsFrom(pairs: Iterable<readonly [string, Json]>): Fields {
  const fields = new Map<string, Json>();
  for (const [key, value] of pairs) {
    const name = key.trim().toLowerCase();
    if (!fields.has(name)) fields.set(name, value);
  }
  return fields;
}

/** The value of a field, or undefined; `key` in any case. */
export function field(fields: Fields, key: string): Json | undefined {
  return fields.get(key.toLowerCase());
}

/** The object under a key as fields; none when it is not an object. */
export function fieldsAt(fields: Fields, key: string): Fields {
  return fieldsOf(field(fields, key));
}

/** The list under a key; a single value there counts as a list of one, null as an empty one. */
export function listAt(fields: Fields, key: string): Json[] {
  const value = field(fields, key);
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}

/** A string as written, a number as its digits, anything else null. */
export function rawText(value: Json | undefined): string | null {
  if (typeof value === 'string') return value;
  const lexeme = lexemeOf(value);
  return lexeme === null ? null : plainInteger(lexeme);
}

/** As rawText, trimmed; an empty text is null. */
export function textOf(value: Json | undefined): string | null {
  const text = rawText(value)?.trim();
  return text === undefined || text === '' ? null : text;
}

/** The trimmed text of a field; null when absent, empty, or neither string nor number. */
export function textAt(fields: Fields, key: string): string | null {
  return textOf(field(fields, key));
}

const INTEGER_DIGITS_MAX = 20;

/**
 * Ids, phones and times sometimes come as numbers that a serializer turned into `254708374149.0`
 * or `2.54708374149E11`; both mean the integer. Other numbers stay as written.
 */
function plainInteger(lexeme: string): string {
  const match = /^(\d+)(?:\.(\d+))?(?:[eE]\+?(\d{1,2}))?$/.exec(lexeme);
  if (match?.[1] === undefined) return lexeme;
  const decimals = (match[2] ?? '').replace(/0+$/, '');
  const shift = Number(match[3] ?? '0');
  if (decimals.length > shift || match[1].length + shift > INTEGER_DIGITS_MAX) return lexeme;
  return match[1] + decimals.padEnd(shift, '0');
}

/** For `JSON.stringify`: a bigint is written as a string of its digits. */
export const bigintAsDigits = (_key: string, value: unknown): unknown =>
  typeof value === 'bigint' ? value.toString() : value;
