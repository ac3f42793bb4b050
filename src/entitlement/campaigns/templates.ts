/**
 * Words with `{placeholders}`, filled in for each card. What does not fit is said, never cut: half
 * an amount would be a lie, half a sentence nobody's message. Pure.
 */
import type { Language, Texts } from './content.ts';

/** What a template may say of a card, and what it means. */
export const PLACEHOLDERS = {
  name: 'who the card belongs to',
  card: 'the number of the card',
  last4: 'its last four digits',
  bouquet: 'what is subscribed to',
  until: 'the last paid day',
  amount: 'what the next term costs',
} as const;
export type Placeholder = keyof typeof PLACEHOLDERS;
/** Null: of this card there is no such thing. */
export type Values = Readonly<Record<Placeholder, string | null>>;

const PLACEHOLDER = /\{([^{}]*)\}/g;

/** What is wrong with the texts of a template: where and why. */
export function templateFaults(texts: Texts): { path: string; message: string }[] {
  return Object.entries(texts).flatMap(([language, { subject, body }]) => [
    ...faultsOf(`${language}.subject`, subject ?? ''),
    ...faultsOf(`${language}.body`, body),
  ]);
}

function faultsOf(path: string, text: string): { path: string; message: string }[] {
  const unknown = namesOf(text).filter((one) => !Object.hasOwn(PLACEHOLDERS, one));
  const faults = unknown.map((one) => ({ path, message: `There is no placeholder {${one}}` }));
  const isStray = /[{}]/.test(text.replaceAll(PLACEHOLDER, ''));
  return isStray ? [...faults, { path, message: 'A brace without its other half' }] : faults;
}

/** The placeholders of a text, each once. */
export function namesOf(text: string): string[] {
  return [...new Set([...text.matchAll(PLACEHOLDER)].map(([, one = '']) => one))];
}

/** The text with its values in it; null when one of them is missing. */
export function fill(text: string, values: Values | null): string | null {
  let isWhole = true;
  const filled = text.replaceAll(PLACEHOLDER, (_all, one: string) => {
    const value = values?.[one as Placeholder] ?? null;
    if (value === null) isWhole = false;
    return value ?? '';
  });
  return isWhole ? filled : null;
}

/** The words for a language, else those of the site's. */
export const wordsFor = (texts: Texts, language: Language, ofSite: Language) =>
  texts[language] ?? texts[ofSite];

/** Characters as head-ends count them: code points, not halves of them. */
export const charsOf = (text: string): number => [...text].length;
