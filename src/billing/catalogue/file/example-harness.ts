/** The example of a catalogue file, and what is said of it after a change. */
import { readFileSync } from 'node:fs';
import { readCatalogueFile } from './read.ts';

export const EXAMPLE = readFileSync('config/catalogue.example.yaml', 'utf8');
export const LINES = EXAMPLE.split('\n');

/** The problems after a change of the example's text, as `line path: reason (hint)`. */
export function problemsAfter(...changes: [string, string][]): string[] {
  const text = changes.reduce((all, [was, is]) => {
    if (!all.includes(was)) throw new Error(`The example has no ${was}`);
    return all.replace(was, is);
  }, EXAMPLE);
  const read = readCatalogueFile(text);
  if (read.ok) return [];
  return read.problems.map(
    ({ line, path, reason, hint }) =>
      `${line} ${path}: ${reason}${hint === null ? '' : ` (${hint})`}`,
  );
}

/** Line of the example (from 1) on which a text stands first. */
export const lineOf = (text: string): number => LINES.findIndex((line) => line.includes(text)) + 1;
