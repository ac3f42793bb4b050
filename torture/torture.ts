/**
 * `npm run torture -- [--seed N] [--minutes M] [--rate R] [--cards C] [--only KIND[,KIND]]
 *                     [--json FILE]`
 *
 * The product in processes of its own, as an operator runs it, under troubles that the seed
 * decides; then everything is compared. Exit code 0: all was well; 1: it was not; 2: the command
 * was not understood.
 */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { listOption, runCommand, wholeOption, writeReport } from './command.ts';
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
  const minutes = Number(values.minutes);
  if (!(minutes > 0 && minutes <= MINUTES_MAX)) {
    throw new Error(`--minutes must be a number up to ${MINUTES_MAX}`);
  }
  return {
    seed: wholeOption('seed', values.seed, SEED_MAX),
    minutes,
    ratePerSecond: wholeOption('rate', values.rate, RATE_MAX),
    cards: wholeOption('cards', values.cards, CARDS_MAX),
    kinds: listOption('only', values.only, TROUBLE_KINDS),
    json: values.json,
  };
}

async function main(settings: ReturnType<typeof readArguments>, stop: AbortSignal) {
  const { json, ...options } = settings;
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'vip-torture-'));
  const say = (line: string) => console.log(line);
  const result = await runSoak({ ...options, folder, say, stop });
  console.log(describeSoak(options, result));
  writeReport(json, { format: 'vip-torture/1', ...options, ...result });
  const isWell = result.faults.length === 0;
  if (isWell) rmSync(folder, { recursive: true, force: true });
  else console.log(`logs and data kept in ${folder}`);
  return isWell;
}

await runCommand(readArguments, main);
