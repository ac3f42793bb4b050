import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REFUSALS } from '../billing/errors.ts';
import { fits, SCREEN_SEPTETS_MAX, septets } from './gsm7.ts';
import {
  amountText,
  createDates,
  createLanguages,
  type LanguageKey,
  languageProblems,
  loadLanguages,
  OSD_SEPTETS_MAX,
  PLACEHOLDERS,
} from './language.ts';

const DIRECTORY = join(process.cwd(), 'config/language');
const read = (name: string): Record<string, string> =>
  JSON.parse(readFileSync(join(DIRECTORY, name), 'utf8'));
const EN = read('en.json');
const FR = read('fr.json');

/** Values as long as they may be, and longer where they are cut. */
const LONGEST = Object.fromEntries(
  Object.entries(PLACEHOLDERS).map(([name, { septetsMax, cut }]) => [
    name,
    'X'.repeat(cut ? 99 : septetsMax),
  ]),
);

describe('the language files', () => {
  it('are in order', () => {
    expect(languageProblems({ en: EN, fr: FR })).toEqual([]);
    expect(() => loadLanguages(DIRECTORY)).not.toThrow();
  });

  it('keep every text within one part and every on-screen message within its limit', () => {
    const { render } = loadLanguages(DIRECTORY);
    for (const language of ['en', 'fr'] as const) {
      for (const key of Object.keys(EN) as LanguageKey[]) {
        const text = render(language, key, LONGEST);
        const max = key.startsWith('osd.') ? OSD_SEPTETS_MAX : SCREEN_SEPTETS_MAX;
        expect([key, septets(text), fits(text, max)]).toEqual([key, septets(text), true]);
      }
    }
  });

  it('never claim that rights are on air', () => {
    expect(JSON.stringify([EN, FR])).not.toMatch(/on air|a l'antenne/i);
  });
});

describe('a refusal that a subscriber can meet', () => {
  const spoken = Object.entries(REFUSALS).filter(([, { isSpoken }]) => isSpoken);
  it.each(spoken)('%s has words in every language, which a text holds', (code) => {
    for (const words of [EN[`refusal.${code}`], FR[`refusal.${code}`]]) {
      expect(fits(words ?? '', SCREEN_SEPTETS_MAX)).toBe(true);
      expect(words).toMatch(/^.{10,}$/);
    }
  });
});

describe('languageProblems', () => {
  const problems = (en: Record<string, string>, fr: Record<string, string>) =>
    languageProblems({ en, fr });

  it('finds keys that one language lacks', () => {
    expect(problems({ a: 'A' }, {})).toEqual(['fr a: missing']);
    expect(problems({}, { b: 'B' })).toEqual(['en b: missing']);
  });

  it('finds characters outside GSM-7, placeholders that differ or do not exist, and braces', () => {
    expect(problems({ a: 'A' }, { a: 'ê' })).toContain('fr a: not in GSM-7');
    expect(problems({ a: '{name}' }, { a: 'A' })).toEqual([
      'a: en and fr have different placeholders',
    ]);
    expect(problems({ a: '{nmae}' }, { a: '{nmae}' })).toContain(
      'en a: unknown placeholder {nmae}',
    );
    expect(problems({ a: '{Name' }, { a: 'A' })).toContain('en a: stray brace');
  });

  it('finds texts that can grow over their limit, and stops the program at start', () => {
    const long = `${'x'.repeat(150)}{amount}`;
    expect(problems({ a: long }, { a: long })).toContain('en a: up to 164 septets');
    const osd = 'x'.repeat(121);
    expect(problems({ 'osd.a': osd }, { 'osd.a': osd })).toContain('fr osd.a: up to 121 septets');
    expect(() => createLanguages({ en: { a: long }, fr: { a: long } })).toThrow('en a: up to 164');
  });
});

describe('render', () => {
  const { render } = loadLanguages(DIRECTORY);

  it('puts values in, made fit for GSM-7 and cut where they are names', () => {
    const values = { last4: '4417', name: 'ANAÏS – NEBUCHADNEZZAR', bouquet: 'Fête', status: 'x' };
    expect(render('en', 'term.head', values)).toBe('Card ..4417 ANAIS - NEBUCH\nFete, x');
  });

  it('does not know a value that is missing', () => {
    expect(() => render('en', 'end.prompt')).toThrow('{amount}');
  });
});

describe('amountText', () => {
  it('leaves decimals away when they are zero and writes CFA francs behind', () => {
    expect(amountText(65_000n, 'KES', 2)).toBe('KES 650');
    expect(amountText(4_050n, 'KES', 2)).toBe('KES 40.50');
    expect(amountText(5n, 'KES', 2)).toBe('KES 0.05');
    expect(amountText(0n, 'KES', 2)).toBe('KES 0');
    expect(amountText(-4_050n, 'KES', 2)).toBe('KES -40.50');
    expect(amountText(650n, 'XOF', 0)).toBe('650 F');
    expect(amountText(15_000n, 'UGX', 0)).toBe('UGX 15000');
  });
});

describe('createDates', () => {
  const dates = createDates();

  it('says the last day that is paid, in the zone of the channel', () => {
    const until = new Date('2026-12-23T21:00:00Z'); // Midnight after the 23rd in Nairobi.
    expect(dates.lastDay(until, 'Africa/Nairobi')).toBe('23/12/2026');
    expect(dates.lastDay(new Date('2027-01-01T00:00:00Z'), 'Africa/Abidjan')).toBe('31/12/2026');
  });

  it('says when something starts', () => {
    const start = new Date('2026-12-23T21:00:00Z');
    expect(dates.start(start, 'Africa/Nairobi')).toBe('24/12 00:00');
    expect(dates.start(start, 'Africa/Abidjan')).toBe('23/12 21:00');
    expect(dates.start(start, 'Africa/Abidjan')).toBe('23/12 21:00');
  });
});
