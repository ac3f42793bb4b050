/** The record of a customer beside name and phones, and what of it can be written down. Pure. */

/** A place in degrees (WGS 84), plain decimals with six places: a tenth of a metre. */
export interface Position {
  latitude: string;
  longitude: string;
}

export interface Details {
  /** Where bills go. */
  billingAddress: string | null;
  /** Where the decoder stands. */
  installationAddress: string | null;
  /** Of the installation. */
  position: Position | null;
  /** E.164. */
  landline: string | null;
  email: string | null;
}

export const NO_DETAILS: Details = {
  ...{ billingAddress: null, installationAddress: null, position: null },
  ...{ landline: null, email: null },
};

export const LATITUDE_MAX = 90;
export const LONGITUDE_MAX = 180;
const PLACES = 6;
const DEGREES = /^(-?)([0-9]{1,3})(?:\.([0-9]{1,6}))?$/;

/** Degrees as they are kept, `-1.292066`; null for what is none or beyond `max` either way. */
export function readDegrees(text: string, max: number): string | null {
  const [whole, sign, degrees = '', rest = ''] = DEGREES.exec(text) ?? [];
  if (whole === undefined) return null;
  const micro = BigInt(degrees + rest.padEnd(PLACES, '0'));
  if (micro > BigInt(max) * 10n ** BigInt(PLACES)) return null;
  const digits = micro.toString().padStart(PLACES + 1, '0');
  const minus = sign === '-' && micro > 0n ? '-' : '';
  return `${minus}${digits.slice(0, -PLACES)}.${digits.slice(-PLACES)}`;
}

/** The most that a mail's envelope takes (RFC 5321, 4.5.3.1.3, without the angle brackets). */
export const EMAIL_CHARS_MAX = 254;

/** One `@` with something on both sides, no spaces: whether it exists only a mail can tell. */
export const isEmail = (text: string): boolean =>
  text.length <= EMAIL_CHARS_MAX && /^[^\s@]+@[^\s@]+$/.test(text);
