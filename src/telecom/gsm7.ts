/**
 * The 7-bit alphabet of mobile networks. A screen or text that holds one character outside it is
 * sent in UCS-2 and shrinks to 70 characters, so everything we say is made to fit the alphabet.
 * Source: 3GPP TS 23.038 (formerly GSM 03.38), default alphabet and its extension table.
 */

/** What one USSD screen or one text may hold, in septets. */
export const SCREEN_SEPTETS_MAX = 160;

const BASIC =
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?' +
  '¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà';
/** Sent as an escape and a second septet. */
const EXTENSION = '\f^{}\\[~]|€';

/** Septets by UTF-16 code unit; 0 means "not in the alphabet". */
const COST = new Uint8Array(0x10000);
for (const character of BASIC) COST[character.charCodeAt(0)] = 1;
for (const character of EXTENSION) COST[character.charCodeAt(0)] = 2;

/** What decomposition into letter and accent does not find by itself. */
const REPLACEMENT: Readonly<Record<string, string>> = {
  '’': "'",
  '‘': "'",
  '‚': "'",
  '′': "'",
  '`': "'",
  '´': "'",
  ʼ: "'",
  '“': '"',
  '”': '"',
  '„': '"',
  '«': '"',
  '»': '"',
  '‐': '-',
  '‑': '-',
  '–': '-',
  '—': '-',
  '−': '-',
  '•': '-',
  '·': '-',
  '…': '...',
  '№': 'No',
  '™': 'TM',
  '×': 'x',
  '°': 'o',
  '₦': 'N',
  '₵': 'C',
  '\t': ' ',
  '\u00a0': ' ',
  '\u2009': ' ',
  '\u202f': ' ',
  œ: 'oe',
  Œ: 'OE',
  ð: 'd',
  Ð: 'D',
  þ: 'th',
  Þ: 'Th',
  ı: 'i',
  đ: 'd',
  Đ: 'D',
  ł: 'l',
  Ł: 'L',
  ɛ: 'e',
  Ɛ: 'E',
  ɔ: 'o',
  Ɔ: 'O',
  ŋ: 'ng',
  Ŋ: 'Ng',
  ɓ: 'b',
  Ɓ: 'B',
  ɗ: 'd',
  Ɗ: 'D',
  ƙ: 'k',
  Ƙ: 'K',
  '\u200b': '',
  '\u200c': '',
  '\u200d': '',
  '\ufeff': '',
  '\ufe0f': '',
};

const UNKNOWN = '?';

/** Septets of a text; Infinity when a character is outside the alphabet. */
export function septets(text: string): number {
  let total = 0;
  for (let index = 0; index < text.length; index += 1) {
    const cost = COST[text.charCodeAt(index)] ?? 0;
    if (cost === 0) return Number.POSITIVE_INFINITY;
    total += cost;
  }
  return total;
}

/** Does the text fit into `septetsMax`, all of it inside the alphabet? */
export function fits(text: string, septetsMax: number): boolean {
  return septets(text) <= septetsMax;
}

/** The text in the 7-bit alphabet: without the accents it lacks, `?` for what has no letter. */
export function toGsm7(text: string): string {
  if (septets(text) !== Number.POSITIVE_INFINITY) return text;
  let result = '';
  for (const character of text)
    result += COST[character.charCodeAt(0)] ? character : plain(character);
  return result;
}

function plain(character: string): string {
  const replacement = REPLACEMENT[character];
  if (replacement !== undefined) return replacement;
  const letter = character.normalize('NFKD').replace(/\p{M}/gu, '');
  if (letter === '') return '';
  return septets(letter) === Number.POSITIVE_INFINITY ? UNKNOWN : letter;
}

/** The text in the 7-bit alphabet, cut to `septetsMax`, without blanks at the end of a cut. */
export function clip(text: string, septetsMax: number): string {
  const whole = toGsm7(text);
  if (fits(whole, septetsMax)) return whole;
  let total = 0;
  let end = 0;
  while (end < whole.length) {
    total += COST[whole.charCodeAt(end)] ?? 0;
    if (total > septetsMax) break;
    end += 1;
  }
  return whole.slice(0, end).trimEnd();
}

export interface Page {
  text: string;
  /** Index of the first item shown. */
  first: number;
  /** How many items are shown. */
  count: number;
  more: boolean;
}

export interface PageFrame {
  /** Zero-based; a page past the last shows the last. */
  page: number;
  head: string;
  /** Under a list that fits on one screen and under the last page. */
  foot: string;
  /** Under a page that has another behind it: `98 More 0 Back 00 Home`. */
  footMore: string;
}

/** Breaks a list into screens between items, never within one. An item too long for an empty screen
 * stands alone. */
export function paginate(items: readonly string[], frame: PageFrame): Page {
  let first = 0;
  for (let page = 0; ; page += 1) {
    const rest = items.length - first;
    const tail = fill(items, first, frame.head, frame.foot);
    if (tail === rest) return pageOf(items, frame, first, rest);
    const count = Math.max(1, fill(items, first, frame.head, frame.footMore));
    if (count >= rest || page === frame.page) return pageOf(items, frame, first, count);
    first += count;
  }
}

/** How many items from `first` on fit between head and foot. */
function fill(items: readonly string[], first: number, head: string, foot: string): number {
  let left = SCREEN_SEPTETS_MAX - septets(head) - septets(foot) - 1;
  let count = 0;
  for (let index = first; index < items.length; index += 1) {
    left -= septets(items[index] ?? '') + 1;
    if (left < 0) break;
    count += 1;
  }
  return count;
}

function pageOf(items: readonly string[], frame: PageFrame, first: number, count: number): Page {
  const more = first + count < items.length;
  const lines = [frame.head, ...items.slice(first, first + count)];
  lines.push(more ? frame.footMore : frame.foot);
  return { text: lines.join('\n'), first, count, more };
}
