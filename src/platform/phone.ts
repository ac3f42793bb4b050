/**
 * Telephone numbers as operators write them. A number is only ever believed when it is a whole,
 * valid one: masked, hashed and alphanumeric senders are nobody.
 */

import { createHash } from 'node:crypto';
import {
  type CountryCode,
  isSupportedCountry,
  parsePhoneNumberFromString,
} from 'libphonenumber-js/min';

/** Parsing costs several microseconds, and the same subscribers come back all day. */
const CACHE_ENTRIES_MAX = 50_000;
const RAW_CHARS_MAX = 32;
/** E.164 allows 15 digits; shorter than 7 is a service code. */
const SHAPE = /^\+?(?:[\s().-]*\d){7,15}[\s().-]*$/;

let recent = new Map<string, string | null>();
let older = new Map<string, string | null>();

/**
 * The E.164 form of a number, or null when it is not a whole and valid one. A number without `+`
 * is read as one of `country` (ISO 3166 alpha-2) first, then as an international one.
 */
export function toE164(raw: string | null | undefined, country: string): string | null {
  if (raw === null || raw === undefined || raw.length > RAW_CHARS_MAX) return null;
  const key = `${country}${raw}`;
  let number = recent.get(key);
  if (number !== undefined) return number;
  number = older.get(key);
  if (number === undefined) number = readNumber(raw, country);
  if (recent.size >= CACHE_ENTRIES_MAX) {
    older = recent;
    recent = new Map();
  }
  recent.set(key, number);
  return number;
}

function readNumber(raw: string, country: string): string | null {
  const text = raw.trim().replace(/^tel:/i, '');
  if (!SHAPE.test(text)) return null;
  if (text.startsWith('+')) return validNumber(text, undefined);
  const digits = text.replace(/\D/g, '');
  const home = isSupportedCountry(country) ? country : undefined;
  const national = home === undefined ? null : validNumber(digits, home);
  if (national !== null) return national;
  if (digits.startsWith('00')) return validNumber(`+${digits.slice(2)}`, undefined);
  // Shorter texts are truncated national numbers rather than whole international ones.
  return digits.length >= 10 ? validNumber(`+${digits}`, undefined) : null;
}

function validNumber(text: string, country: CountryCode | undefined): string | null {
  const number = parsePhoneNumberFromString(text, country);
  return number?.isValid() === true ? number.number : null;
}

/** Whether the text is a whole SHA-256 in hex (a partly starred one is not). */
export function isSha256Hex(text: string): boolean {
  return /^[0-9a-fA-F]{64}$/.test(text);
}

/**
 * SHA-256 in lower-case hex of the number's digits without `+`: what Safaricom sends in place of
 * the payer's number (Daraja C2B confirmations since 2025). The whole number space can be tried
 * out, so the hash is personal data as much as the number.
 */
export function hashMsisdn(e164: string): string {
  return createHash('sha256').update(e164.replace(/^\+/, '')).digest('hex');
}
