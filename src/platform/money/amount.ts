/**
 * Amounts as telecom systems write them, read into whole minor units and back. Everything is
 * strict: what is not a plain decimal number is an error value for a person to look at, never a
 * guess, and no floating point is involved anywhere.
 */

export type AmountError = 'unknown_currency' | 'not_plain' | 'excess_decimals' | 'too_large';

export type AmountResult = { ok: true; minor: bigint } | { ok: false; error: AmountError };

export interface AmountOptions {
  /** The amount counts units of 1/factor of the currency unit; without it, major units. */
  minorUnitFactor?: number;
  /** Comma thousands (`1,053.00`) are allowed: spreadsheets and statements only. */
  grouped?: boolean;
}

/** Whole digits of the largest amount any known interface allows (GSMA Mobile Money API 1.2). */
const AMOUNT_INTEGER_DIGITS_MAX = 18;
const AMOUNT_TEXT_CHARS_MAX = 64;

/** ISO 4217 list one, by the number of digits after the point; the funds codes are left out. */
const CODES_BY_EXPONENT: readonly (readonly [number, string])[] = [
  [0, 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF'],
  [3, 'BHD IQD JOD KWD LYD OMR TND'],
  [
    2,
    `AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD
    CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD
    GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD
    MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP
    PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS
    TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG`,
  ],
];

const EXPONENTS: ReadonlyMap<string, number> = new Map(
  CODES_BY_EXPONENT.flatMap(([exponent, codes]) =>
    codes.split(/\s+/).map((code): [string, number] => [code, exponent]),
  ),
);

/** Digits after the point of a currency (ISO 4217), or the error `unknown_currency`. */
export function currencyExponent(
  code: string,
): { ok: true; exponent: number } | { ok: false; error: 'unknown_currency' } {
  const exponent = EXPONENTS.get(code);
  return exponent === undefined ? { ok: false, error: 'unknown_currency' } : { ok: true, exponent };
}

const PLAIN = /^(\d+)(?:\.(\d+))?$/;
const GROUPED = /^(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d+))?$/;

/**
 * Reads a decimal number into minor units of `currency`. No sign, exponent or currency word;
 * decimals beyond the currency's own must be zeros. Errors: see AmountError.
 */
export function parseAmount(
  text: string,
  currency: string,
  options: AmountOptions = {},
): AmountResult {
  const known = currencyExponent(currency);
  if (!known.ok) return known;
  if (text.length > AMOUNT_TEXT_CHARS_MAX) return { ok: false, error: 'not_plain' };
  const match = (options.grouped === true ? GROUPED : PLAIN).exec(text.trim());
  if (match?.[1] === undefined) return { ok: false, error: 'not_plain' };
  const whole = match[1].replaceAll(',', '').replace(/^0+(?=\d)/, '');
  const decimals = (match[2] ?? '').replace(/0+$/, '');
  if (whole.length > AMOUNT_INTEGER_DIGITS_MAX) return { ok: false, error: 'too_large' };
  if (options.minorUnitFactor !== undefined) {
    return scaleUnits(whole, decimals, known.exponent, options.minorUnitFactor);
  }
  if (decimals.length > known.exponent) return { ok: false, error: 'excess_decimals' };
  return { ok: true, minor: BigInt(whole + decimals.padEnd(known.exponent, '0')) };
}

function scaleUnits(
  whole: string,
  decimals: string,
  exponent: number,
  factor: number,
): AmountResult {
  if (decimals !== '') return { ok: false, error: 'excess_decimals' };
  const scaled = BigInt(whole) * 10n ** BigInt(exponent);
  const divisor = BigInt(factor);
  if (scaled % divisor !== 0n) return { ok: false, error: 'excess_decimals' };
  return { ok: true, minor: scaled / divisor };
}

/**
 * Reads `KES 1000.0000` (Africa's Talking writes every amount so); a bare number counts in
 * `fallbackCurrency`. The currency is told also when the number cannot be read.
 */
export function parseCurrencyAmount(
  text: string,
  fallbackCurrency: string,
  options: AmountOptions = {},
): AmountResult & { currency: string } {
  const match = /^([A-Za-z]{3})\s*(?=[\d.,+-])/.exec(text.trim());
  const currency = match?.[1]?.toUpperCase() ?? fallbackCurrency;
  const number = match === null ? text : text.trim().slice(match[0].length);
  return { ...parseAmount(number, currency, options), currency };
}

/**
 * Minor units as a plain decimal number with all of the currency's digits (`105300` KES:
 * `1053.00`). Throws on an unknown currency: amounts are only ever made in known ones.
 */
export function formatMinor(minor: bigint, currency: string): string {
  const known = currencyExponent(currency);
  if (!known.ok) throw new RangeError(`unknown currency ${currency}`);
  const sign = minor < 0n ? '-' : '';
  const digits = (minor < 0n ? -minor : minor).toString().padStart(known.exponent + 1, '0');
  const point = digits.length - known.exponent;
  const decimals = known.exponent === 0 ? '' : `.${digits.slice(point)}`;
  return `${sign}${digits.slice(0, point)}${decimals}`;
}
