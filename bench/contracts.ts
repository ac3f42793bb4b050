/**
 * Contracts that are invoiced one morning: one is opened and sold by the product itself, and copied
 * by SQL as often as wanted, row by row with ids of its own.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type pg from 'pg';
import { checkPostpaid } from '../src/billing/postpaid/check.ts';
import { CONFIG } from '../src/billing/postpaid/config-harness.ts';
import { writeLegalEntity } from '../src/billing/postpaid/legal-entities.ts';
import type { Plan } from '../src/billing/postpaid/plans.ts';
import { createPostpaidService } from '../src/billing/postpaid/service.ts';
import { ID_BLOCK_SIZE } from '../src/platform/database/ids.ts';
import { silentLogger } from '../src/platform/log.ts';
import type { House } from './house.ts';
import { expectFigures, expectZeros, type Night } from './night.ts';
import { FIRST_SUBSCRIBER_ID } from './seed.ts';

const BASELINE = readFileSync(join(import.meta.dirname, 'invoices.sql'), 'utf8');
const MONTH_PRICE = 300_000n;
const IDS_EACH = 6;

/** 1 December, nine in the morning. */
const MORNING = new Date('2026-12-01T06:00:00.000Z');
const SOLD = new Date('2026-11-10T09:00:00.000Z');

const ROOMS: Plan = {
  code: 'rooms',
  billing: 'in_advance',
  phases: [{ type: 'evergreen', length: null, fixed: null, price: MONTH_PRICE, period: 'monthly' }],
  perUnit: true,
  phasesOnChange: 'subscription_start',
  priceVersions: [],
  addOn: null,
  taxCode: 'plan',
};
const PLANS = new Map([[ROOMS.code, ROOMS]]);

const DUE_DAYS = 14;
const VAT = { code: 'VAT', ppm: 160_000n, on: ['net'] };
const TERMS = { catalogue: PLANS, config: CONFIG, dueDays: DUE_DAYS, taxesOn: () => [VAT] };

/** Postpaid billing at `now`; every payment is approved, and told to `onPaid`. */
export const contractsService = (pool: pg.Pool, now: Date, onPaid = (): void => undefined) =>
  createPostpaidService({
    pool,
    clock: { now: () => now },
    logger: silentLogger,
    termsOf: () => TERMS,
    gateway: {
      charge() {
        onPaid();
        return { outcome: 'approved' };
      },
    },
  });

/** Between the ids of one copy of an account and the next. */
const STRIDE = 100_000;
/** The first copy: its ids are above those of the bench's customers. */
const FIRST_COPY = 20_001;

interface Copied {
  table: string;
  /** Which rows, with `:account` for the id of the account. */
  where: string;
  /** Columns with ids of the account's own rows. */
  ids: readonly string[];
  /** What else differs: `k` is the number of the copy, from 1. */
  set?: Record<string, string>;
}

const own = (table: string, ...ids: string[]): Copied => ({
  table,
  where: 'account_id = :account',
  ids: ['account_id', ...ids],
});

/** The rows of an account, in every table. */
const COPIES: readonly Copied[] = [
  {
    table: 'postpaid_account',
    where: 'id = :account',
    ids: ['id'],
    set: { subscriber_id: 't.subscriber_id + k' },
  },
  own('contract', 'id'),
  own('contract_event', 'id', 'contract_id'),
  own('invoice', 'id'),
  own('invoice_issue', 'invoice_id'),
  own('invoice_line', 'id', 'invoice_id', 'contract_id'),
  own('invoice_tax', 'line_id'),
  own('invoice_payment', 'id', 'invoice_id'),
  own('payment_attempt', 'id', 'payment_id'),
  {
    ...own('document_number', 'invoice_id'),
    set: { number: 't.number + k', text: "'INV-2026-' || lpad((t.number + k)::text, 9, '0')" },
  },
  {
    table: 'entry',
    where: 'journal_id IN (SELECT id FROM journal WHERE fact_id IS NOT NULL)',
    ids: ['journal_id'],
    set: {
      account_id: `t.account_id + CASE WHEN t.account_id IN (SELECT id FROM account
                     WHERE owner = 'postpaid:' || :account) THEN :shift ELSE 0 END`,
    },
  },
  { table: 'journal', where: 'fact_id IS NOT NULL', ids: ['id', 'fact_id'] },
  {
    table: 'account',
    where: "owner = 'postpaid:' || :account",
    ids: ['id'],
    set: { owner: "'postpaid:' || (:account + :shift)" },
  },
];

/** To the first customers, one account each. */
async function sell(house: House, superuser: pg.Pool, count: number): Promise<void> {
  const { pool, ids, site } = house;
  await writeLegalEntity(pool, ids, {
    code: 'BENCH',
    name: 'Bench TV',
    taxNumber: null,
    fiscalMonth: 1,
    invoiceFormat: 'INV-{year}-{number:9}',
    creditNoteFormat: 'CN-{year}-{number:9}',
    siteIds: [site.id],
  });
  const service = contractsService(pool, SOLD);
  const accountId = await service.open(FIRST_SUBSCRIBER_ID, {
    timeZone: site.timeZone,
    currency: site.currency,
    billingDay: 1,
    autoPay: true,
    autoInvoice: true,
  });
  const sale = { act: 'create_subscription', ref: 'lobby', plan: 'rooms' } as const;
  const sold = await service.act(accountId, 'sale', sale);
  if (!sold.ok || !sold.value.ok) throw new Error(`The sale was refused: ${JSON.stringify(sold)}`);
  for (const copy of COPIES) await copyRows(superuser, copy, { accountId, copies: count - 1 });
  await superuser.query('UPDATE number_counter SET last = $1', [count]);
  const lastId = BigInt(STRIDE) * BigInt(FIRST_COPY + count);
  await superuser.query("SELECT setval('id_block', $1)", [lastId / ID_BLOCK_SIZE]);
  await superuser.query('VACUUM ANALYZE');
}

async function copyRows(
  superuser: pg.Pool,
  { table, where, ids, set = {} }: Copied,
  { accountId, copies }: { accountId: bigint; copies: number },
): Promise<void> {
  const { rows } = await superuser.query(
    `SELECT attname AS name FROM pg_attribute
      WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''`,
    [table],
  );
  const names: string[] = rows.map(({ name }) => name);
  const copied = (name: string) =>
    set[name] ?? (ids.includes(name) ? `t.${name} + :shift` : `t.${name}`);
  const sql = `INSERT INTO ${table} (${names.join(', ')})
    SELECT ${names.map(copied).join(', ')}
      FROM (SELECT * FROM ${table} WHERE ${where}) t CROSS JOIN generate_series(1, $1) AS k`;
  const shift = `${STRIDE}::bigint * (k + ${FIRST_COPY - 1})`;
  await superuser.query(sql.replaceAll(':shift', shift).replaceAll(':account', String(accountId)), [
    copies,
  ]);
}

const FIGURES = `
SELECT (SELECT concat_ws('/', count(*), sum(target - DATE '2026-01-01'),
                         count(*) FILTER (WHERE status = 'committed'), max(created_at))
          FROM invoice) AS invoice,
       (SELECT concat_ws('/', count(*), sum(amount), sum(period_days), sum(to_date - from_date),
                         count(tax_code)) FROM invoice_line) AS invoice_line,
       (SELECT concat_ws('/', count(*), min(issued_on), sum(due_on - issued_on))
          FROM invoice_issue) AS invoice_issue,
       (SELECT concat_ws('/', count(*), sum(base), sum(amount), sum(ppm), max(on_taxes), sum(place),
                         max(tax_code)) FROM invoice_tax) AS invoice_tax,
       (SELECT count(*) FROM invoice_payment) AS invoice_payment,
       (SELECT concat_ws('/', count(*), sum(paid), sum(settled_amount)) FROM payment_attempt)
         AS payment_attempt,
       (SELECT string_agg(concat_ws('/', kind, count), ' ' ORDER BY kind)
          FROM (SELECT kind, count(*) FROM journal GROUP BY kind) j) AS journal,
       (SELECT string_agg(concat_ws('/', kind, count, debit, credit), ' ' ORDER BY kind)
          FROM (SELECT a.kind, count(*), sum(e.amount) FILTER (WHERE e.amount < 0) AS debit,
                       sum(e.amount) FILTER (WHERE e.amount > 0) AS credit
                  FROM entry e JOIN account a ON a.id = e.account_id GROUP BY a.kind) k) AS entry,
       (SELECT concat_ws('/', count(*), sum(number), max(text)) FROM document_number)
         AS document_number,
       (SELECT sum(last) FROM number_counter) AS number_counter,
       (SELECT concat_ws('/', count(*), sum(worked_through - DATE '2026-01-01'), min(due_at),
                         max(due_at)) FROM postpaid_account) AS postpaid_account`;

const ONCE = `
SELECT (SELECT count(*) FROM postpaid_account) AS accounts,
       (SELECT count(DISTINCT account_id) FROM invoice
         WHERE issued_on = DATE '2026-12-01') AS billed,
       (SELECT count(*) FROM invoice WHERE issued_on = DATE '2026-12-01') AS invoices,
       (SELECT count(*) FROM payment_attempt WHERE tried_on = DATE '2026-12-01') AS payments,
       (SELECT max(number) FROM document_number) AS "lastNumber"`;

/** Contracts that are invoiced on the first of December. */
export const contracts: Night = {
  kind: 'postpaid',
  unit: 'contracts/s',
  at: MORNING,
  sell,
  baseline: () => ({
    text: BASELINE,
    values: [MONTH_PRICE, VAT.code, VAT.ppm, DUE_DAYS],
    idsEach: IDS_EACH,
  }),
  async figures(pool) {
    const { rows } = await pool.query(FIGURES);
    return rows[0];
  },
  async expectDone(pool, count) {
    const { rows } = await pool.query(ONCE);
    const wanted = { accounts: count, billed: count, invoices: count, payments: count };
    expectFigures('Contracts', rows[0], { ...wanted, lastNumber: 2 * count });
    expectZeros('Postpaid', { ...(await checkPostpaid(pool)) });
  },
};
