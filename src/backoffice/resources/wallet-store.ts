/** What wallets hold and how it came to be: reads alone. */

import { publicRef } from '../../platform/ref.ts';
import type { Db } from '../people/staff-store.ts';

export interface Wallet {
  accountId: bigint;
  asset: string;
  credit: bigint;
  /** Promotional credit, which is never money. */
  promo: bigint;
  /** Open debts and loans. */
  owed: bigint;
  held: bigint;
  units: bigint;
  lots: { id: bigint; kind: string; amount: bigint; remaining: bigint; expiresAt: Date | null }[];
}

const LOTS_MAX = 200;

/** The wallet of a subscriber at one of `sites` (null: all), with the lots that are not used up. */
export async function walletOf(
  db: Db,
  subscriberId: bigint,
  sites: bigint[] | null,
): Promise<Wallet | null> {
  const { rows } = await db.query(
    `SELECT s.wallet_id, s.promo_id, a.asset, w.amount AS credit, coalesce(p.amount, 0) AS promo,
            coalesce((SELECT sum(remaining) FROM debt
                       WHERE subscriber_id = s.id), 0)::bigint AS owed,
            h.amount AS held, u.amount AS units
       FROM subscriber s
       JOIN account a ON a.id = s.wallet_id
       JOIN balance w ON w.account_id = s.wallet_id
       JOIN balance h ON h.account_id = s.held_id
       JOIN balance u ON u.account_id = s.tvu_wallet_id
       LEFT JOIN balance p ON p.account_id = s.promo_id
      WHERE s.id = $1 AND ($2::bigint[] IS NULL OR s.site_id = ANY ($2))`,
    [subscriberId, sites],
  );
  const [row] = rows;
  if (!row) return null;
  const lots = await db.query(
    `SELECT id, kind, amount, remaining, expires_at FROM lot
      WHERE account_id = ANY ($1::bigint[]) AND remaining > 0
      ORDER BY priority, expires_at NULLS LAST, id LIMIT ${LOTS_MAX}`,
    [[row.wallet_id, row.promo_id]],
  );
  return {
    accountId: row.wallet_id,
    asset: row.asset,
    credit: row.credit,
    promo: row.promo,
    owed: row.owed,
    held: row.held,
    units: row.units,
    lots: lots.rows.map((lot) => ({
      id: lot.id,
      kind: lot.kind,
      amount: lot.amount,
      remaining: lot.remaining,
      expiresAt: lot.expires_at,
    })),
  };
}

export interface StatementRow {
  /** Of the journal. */
  id: bigint;
  at: Date;
  kind: string;
  reference: string;
  amount: bigint;
  /** After this one. */
  balance: bigint;
}

/**
 * Purpose: what moved an account, a row a journal, the newest first, with the balance after each.
 * Locks: none. Plan: all entries of one wallet (`entry_account`), summed; then the page.
 */
const STATEMENT = `
WITH moved AS (
  SELECT j.id, j.effective_at AS at, j.kind, j.inbox_id, sum(e.amount)::bigint AS amount
    FROM entry e JOIN journal j ON j.id = e.journal_id
   WHERE e.account_id = $1
   GROUP BY j.id, j.effective_at, j.kind, j.inbox_id
), running AS (
  SELECT *, (sum(amount) OVER (ORDER BY at, id))::bigint AS balance FROM moved
)
SELECT * FROM running
 WHERE ($2::timestamptz IS NULL OR (at, id) < ($2, $3::bigint))
 ORDER BY at DESC, id DESC LIMIT $4`;

/** A page of the statement of an account. */
export async function statement(
  db: Db,
  accountId: bigint,
  page: { after: { at: Date; id: bigint } | null; fetch: number },
): Promise<StatementRow[]> {
  const { rows } = await db.query({
    name: 'wallet-statement',
    text: STATEMENT,
    values: [accountId, page.after?.at ?? null, page.after?.id ?? null, page.fetch],
  });
  return rows.map((row) => ({
    id: row.id,
    at: row.at,
    kind: row.kind,
    reference: publicRef(row.inbox_id),
    amount: row.amount,
    balance: row.balance,
  }));
}
