/**
 * A night of renewals and a morning of invoices, against set-based SQL that writes the same rows
 * into a copy of the same database. The work is done by a process of its own.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import { contracts } from './contracts.ts';
import { copyDatabase, type Urls } from './copies.ts';
import { furnish, type House, openHouse, openPool, startDatabase } from './house.ts';
import { format, type Plan, type Result, resultOf } from './measure.ts';
import { months } from './months.ts';
import { expectFigures, type Night, type NightReport, type NightTask } from './night.ts';
import { startHelper } from './tools.ts';

const NIGHTS = { 'renewals-prepaid': months, 'renewals-postpaid': contracts } as const;
type Figure = keyof typeof NIGHTS;

/** How many customers there are, how many of them are due, and how many of those SQL does. */
const SIZES = {
  small: {
    'renewals-prepaid': { customers: 20_000, due: 20_000, slice: 20_000 },
    'renewals-postpaid': { customers: 4_000, due: 4_000, slice: 4_000 },
  },
  full: {
    'renewals-prepaid': { customers: 1_000_000, due: 1_000_000, slice: 100_000 },
    'renewals-postpaid': { customers: 100_000, due: 100_000, slice: 100_000 },
  },
} as const;

/** Customers whose month is not due: they pay while so many others are renewed. */
const PAYERS = 10_000;
const RENEWED_MEANWHILE = 20_000;
const PAYMENTS_PER_SECOND = 20;
const PAYMENT_P99_MS_MAX = 50;
const RESTARTED = { 'renewals-prepaid': 20_000, 'renewals-postpaid': 10_000 } as const;
const KILLS = 5;
const KILL_MS = { min: 100, max: 1_000 };
/** Subscriptions that one statement of the baseline renews. */
const BASELINE_CHUNK = 2_000;
const BASELINE_CONNECTIONS = [1, 2] as const;
const BASELINE_FIRST_ID = 50_000_000_000;

/**
 * `renewals-prepaid`, `renewals-postpaid`: work done a second, and memory. `renewals-payments`: how
 * long payments wait meanwhile. `renewals-restart`: ended anywhere, it is done once.
 */
export async function benchRenewals(wanted: ReadonlySet<string>, plan: Plan): Promise<Result[]> {
  const results: Result[] = [];
  for (const figure of Object.keys(NIGHTS) as Figure[]) {
    if (wanted.has(figure)) results.push(...(await benchNight(figure, plan)));
  }
  if (wanted.has('renewals-payments')) results.push(await benchPayments());
  if (wanted.has('renewals-restart')) results.push(...(await benchRestart()));
  return results;
}

async function benchNight(figure: Figure, { size }: Plan): Promise<Result[]> {
  const night = NIGHTS[figure];
  const { customers, due, slice } = SIZES[size][figure];
  const database = await startDatabase();
  try {
    await timed(`${due} sold`, () => sell(night, database, { customers, due }));
    const copy = await copyDatabase(database, 'vip_baseline');
    const baseline = await runBaseline(night, copy, slice);
    await settleDown(database);
    const report = await work({ ...database, kind: night.kind, total: due, payers: null });
    await timed('checked', async () => {
      for (const urls of [database, copy]) await settleDown(urls);
      const [ours, theirs] = [await look(night, database, slice), await look(night, copy, slice)];
      expectFigures(`${figure}: product and baseline differ`, ours, theirs);
      await withSuperuser(database, (superuser) => night.expectDone(superuser, due));
    });
    return resultsOf(figure, report, baseline);
  } finally {
    await database.stop();
  }
}

const look = (night: Night, urls: Urls, count: number) =>
  withSuperuser(urls, (superuser) => night.figures(superuser, count));

async function timed(what: string, act: () => Promise<void>): Promise<void> {
  const startMs = performance.now();
  await act();
  process.stderr.write(`  ${what}: ${format((performance.now() - startMs) / 1000)} s\n`);
}

async function sell(
  night: Night,
  urls: Urls,
  { customers, due }: { customers: number; due: number },
): Promise<void> {
  const withoutChecks = new URL(urls.superUrl);
  // The rows refer to what was just written: checking millions of them one by one proves nothing.
  withoutChecks.searchParams.set('options', '-c session_replication_role=replica');
  await withHouse(urls, (house) =>
    withSuperuser({ superUrl: withoutChecks.href }, async (superuser) => {
      await furnish({ ...house, owner: superuser }, customers);
      await night.sell(house, superuser, due);
    }),
  );
}

async function withHouse<T>(urls: Urls, act: (house: House) => Promise<T>): Promise<T> {
  const house = await openHouse(urls);
  try {
    return await act(house);
  } finally {
    await house.close();
  }
}

async function withSuperuser<T>(
  { superUrl }: Pick<Urls, 'superUrl'>,
  act: (superuser: pg.Pool) => Promise<T>,
): Promise<T> {
  const superuser = openPool(superUrl, 1);
  try {
    return await act(superuser);
  } finally {
    await superuser.end();
  }
}

const settleDown = (urls: Urls) =>
  withSuperuser(urls, async (superuser) => {
    await superuser.query('VACUUM ANALYZE');
    await superuser.query('CHECKPOINT');
  });

/** How many a second set-based SQL does: the better of one connection and two. */
async function runBaseline(night: Night, urls: Urls, slice: number): Promise<number> {
  await settleDown(urls);
  const sql = await withHouse(urls, async (house) => night.baseline(house));
  const share = slice / BASELINE_CONNECTIONS.length;
  const rates: number[] = [];
  let chunk = 0;
  for (const connections of BASELINE_CONNECTIONS) {
    const app = openPool(urls.appUrl, connections);
    let left = share;
    const connection = async () => {
      while (left > 0) {
        const count = Math.min(left, BASELINE_CHUNK);
        left -= count;
        const firstId = BASELINE_FIRST_ID + BASELINE_CHUNK * sql.idsEach * chunk++;
        const values = [count, night.at, firstId, ...sql.values];
        const { rowCount } = await app.query({ name: 'baseline', text: sql.text, values });
        if (rowCount !== count) throw new Error(`The baseline did ${rowCount} of ${count}`);
      }
    };
    const startMs = performance.now();
    await Promise.all(Array.from({ length: connections }, connection));
    const rate = share / ((performance.now() - startMs) / 1000);
    process.stderr.write(`  SQL over ${connections} connections: ${format(rate)} ${night.unit}\n`);
    rates.push(rate);
    await app.end();
  }
  return Math.max(...rates);
}

async function work(task: NightTask): Promise<NightReport> {
  const worker = await startHelper('night-worker.ts', task);
  try {
    return await worker.ask<NightReport>();
  } finally {
    await worker.stop();
  }
}

function resultsOf(figure: Figure, report: NightReport, baseline: number): Result[] {
  const { done, seconds, memory } = report;
  const night = NIGHTS[figure];
  const of = (name: string, unit: string, value: number, against: number) =>
    resultOf(`${figure}${name}`, unit, [value], against);
  const [first, last] = [memory.at(0), memory.at(-1)];
  const results = [of('', night.unit, done / seconds, baseline)];
  if (first && last) {
    results.push(of('-rss', 'MB', last.rssMb, first.rssMb));
    results.push(of('-heap', 'MB', last.heapMb, first.heapMb));
  }
  return results;
}

/** Payments that come in while others are renewed, on a database of their own. */
async function benchPayments(): Promise<Result> {
  const database = await startDatabase();
  const due = RENEWED_MEANWHILE;
  try {
    await sell(months, database, { customers: due + PAYERS, due });
    await settleDown(database);
    const payers = { first: due, count: PAYERS, perSecond: PAYMENTS_PER_SECOND };
    const { latenciesMs } = await work({ ...database, kind: 'prepaid', total: due, payers });
    await withSuperuser(database, (superuser) => months.expectDone(superuser, due));
    const sorted = latenciesMs.sort((a, b) => a - b);
    const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN;
    const [p50, p99, max] = [at(0.5), at(0.99), at(1)];
    process.stderr.write(
      `  ${sorted.length} payments: p50 ${format(p50)} p99 ${format(p99)} max ${format(max)} ms\n`,
    );
    return resultOf('renewals-payments-p99', 'ms', [p99], PAYMENT_P99_MS_MAX);
  } finally {
    await database.stop();
  }
}

/** Ends the worker at random moments, then lets it finish: all is done once, and then nothing. */
async function benchRestart(): Promise<Result[]> {
  const database = await startDatabase();
  try {
    await withHouse(database, async () => undefined);
    const empty = await copyDatabase(database, 'vip_empty');
    const results: Result[] = [];
    for (const figure of Object.keys(NIGHTS) as Figure[]) {
      const urls = figure === 'renewals-prepaid' ? database : empty;
      results.push(await restart(figure, urls));
    }
    return results;
  } finally {
    await database.stop();
  }
}

async function restart(figure: Figure, urls: Urls): Promise<Result> {
  const night = NIGHTS[figure];
  const total = RESTARTED[figure];
  await sell(night, urls, { customers: total, due: total });
  const task: NightTask = { ...urls, kind: night.kind, total, payers: null };
  for (let n = 0; n < KILLS; n++) {
    const worker = await startHelper('night-worker.ts', task);
    const asked = worker.ask().catch(() => undefined);
    await pause(KILL_MS.min + Math.random() * (KILL_MS.max - KILL_MS.min));
    await worker.kill();
    await asked;
  }
  const last = await work(task);
  if (last.done === 0) throw new Error(`${figure}: nothing was left after ${KILLS} kills`);
  await withSuperuser(urls, (superuser) => night.expectDone(superuser, total));
  const before = await look(night, urls, total);
  const again = await work(task);
  expectFigures(`${figure}: a second run wrote`, await look(night, urls, total), before);
  if (again.done > 0) throw new Error(`${figure}: a second run did ${again.done}`);
  process.stderr.write(`  ${figure}: ${KILLS} kills, ${last.done} of ${total} left to the last\n`);
  return resultOf(`${figure.replace('renewals', 'restart')}`, 'done once', [total], total);
}
