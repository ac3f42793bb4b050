/** The measure of the settlement: pgbench calling one PL/pgSQL function for each payment. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { accountKey, taxOwner } from '../src/billing/ledger/chart.ts';
import { benchPrices, benchTax, type House, PAYBILL } from './house.ts';
import { confirmationOf, receiptOf } from './payments.ts';
import { runTool } from './tools.ts';

const THREADS = 2;
const FUNCTION_FILE = join(import.meta.dirname, 'settle.sql');

/** Makes `bench_settle` in the bench's database; see settle.sql. */
export async function createSettleFunction(house: House): Promise<void> {
  const { owner, site, accounts } = house;
  const idOf = (of: string, kind: 'provider_clearing' | 'deferred_revenue' | 'tax_payable') =>
    String(accounts.get(accountKey({ owner: of, kind, asset: site.currency })));
  const sql = readFileSync(FUNCTION_FILE, 'utf8')
    .replace(':clearing', idOf(`channel:${PAYBILL}`, 'provider_clearing'))
    .replace(':deferred', idOf(`site:${site.id}`, 'deferred_revenue'))
    .replace(':tax', idOf(taxOwner(site.id, benchTax(house).code), 'tax_payable'));
  await owner.query(sql);
  await owner.query('GRANT USAGE ON SEQUENCE bench_id, bench_receipt TO PUBLIC');
  await owner.query('GRANT SELECT ON bench_price TO PUBLIC');
  await writePrices(house);
}

async function writePrices(house: House): Promise<void> {
  for (const { bouquetId, term, price, taxCode, taxPpm, products } of benchPrices(house)) {
    const values = [bouquetId, term, price, taxCode, taxPpm, products];
    await house.owner.query('INSERT INTO bench_price VALUES ($1, $2, $3, $4, $5, $6)', values);
  }
}

/**
 * pgbench's script: a random customer's card with its Luhn digit, a fresh receipt, a raw body of
 * the usual length. The digits are reckoned by pgbench itself; the database is not asked for them.
 */
export function pgbenchScript(customers: number): string {
  const raw = Buffer.from(confirmationOf(receiptOf('UAA', 0), 0)).toString('hex');
  const digits = Array.from({ length: 10 }, (_, i) => `:c / ${10 ** (9 - i)} % 10`);
  // From the right, every other digit counts double, and above nine less nine.
  const weighed = digits.map((digit, i) =>
    i % 2 === 1 ? `(2 * (${digit}) - 9 * ((${digit}) / 5))` : `(${digit})`,
  );
  return [
    `\\set n random(0, ${customers - 1})`,
    '\\set c 4020000000 + :n',
    `\\set card :c * 10 + (10 - (${weighed.join(' + ')}) % 10) % 10`,
    '\\set amount 65000 + 100000 * (:n % 2)',
    "SELECT bench_settle('P' || lpad(nextval('bench_receipt')::text, 9, '0'), :card::text,",
    `  :amount, '\\x${raw}', now());`,
    '',
  ].join('\n');
}

export interface PgbenchRun {
  url: string;
  /** Where the script is written. */
  folder: string;
  customers: number;
  clients: number;
  seconds: number;
}

/** Payments per second of one pgbench run, without the time to connect. */
export async function runPgbench(run: PgbenchRun): Promise<number> {
  const { hostname, port, username, password, pathname } = new URL(run.url);
  const file = join(run.folder, 'settle.pgbench');
  writeFileSync(file, pgbenchScript(run.customers));
  const wanted = ['-n', '-M', 'prepared', '-j', String(THREADS), '-c', String(run.clients)];
  const where = ['-h', hostname, '-p', port, '-U', decodeURIComponent(username)];
  const args = [...wanted, '-T', String(run.seconds), '-f', file, ...where, pathname.slice(1)];
  const said = await runTool('pgbench', args, { PGPASSWORD: decodeURIComponent(password) });
  const failed = Number(/number of failed transactions: (\d+)/.exec(said)?.[1] ?? 0);
  const tps = Number(/tps = ([\d.]+) \(without/.exec(said)?.[1]);
  if (failed > 0 || !(tps > 0)) throw new Error(`pgbench did not do its work: ${said}`);
  return tps;
}
