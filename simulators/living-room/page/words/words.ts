/** The page's two languages, and how it writes times and spans in them. */
import { en, type WordKey } from './en.ts';
import { fr } from './fr.ts';

export type { WordKey };
export type Language = 'en' | 'fr';
/** Finds the words of a key, with `{x}` replaced by `values.x`. */
export type Say = (key: WordKey, values?: Readonly<Record<string, string | number>>) => string;

const DICTIONARIES: Readonly<Record<Language, Readonly<Record<WordKey, string>>>> = { en, fr };
const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** The words of a language; a value that is not given stays as `{x}`. */
export function createSay(language: Language): Say {
  const words = DICTIONARIES[language];
  return (key, values = {}) =>
    words[key].replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** French where the reader's first language is French, else English. */
export function languageOf(preferred: string | undefined): Language {
  return preferred?.toLowerCase().startsWith('fr') ? 'fr' : 'en';
}

/** A span of time, at most three digits and a unit: `84 ms`, `1.2 s`, `12 min`, `3 h`, `30 d`. */
export function spanText(milliseconds: number, language: Language): string {
  const span = Math.max(0, milliseconds);
  if (Math.round(span) < SECOND_MS) return `${Math.round(span)} ms`;
  if (span < MINUTE_MS) {
    const digits = span < 10 * SECOND_MS ? 1 : 0;
    return `${decimal(span / SECOND_MS, digits, language)} s`;
  }
  if (span < HOUR_MS) return `${Math.floor(span / MINUTE_MS)} min`;
  if (span < DAY_MS) return `${Math.floor(span / HOUR_MS)} h`;
  return `${Math.floor(span / DAY_MS)} ${language === 'fr' ? 'j' : 'd'}`;
}

/** A number with a fixed count of decimals, written as the language does. */
export function decimal(value: number, digits: number, language: Language): string {
  const format = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return new Intl.NumberFormat(language, format).format(value);
}

/** The places where the demonstration's phones are, by country code. */
const TIME_ZONES: readonly [string, string][] = [
  ['+254', 'Africa/Nairobi'],
  ['+225', 'Africa/Abidjan'],
];

/** The time zone a phone shows: that of its country, UTC for a country not listed. */
export function timeZoneOf(msisdn: string): string {
  return TIME_ZONES.find(([code]) => msisdn.startsWith(code))?.[1] ?? 'UTC';
}

/** `14:02`. */
export function timeText(instant: number | string, language: Language, timeZone: string): string {
  const format = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone } as const;
  return new Intl.DateTimeFormat(language, format).format(new Date(instant));
}

/** `Mon 23 Nov`. */
export function dateText(instant: number | string, language: Language, timeZone: string): string {
  const format = { weekday: 'short', day: 'numeric', month: 'short', timeZone } as const;
  const locale = language === 'en' ? 'en-GB' : language;
  return new Intl.DateTimeFormat(locale, format).format(new Date(instant)).replace(',', '');
}

/** A card as people call it: its last four digits. */
export function cardText(card: string): string {
  return `..${card.slice(-4)}`;
}
