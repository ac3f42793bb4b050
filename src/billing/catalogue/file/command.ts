/** The command for catalogue files: what its words mean, and what is said in answer. */
import { diffCatalogues } from './diff.ts';
import type { Problem } from './problems.ts';
import { type CatalogueRead, readCatalogueFile } from './read.ts';

export interface Spoken {
  /** 0: done, 1: a file has problems or is refused, 2: not called like that. */
  exitCode: 0 | 1 | 2;
  out: string;
  error: string;
}

/** What came of publishing a text that can be read. */
export type Publishing =
  | { ok: true; isNew: boolean; changes: readonly string[] }
  | { ok: false; error: 'catalogue_unreadable'; problems: readonly Problem[] }
  | { ok: false; error: 'catalogue_in_use' | 'catalogue_past'; reasons: readonly string[] }
  | { ok: false; error: 'catalogue_changed' };

export interface CommandPorts {
  /** The text of a file; may throw. */
  read(path: string): string;
  /** A local date: what has come by then is past. */
  today: string;
  publish(text: string, how: { note: string; allowPast: boolean }): Promise<Publishing>;
  /** The text in force, null before the first. */
  show(): Promise<string | null>;
}

const USAGE = `usage:
  catalogue check FILE
  catalogue diff OLD NEW
  catalogue publish FILE [--note TEXT] [--allow-past]
  catalogue show
`;
const NOT_SO: Spoken = { exitCode: 2, out: '', error: USAGE };

/** Does what `words` say. Rejects when a port does. */
export async function catalogueCommand(
  words: readonly string[],
  ports: CommandPorts,
): Promise<Spoken> {
  const [command, ...rest] = words;
  const [first, second] = rest;
  if (command === 'check' && first !== undefined && rest.length === 1) {
    return check(first, readCatalogueFile(ports.read(first)));
  }
  if (command === 'diff' && first !== undefined && second !== undefined && rest.length === 2) {
    return diff([first, second], ports);
  }
  if (command === 'publish') return publish(rest, ports);
  if (command === 'show' && rest.length === 0) {
    const text = await ports.show();
    if (text !== null) return { exitCode: 0, out: text, error: '' };
    return { exitCode: 1, out: '', error: 'No catalogue has been published.\n' };
  }
  return NOT_SO;
}

const said = (text: string): Spoken => ({ exitCode: 0, out: `${text}\n`, error: '' });
const refused = (lines: readonly string[]): Spoken => ({
  exitCode: 1,
  out: '',
  error: lines.map((line) => `${line}\n`).join(''),
});

function diff([first, second]: readonly [string, string], { read, today }: CommandPorts): Spoken {
  const before = readCatalogueFile(read(first));
  const after = readCatalogueFile(read(second));
  if (!before.ok) return refusal(first, before.problems);
  if (!after.ok) return refusal(second, after.problems);
  return changesIn(diffCatalogues(before.catalogue, after.catalogue, today));
}

const changesIn = (sentences: readonly string[]): Spoken =>
  said(sentences.length === 0 ? 'Nothing changes.' : sentences.join('\n'));

function check(path: string, read: CatalogueRead): Spoken {
  if (!read.ok) return refusal(path, read.problems);
  const { countries, sites, products } = read.catalogue;
  const versions = [...products.values()].flatMap(({ prices }) => [...prices.values()].flat());
  const counts = [
    `${countries.size} countries`,
    `${sites.size} sites`,
    `${products.size} products`,
    `${versions.length} prices`,
  ];
  return said(`${path}: ${counts.join(', ')}, no problems.`);
}

/** One line a problem, as compilers do, so that editors find the place. */
const refusal = (path: string, problems: readonly Problem[]): Spoken =>
  refused(problems.map((problem) => `${path}:${problem.line}:${problem.column} ${told(problem)}`));

/** Place, reason and hint of a problem. */
export function told({ path, reason, hint }: Problem): string {
  const why = hint === null ? reason : `${reason} (${hint})`;
  return `${path === '' ? 'file' : path}: ${why}`;
}

/** `FILE`, and options in any order; null when they are anything else. */
function publishWords(words: readonly string[]) {
  const given = { path: '', note: '', allowPast: false };
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? '';
    const next = words[i + 1];
    if (word === '--allow-past') given.allowPast = true;
    else if (word === '--note' && next !== undefined) {
      given.note = next;
      i += 1;
    } else if (word.startsWith('--') || given.path !== '') return null;
    else given.path = word;
  }
  return given.path === '' ? null : given;
}

async function publish(words: readonly string[], ports: CommandPorts): Promise<Spoken> {
  const given = publishWords(words);
  if (!given) return NOT_SO;
  const done = await ports.publish(ports.read(given.path), given);
  if (done.ok) {
    if (!done.isNew) return said(`${given.path} is in force already.`);
    return said([`${given.path} is in force.`, ...done.changes].join('\n'));
  }
  if (done.error === 'catalogue_unreadable') return refusal(given.path, done.problems);
  if (done.error === 'catalogue_changed') return refused(['Somebody else has published since.']);
  const hint =
    done.error === 'catalogue_past'
      ? ['Prices of days that have come: --allow-past publishes them; what was sold keeps its own.']
      : [];
  return refused([...done.reasons, ...hint]);
}
