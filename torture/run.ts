/** Rounds one after the other on the same data; after a failed one the next start from nothing. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createPool } from '../src/platform/database/pool.ts';
import { silentLogger } from '../src/platform/log.ts';
import { readClearing } from './check.ts';
import { addCustomers } from './customers.ts';
import { createDialler } from './dialler.ts';
import { createHouse, type House } from './house.ts';
import { createOperator } from './operator.ts';
import { KILLS, type Kill, planRound } from './plan.ts';
import { seededRandom } from './random.ts';
import { type RoundResult, runRound, type World } from './round.ts';

export interface RunOptions {
  rounds: number;
  /** Of the first round; each round's seed is one more than the one before. */
  seed: number;
  ratePerSecond: number;
  seconds: number;
  cards: number;
  kills?: readonly Kill[];
  /** A new, empty folder for one house. */
  makeFolder(): string;
  onRound?(result: RoundResult, round: number): void;
  onKept?(folder: string): void;
  /** Between rounds, an abort ends the run. */
  stop?: AbortSignal;
}

export interface RunResult {
  rounds: RoundResult[];
  passed: number;
  failed: number;
}

/** Starts a house with customers, and an operator with empty books. */
export async function openWorld(folder: string, seed: number, cards: number): Promise<World> {
  const house = await createHouse(folder);
  try {
    await house.start();
    const customers = await addCustomers(house.databaseUrl('app'), cards);
    const pool = createPool({
      url: house.databaseUrl('app'),
      max: 1,
      name: 'torture-opening',
      logger: silentLogger,
    });
    const opening = await readClearing(pool).finally(() => pool.end());
    const operator = createOperator(() => house.demo());
    const dialler = createDialler(() => house.demo(), seededRandom(seed));
    return { house, operator, dialler, customers, opening };
  } catch (error) {
    await house.stop();
    throw error;
  }
}

/** Stops everything of a world; false when the product did not stop well. */
export async function closeWorld(world: World): Promise<boolean> {
  world.operator.close();
  return (await world.house.stop()) === 0;
}

/** Runs the rounds; a failed one keeps its folder, with the operator's books in it. */
export async function runRounds(options: RunOptions): Promise<RunResult> {
  const results: RoundResult[] = [];
  let world: World | null = null;
  try {
    for (let n = 0; n < options.rounds && !options.stop?.aborted; n += 1) {
      const seed = options.seed + n;
      world ??= await openWorld(options.makeFolder(), seed, options.cards);
      const isLast = n === options.rounds - 1;
      const result = await play(world, options, seed);
      if (isLast || result.faults.length > 0) {
        if (!(await closeWorld(world))) result.faults.push('the product did not stop well');
        tidy(world, result, options);
        world = null;
      }
      results.push(result);
      options.onRound?.(result, n + 1);
    }
  } finally {
    if (world) {
      await closeWorld(world);
      removeFolder(world.house);
    }
  }
  const failed = results.filter(({ faults }) => faults.length > 0).length;
  return { rounds: results, passed: results.length - failed, failed };
}

async function play(world: World, options: RunOptions, seed: number): Promise<RoundResult> {
  const plan = planRound(seed, {
    ratePerSecond: options.ratePerSecond,
    seconds: options.seconds,
    shortCode: world.house.demo().paybill.shortCode,
    customers: world.customers,
    kills: options.kills ?? KILLS,
    now: new Date(),
  });
  return runRound(world, plan);
}

function tidy(world: World, result: RoundResult, options: RunOptions): void {
  if (result.faults.length === 0) {
    removeFolder(world.house);
    return;
  }
  const { folder } = world.house;
  const books = { result, lines: [...world.operator.lines.values()] };
  const text = JSON.stringify(books, (_key, value) =>
    typeof value === 'bigint' ? value.toString() : value,
  );
  writeFileSync(join(folder, 'operator-books.json'), text, { mode: 0o600 });
  options.onKept?.(folder);
}

function removeFolder(house: House): void {
  rmSync(house.folder, { recursive: true, force: true });
}
