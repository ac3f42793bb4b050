/**
 * What a provider file is: readers that turn one message of the provider into a canonical shape,
 * by the kind of message. Pure functions; a message that cannot be read is a refusal, never a
 * throw. A USSD provider also says its reply in the provider's own words.
 */

import { type Fields, fieldsFrom, fieldsOf, type Json, parseJson } from '../platform/json.ts';
import type { Canonical, RawMessage, ReadContext, Refused } from './canonical.ts';

export type Reader = (raw: RawMessage, context: ReadContext) => Canonical;

export interface Provider {
  /** Lower case; several files may serve one provider. */
  name: string;
  /** By kind of message: `ussd.turn`, `sms.in`, `money.notice`, ... */
  readers: Readonly<Record<string, Reader>>;
}

/** One request of a gateway that sends all inputs of the session so far in one string. */
export interface UssdRequest {
  sessionId: string;
  msisdn: string | null;
  serviceCode: string | null;
  /** All inputs so far, joined by `*`; on the first request what was dialled behind the code. */
  cumulative: string;
}

export interface UssdReply {
  text: string;
  /** True when the dialogue ends with this screen. */
  close: boolean;
}

/** What we answer over HTTP. */
export interface ProviderAnswer {
  status: number;
  contentType: string;
  body: string;
}

export interface UssdProvider extends Provider {
  readUssd(raw: RawMessage, context: ReadContext): UssdRequest | Refused;
  answerUssd(reply: UssdReply): ProviderAnswer;
}

export const MISSING_FIELD: Refused = { refused: 'missing_field' };

/** Whether a reader's result is a refusal. */
export function isRefused(value: object): value is Refused {
  return 'refused' in value;
}

/** Body as JSON; a whole document that was wrapped once more in a string is unwrapped. */
export function messageJson(raw: RawMessage): Json | undefined {
  const parsed = parseJson(raw.body);
  if (!parsed.ok) return undefined;
  if (typeof parsed.value !== 'string' || !/^\s*[{[]/.test(parsed.value)) return parsed.value;
  const inner = parseJson(parsed.value);
  return inner.ok ? inner.value : undefined;
}

/**
 * The fields of a message: the query of a GET, the JSON object or the form of the body. The body
 * decides more than its content type, which gateways set carelessly.
 */
export function messageFields(raw: RawMessage): Fields {
  if (raw.method === 'GET' || raw.body === '') return fieldsFrom(Object.entries(raw.query));
  if (/^\s*["{[]/.test(raw.body)) return fieldsOf(messageJson(raw));
  return fieldsFrom(new URLSearchParams(raw.body));
}

/** A service code in the form `*384*123#`; null when there is none. */
export function wholeServiceCode(
  written: string | null,
  configured: string | undefined,
): string | null {
  if (written !== null && /^\*[\d*]+#$/.test(written)) return written;
  if (configured !== undefined) return configured;
  return written === null ? null : `*${written.replace(/^\*|#$/g, '')}#`;
}
