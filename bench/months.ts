/**
 * Customers whose month ends at one midnight, with credit for the next two: the prepaid half of the
 * renewals bench.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type pg from 'pg';
import { type AccountKind, accountKey, taxOwner } from '../src/billing/ledger/chart.ts';
import { checkBooks, checkPrepaid } from '../src/billing/ledger/check.ts';
import { bigintAsDigits } from '../src/platform/json.ts';
import { benchPrices, benchTax, type House, PAYBILL } from './house.ts';
import { expectFigures, expectZeros, type Night } from './night.ts';
import { FIRST_SUBSCRIBER_ID } from './seed.ts';

const BASELINE = readFileSync(join(import.meta.dirname, 'renewals.sql'), 'utf8');
/** Of the baseline: an inbox row, a journal, a term. */
const IDS_EACH = 3;

/** Midnight of 1 December in Nairobi: every month bought on 31 October ends then. */
const MIDNIGHT = new Date('2026-11-30T21:00:00.000Z');
/** When the work is done. */
const NOTICED = new Date(MIDNIGHT.getTime() + 7_000);
const BOUGHT = new Date('2026-10-31T09:00:00.000Z');
/** Ids of what the bench writes itself: far above what the product uses, below the customers'. */
const FIRST_ID = 500_000_000;
const MONTHS_OF_CREDIT = 2;

/**
 * $1 how many of the customers, from the first; $2 first id, $3 clearing account, $4 bought,
 * $5 midnight, $6 months of credit, $7 the months as `monthsOf` has them.
 */
const CREDIT = `
WITH own AS MATERIALIZED (
  SELECT row_number() OVER (ORDER BY s.id) AS n, s.id, s.card_id, s.bouquet_id, c.site_id,
         o.id AS subscriber_id, o.wallet_id, t.currency,
         $6 * m.price AS credit, m.products
    FROM (SELECT * FROM subscription ORDER BY id LIMIT $1) s
    JOIN jsonb_to_recordset($7::jsonb) AS m (bouquet_id bigint, price bigint, products text[])
      ON m.bouquet_id = s.bouquet_id
    JOIN card c ON c.id = s.card_id
    JOIN subscriber o ON o.id = c.subscriber_id
    JOIN site t ON t.id = c.site_id
), inboxes AS (
  INSERT INTO inbox (id, provider, receipt, kind, state, channel_id, received_at, settled_at,
                     outcome, raw, card_id, subscriber_id)
  SELECT $2 + 4 * n, 'mpesa', 'S' || n, 'payment', 'settled', '${PAYBILL}', $4, $4,
         jsonb_build_object('content', credit || ' ' || currency, 'settled', jsonb_build_object(
           'state', 'settled', 'ref', n::text, 'code', NULL, 'credit', credit::text,
           'units', NULL, 'paidUntil', NULL)), '', card_id, subscriber_id
    FROM own
), journals AS (
  INSERT INTO journal (id, kind, site_id, inbox_id, effective_at)
  SELECT $2 + 4 * n + 1, 'payment', site_id, $2 + 4 * n, $4 FROM own
), entries AS (
  INSERT INTO entry (journal_id, line, account_id, asset, amount)
  SELECT $2 + 4 * n + 1, 1, $3, currency, -credit FROM own
  UNION ALL SELECT $2 + 4 * n + 1, 2, wallet_id, currency, credit FROM own
), lots AS (
  INSERT INTO lot (id, account_id, journal_id, kind, priority, amount, remaining)
  SELECT $2 + 4 * n + 2, wallet_id, $2 + 4 * n + 1, 'paid', 20, credit, credit FROM own
), balances AS (
  UPDATE balance b SET amount = o.credit FROM own o WHERE b.account_id = o.wallet_id
), terms AS (
  INSERT INTO term (id, subscription_id, bouquet_id, kind, days, from_at, to_at, asset, price, tax,
                    sold_at, base_date, anchor_day, time_of_day, paid_by)
  SELECT $2 + 4 * n + 3, id, bouquet_id, 'bonus', 31, $4, $5, currency, 0, 0, $4, '2026-11-30', 31,
         43200000, 'nobody' FROM own
), rights AS (
  UPDATE card_rights r
     SET desired_rev = 1, acked_rev = 1, on_air_at = $4, raised_at = $4,
         desired = (SELECT jsonb_agg(jsonb_build_object('product', p,
                       'from', '2026-10-31T09:00:00.000Z', 'to', '2026-11-30T21:00:00.000Z')
                       ORDER BY p)
                      FROM unnest(o.products) AS p)
    FROM own o WHERE r.card_id = o.card_id
)
UPDATE subscription s
   SET auto_renew = true, run_from = $4, paid_until = $5, base_date = '2026-11-30',
       anchor_day = 31, time_of_day = 43200000
  FROM own o WHERE s.id = o.id`;

/** What a month of each bouquet is, as JSON. */
const monthsOf = (house: House): string =>
  JSON.stringify(
    benchPrices(house)
      .filter(({ term }) => term === 'month')
      .map(({ bouquetId, price, taxCode, taxPpm, products }) => ({
        bouquet_id: bouquetId,
        price,
        tax_code: taxCode,
        tax_ppm: taxPpm,
        products,
      })),
    bigintAsDigits,
  );

/** Gives the first customers a month that ends at midnight, and credit for two more. */
async function sell(house: House, superuser: pg.Pool, count: number): Promise<void> {
  const clearing = house.accounts.get(
    `channel:${PAYBILL}|provider_clearing|${house.site.currency}`,
  );
  const credit = [MONTHS_OF_CREDIT, monthsOf(house)];
  const values = [count, FIRST_ID, clearing, BOUGHT, MIDNIGHT, ...credit];
  await superuser.query(CREDIT, values);
  await superuser.query('VACUUM ANALYZE');
}

/** $1 the subscriber behind the last of the slice. */
const FIGURES = `
WITH cards AS MATERIALIZED (
  SELECT id FROM card WHERE subscriber_id < $1
), subs AS MATERIALIZED (
  SELECT s.* FROM subscription s JOIN cards c ON c.id = s.card_id
), months AS MATERIALIZED (
  SELECT t.* FROM term t JOIN subs s ON s.id = t.subscription_id WHERE t.kind = 'month'
), journals AS MATERIALIZED (
  SELECT j.* FROM journal j JOIN months m ON m.journal_id = j.id
), wallets AS MATERIALIZED (
  SELECT wallet_id FROM subscriber WHERE id < $1
)
SELECT (SELECT concat_ws('/', count(*), sum(price), sum(tax), sum(anchor_day), min(to_at),
                         max(base_date), sum(length(parts::text)), sum(time_of_day::bigint),
                         sum(length(taxes::text)), max(taxes->0->>'code'))
          FROM months) AS term,
       (SELECT concat_ws('/', count(*), min(kind), max(effective_at)) FROM journals) AS journal,
       (SELECT concat_ws('/', count(*), min(i.kind), min(i.state), sum(length(i.receipt)),
                         sum((i.outcome->'settled'->>'credit')::bigint),
                         min(i.outcome->'settled'->>'paidUntil'), sum(length(i.outcome::text)))
          FROM inbox i JOIN journals j ON j.inbox_id = i.id) AS inbox,
       (SELECT string_agg(concat_ws('/', kind, count, sum), ' ' ORDER BY kind)
          FROM (SELECT a.kind, count(*), sum(e.amount)
                  FROM entry e JOIN journals j ON j.id = e.journal_id
                  JOIN account a ON a.id = e.account_id GROUP BY a.kind) k) AS entry,
       (SELECT concat_ws('/', count(*), sum(amount), sum(remaining))
          FROM lot JOIN wallets w ON w.wallet_id = lot.account_id) AS lot,
       (SELECT concat_ws('/', count(*), sum(amount))
          FROM balance b JOIN wallets w ON w.wallet_id = b.account_id) AS balance,
       (SELECT concat_ws('/', count(*), min(paid_until), max(paid_until), min(base_date),
                         max(renew_at), count(waiting_term)) FROM subs) AS subscription,
       (SELECT concat_ws('/', count(*), sum(desired_rev), min(next_at), sum(length(desired::text)),
                         min(desired->0->>'to'), count(coverage))
          FROM card_rights r JOIN cards c ON c.id = r.card_id) AS card_rights,
       (SELECT count(*) FROM outbound WHERE template LIKE '%renew%') AS outbound`;

const ONCE = `
SELECT (SELECT count(*) FROM subscription
         WHERE renew_at = TIMESTAMPTZ '2026-12-31T21:00Z') AS renewed,
       (SELECT count(*) FROM subscription
         WHERE renew_at < TIMESTAMPTZ '2026-12-31T21:00Z') AS due,
       (SELECT count(DISTINCT subscription_id) FROM term t JOIN journal j ON j.id = t.journal_id
          JOIN inbox i ON i.id = j.inbox_id WHERE i.kind = 'renew') AS charged,
       (SELECT count(*) FROM inbox WHERE kind = 'renew') AS inbox,
       (SELECT count(*) FROM inbox WHERE kind = 'renew' AND state = 'settled') AS settled`;

/** Months that renew themselves from credit at midnight. */
export const months: Night = {
  kind: 'prepaid',
  unit: 'renewals/s',
  at: NOTICED,
  sell,
  baseline(house) {
    const { accounts, site } = house;
    const idOf = (owner: string, kind: AccountKind) =>
      String(accounts.get(accountKey({ owner, kind, asset: site.currency })));
    const tax = idOf(taxOwner(site.id, benchTax(house).code), 'tax_payable');
    const text = BASELINE.replace(':deferred', idOf(`site:${site.id}`, 'deferred_revenue'));
    return { text: text.replace(':tax', tax), values: [monthsOf(house)], idsEach: IDS_EACH };
  },
  async figures(pool, count) {
    const { rows } = await pool.query(FIGURES, [FIRST_SUBSCRIBER_ID + BigInt(count)]);
    return rows[0];
  },
  async expectDone(pool, count) {
    const { rows } = await pool.query(ONCE);
    const once = { renewed: count, due: 0, charged: count, inbox: count, settled: count };
    expectFigures('Months', rows[0], once);
    const { unacknowledgedCards: _, ...books } = await checkBooks(pool);
    expectZeros('Books', { ...books, ...(await checkPrepaid(pool)) });
  },
};
