/** What a member of staff is told about a card that the system refuses. Pure. */
import type { ResultCode } from '../vip-control/results.ts';

/** Ours: no answer, or never sent, for as long as anything is tried. */
type OwnCode = 'NO_ANSWER' | 'NOT_SENT';

const LONG = 'It is tried once a day from now on.';

const SENTENCES: Partial<Record<ResultCode | OwnCode, string>> = {
  UNKNOWN_CARD:
    'The conditional-access system does not know this card. Compare its number with the card, ' +
    'and have it registered from the file of its maker.',
  UNKNOWN_STB:
    'The conditional-access system does not know the decoder. Compare its serial number, and ' +
    'have it registered from the file of its maker.',
  UNKNOWN_PRODUCT:
    'The conditional-access system does not carry a product of this card. Have it set up there, ' +
    'or correct the products in the file of systems.',
  BAD_DATES:
    'The conditional-access system refuses the dates of this card. Compare its clock with ours.',
  TEXT_TOO_LONG: 'The text is longer than the conditional-access system takes.',
  INCOMPATIBLE: 'The card and the decoder do not go together. Give the customer another of them.',
  WRONG_REGION: 'The card is bound to another area. Move it to the area where it is used.',
  STALE_REV:
    'The conditional-access system has later rights of this card than we do: our database was ' +
    'restored. Raise the epoch of the system.',
  CARD_SUSPENDED: 'The card is suspended in the conditional-access system. Have it resumed there.',
  NOT_PAIRED: 'The card is not paired with a decoder. Pair it with the one the customer has.',
  ALREADY_PAIRED: 'The card is paired with another decoder. Unpair it first.',
  BLACKLISTED:
    'The card is blacklisted. Tell the customer to come to the office; two people can lift it.',
  RATE_LIMITED: 'The card was asked for too often. Wait an hour.',
  NOT_ALLOWED: 'The conditional-access system does not allow us this. Ask who runs it.',
  SECOND_PERSON_REQUIRED: 'The conditional-access system wants a second person for this.',
  PROTOCOL: 'We and the conditional-access system do not understand each other. Call support.',
  UNRECOVERABLE: 'The conditional-access system cannot go on. Call its support.',
  NO_ANSWER: `The conditional-access system has not answered for a day. ${LONG}`,
  NOT_SENT: `The rights of this card could not be sent for a day. ${LONG}`,
};

/** Commands about devices whose refusal is work for a person, and what was to be done. */
const DEVICE_ACTS: Readonly<Record<string, string>> = {
  PAIR: 'pair it',
  UNPAIR: 'unpair it',
  SWAP: 'swap this card for another',
  SWAP_STB: 'swap this decoder for another',
  BLACKLIST: 'blacklist it',
  UNBLACKLIST: 'take it off the blacklist',
  REGION: 'bind it to an area',
  PIN_RESET: 'reset its PIN',
};

/**
 * What the agent is told when a system refuses a command for good, by operation. Those that are
 * not here are no matter of one device, or their refusal shows in the rights of the card.
 */
export const refusedCommands = (code: string): Record<string, string> =>
  Object.fromEntries(
    Object.entries(DEVICE_ACTS).map(([op, act]) => [
      op,
      `The conditional-access system refused to ${act}. ${sentenceOf(code)}`,
    ]),
  );

/** The sentence for the agent; for a code of which none stands here, one that names it. */
export function sentenceOf(code: string): string {
  const known = Object.hasOwn(SENTENCES, code) ? SENTENCES[code as ResultCode] : undefined;
  return known ?? `The conditional-access system has answered ${code} for a day. ${LONG}`;
}
