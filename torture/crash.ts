/**
 * `npm run crash -- [--rounds N] [--seed S] [--rate R] [--seconds T] [--cards C]
 *                   [--kill KIND[,KIND]] [--json FILE]`
 *
 * Kills the real product under load, N times, and compares both sides' books after each time.
 * Exit code 0: every round passed; 1: one did not; 2: the command was not understood.
 */
import { mkdtempSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { listOption, runCommand, wholeOption, writeReport } from './command.ts';
import { KILLS, SEED_MAX } from './plan.ts';
import { describeRound } from './report.ts';
import { runRounds } from './run.ts';

const ROUNDS_MAX = 10_000;
const RATE_MAX = 5_000;
const SECONDS_MAX = 600;
const CARDS_MAX = 100_000;

function readArguments() {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '20' },
      seed: { type: 'string', default: '1' },
      rate: { type: 'string', default: '300' },
      seconds: { type: 'string', default: '10' },
      cards: { type: 'string', default: '400' },
      kill: { type: 'string', default: KILLS.join(',') },
      json: { type: 'string' },
    },
  });
  return {
    rounds: wholeOption('rounds', values.rounds, ROUNDS_MAX),
    seed: wholeOption('seed', values.seed, SEED_MAX),
    ratePerSecond: wholeOption('rate', values.rate, RATE_MAX),
    seconds: wholeOption('seconds', values.seconds, SECONDS_MAX),
    cards: wholeOption('cards', values.cards, CARDS_MAX),
    kills: listOption('kill', values.kill, KILLS),
    json: values.json,
  };
}

async function main(settings: ReturnType<typeof readArguments>, stop: AbortSignal) {
  const { json, ...options } = settings;
  const result = await runRounds({
    ...options,
    makeFolder: () => mkdtempSync(join(realpathSync(tmpdir()), 'vip-crash-')),
    onRound: (round, number) => console.log(describeRound(round, number, options.rounds)),
    onKept: (folder) => console.log(`  data kept in ${folder}`),
    // The round under way is finished, so that nothing is left running.
    stop,
  });
  writeReport(json, { format: 'vip-crash/1', ...options, ...result });
  console.log(`${result.passed} passed, ${result.failed} failed`);
  return result.failed === 0 && result.passed >= options.rounds;
}

await runCommand(readArguments, main);
