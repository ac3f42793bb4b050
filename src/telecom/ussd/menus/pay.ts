import { fits, SCREEN_SEPTETS_MAX } from '../../gsm7.ts';
import type { LanguageKey } from '../../language.ts';
import { termWords } from '../../terms.ts';
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

/** Of other terms that are sold, as far as the screen has room. */
const MORE_ANSWERS = ['6', '7', '8', '9'];

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
  const values = {
    last4: last4(view.number),
    name: view.maskedName,
    bouquet: view.bouquetName,
    status: cardStatus(words, view, now),
  };
  const heads = [words.say('term.head', values), words.say('term.head.short', values)];
  const other = words.say('term.other');
  const draw = (more: readonly More[]) =>
    heads.map((head) => [head, ...lines, ...more.map(({ line }) => line), other].join('\n'));
  const more = moreTerms(words, view);
  while (more.length > 0 && !draw(more).some((text) => fits(text, SCREEN_SEPTETS_MAX))) more.pop();
  for (const { answer, term } of more) {
    choices[answer] = { go: { ...state, screen: 'confirm', term } };
  }
  return { text: firstFitting(...draw(more)), choices };
}

interface More {
  answer: string;
  term: TermName;
  line: string;
}

/** The terms that have no number of their own, the longest first. */
function moreTerms(words: Words, { terms }: CardView): More[] {
  const others = terms.filter((sold) => TERMS.every(({ term }) => term !== sold.term));
  return MORE_ANSWERS.flatMap((answer, i) => {
    const sold = others[i];
    if (sold === undefined) return [];
    const { key, values } = termWords('text.answer.price', sold.term);
    const price = words.amount(sold.priceMinor);
    return [{ answer, term: sold.term, line: `${answer} ${words.say(key, { ...values, price })}` }];
  });
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
