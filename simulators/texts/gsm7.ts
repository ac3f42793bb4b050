/**
 * The alphabet of mobile networks as the network itself counts it (3GPP TS 23.038, 6.2.1), apart
 * from the product's own reckoning, so that the two can be held against each other.
 */

const BASIC =
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?' +
  '¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà';
const EXTENDED = '^{}\\[~]|€\f';

const SEPTETS_SINGLE_MAX = 160;
const SEPTETS_PER_PART = 153;
const UCS2_SINGLE_MAX = 70;
const UCS2_PER_PART = 67;

/** Septets of a text, extended characters counting two; null when it needs UCS-2. */
export function septets(text: string): number | null {
  let count = 0;
  for (const character of text) {
    if (BASIC.includes(character)) count += 1;
    else if (EXTENDED.includes(character)) count += 2;
    else return null;
  }
  return count;
}

/** How many parts a text message is sent, and paid for, in. */
export function partsOf(text: string): number {
  const count = septets(text);
  if (count === null) {
    return text.length <= UCS2_SINGLE_MAX ? 1 : Math.ceil(text.length / UCS2_PER_PART);
  }
  return count <= SEPTETS_SINGLE_MAX ? 1 : Math.ceil(count / SEPTETS_PER_PART);
}
