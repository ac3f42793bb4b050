/**
 * `npm run crash -- [--rounds N] [--seed S] [--rate R] [--seconds T] [--cards C]
 *                   [--kill KIND[,KIND]] [--json FILE]`
 *
 * Kills the real product under load, N times, and compares both sides' books after each time.
 * Exit code 0: every round passed; 1: one did not; 2: the command was not understood.
 */
import { mkdtempSync, realpathSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { KILLS, type Kill, SEED_MAX } from './plan.ts';
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
  const whole = (name: 'rounds' | 'seed' | 'rate' | 'seconds' | 'cards', max: number): number => {
    const value = Number(values[name]);
    if (!Number.isInteger(value) || value < 1 || value > max) {
      throw new Error(`--${name} must be a whole number from 1 to ${max}`);
    }
    return value;
  };
  const kills = values.kill.split(',').map((name): Kill => {
    const kill = KILLS.find((known) => known === name);
    if (!kill) throw new Error(`--kill must be a list of ${KILLS.join(', ')}`);
    return kill;
  });
  return {
    rounds: whole('rounds', ROUNDS_MAX),
    seed: whole('seed', SEED_MAX),
    ratePerSecond: whole('rate', RATE_MAX),
    seconds: whole('seconds', SECONDS_MAX),
    cards: whole('cards', CARDS_MAX),
    kills,
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
  // The round under way is finished, so that nothing is left running.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => stopping.abort());
  }
  const result = await runRounds({
    ...options,
    makeFolder: () => mkdtempSync(join(realpathSync(tmpdir()), 'vip-crash-')),
    onRound: (round, number) => console.log(describeRound(round, number, options.rounds)),
    onKept: (folder) => console.log(`  data kept in ${folder}`),
    stop: stopping.signal,
  });
  if (json) {
    const { kills, ...load } = options;
    const file = { format: 'vip-crash/1', ...load, kills, ...result };
    writeFileSync(json, `${JSON.stringify(file, null, 2)}\n`);
  }
  console.log(`${result.passed} passed, ${result.failed} failed`);
  if (result.failed > 0 || result.passed < options.rounds) process.exitCode = 1;
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
