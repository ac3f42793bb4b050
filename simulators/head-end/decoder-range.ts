/** Many decoders at once, numbered one after the other. */
import type { NewDecoder } from './air/types.ts';

export interface DecoderRange extends Omit<NewDecoder, 'stb' | 'card'> {
  /** Ends in digits, which are counted up; so does `firstCard`. */
  firstStb: string;
  firstCard: string;
  count: number;
}

/** The decoders of a range; `undefined` when its numbers do not end in enough digits. */
export function decodersOf(range: DecoderRange): NewDecoder[] | undefined {
  const { firstStb, firstCard, count, ...rest } = range;
  const stb = counter(firstStb, count);
  const card = counter(firstCard, count);
  if (!stb || !card) return undefined;
  return Array.from({ length: count }, (_, n) => ({ ...rest, stb: stb(n), card: card(n) }));
}

/** Names by number, as wide as the first; `undefined` when the last would be wider. */
function counter(first: string, count: number): ((n: number) => string) | undefined {
  const [digits] = /\d+$/.exec(first) ?? [];
  if (digits === undefined) return undefined;
  const prefix = first.slice(0, -digits.length);
  const start = BigInt(digits);
  if (String(start + BigInt(count - 1)).length > digits.length) return undefined;
  return (n) => prefix + String(start + BigInt(n)).padStart(digits.length, '0');
}
