import { currencyExponent } from '../../platform/money/amount.ts';
import {
  amountText,
  type Dates,
  type LanguageKey,
  type Languages,
  type Values,
} from '../language.ts';
import { termWords } from '../terms.ts';
import type { DialogueChannel, Language, TermName } from './services.ts';

/** The wording of one channel in one language: what a screen is written with. */
export interface Words {
  language: Language;
  /** Decimals of the channel's currency. */
  exponent: number;
  say(key: LanguageKey, values?: Values): string;
  /** What a term is called in a sentence: `a month`, `10 days`. */
  term(name: TermName): string;
  /** An amount of the channel's currency in minor units. */
  amount(minor: bigint): string;
  /** The last day of something paid until the exclusive instant `until`. */
  lastDay(until: Date): string;
  start(at: Date): string;
  /** The day of an instant, with its year. */
  day(at: Date): string;
  /** The time of an instant, `14:02`; with its day when that is not the day of `now`. */
  time(at: Date, now: Date): string;
}

export interface WordsDeps {
  languages: Languages;
  dates: Dates;
}

/** Words for a channel in a language; throws when the channel's currency does not exist. */
export function createWords(deps: WordsDeps, channel: DialogueChannel, language: Language): Words {
  const known = currencyExponent(channel.currency);
  if (!known.ok) throw new Error(`channel ${channel.id}: unknown currency ${channel.currency}`);
  const { exponent } = known;
  return {
    language,
    exponent,
    say: (key, values) => deps.languages.render(language, key, values),
    term(name) {
      const { key, values } = termWords('term.name', name);
      return deps.languages.render(language, key, values);
    },
    amount: (minor) => amountText(minor, channel.currency, exponent),
    lastDay: (until) => deps.dates.lastDay(until, channel.timeZone),
    start: (at) => deps.dates.start(at, channel.timeZone),
    day: (at) => deps.dates.lastDay(new Date(at.getTime() + 1), channel.timeZone),
    time(at, now) {
      const [day, time] = deps.dates.start(at, channel.timeZone).split(' ');
      const isToday = deps.dates.start(now, channel.timeZone).startsWith(`${day} `);
      return isToday ? `${time}` : `${day} ${time}`;
    },
  };
}
