/**
 * `npm run simulate -- [--seeds N] [--seed S] [--workers W] [--break KIND] [--all]`
 *
 * Lives through N seeds from S on (50 from 1). One seed alone prints what was done and what broke;
 * with `--all`, every statement and message too. Exit code 0: every seed passed; 1: one did not;
 * 2: the command was not understood.
 */
import { parseArgs } from 'node:util';
import { runCommand, wholeOption } from '../command.ts';
import { BREAKS, type Break } from './breaks.ts';
import { describeFailure, describeRun, describeTrace } from './report.ts';
import { runSeeds } from './run.ts';
import type { SeedResult } from './seed.ts';

const SEEDS = '50';
const SEEDS_MAX = 1_000_000;
const SEED_MAX = 2 ** 27;
const WORKERS = '2';
const WORKERS_MAX = 64;
const PROGRESS_EVERY = 50;

function readArguments() {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string' },
      seed: { type: 'string' },
      workers: { type: 'string', default: WORKERS },
      break: { type: 'string' },
      all: { type: 'boolean', default: false },
    },
  });
  const broken = BREAKS.find((known): known is Break => known === values.break);
  if (values.break !== undefined && !broken) {
    throw new Error(`--break must be one of ${BREAKS.join(', ')}`);
  }
  const first = wholeOption('seed', values.seed ?? '1', SEED_MAX);
  const usual = values.seed === undefined ? SEEDS : '1';
  const count = wholeOption('seeds', values.seeds ?? usual, SEEDS_MAX);
  return {
    seeds: Array.from({ length: count }, (_, n) => first + n),
    workers: wholeOption('workers', values.workers, WORKERS_MAX),
    all: values.all,
    broken,
  };
}

async function main(settings: ReturnType<typeof readArguments>, stop: AbortSignal) {
  const { seeds, workers, broken, all } = settings;
  const results: SeedResult[] = [];
  const startedMs = performance.now();
  const isAlone = seeds.length === 1;
  await runSeeds({
    ...{ seeds, workers, stop },
    options: { keepTrace: isAlone, ...(broken ? { broken } : {}) },
    onResult(result) {
      results.push(result);
      if (isAlone) console.log(describeTrace(result, all));
      if (result.faults.length > 0) console.log(describeFailure(result));
      if (results.length % PROGRESS_EVERY === 0) console.log(`${results.length} seeds`);
    },
  });
  console.log(describeRun(results, (performance.now() - startedMs) / 1_000));
  const failed = results.filter(({ faults }) => faults.length > 0).length;
  console.log(`${results.length - failed} passed, ${failed} failed`);
  return failed === 0 && results.length >= seeds.length;
}

await runCommand(readArguments, main);
