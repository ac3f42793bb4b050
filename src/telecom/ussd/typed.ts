/** What people type into a free field, read strictly. */

import { hasLuhnDigit } from '../../platform/luhn.ts';
import { toE164 } from '../../platform/phone.ts';

export type TypedCard = { ok: true; number: string } | { ok: false; error: 'form' | 'typo' };

const SCREEN_CODES = ['V01', 'V02', 'V03', 'V04', 'V05', 'V06', 'V07', 'V08'] as const;
export type ScreenCode = (typeof SCREEN_CODES)[number];

const CARD_DIGITS = 11;
/** Enough for a year of any bouquet in any currency, and every screen still fits. */
const AMOUNT_DIGITS_MAX = 8;
const UNITS_DIGITS_MAX = 9;
/** Blanks and dashes, as they are printed between groups. */
const SEPARATORS = /[\s.-]+/g;

/**
 * A card number as printed: 11 digits in any grouping, the last one a check digit by the Luhn
 * formula (ISO/IEC 7812-1, annex B). A typo is seen here, before anybody is asked.
 */
export function typedCard(input: string): TypedCard {
  const number = input.replace(SEPARATORS, '');
  if (number.length !== CARD_DIGITS || !/^\d+$/.test(number)) return { ok: false, error: 'form' };
  return hasLuhnDigit(number) ? { ok: true, number } : { ok: false, error: 'typo' };
}

/**
 * The code a decoder shows instead of a picture, `V01` to `V08`, as people type it: `V03`, `v3`,
 * `3`. `E16` is what many know for "not subscribed" and means V03. Null for anything else.
 */
export function typedScreenCode(input: string): ScreenCode | null {
  const code = input.replace(SEPARATORS, '').toUpperCase();
  if (code === 'E16') return 'V03';
  const digit = /^V?0?([1-8])$/.exec(code)?.[1];
  return SCREEN_CODES[Number(digit) - 1] ?? null;
}

/** A whole amount of the currency, in minor units; null for anything else and for zero. */
export function typedAmount(input: string, exponent: number): bigint | null {
  const major = positive(input, AMOUNT_DIGITS_MAX);
  return major === null ? null : major * 10n ** BigInt(exponent);
}

/** A number of units; null for anything else and for zero. */
export function typedUnits(input: string): bigint | null {
  return positive(input, UNITS_DIGITS_MAX);
}

/** A phone number as people of `country` write it, in E.164; null when it is none. */
export function typedPhone(input: string, country: string): string | null {
  const phone = input.replace(SEPARATORS, '');
  return /^\+?\d{7,15}$/.test(phone) ? toE164(phone, country) : null;
}

/** The code of a film or match, in capitals. */
export function typedEvent(input: string): string | null {
  const code = input.trim().toUpperCase();
  return /^[A-Z0-9]{2,12}$/.test(code) ? code : null;
}

export function isPin(input: string): boolean {
  return /^\d{4,8}$/.test(input);
}

function positive(input: string, digitsMax: number): bigint | null {
  const digits = input.trim();
  if (!/^\d+$/.test(digits) || digits.length > digitsMax) return null;
  const value = BigInt(digits);
  return value > 0n ? value : null;
}
