/** Accounts and balances in Postgres. Journals are written by settlement and by postpaid. */
import type { Pool, PoolClient } from 'pg';
import { transaction } from '../../platform/database/pool.ts';
import type { Ids } from '../../platform/ports.ts';
import { type AccountName, accountKey, CHART } from './chart.ts';

/**
 * Makes sure that the accounts exist, exact ones with their balance row, and returns their ids by
 * `accountKey`. Safe to call from several processes at once.
 */
export async function ensureAccounts(
  client: Pool | PoolClient,
  ids: Ids,
  names: readonly AccountName[],
): Promise<Map<string, bigint>> {
  const lent = await ids.lend(names.length);
  const rows = names.map((name) => ({
    ...name,
    id: lent.next().toString(),
    policy: CHART[name.kind],
  }));
  await client.query(
    `WITH made AS (
       INSERT INTO account (id, owner, kind, asset, policy)
       SELECT * FROM jsonb_to_recordset($1::jsonb)
              AS x (id bigint, owner text, kind text, asset text, policy text)
        ORDER BY owner, kind, asset
       ON CONFLICT (owner, kind, asset) DO NOTHING
       RETURNING id, policy)
     INSERT INTO balance (account_id) SELECT id FROM made WHERE policy = 'exact'`,
    [JSON.stringify(rows)],
  );
  const found = await client.query(
    `SELECT a.id, a.owner, a.kind, a.asset FROM account a
       JOIN jsonb_to_recordset($1::jsonb) AS x (owner text, kind text, asset text)
         ON x.owner = a.owner AND x.kind = a.kind AND x.asset = a.asset`,
    [JSON.stringify(names)],
  );
  return new Map(found.rows.map((row) => [accountKey(row), row.id]));
}

/** The accounts on which taxes are or were ever owed, by `accountKey`. Plan: `account_tax`. */
export async function findTaxAccounts(client: Pool | PoolClient): Promise<Map<string, bigint>> {
  const { rows } = await client.query(
    "SELECT id, owner, kind, asset FROM account WHERE kind = 'tax_payable'",
  );
  return new Map(rows.map((row) => [accountKey(row), row.id]));
}

/** The balance of an account in minor units, exact or folded, as of now. */
export async function balanceOf(client: Pool | PoolClient, accountId: bigint): Promise<bigint> {
  const { rows } = await client.query(
    `SELECT coalesce(b.amount, coalesce(f.amount, 0) + coalesce((
              SELECT sum(e.amount) FROM entry e
               WHERE e.account_id = a.id AND e.xid >= coalesce(f.below, '0'::xid8)), 0)
            )::bigint AS amount
       FROM account a
       LEFT JOIN balance b ON b.account_id = a.id
       LEFT JOIN fold f ON f.account_id = a.id
      WHERE a.id = $1`,
    [accountId],
  );
  return rows[0]?.amount ?? 0n;
}

/** Only one fold at a time: two would both add the same entries. */
const FOLD_LOCK = 7_310_001;

/**
 * Folds the entries of folded accounts into their snapshot. Only entries of transactions below
 * every one still running are folded: ids are not the order of commits, and a fold by id would
 * lose an entry that commits late. Returns the number of accounts that moved.
 */
export function foldAccounts(pool: Pool): Promise<number> {
  return transaction(pool, async (client) => {
    await client.query('SELECT pg_advisory_xact_lock($1)', [FOLD_LOCK]);
    const { rowCount } = await client.query(
      `WITH horizon AS (SELECT house_xmin() AS below),
       moved AS (
         SELECT a.id, sum(e.amount) AS amount
           FROM account a
           LEFT JOIN fold f ON f.account_id = a.id
           CROSS JOIN horizon h
           JOIN entry e ON e.account_id = a.id
            AND e.xid >= coalesce(f.below, '0'::xid8) AND e.xid < h.below
          WHERE a.policy = 'folded'
          GROUP BY a.id)
       INSERT INTO fold (account_id, amount, below)
       SELECT m.id, m.amount, h.below FROM moved m CROSS JOIN horizon h ORDER BY m.id
       ON CONFLICT (account_id) DO UPDATE
          SET amount = fold.amount + EXCLUDED.amount, below = EXCLUDED.below`,
    );
    return rowCount ?? 0;
  });
}
