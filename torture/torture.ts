/**
 * `npm run torture -- [--seed N] [--minutes M] [--rate R] [--cards C] [--only KIND[,KIND]]
 *                     [--json FILE]`
 *
 * The product in processes of its own, as an operator runs it, under troubles that the seed
 * decides; then everything is compared. Exit code 0: all was well; 1: it was not; 2: the command
 * was not understood.
 */
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { SEED_MAX } from './plan.ts';
import { runSoak } from './soak.ts';
import { describeSoak } from './soak-report.ts';
import { TROUBLE_KINDS, USUAL_KINDS } from './troubles.ts';

const MINUTES_MAX = 24 * 60;
const RATE_MAX = 1_000;
const CARDS_MAX = 10_000;

function readArguments() {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: '1' },
      minutes: { type: 'string', default: '5' },
      rate: { type: 'string', default: '20' },
      cards: { type: 'string', default: '200' },
      only: { type: 'string', default: USUAL_KINDS.join(',') },
      json: { type: 'string' },
    },
  });
  const number = (name: 'seed' | 'minutes' | 'rate' | 'cards', max: number): number => {
    const value = Number(values[name]);
    const isRight = name === 'minutes' ? value > 0 : Number.isInteger(value) && value >= 1;
    if (!isRight || value > max) throw new Error(`--${name} must be a number up to ${max}`);
    return value;
  };
  const kinds = values.only.split(',').map((name) => {
    const kind = TROUBLE_KINDS.find((known) => known === name);
    if (!kind) throw new Error(`--only must be a list of ${TROUBLE_KINDS.join(', ')}`);
    return kind;
  });
  return {
    seed: number('seed', SEED_MAX),
    minutes: number('minutes', MINUTES_MAX),
    ratePerSecond: number('rate', RATE_MAX),
    cards: number('cards', CARDS_MAX),
    kinds,
    json: values.json,
  };
}

async function main(): Promise<void> {
  let settings: ReturnType<typeof readArguments>;
  try {
    settings = readArguments();
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 2;
    return;
  }
  const { json, ...options } = settings;
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => stopping.abort());
  }
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'vip-torture-'));
  const say = (line: string) => console.log(line);
  const result = await runSoak({ ...options, folder, say, stop: stopping.signal });
  console.log(describeSoak(options, result));
  if (json) {
    const file = { format: 'vip-torture/1', ...options, ...result };
    writeFileSync(json, `${JSON.stringify(file, null, 2)}\n`);
  }
  if (result.faults.length === 0) {
    rmSync(folder, { recursive: true, force: true });
    return;
  }
  console.log(`logs and data kept in ${folder}`);
  process.exitCode = 1;
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
