import { paginate } from '../../gsm7.ts';
import type { CallerView, EventView } from '../services.ts';
import { typedCard } from '../typed.ts';
import type { Words } from '../words.ts';
import {
  type Elsewhere,
  last4,
  MAIN,
  pageChoices,
  type Screen,
  type Shown,
  type State,
  type Step,
} from './screen.ts';

/** Cards listed at most; any other can be typed. */
const CARDS_LISTED_MAX = 30;

/**
 * Which card? Skipped when the phone has exactly one, unless a film is bought for it; any other
 * card's number can be typed by anybody, as a neighbour or a child abroad often pays.
 */
export const card: Screen = {
  show: async (ask, state) => {
    const { services, channel, msisdn, words } = ask;
    if (state.event === undefined) {
      return drawCard(words, state, await services.caller(channel, msisdn), null);
    }
    const [caller, event] = await Promise.all([
      services.caller(channel, msisdn),
      services.event(channel, state.event),
    ]);
    if (event === null) return { go: { screen: 'film' }, hint: 'hint.event' };
    if (!event.onSale) return { go: { screen: 'film' }, hint: 'hint.event_closed' };
    return drawCard(words, state, caller, event);
  },

  typed: (state, input) => {
    if (input.trim().length <= 2) return { stay: 'hint.choice' };
    const typed = typedCard(input);
    if (typed.ok) return chosen(state, typed.number);
    return { stay: typed.error === 'typo' ? 'hint.card_typo' : 'hint.card_number' };
  },
};

/** The list of saved cards, or straight on to the only one. */
export function drawCard(
  words: Words,
  state: State,
  caller: CallerView,
  event: EventView | null,
): Shown | Elsewhere {
  const [only] = caller.cards;
  if (event === null && state.pick === undefined && caller.cards.length === 1 && only) {
    return { go: { ...state, screen: leadsTo(state), card: only.number } };
  }
  const cards = caller.cards.slice(0, CARDS_LISTED_MAX);
  const head = event === null ? question(words, cards.length) : eventQuestion(words, event);
  const page = pageOfCards(words, cards, { page: state.page ?? 0, head });
  const parent: State = event === null ? MAIN : { screen: 'film' };
  const choices = pageChoices(state, parent, page.more);
  for (const [index, view] of cards.entries()) {
    choices[String(index + 1)] = chosen(state, view.number);
  }
  return { text: page.text, choices };
}

/** One page of a list of cards to pick from. */
export function pageOfCards(
  words: Words,
  cards: CallerView['cards'],
  { page, head }: { page: number; head: string },
): ReturnType<typeof paginate> {
  const items = cards.map(({ number, maskedName }, index) =>
    words.say('card.item', { n: String(index + 1), last4: last4(number), name: maskedName }),
  );
  return paginate(items, {
    ...{ page, head },
    foot: words.say('nav.back'),
    footMore: words.say('nav.more'),
  });
}

function question(words: Words, cards: number): string {
  return words.say(cards > 0 ? 'card.pick' : 'card.ask');
}

function eventQuestion(words: Words, event: EventView): string {
  return words.say('film.card', {
    title: event.title,
    start: words.start(event.startsAt),
    price: words.amount(event.priceMinor),
  });
}

/** `pick` goes along, so that back leads to this list and not past it. */
function chosen(state: State, number: string): Step {
  if (state.event !== undefined) {
    return { go: { screen: 'confirm', card: number, event: state.event } };
  }
  const { page: _page, ...kept } = state;
  return { go: { ...kept, screen: leadsTo(state), card: number, pick: true } };
}

function leadsTo(state: State): 'blocked' | 'term' {
  return state.blocked === true ? 'blocked' : 'term';
}
