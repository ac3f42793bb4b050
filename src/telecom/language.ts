/**
 * Everything the system says to a subscriber, from files: one file a language, keys to templates
 * with `{placeholders}`. The files are checked when the program starts, so a missing key, a
 * character outside GSM-7 or a text that could grow over its limit stops it there and not on a
 * phone.
 *
 *   loadLanguages(directory)     reads and checks en.json and fr.json
 *   createLanguages(files)       the same from objects
 *   languageProblems(files)      what is wrong with them, as sentences
 *   amountText, createDates      amounts and days as they are said in every language
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { clip, SCREEN_SEPTETS_MAX, septets } from './gsm7.ts';

export type Language = 'en' | 'fr';

type English = typeof import('../../config/language/en.json', { with: { type: 'json' }});
/** A key of the language files; one that is missing does not compile. */
export type LanguageKey = keyof English & string;
export type Values = Readonly<Record<string, string>>;
export type LanguageFiles = Readonly<Record<Language, Readonly<Record<string, string>>>>;

export interface Languages {
  /** The template with its values in it, in GSM-7; throws when a placeholder has no value. */
  render(language: Language, key: LanguageKey, values?: Values): string;
}

/** Septets an on-screen message may hold: what the smallest decoders show without scrolling. */
export const OSD_SEPTETS_MAX = 120;

/**
 * The septets every placeholder may take. Free text (names, titles) is cut there; figures never
 * are, as half an amount would be a lie: for them this is the longest realistic value.
 */
export const PLACEHOLDERS: Readonly<Record<string, { septetsMax: number; cut: boolean }>> = {
  amount: { septetsMax: 14, cut: false },
  bouquet: { septetsMax: 18, cut: true },
  cards: { septetsMax: 42, cut: false },
  code: { septetsMax: 16, cut: false },
  credit: { septetsMax: 14, cut: false },
  currency: { septetsMax: 3, cut: false },
  days: { septetsMax: 4, cut: false },
  fee: { septetsMax: 14, cut: false },
  from: { septetsMax: 14, cut: true },
  have: { septetsMax: 10, cut: false },
  last4: { septetsMax: 4, cut: false },
  left: { septetsMax: 10, cut: false },
  missing: { septetsMax: 14, cut: false },
  n: { septetsMax: 2, cut: false },
  name: { septetsMax: 14, cut: true },
  other4: { septetsMax: 4, cut: false },
  phone: { septetsMax: 16, cut: false },
  price: { septetsMax: 14, cut: false },
  prices: { septetsMax: 60, cut: false },
  ref: { septetsMax: 20, cut: false },
  reference: { septetsMax: 20, cut: true },
  since: { septetsMax: 10, cut: false },
  start: { septetsMax: 11, cut: false },
  status: { septetsMax: 16, cut: false },
  term: { septetsMax: 11, cut: false },
  time: { septetsMax: 11, cut: false },
  title: { septetsMax: 22, cut: true },
  total: { septetsMax: 14, cut: false },
  units: { septetsMax: 10, cut: false },
  until: { septetsMax: 10, cut: false },
  used: { septetsMax: 10, cut: false },
  word: { septetsMax: 16, cut: false },
};

const LANGUAGES: readonly Language[] = ['en', 'fr'];
const PLACEHOLDER = /\{([a-z0-9_]+)\}/;
const NO_VALUES: Values = {};

/** Reads `en.json` and `fr.json` of a directory; throws when they are missing or not in order. */
export function loadLanguages(directory: string): Languages {
  const read = (language: Language): Record<string, string> =>
    JSON.parse(readFileSync(join(directory, `${language}.json`), 'utf8'));
  return createLanguages({ en: read('en'), fr: read('fr') });
}

/** Compiles the templates once; throws with every problem found. */
export function createLanguages(files: LanguageFiles): Languages {
  const problems = languageProblems(files);
  if (problems.length > 0) throw new Error(`language files:\n${problems.join('\n')}`);
  const compiled = { en: compileAll(files.en), fr: compileAll(files.fr) };

  return {
    render: (language, key, values = NO_VALUES) => {
      const template = compiled[language].get(key);
      if (template === undefined) throw new Error(`no template ${key} in ${language}`);
      return fill(template, key, values);
    },
  };
}

/** What is wrong with the files, one sentence each; empty when all is well. */
export function languageProblems(files: LanguageFiles): string[] {
  const problems: string[] = [];
  const keys = new Set([...Object.keys(files.en), ...Object.keys(files.fr)]);
  for (const key of keys) {
    for (const language of LANGUAGES) {
      const template = files[language][key];
      if (typeof template === 'string' && template !== '') {
        problems.push(...templateProblems(template).map((what) => `${language} ${key}: ${what}`));
      } else {
        problems.push(`${language} ${key}: missing`);
      }
    }
    if (String(namesOf(files.en[key])) !== String(namesOf(files.fr[key]))) {
      problems.push(`${key}: en and fr have different placeholders`);
    }
    for (const language of LANGUAGES) {
      const longest = longestSeptets(files[language][key] ?? '');
      const septetsMax = key.startsWith('osd.') ? OSD_SEPTETS_MAX : SCREEN_SEPTETS_MAX;
      if (longest > septetsMax) problems.push(`${language} ${key}: up to ${longest} septets`);
    }
  }
  return problems;
}

function templateProblems(template: string): string[] {
  const problems: string[] = [];
  const literal = template.replaceAll(new RegExp(PLACEHOLDER, 'g'), '');
  if (septets(literal) === Number.POSITIVE_INFINITY) problems.push('not in GSM-7');
  if (/[{}]/.test(literal)) problems.push('stray brace');
  for (const name of namesOf(template)) {
    if (PLACEHOLDERS[name] === undefined) problems.push(`unknown placeholder {${name}}`);
  }
  return problems;
}

/** The placeholders of a template, sorted, each once. */
function namesOf(template: string | undefined): string[] {
  const parts = (template ?? '').split(PLACEHOLDER);
  return [...new Set(parts.filter((_, index) => index % 2 === 1))].sort();
}

/** The septets of the template when every placeholder is as long as it may be. */
function longestSeptets(template: string): number {
  let total = 0;
  template.split(PLACEHOLDER).forEach((part, index) => {
    total += index % 2 === 1 ? (PLACEHOLDERS[part]?.septetsMax ?? 0) : septets(part);
  });
  return total;
}

interface Template {
  /** One more than there are names: text, value, text, value, text. */
  literals: readonly string[];
  names: readonly string[];
}

function compileAll(file: Readonly<Record<string, string>>): Map<string, Template> {
  const templates = new Map<string, Template>();
  for (const [key, template] of Object.entries(file)) {
    const parts = template.split(PLACEHOLDER);
    templates.set(key, {
      literals: parts.filter((_, index) => index % 2 === 0),
      names: parts.filter((_, index) => index % 2 === 1),
    });
  }
  return templates;
}

function fill(template: Template, key: string, values: Values): string {
  let text = template.literals[0] ?? '';
  for (let index = 0; index < template.names.length; index += 1) {
    const name = template.names[index] ?? '';
    const value = values[name];
    if (value === undefined) throw new Error(`template ${key} needs a value for {${name}}`);
    const limit = PLACEHOLDERS[name];
    text += clip(value, limit?.cut ? limit.septetsMax : Number.POSITIVE_INFINITY);
    text += template.literals[index + 1] ?? '';
  }
  return text;
}

/** The currencies of the two CFA zones are written behind the figure, as everybody says them. */
const CFA_FRANCS: ReadonlySet<string> = new Set(['XOF', 'XAF']);

/** `KES 650`, `KES 650.50`, `650 F`: minor units with `exponent` decimals, left away when zero. */
export function amountText(minor: bigint, currency: string, exponent: number): string {
  const digits = (minor < 0n ? -minor : minor).toString().padStart(exponent + 1, '0');
  const point = digits.length - exponent;
  const decimals = digits.slice(point);
  const sign = minor < 0n ? '-' : '';
  const figure = sign + digits.slice(0, point) + (/[1-9]/.test(decimals) ? `.${decimals}` : '');
  return CFA_FRANCS.has(currency) ? `${figure} F` : `${currency} ${figure}`;
}

export interface Dates {
  /** The last day of something paid until the exclusive instant `until`: `23/12/2026`. */
  lastDay(until: Date, timeZone: string): string;
  /** When something starts: `24/11 16:00`. */
  start(at: Date, timeZone: string): string;
}

/** Most ends fall on a few hundred midnights, so the words for them are kept. */
const KEPT_DATES_MAX = 4096;

/** Days and times in a zone; Intl is asked once for every instant, not once a turn. */
export function createDates(): Dates {
  const day = cached({ day: '2-digit', month: '2-digit', year: 'numeric' });
  const start = cached({ day: '2-digit', month: '2-digit', hour: '2-digit', minute: '2-digit' });
  return {
    lastDay: (until, timeZone) => day(until.getTime() - 1, timeZone),
    start: (at, timeZone) => start(at.getTime(), timeZone),
  };
}

function cached(options: Intl.DateTimeFormatOptions): (at: number, timeZone: string) => string {
  const formats = new Map<string, Intl.DateTimeFormat>();
  const kept = new Map<string, string>();

  return (at, timeZone) => {
    const key = `${at} ${timeZone}`;
    const known = kept.get(key);
    if (known !== undefined) return known;
    let format = formats.get(timeZone);
    if (format === undefined) {
      format = new Intl.DateTimeFormat('en-GB', { ...options, timeZone, hourCycle: 'h23' });
      formats.set(timeZone, format);
    }
    const text = format.format(at).replace(', ', ' ');
    if (kept.size >= KEPT_DATES_MAX) kept.clear();
    kept.set(key, text);
    return text;
  };
}
