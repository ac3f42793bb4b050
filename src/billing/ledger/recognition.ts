/**
 * Revenue over time. What is sold by days is deferred when it is sold, and earned as its days pass.
 * What must be deferred is computed from what stands, so that repairs, give-backs, pauses and days
 * on which nothing ran are put right by the next run: it books the difference to what the ledger
 * says. So what is earned in the end does not depend on when, or how often, it ran.
 */
import type { Pool, PoolClient } from 'pg';
import { transaction } from '../../platform/database/pool.ts';
import { type Day, formatDay } from '../../platform/day.ts';
import type { Clock, Ids, Logger } from '../../platform/ports.ts';
import { accountKey } from './chart.ts';
import { ensureAccounts } from './store.ts';

export interface RecognitionTools {
  pool: Pool;
  ids: Ids;
  clock: Clock;
  logger: Logger;
}

/** A day of millions of lines takes a minute: longer than what somebody waits for may take. */
const LIMIT_MS = 10 * 60_000;

/** What of a site is deferred on an account of its own, and what must be. */
export interface Deferral {
  book: 'invoices' | 'terms';
  siteId: bigint;
  /** Of the account `deferred_revenue`. */
  owner: string;
  /** All days before this one are earned. */
  before: Day;
  /**
   * A query of rows `(asset, amount)`: what must be deferred when all days before $2 are earned, of
   * the site $1; $3 is the owner.
   */
  wanted: string;
  /** Of the query, from $4 on. */
  values: readonly unknown[];
}

/** Purpose: by asset, what is deferred in the ledger less what must be. Plan: that of `wanted`. */
const difference = (wanted: string): string => `
WITH wanted AS (${wanted}), booked AS (
  SELECT a.asset, coalesce(f.amount, 0) + coalesce((SELECT sum(e.amount) FROM entry e
           WHERE e.account_id = a.id AND e.xid >= coalesce(f.below, '0'::xid8)), 0) AS amount
    FROM account a LEFT JOIN fold f ON f.account_id = a.id
   WHERE a.owner = $3 AND a.kind = 'deferred_revenue'
)
SELECT b.asset, (b.amount - coalesce(w.amount, 0))::bigint AS amount
  FROM booked b LEFT JOIN wanted w ON w.asset = b.asset`;

/**
 * Earns all days before `before`, in one journal an asset. A day is done once; several processes
 * may try. Returns how many journals it wrote.
 */
export function earnDays(tools: RecognitionTools, deferral: Deferral): Promise<number> {
  const { book, siteId, owner, before, wanted, values } = deferral;
  return transaction(tools.pool, async (client) => {
    const done = await client.query(
      `SELECT 1 FROM recognition WHERE site_id = $1 AND book = $2 AND before_on >= $3 LIMIT 1`,
      [siteId, book, formatDay(before)],
    );
    if (done.rowCount !== 0) return 0;
    await client.query(`SET LOCAL statement_timeout = ${LIMIT_MS}`);
    const asked = {
      name: `recognition-${book}`,
      text: difference(wanted),
      values: [siteId, formatDay(before), owner, ...values],
      query_timeout: LIMIT_MS,
    };
    const { rows } = await client.query(asked);
    let written = 0;
    for (const { asset, amount } of rows) {
      if (amount !== 0n && (await post(client, tools, deferral, { asset, amount }))) written += 1;
    }
    return written;
  });
}

/** Books what was earned; false when another process has done the day. */
async function post(
  client: PoolClient,
  { ids, clock, logger }: RecognitionTools,
  { book, siteId, owner, before }: Deferral,
  { asset, amount }: { asset: string; amount: bigint },
): Promise<boolean> {
  const names = [
    { owner, kind: 'deferred_revenue', asset },
    { owner: `site:${siteId}`, kind: 'earned_revenue', asset },
  ] as const;
  const accounts = await ensureAccounts(client, ids, names);
  const [deferred, earned] = names.map((name) => accounts.get(accountKey(name)));
  const { rowCount } = await client.query(
    `WITH done AS (
       INSERT INTO recognition (id, site_id, asset, before_on, amount, book)
       VALUES ($1, $2, $3, $4, $5, $10)
       ON CONFLICT (site_id, book, asset, before_on) DO NOTHING
       RETURNING id
     ), posted AS (
       INSERT INTO journal (id, kind, site_id, fact_id, effective_at)
       SELECT $6::bigint, 'recognition', $2::bigint, id, $7::timestamptz FROM done RETURNING id
     )
     INSERT INTO entry (journal_id, line, account_id, asset, amount)
     SELECT p.id, x.line, x.account_id, $3, x.amount FROM posted p
      CROSS JOIN (VALUES (1::smallint, $8::bigint, -$5::bigint),
                         (2::smallint, $9::bigint, $5::bigint)) AS x (line, account_id, amount)`,
    [
      ...[await ids.take(), siteId, asset, formatDay(before), amount],
      ...[await ids.take(), clock.now(), deferred, earned, book],
    ],
  );
  const isWritten = rowCount !== 0;
  if (isWritten) logger.info('revenue.recognised', { siteId, book, asset, amount });
  return isWritten;
}
