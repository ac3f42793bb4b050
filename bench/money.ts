/** Payments a second: the settlement in this process, the gateway over HTTP, and pgbench. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gatewayTask } from './gateway-task.ts';
import {
  type Database,
  furnish,
  type House,
  hook,
  openHouse,
  openPool,
  PAYBILL,
  startDatabase,
} from './house.ts';
import {
  format,
  interleave,
  median,
  type Plan,
  type Result,
  resultOf,
  type Variant,
} from './measure.ts';
import type { OpenLoopAnswer, OpenLoopTask } from './open-loop.ts';
import { freshDay, pay } from './payments.ts';
import { createSettleFunction, runPgbench } from './pgbench.ts';
import { type Helper, startHelper } from './tools.ts';
import { runWrk } from './wrk.ts';

const CUSTOMERS = 20_000;
const CALLERS = 256;
const CONNECTIONS = 128;
const PGBENCH_CLIENTS = [8, 16, 32];
/** What a payment may take at half the gateway's capacity. */
const P99_MS_MAX = 50;

export async function benchMoney(wanted: ReadonlySet<string>, plan: Plan): Promise<Result[]> {
  const database = await startDatabase();
  const folder = mkdtempSync(join(tmpdir(), 'vip-billing-bench-files-'));
  try {
    const house = await openHouse(database);
    try {
      await furnish(house, CUSTOMERS);
      await createSettleFunction(house);
      return await compare(wanted, plan, { database, house, folder });
    } finally {
      await house.close();
    }
  } finally {
    await database.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Stage {
  database: Database;
  house: House;
  folder: string;
}

async function compare(wanted: ReadonlySet<string>, plan: Plan, stage: Stage): Promise<Result[]> {
  const { house } = stage;
  const ours = house.openSettlement();
  const silent = house.openSettlement({ ...house.ports, messagesFor: () => null });
  const gateway = await startGateway(stage);
  const superuser = openPool(stage.database.superUrl, 1);
  try {
    const all: Record<string, Variant['run']> = {
      settlement: (seconds) => settlePerSecond(house, ours, seconds),
      'payments-http': (seconds) => httpPerSecond(gateway.answer.url, seconds),
      queue: (seconds) => settlePerSecond(house, silent, seconds),
    };
    const needed = new Set(wanted);
    if (wanted.has('payments-http-p99')) needed.add('payments-http');
    if (wanted.has('queue')) needed.add('settlement');
    const variants = Object.entries(all).flatMap(([name, run]) =>
      needed.has(name) ? [{ name, run }] : [],
    );
    // The first payments fill tables that Postgres plans for as it knows them then.
    await payEachOnce(house, ours);
    const prepare = async () => {
      await house.owner.query('VACUUM ANALYZE');
      await superuser.query('CHECKPOINT');
      await payEachOnce(house, ours);
    };
    const figures = await interleave([...pgbenches(stage), ...variants], plan, prepare);
    const results = resultsOf(figures);
    if (wanted.has('payments-http-p99')) {
      const half = median(figures.get('payments-http') ?? []) / 2;
      results.push(await latencyAt(half, gateway.answer.url, plan, prepare));
    }
    await expectAllSettled(house);
    return results.filter(({ name }) => wanted.has(name));
  } finally {
    await gateway.stop();
    await Promise.all([ours.close(), silent.close(), superuser.end()]);
  }
}

/** An answer of 200 may also mean that the money's owner is not known: then less was done. */
async function expectAllSettled({ owner }: House): Promise<void> {
  const { rows } = await owner.query(
    "SELECT count(*)::int AS others FROM inbox WHERE state <> 'settled'",
  );
  if (rows[0].others > 0) throw new Error(`${rows[0].others} payments did not settle`);
}

function startGateway({ database, folder }: Stage): Promise<Helper<{ url: string }>> {
  return startHelper('gateway.ts', gatewayTask(database, folder));
}

const pgbenches = ({ database, folder }: Stage): Variant[] =>
  PGBENCH_CLIENTS.map((clients) => ({
    name: `pgbench ${clients}`,
    run: (seconds) =>
      runPgbench({ url: database.appUrl, folder, customers: CUSTOMERS, clients, seconds }),
  }));

/** Payments a second against the best of the pgbench runs of the same rounds. */
function resultsOf(figures: ReadonlyMap<string, number[]>): Result[] {
  const of = (name: string): number[] => figures.get(name) ?? [];
  const best = Math.max(...PGBENCH_CLIENTS.map((clients) => median(of(`pgbench ${clients}`))));
  const results = ['settlement', 'payments-http']
    .filter((name) => figures.has(name))
    .map((name) => resultOf(name, 'payments/s', of(name), best));
  if (figures.has('queue')) {
    // What the rows of texts and screens cost: settlement with them against settlement without.
    results.push(resultOf('queue', 'payments/s', of('settlement'), median(of('queue'))));
  }
  return results;
}

async function latencyAt(
  perSecond: number,
  url: string,
  { rounds, seconds }: Plan,
  prepare: () => Promise<void>,
): Promise<Result> {
  const latencies: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    await prepare();
    const task: OpenLoopTask = {
      url,
      path: `${hook(PAYBILL)}/confirm`,
      customers: CUSTOMERS,
      day: freshDay(),
      perSecond,
      seconds,
    };
    const driver = await startHelper<OpenLoopAnswer>('open-loop.ts', task);
    await driver.stop();
    const { sent, failed, p50Ms, p99Ms, maxMs } = driver.answer;
    if (failed > 0) throw new Error(`${failed} of ${sent} payments failed`);
    latencies.push(p99Ms);
    const [p50, p99, max] = [p50Ms, p99Ms, maxMs].map(format);
    process.stderr.write(
      `  round ${round}: ${format(perSecond)} payments/s, p50 ${p50} p99 ${p99} max ${max} ms\n`,
    );
  }
  return resultOf('payments-http-p99', 'ms', latencies, P99_MS_MAX);
}

const httpPerSecond = (url: string, seconds: number): Promise<number> =>
  runWrk({
    what: 'payments',
    url,
    path: `${hook(PAYBILL)}/confirm`,
    customers: CUSTOMERS,
    connections: CONNECTIONS,
    seconds,
  });

/**
 * Every page that payments change is changed once after the checkpoint, so that no variant pays
 * for the full-page images of another.
 */
async function payEachOnce(house: House, settlement: ReturnType<House['openSettlement']>) {
  let n = 0;
  const next = () => (n < CUSTOMERS ? n++ : null);
  await pay({ settlement, siteId: house.site.id, callers: CALLERS, day: freshDay(), next });
}

async function settlePerSecond(
  house: House,
  settlement: ReturnType<House['openSettlement']>,
  seconds: number,
): Promise<number> {
  const startMs = performance.now();
  const endMs = startMs + seconds * 1000;
  const next = () => (performance.now() < endMs ? Math.floor(Math.random() * CUSTOMERS) : null);
  const load = { settlement, siteId: house.site.id, callers: CALLERS, day: freshDay(), next };
  const settled = await pay(load);
  return settled / ((performance.now() - startMs) / 1000);
}
