import type { LanguageKey } from '../../language.ts';
import type { CardView, TermName } from '../services.ts';
import { typedAmount } from '../typed.ts';
import type { Words } from '../words.ts';
import {
  backTo,
  cardStatus,
  type Elsewhere,
  firstFitting,
  last4,
  MAIN,
  type Screen,
  type Shown,
  type State,
  type Step,
} from './screen.ts';

/** Numbers are fixed, sold or not, so that `*code*1*1#` always means a month. */
const TERMS: readonly { answer: string; term: TermName; key: LanguageKey }[] = [
  { answer: '1', term: 'month', key: 'term.month' },
  { answer: '2', term: 'week', key: 'term.week' },
  { answer: '3', term: 'day', key: 'term.day' },
];

export const NO_SUCH_CARD: Elsewhere = {
  go: { screen: 'card', pick: true },
  hint: 'hint.card_unknown',
};

/** How long? Shows whose card it is before any money is spoken of. */
export const term: Screen = {
  show: async ({ services, channel, msisdn, now, words }, state) => {
    const view = await services.card(channel, state.card ?? '', msisdn);
    return view === null ? NO_SUCH_CARD : drawTerms(words, state, view, now);
  },
};

/** The card, what it has, and the terms that are sold for it. */
export function drawTerms(words: Words, state: State, view: CardView, now: Date): Shown {
  const choices: Record<string, Step> = {
    ...backTo(parentOf(state)),
    '4': { go: { ...state, screen: 'amount' } },
    '5': { go: { screen: 'card', pick: true } },
  };
  const lines: string[] = [];
  for (const { answer, term, key } of TERMS) {
    const sold = view.terms.find((candidate) => candidate.term === term);
    if (sold !== undefined) {
      lines.push(words.say(key, { price: words.amount(sold.priceMinor) }));
      choices[answer] = { go: { ...state, screen: 'confirm', term } };
    }
  }
  lines.push(words.say('term.other'));

  const values = {
    last4: last4(view.number),
    name: view.maskedName,
    bouquet: view.bouquetName,
    status: cardStatus(words, view, now),
  };
  const text = firstFitting(
    [words.say('term.head', values), ...lines].join('\n'),
    [words.say('term.head.short', values), ...lines].join('\n'),
  );
  return { text, choices };
}

function parentOf(state: State): State {
  if (state.blocked === true) return { ...state, screen: 'blocked' };
  return state.pick === true ? { screen: 'card', pick: true } : MAIN;
}

/** Any other amount, kept as credit or given as days, as the operator rules. */
export const amount: Screen = {
  show: async ({ services, channel, msisdn, words }, state) => {
    const view = await services.card(channel, state.card ?? '', msisdn);
    if (view === null) return NO_SUCH_CARD;
    const text = words.say('amount.ask', {
      last4: last4(view.number),
      name: view.maskedName,
      bouquet: view.bouquetName,
      currency: channel.currency,
    });
    return { text, choices: backTo({ ...state, screen: 'term' }) };
  },

  typed: (state, input, { words }) => {
    const minor = typedAmount(input, words.exponent);
    if (minor === null) return { stay: 'hint.amount' };
    return { go: { ...state, screen: 'confirm', amount: String(minor) } };
  },
};
