/** The invariants of the books, read from the database: what must hold after anything at all. */
import type { Pool } from 'pg';

export interface BooksCheck {
  /** Journals that do not sum to zero in some asset. */
  unbalancedJournals: number;
  /** Exact accounts whose balance row is not the sum of their entries. */
  wrongBalances: number;
  /** Wallets whose open lots do not add up to the balance. */
  wrongLots: number;
  /** Folded accounts whose snapshot plus later entries is not the sum of all their entries. */
  wrongFolds: number;
  /** Settled or suspended inbox rows of money without a journal. */
  lostPayments: number;
  /** Cards whose desired rights are not acknowledged. */
  unacknowledgedCards: number;
}

/** Reads every invariant over the whole database; all zeros is a sound set of books. */
export async function checkBooks(pool: Pool): Promise<BooksCheck> {
  const { rows } = await pool.query(`
    SELECT
      (SELECT count(*) FROM (SELECT 1 FROM entry GROUP BY journal_id, asset
                             HAVING sum(amount) <> 0) j)::int AS "unbalancedJournals",
      (SELECT count(*) FROM balance b WHERE b.amount <> coalesce(
         (SELECT sum(e.amount) FROM entry e WHERE e.account_id = b.account_id), 0)
      )::int AS "wrongBalances",
      (SELECT count(*) FROM balance b JOIN account a ON a.id = b.account_id
        WHERE a.kind IN ('wallet_paid', 'tvu_wallet') AND b.amount <> coalesce(
         (SELECT sum(l.remaining) FROM lot l WHERE l.account_id = b.account_id), 0)
      )::int AS "wrongLots",
      (SELECT count(*) FROM fold f WHERE f.amount <> coalesce(
         (SELECT sum(e.amount) FROM entry e
           WHERE e.account_id = f.account_id AND e.xid < f.below), 0))::int AS "wrongFolds",
      (SELECT count(*) FROM inbox i WHERE i.kind IN ('payment', 'tvu_notice')
          AND i.state IN ('settled', 'suspense')
          AND NOT EXISTS (SELECT FROM journal j WHERE j.inbox_id = i.id))::int AS "lostPayments",
      (SELECT count(*) FROM card_rights WHERE desired_rev <> acked_rev
      )::int AS "unacknowledgedCards"`);
  return rows[0];
}
