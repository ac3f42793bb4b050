/**
 * `npm run properties -- --runs N [--seed S]`: lives of postpaid accounts and of prepaid wallets,
 * made by chance, N for each law. The seed is printed; a law that breaks is shown with the smallest
 * life that breaks it.
 */
import {
  checkLaw as checkPostpaid,
  LAWS as POSTPAID,
} from '../src/billing/postpaid/laws-harness.ts';
import { checkLaw as checkPrepaid, LAWS as PREPAID } from './prepaid/laws.ts';

const RUNS = 1_000;
const SEEDS = 2 ** 31;

interface Trial {
  name: string;
  check(runs: number, seed: number): void | Promise<void>;
}

const TRIALS: readonly Trial[] = [
  ...POSTPAID.map((law) => ({
    name: `postpaid: ${law.name}`,
    check: (runs: number, seed: number) => checkPostpaid(law, runs, seed),
  })),
  ...PREPAID.map((law) => ({
    name: `prepaid: ${law.name}`,
    check: (runs: number, seed: number) => checkPrepaid(law, runs, seed),
  })),
];

function numberAfter(args: readonly string[], name: string): number | undefined {
  const at = args.indexOf(name);
  if (at < 0) return undefined;
  const value = Number(args[at + 1]);
  if (!Number.isSafeInteger(value)) throw new Error(`${name} needs a whole number`);
  return value;
}

async function main(args: readonly string[]): Promise<number> {
  const runs = numberAfter(args, '--runs') ?? RUNS;
  const seed = numberAfter(args, '--seed') ?? Math.floor(Math.random() * SEEDS);
  process.stdout.write(`seed ${seed}\n`);
  let broken = 0;
  for (const { name, check } of TRIALS) {
    try {
      await check(runs, seed);
      process.stdout.write(`holds over ${runs} lives: ${name}\n`);
    } catch (error) {
      broken += 1;
      const { message, cause } = error as Error;
      const reason = cause instanceof Error ? `\n${cause.message}` : '';
      process.stdout.write(`BROKEN: ${name}\n${message}${reason}\n`);
    }
  }
  process.stdout.write(`${TRIALS.length - broken} passed, ${broken} failed\n`);
  return broken === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
