/**
 * `npm run properties -- --runs N [--seed S]`: lives of postpaid accounts and of prepaid wallets,
 * made by chance, N for each law. The seed is printed; a law that breaks is shown with the smallest
 * life that breaks it. Laws are tried side by side, one on each core.
 */
import { availableParallelism } from 'node:os';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
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

/** One law to be tried, by its place in `TRIALS`. */
interface Order {
  trial: number;
  runs: number;
  seed: number;
}

/** How the law broke; null when it held. */
type Verdict = string | null;

async function judge({ trial, runs, seed }: Order): Promise<Verdict> {
  try {
    await TRIALS[trial]?.check(runs, seed);
    return null;
  } catch (error) {
    const { message, cause } = error as Error;
    return cause instanceof Error ? `${message}\n${cause.message}` : message;
  }
}

function numberAfter(args: readonly string[], name: string): number | undefined {
  const at = args.indexOf(name);
  if (at < 0) return undefined;
  const value = Number(args[at + 1]);
  if (!Number.isSafeInteger(value)) throw new Error(`${name} needs a whole number`);
  return value;
}

/** Answers one order after another in a thread of its own. */
function ask(worker: Worker, order: Order): Promise<Verdict> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.postMessage(order);
  });
}

async function main(args: readonly string[]): Promise<number> {
  const runs = numberAfter(args, '--runs') ?? RUNS;
  const seed = numberAfter(args, '--seed') ?? Math.floor(Math.random() * SEEDS);
  process.stdout.write(`seed ${seed}\n`);
  const open = [...TRIALS.keys()];
  let broken = 0;
  const work = async (): Promise<void> => {
    const worker = new Worker(new URL(import.meta.url));
    for (let trial = open.shift(); trial !== undefined; trial = open.shift()) {
      const verdict = await ask(worker, { trial, runs, seed });
      const name = TRIALS[trial]?.name;
      if (verdict !== null) broken += 1;
      process.stdout.write(
        verdict === null ? `holds over ${runs} lives: ${name}\n` : `BROKEN: ${name}\n${verdict}\n`,
      );
    }
    await worker.terminate();
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  process.stdout.write(`${TRIALS.length - broken} passed, ${broken} failed\n`);
  return broken === 0 ? 0 : 1;
}

if (isMainThread) process.exitCode = await main(process.argv.slice(2));
else parentPort?.on('message', async (order) => parentPort?.postMessage(await judge(order)));
