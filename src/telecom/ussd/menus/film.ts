import { paginate } from '../../gsm7.ts';
import type { EventView } from '../services.ts';
import { typedEvent } from '../typed.ts';
import type { Words } from '../words.ts';
import { backTo, MAIN, pageChoices, type Screen, type Shown, type State } from './screen.ts';

/** Films and matches on sale: pick one, or type the code from the screen or the poster. */
export const film: Screen = {
  show: async ({ services, channel, words }, state) =>
    drawFilms(words, state, await services.events(channel)),

  typed: (_state, input) => {
    const code = typedEvent(input);
    return code === null ? { stay: 'hint.event' } : { go: { screen: 'card', event: code } };
  },
};

/** The list of events with start and price. */
export function drawFilms(words: Words, state: State, events: readonly EventView[]): Shown {
  if (events.length === 0) return { text: words.say('film.none'), choices: backTo(MAIN) };
  const items = events.map((event, index) =>
    words.say('film.item', {
      n: String(index + 1),
      title: event.title,
      start: words.start(event.startsAt),
      price: words.amount(event.priceMinor),
    }),
  );
  const page = paginate(items, {
    page: state.page ?? 0,
    head: words.say('film.head'),
    foot: words.say('nav.back'),
    footMore: words.say('nav.more'),
  });
  const choices = pageChoices(state, MAIN, page.more);
  for (const [index, event] of events.entries()) {
    choices[String(index + 1)] = { go: { screen: 'card', event: event.code } };
  }
  return { text: page.text, choices };
}
