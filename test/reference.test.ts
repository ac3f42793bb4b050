import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { demoPage } from '../scripts/reference/demo.ts';
import { referencePages, spokenRefusals } from '../scripts/reference/pages.ts';
import { REFUSALS } from '../src/billing/errors.ts';
import { allFiles } from './source.ts';

/** Said by the dialogue itself: the PIN, the phone and the moment are not billing's business. */
const DIALOGUE_CODES = [
  ...['wrong_pin', 'pin_locked', 'phone_not_supported', 'try_later', 'nothing_to_move'],
];

describe('the reference pages', () => {
  it.each(Object.entries(referencePages()))('%s says what the code says', (path, text) => {
    expect(readFileSync(path, 'utf8')).toBe(text);
  });

  it('docs/demo.md shows the operator and the people that the demo loads', () => {
    const [path, text] = demoPage();
    expect(readFileSync(path, 'utf8')).toBe(text);
  });
});

describe('refusals', () => {
  const spoken = Object.entries(REFUSALS)
    .filter(([, { isSpoken }]) => isSpoken)
    .map(([code]) => code);

  it.each(['en', 'fr'] as const)('have words in %s when they can be spoken, and only then', (l) => {
    const codes = [...spokenRefusals(l).keys()];
    expect(new Set(codes)).toEqual(new Set([...spoken, ...DIALOGUE_CODES]));
  });
});

describe('the pages of docs', () => {
  const pages = allFiles('docs').filter((path) => path.endsWith('.md'));

  it('lead only to what exists', () => {
    const broken = pages.flatMap((path) => {
      const links = readFileSync(path, 'utf8').matchAll(/\]\(([^)#:\s]+)(?:#[^)]*)?\)/g);
      return [...links]
        .map(([, to = '']) => join(dirname(path), to))
        .filter((to) => !existsSync(to))
        .map((to) => `${path}: ${to}`);
    });
    expect(broken).toEqual([]);
  });
});
