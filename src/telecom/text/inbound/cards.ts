/** Which card a text is about: the one it names, or the only one of the phone. */
import type {
  CallerView,
  CardView,
  DialogueChannel,
  DialogueServices,
} from '../../ussd/services.ts';

export type MeantCard =
  /** `isOwn`: the phone's, or one that it has paid for; of others little is said. */
  | { kind: 'card'; card: CardView; isOwn: boolean }
  /** Several of the phone's cards could be meant. */
  | { kind: 'which'; cards: readonly CardView[] }
  | { kind: 'none' }
  /** `nearest`: the phone's card of which this is a slip of one key. */
  | { kind: 'not_found'; nearest: CardView | null };

const LAST_DIGITS = 4;

/**
 * `typed`: digits of a text, null when it has none. Slips are looked for among the phone's own
 * cards alone, so that nobody finds the cards of others by trying.
 */
export async function meantCard(
  services: Pick<DialogueServices, 'card'>,
  from: { channel: DialogueChannel; msisdn: string; caller: CallerView },
  typed: string | null,
): Promise<MeantCard> {
  const { cards } = from.caller;
  const own =
    typed === null || typed.length === LAST_DIGITS
      ? cards.filter(({ number }) => number.endsWith(typed ?? ''))
      : cards.filter(({ number }) => number === typed);
  const [card, ...others] = own;
  if (card && others.length === 0) return { kind: 'card', card, isOwn: true };
  if (card) return { kind: 'which', cards: own };
  if (typed === null) return { kind: 'none' };
  const found = await services.card(from.channel, typed, from.msisdn);
  if (found) return { kind: 'card', card: found, isOwn: false };
  const near = cards.filter(({ number }) => isOneSlip(typed, number));
  return { kind: 'not_found', nearest: near.length === 1 ? (near[0] ?? null) : null };
}

/** Whether one digit is wrong, missing or too much, or two neighbours are swapped. */
export function isOneSlip(typed: string, number: string): boolean {
  if (typed === number) return false;
  const [long, short] = typed.length < number.length ? [number, typed] : [typed, number];
  let at = 0;
  while (at < short.length && long[at] === short[at]) at += 1;
  const longRest = long.slice(at + 1);
  if (long.length === short.length + 1) return longRest === short.slice(at);
  if (long.length !== short.length) return false;
  const isSwap = long[at] === short[at + 1] && long[at + 1] === short[at];
  return longRest === short.slice(at + 1) || (isSwap && long.slice(at + 2) === short.slice(at + 2));
}
