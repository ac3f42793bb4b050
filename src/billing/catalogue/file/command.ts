/** The command for catalogue files: `check FILE`, and `diff OLD NEW`. */
import { diffCatalogues } from './diff.ts';
import { type CatalogueRead, readCatalogueFile } from './read.ts';

export interface Spoken {
  /** 0: sound, 1: a file has problems, 2: not called like that. */
  exitCode: 0 | 1 | 2;
  out: string;
  error: string;
}

const USAGE = 'usage: catalogue check FILE | catalogue diff OLD NEW\n';

/** Does what `words` say. `read` gives the text of a file and may throw; `today` is a date. */
export function catalogueCommand(
  words: readonly string[],
  read: (path: string) => string,
  today: string,
): Spoken {
  const [command, first, second] = words;
  if (command === 'check' && first !== undefined && words.length === 2) {
    return check(first, readCatalogueFile(read(first)));
  }
  if (command === 'diff' && first !== undefined && second !== undefined && words.length === 3) {
    const before = readCatalogueFile(read(first));
    const after = readCatalogueFile(read(second));
    if (!before.ok) return refusal(first, before);
    if (!after.ok) return refusal(second, after);
    const sentences = diffCatalogues(before.catalogue, after.catalogue, today);
    return said(sentences.length === 0 ? 'Nothing changes.' : sentences.join('\n'));
  }
  return { exitCode: 2, out: '', error: USAGE };
}

const said = (text: string): Spoken => ({ exitCode: 0, out: `${text}\n`, error: '' });

function check(path: string, read: CatalogueRead): Spoken {
  if (!read.ok) return refusal(path, read);
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
function refusal(path: string, { problems }: Extract<CatalogueRead, { ok: false }>): Spoken {
  const lines = problems.map(({ line, column, path: place, reason, hint }) => {
    const why = hint === null ? reason : `${reason} (${hint})`;
    return `${path}:${line}:${column} ${place === '' ? 'file' : place}: ${why}\n`;
  });
  return { exitCode: 1, out: '', error: lines.join('') };
}
