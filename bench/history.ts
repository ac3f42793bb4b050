/**
 * What one payment costs when the books are ten times as long: shared blocks touched and WAL
 * written, counted by Postgres itself. Two databases of one server, alike but for their past, are
 * paid into in turn; nothing else runs there, and full-page images are off, because how many there
 * are says how long ago the last checkpoint was and not how long the books are.
 */
import type pg from 'pg';
import { taxOwner } from '../src/billing/ledger/chart.ts';
import { copyDatabase, type Urls, untilAlone } from './copies.ts';
import { benchTax, furnish, type House, openHouse, openPool, startDatabase } from './house.ts';
import { interleave, median, type Plan, type Result, resultOf } from './measure.ts';
import { freshDay, pay } from './payments.ts';

const CUSTOMERS = 20_000;
/** Months in the books of each card: five entries a month. */
const MONTHS = 1;
const MONTHS_LONG = 10;
const PAYMENTS = 2_000;
const CALLERS = 256;
const SETTINGS = {
  full_page_writes: 'off',
  autovacuum: 'off',
  checkpoint_timeout: '1h',
  max_wal_size: '8GB',
  track_counts: 'on',
};
const IDS_A_MONTH = 10_000_000;

/**
 * One past month of every card, as settlement writes it. $1 first id, $2 how many months ago it
 * was paid, $3 to $5 the accounts that clear, defer and tax.
 */
const MONTH = `
WITH paid AS MATERIALIZED (
  SELECT $1::bigint + 10 * row_number() OVER () AS id, c.number, c.site_id, s.id AS subscription_id,
         s.bouquet_id, o.wallet_id, o.contact_msisdn,
         date_trunc('day', now()) - $2::int * interval '31 days' AS at,
         65000::bigint AS price, 8966::bigint AS tax
    FROM card c
    JOIN subscription s ON s.card_id = c.id
    JOIN subscriber o ON o.id = c.subscriber_id
   ORDER BY hashint8(c.id)
), inboxes AS (
  INSERT INTO inbox (id, provider, receipt, kind, state, channel_id, received_at, settled_at,
                     outcome, raw)
  SELECT id, 'mpesa', 'A' || lpad(id::text, 12, '0'), 'payment', 'settled', 'ke-paybill', at, at,
         jsonb_build_object('content', '65000 KES', 'settled', jsonb_build_object('state',
           'settled', 'ref', '8K2Q7', 'code', NULL, 'credit', '0', 'units', NULL, 'paidUntil', at)),
         convert_to(repeat('x', 450), 'UTF8')
    FROM paid
), journals AS (
  INSERT INTO journal (id, kind, site_id, inbox_id, effective_at)
  SELECT id + n, CASE n WHEN 1 THEN 'payment' ELSE 'purchase' END, site_id, id, at
    FROM paid CROSS JOIN (VALUES (1), (2)) AS k (n)
), entries AS (
  INSERT INTO entry (journal_id, line, account_id, asset, amount)
  SELECT id + 1, 1, $3, 'KES', -price FROM paid
  UNION ALL SELECT id + 1, 2, wallet_id, 'KES', price FROM paid
  UNION ALL SELECT id + 2, 1, wallet_id, 'KES', -price FROM paid
  UNION ALL SELECT id + 2, 2, $4, 'KES', price - tax FROM paid
  UNION ALL SELECT id + 2, 3, $5, 'KES', tax FROM paid
), messages AS (
  INSERT INTO outbound (id, kind, template, site_id, target, body, state, created_at, not_after,
                        inbox_id)
  SELECT id + n, CASE n WHEN 4 THEN 'osd' ELSE 'text' END, 'text.receipt.term', site_id,
         contact_msisdn, repeat('x', 90), 'sent', at, at, id
    FROM paid CROSS JOIN (VALUES (4), (5)) AS k (n)
)
INSERT INTO term (id, subscription_id, bouquet_id, kind, from_at, to_at, asset, price, tax,
                  journal_id, sold_at, base_date, anchor_day, time_of_day, parts, taxes)
SELECT id + 3, subscription_id, bouquet_id, 'month', at, at + interval '31 days', 'KES', price,
       tax, id + 2, at, at::date + 31, 1, 0,
       jsonb_build_array(jsonb_build_object('lot', (id + 6)::text, 'account', wallet_id::text,
         'journal', (id + 1)::text, 'kind', 'paid', 'priority', 20, 'expires', NULL,
         'amount', price::text)),
       jsonb_build_array(jsonb_build_object('code', 'VAT', 'ppm', '160000', 'on', '{net}'::text[],
         'amount', tax::text))
  FROM paid`;

interface Books {
  urls: Urls;
  superuser: pg.Pool;
}

/** `history-blocks` and `history-wal`: the long books over the short ones, a payment. */
export async function benchHistory(wanted: ReadonlySet<string>, plan: Plan): Promise<Result[]> {
  const database = await startDatabase(SETTINGS);
  const opened: pg.Pool[] = [];
  const books = async (urls: Urls, months: number): Promise<Books> => {
    const superuser = openPool(urls.superUrl, 1);
    opened.push(superuser);
    await withHouse(urls, (house) => writePast(house, superuser, months));
    return { urls, superuser };
  };
  try {
    await withHouse(database, (house) => furnish(house, CUSTOMERS));
    const copy = await copyDatabase(database, 'vip_long');
    const short = await books(database, MONTHS);
    const long = await books(copy, MONTHS_LONG);
    return (await compare(plan, short, long)).filter(({ name }) => wanted.has(name));
  } finally {
    for (const superuser of opened) await superuser.end();
    await database.stop();
  }
}

async function withHouse(urls: Urls, act: (house: House) => Promise<void>): Promise<void> {
  const house = await openHouse(urls);
  try {
    await act(house);
  } finally {
    await house.close();
  }
}

async function writePast(house: House, superuser: pg.Pool, months: number): Promise<void> {
  const { accounts, site } = house;
  const tax = benchTax(house).code;
  const idOf = (owner: string, kind: string) => accounts.get(`${owner}|${kind}|${site.currency}`);
  const system = [
    idOf('channel:ke-paybill', 'provider_clearing'),
    idOf(`site:${site.id}`, 'deferred_revenue'),
    idOf(taxOwner(site.id, tax), 'tax_payable'),
  ];
  // The rows refer to what was just written: checking a million of them one by one proves nothing.
  await superuser.query("SET session_replication_role = 'replica'");
  for (let month = months; month > 0; month--) {
    await superuser.query(MONTH, [month * IDS_A_MONTH, month, ...system]);
  }
  await superuser.query('RESET session_replication_role');
  await superuser.query('VACUUM ANALYZE');
}

async function compare(plan: Plan, short: Books, long: Books): Promise<Result[]> {
  const wal = new Map<string, number[]>([
    ['short', []],
    ['long', []],
  ]);
  const variant = (name: string, books: Books) => ({
    name,
    run: async () => {
      const cost = await costOfPayments(books);
      wal.get(name)?.push(cost.walBytes);
      return cost.blocks;
    },
  });
  const blocks = await interleave([variant('short', short), variant('long', long)], plan);
  const result = (name: string, unit: string, figures: ReadonlyMap<string, number[]>) =>
    resultOf(name, unit, figures.get('long') ?? [], median(figures.get('short') ?? []));
  return [
    result('history-blocks', 'blocks/payment', blocks),
    result('history-wal', 'bytes/payment', wal),
  ];
}

/**
 * Connections are opened for the payments and closed after them: an idle one may keep its counts
 * to itself for ten seconds, one that ends hands them in.
 */
async function costOfPayments({ urls, superuser }: Books) {
  const database = new URL(urls.superUrl).pathname.slice(1);
  const before = await countersOf(superuser);
  await withHouse(urls, async (house) => {
    const settlement = house.openSettlement();
    let left = PAYMENTS;
    const next = () => (left-- > 0 ? Math.floor(Math.random() * CUSTOMERS) : null);
    await pay({ settlement, siteId: house.site.id, callers: CALLERS, day: freshDay(), next });
    await settlement.close();
  });
  await untilAlone(superuser, database);
  const after = await countersOf(superuser);
  return {
    blocks: (after.blocks - before.blocks) / PAYMENTS,
    walBytes: (after.wal - before.wal) / PAYMENTS,
  };
}

async function countersOf(superuser: pg.Pool): Promise<{ blocks: number; wal: number }> {
  const { rows } = await superuser.query(
    `SELECT sum(heap_blks_read + heap_blks_hit + coalesce(idx_blks_read + idx_blks_hit, 0)
                + coalesce(toast_blks_read + toast_blks_hit + tidx_blks_read + tidx_blks_hit, 0)
              )::float8 AS blocks,
            pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8 AS wal
       FROM pg_statio_user_tables`,
  );
  return rows[0];
}
