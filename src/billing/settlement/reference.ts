/**
 * What payers write as the account: a card number in any printed form, a phone, or the reference
 * of our own order. Typed by hand on a keypad, so blanks, dashes and O for 0 are expected.
 */
import { hasLuhnDigit } from '../../platform/luhn.ts';
import { toE164 } from '../../platform/phone.ts';

export interface AccountReference {
  /** 11 digits, the last a Luhn digit. */
  card: string | null;
  /** E.164. */
  msisdn: string | null;
  /** Reference of a payment order of ours. */
  order: string | null;
  /** Letters and digits that may be the number of an invoice: they are nothing else. */
  document: string | null;
}

const NOTHING: AccountReference = { card: null, msisdn: null, order: null, document: null };
/** Shorter and longer words are no number of a document. */
const DOCUMENT = /^(?=.*\d)[0-9A-Z]{4,40}$/;
const CARD_DIGITS = 11;

/** Order references start with V, so that they can be no card, no phone and no word of a payer. */
const ORDER = /^V[0-9A-Z]{6,11}$/;

/** Reads a reference; `country` (ISO 3166) says how a phone without country code is meant. */
export function readReference(written: string | null, country: string): AccountReference {
  if (!written) return NOTHING;
  const compact = written.replace(/[\s.\-_/]/g, '').toUpperCase();
  if (ORDER.test(compact)) return { ...NOTHING, order: compact };
  const digits = compact.replace(/O/g, '0').replace(/[IL]/g, '1');
  const card = cardNumber(digits);
  if (card) return { ...NOTHING, card };
  const msisdn = toE164(compact, country);
  if (msisdn) return { ...NOTHING, msisdn };
  return { ...NOTHING, document: DOCUMENT.test(compact) ? compact : null };
}

/** The first 11 digits of what is printed on a card, when their check digit holds. */
export function cardNumber(digits: string): string | null {
  if (!/^\d{11,16}$/.test(digits)) return null;
  const number = digits.slice(0, CARD_DIGITS);
  return hasLuhnDigit(number) ? number : null;
}
