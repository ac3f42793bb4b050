/**
 * Replays one provider sample: builds the message as it would have come, reads it, and compares
 * the result with what the sample expects. The form of samples is described in test/samples.
 */

import { parseJson, rawText } from '../platform/json.ts';
import type { Canonical, RawMessage, ReadContext } from './canonical.ts';
import { readerFor } from './providers.ts';

export interface Replay {
  provider: string;
  message: string;
  /** `refused` is a refusal that was expected; `contradiction` any other difference or a crash. */
  outcome: 'ok' | 'refused' | 'unsupported' | 'contradiction';
  canonical: Canonical | null;
  /** What a reader threw, or where the result differs from the expected one. */
  error?: string;
}

/** Replays the text of a sample file; null when the text is no sample at all. */
export function replaySample(text: string): Replay | null {
  const parts = splitObject(text);
  const provider = textPart(parts?.get('provider'));
  const message = textPart(parts?.get('message'));
  if (parts === null || provider === null || message === null) return null;
  const reader = readerFor(provider, message);
  if (reader === undefined) return { provider, message, outcome: 'unsupported', canonical: null };
  try {
    const context = parsePart(parts.get('context')) as ReadContext | undefined;
    const canonical = reader(rawMessage(parts), context ?? EMPTY_CONTEXT);
    const expected = parsePart(parts.get('expectCanonical'));
    const difference = expected === undefined ? null : differs(expected, canonical, '');
    if (difference !== null) {
      return { provider, message, outcome: 'contradiction', canonical, error: difference };
    }
    const refused = expected !== undefined && 'refused' in canonical;
    return { provider, message, outcome: refused ? 'refused' : 'ok', canonical };
  } catch (thrown) {
    const error = `crash: ${String(thrown)}`;
    return { provider, message, outcome: 'contradiction', canonical: null, error };
  }
}

const EMPTY_CONTEXT: ReadContext = { country: '', currency: '', timeZone: 'UTC' };

/**
 * The members of a JSON object as the exact text of their values, so that a body reaches its
 * reader with its own digits, key order and repeated keys; null when the text is no JSON object.
 */
function splitObject(text: string): ReadonlyMap<string, string> | null {
  try {
    const whole: unknown = JSON.parse(text);
    if (typeof whole !== 'object' || whole === null || Array.isArray(whole)) return null;
  } catch {
    return null;
  }
  const parts = new Map<string, string>();
  let at = text.indexOf('{') + 1;
  for (;;) {
    const keyStart = text.indexOf('"', at);
    if (keyStart === -1) return parts;
    const keyEnd = endOfValue(text, keyStart);
    const valueStart = text.indexOf(':', keyEnd) + 1;
    const valueEnd = endOfValue(text, valueStart);
    const key: string = JSON.parse(text.slice(keyStart, keyEnd));
    parts.set(key, text.slice(valueStart, valueEnd).trim());
    at = valueEnd + 1;
  }
}

/** Where a value ends: behind the quote of a string, else at the comma or bracket behind it. */
function endOfValue(text: string, start: number): number {
  let at = start;
  while (/\s/.test(text[at] ?? '')) at++;
  if (text[at] === '"') return endOfQuoted(text, at) + 1;
  for (let depth = 0; at < text.length; at++) {
    const char = text[at] ?? '';
    if (depth === 0 && /[,}\]]/.test(char)) return at;
    if (char === '"') at = endOfQuoted(text, at);
    else if (/[{[]/.test(char)) depth++;
    else if (/[}\]]/.test(char)) depth--;
  }
  return text.length;
}

function endOfQuoted(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at;
}

function parsePart(part: string | undefined): unknown {
  return part === undefined ? undefined : JSON.parse(part);
}

function textPart(part: string | undefined): string | null {
  return part?.startsWith('"') === true ? JSON.parse(part) : null;
}

function rawMessage(parts: ReadonlyMap<string, string>): RawMessage {
  const method = textPart(parts.get('method'))?.toUpperCase() ?? 'POST';
  const path = textPart(parts.get('path')) ?? '/';
  const headers = sampleHeaders(parsePart(parts.get('headers')));
  const status = parsePart(parts.get('status'));
  const body = textPart(parts.get('rawBody')) ?? sampleBody(parts.get('body'), method, headers);
  const query = method === 'GET' && body !== '' ? body : (path.split('?')[1] ?? '');
  return {
    method,
    path,
    headers,
    body: method === 'GET' ? '' : body,
    query: Object.fromEntries(new URLSearchParams(query)),
    ...(typeof status === 'number' ? { status } : {}),
  };
}

/** Names in lower case; values in angle brackets are placeholders and left out. */
function sampleHeaders(headers: unknown): Record<string, string> {
  const pairs = Object.entries(headers ?? {})
    .map(([name, value]): [string, string] => [name.toLowerCase(), String(value)])
    .filter(([, value]) => !/^<.*>$/.test(value));
  return Object.fromEntries(pairs);
}

/** The body as text: written so, a form or query out of fields, or JSON as the sample has it. */
function sampleBody(
  body: string | undefined,
  method: string,
  headers: Record<string, string>,
): string {
  if (body === undefined) return '';
  if (body.startsWith('"')) return textPart(body) ?? '';
  const isForm = /x-www-form-urlencoded/i.test(headers['content-type'] ?? '');
  if (!isForm && method !== 'GET') return body;
  const parsed = parseJson(body);
  if (!parsed.ok || typeof parsed.value !== 'object' || parsed.value === null) return '';
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(parsed.value)) {
    if (value !== null) form.append(name, rawText(value) ?? JSON.stringify(value));
  }
  return form.toString();
}

const INSTANT_KEYS = new Set(['occurredAt', 'receivedAt']);

/**
 * Where a result differs from what is expected, or null. Only the expected fields are compared;
 * null means null or absent, lists are compared element by element, times as instants.
 */
export function differs(expected: unknown, found: unknown, path: string): string | null {
  if (Array.isArray(expected)) return listDiffers(expected, found, path);
  if (typeof expected === 'object' && expected !== null) {
    return fieldsDiffer(expected, found, path);
  }
  const isInstant = INSTANT_KEYS.has(path.slice(path.lastIndexOf('.') + 1));
  if (isInstant && sameInstant(expected, found)) return null;
  return expected === (found ?? null) ? null : mismatch(path, expected, found);
}

function fieldsDiffer(expected: object, found: unknown, path: string): string | null {
  if (typeof found !== 'object' || found === null) return mismatch(path, expected, found);
  for (const [key, value] of Object.entries(expected)) {
    const inside = Object.hasOwn(found, key) ? (found as Record<string, unknown>)[key] : null;
    const difference = differs(value, inside, path === '' ? key : `${path}.${key}`);
    if (difference !== null) return difference;
  }
  return null;
}

function listDiffers(expected: readonly unknown[], found: unknown, path: string): string | null {
  if (!Array.isArray(found) || found.length !== expected.length) {
    return mismatch(path, expected, found);
  }
  for (const [index, value] of expected.entries()) {
    const difference = differs(value, found[index], `${path}.${index}`);
    if (difference !== null) return difference;
  }
  return null;
}

function sameInstant(expected: unknown, found: unknown): boolean {
  if (typeof expected !== 'string' || typeof found !== 'string') return false;
  return Date.parse(expected) === Date.parse(found);
}

function mismatch(path: string, expected: unknown, found: unknown): string {
  return `${path}: expected ${JSON.stringify(expected)}, found ${JSON.stringify(found)}`;
}
