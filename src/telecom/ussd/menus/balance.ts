import { paginate } from '../../gsm7.ts';
import type { CallerView } from '../services.ts';
import type { Words } from '../words.ts';
import {
  cardStatus,
  last4,
  MAIN,
  pageChoices,
  type Screen,
  type Shown,
  type State,
} from './screen.ts';

/** Every card of the phone with its product and end, then credit and TV units. */
export const balance: Screen = {
  show: async ({ services, channel, msisdn, now, words }, state) =>
    drawBalance(words, state, await services.caller(channel, msisdn), now),
};

/** The caller's cards and wallets. */
export function drawBalance(words: Words, state: State, caller: CallerView, now: Date): Shown {
  const items = caller.cards.map((view) =>
    words.say('balance.card', {
      last4: last4(view.number),
      bouquet: view.bouquetName,
      status: cardStatus(words, view, now),
    }),
  );
  if (items.length === 0) items.push(words.say('balance.none'));
  const page = paginate(items, {
    page: state.page ?? 0,
    head: words.say('balance.money', {
      credit: words.amount(caller.creditMinor),
      units: String(caller.tvuUnits),
    }),
    foot: words.say('balance.foot'),
    footMore: words.say('balance.more'),
  });
  const choices = pageChoices(state, MAIN, page.more);
  choices['1'] = { go: { screen: 'card' } };
  return { text: page.text, choices };
}
