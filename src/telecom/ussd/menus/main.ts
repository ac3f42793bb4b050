import { HOME, last4, MAIN, type Screen, type Step } from './screen.ts';

/** The first screen. A number keeps its meaning for ever: people dial it behind the code. */
const CHOICES: Readonly<Record<string, Step>> = {
  '1': { go: { screen: 'card' } },
  '2': { go: { screen: 'card', blocked: true } },
  '3': { go: { screen: 'balance' } },
  '4': { go: { screen: 'tvu' } },
  '5': { go: { screen: 'film' } },
  '7': { go: { screen: 'move' } },
  '00': HOME,
};
const ENGLISH: Readonly<Record<string, Step>> = { ...CHOICES, '0': { language: 'fr' } };
const FRENCH: Readonly<Record<string, Step>> = { ...CHOICES, '0': { language: 'en' } };

export const main: Screen = {
  show: async ({ words }) => ({
    text: words.say('main'),
    choices: words.language === 'en' ? ENGLISH : FRENCH,
  }),
};

/** A session was cut on a money screen less than ten minutes ago. */
export const resume: Screen = {
  show: async ({ words }, { resume: place }) => {
    if (place === undefined) return { go: MAIN };
    return {
      text:
        place.payment === undefined
          ? words.say('resume', { last4: last4(place.card ?? '') })
          : words.say('resume.move'),
      choices: { '1': { go: place }, '2': HOME, '0': HOME, '00': HOME },
    };
  },
};
