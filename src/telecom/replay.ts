/**
 * `npm run replay FILE|FOLDER...`: runs provider samples against the readers, one JSON line a
 * sample, the counts at the end. Exits with 1 when a reader contradicts a sample or crashes.
 */

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Replay, replaySample } from './replay-sample.ts';

const NO_SAMPLE: Replay = {
  provider: '',
  message: '',
  outcome: 'contradiction',
  canonical: null,
  error: 'not a sample',
};

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** In a folder, files that are no samples are passed over; named one by one, they are wrong. */
function* samples(path: string): Generator<[string, Replay]> {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined || !found.isDirectory()) {
    const replay = found === undefined ? null : replaySample(readFileSync(path, 'utf8'));
    yield [path, replay ?? NO_SAMPLE];
    return;
  }
  const entries = readdirSync(path, { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const inside = join(path, entry.name);
    if (entry.isDirectory()) {
      yield* samples(inside);
    } else if (entry.name.endsWith('.json')) {
      const replay = replaySample(readFileSync(inside, 'utf8'));
      if (replay !== null) yield [inside, replay];
    }
  }
}

function main(paths: readonly string[]): number {
  if (paths.length === 0) {
    process.stderr.write('usage: npm run replay FILE|FOLDER...\n');
    return 2;
  }
  const counts = { ok: 0, refused: 0, unsupported: 0, contradiction: 0 };
  for (const path of paths) {
    for (const [file, replay] of samples(path)) {
      counts[replay.outcome]++;
      print(JSON.stringify({ file, ...replay }));
    }
  }
  print(`${counts.unsupported} unsupported`);
  print(`${counts.ok + counts.refused} passed, ${counts.contradiction} failed`);
  return counts.contradiction === 0 ? 0 : 1;
}

process.exitCode = main(process.argv.slice(2));
