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
        WHERE a.kind IN ('wallet_paid', 'wallet_promo', 'tvu_wallet') AND b.amount <> coalesce(
         (SELECT sum(l.remaining) FROM lot l
           WHERE l.account_id = b.account_id AND l.remaining > 0), 0)
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

export interface PrepaidCheck {
  /** Exact accounts below their floor. */
  belowFloor: number;
  /** Subscribers whose held money is not that of their open holds. */
  wrongHolds: number;
  /** Assets in which what is to come is not what subscribers owe. */
  wrongDebts: number;
  /** Assets in which what was earned, with its tax, is not what lines, events and fees keep. */
  wrongSales: number;
  /** Sites and assets where what is deferred is not what lines keep less what was earned. */
  wrongDeferred: number;
  /** Lines whose tax is not that of the taxes in it. */
  wrongTaxes: number;
  /** Assets in which what scratch cards brought is not what the used ones are worth. */
  wrongVouchers: number;
  /** Scratch cards that were used more than once. */
  vouchersUsedTwice: number;
  /** Reversals that do not give back at the operator just what the payment brought. */
  wrongReversals: number;
  /** Lines of one subscription that are sold for the same time. */
  overlappingLines: number;
  /** Promotions whose budget is spent below zero. */
  overspentPromotions: number;
  /** Cards that used a promotion, or had free days of an incident, twice. */
  givenTwice: number;
}

const PREPAID = `
WITH kinds AS (
  SELECT e.asset, a.kind, sum(e.amount) AS amount
    FROM journal j JOIN entry e ON e.journal_id = j.id JOIN account a ON a.id = e.account_id
  WHERE j.inbox_id IS NOT NULL GROUP BY e.asset, a.kind
), kept AS (
  SELECT asset, sum(amount) AS amount
    FROM (SELECT asset, price AS amount FROM term
          UNION ALL SELECT asset, price FROM event_purchase WHERE state = 'captured'
          UNION ALL SELECT asset, fee FROM debt WHERE kind = 'loan') k
   GROUP BY asset
), sold AS (
  SELECT owner, asset, sum(amount) AS amount
    FROM (SELECT 'site:' || b.site_id AS owner, t.asset, t.price - t.tax AS amount
            FROM term t JOIN bouquet b ON b.id = t.bouquet_id
          UNION ALL
          SELECT 'site:' || site_id, asset, -amount FROM recognition WHERE book = 'terms') n
   GROUP BY owner, asset
), cleared AS (
  SELECT e.journal_id, sum(e.amount) AS amount
    FROM entry e JOIN account a ON a.id = e.account_id AND a.kind = 'provider_clearing'
   GROUP BY e.journal_id
)
SELECT
  (SELECT count(*) FROM balance WHERE amount < floor)::int AS "belowFloor",
  (SELECT count(*) FROM subscriber s JOIN balance b ON b.account_id = s.held_id
    WHERE b.amount <> coalesce((SELECT sum(p.price) FROM event_purchase p
           WHERE p.subscriber_id = s.id AND p.state = 'held'), 0))::int AS "wrongHolds",
  (SELECT count(*) FROM (
     SELECT k.asset FROM kinds k WHERE k.kind IN ('receivable', 'loan_receivable')
      GROUP BY k.asset
     HAVING -sum(k.amount) <> coalesce((SELECT sum(d.remaining) FROM debt d
              WHERE d.asset = k.asset), 0)) d)::int AS "wrongDebts",
  (SELECT count(*) FROM kept t
    WHERE t.amount <> coalesce((SELECT sum(k.amount) FROM kinds k WHERE k.asset = t.asset
       AND k.kind IN ('deferred_revenue', 'earned_revenue', 'tax_payable')), 0)
  )::int AS "wrongSales",
  (SELECT count(*) FROM account a LEFT JOIN sold s ON (s.owner, s.asset) = (a.owner, a.asset)
    WHERE a.kind = 'deferred_revenue' AND a.owner NOT LIKE 'site:%:invoices'
      AND coalesce(s.amount, 0) <> coalesce((SELECT sum(e.amount) FROM entry e
             WHERE e.account_id = a.id), 0))::int AS "wrongDeferred",
  (SELECT count(*) FROM term t
    WHERE t.tax <> (SELECT coalesce(sum((x->>'amount')::bigint), 0)
                      FROM jsonb_array_elements(t.taxes) x))::int AS "wrongTaxes",
  (SELECT count(*) FROM (
     SELECT b.asset FROM voucher v JOIN voucher_batch b ON b.id = v.batch_id
      WHERE v.used_at IS NOT NULL GROUP BY b.asset
     HAVING sum(b.value) <> -coalesce((
       SELECT sum(e.amount) FROM journal j JOIN entry e ON e.journal_id = j.id
         JOIN account a ON a.id = e.account_id AND a.kind = 'voucher_liability'
        WHERE j.kind = 'voucher' AND e.asset = b.asset), 0)) v)::int AS "wrongVouchers",
  (SELECT count(*) FROM (
     SELECT v.inbox_id FROM voucher v WHERE v.inbox_id IS NOT NULL
      GROUP BY v.inbox_id HAVING count(*) > 1) v)::int AS "vouchersUsedTwice",
  (SELECT count(*) FROM journal r
     JOIN cleared back ON back.journal_id = r.id
     JOIN cleared brought ON brought.journal_id = r.reverses
    WHERE back.amount <> -brought.amount)::int AS "wrongReversals",
  (SELECT count(*) FROM (
     SELECT from_at, lag(to_at) OVER (PARTITION BY subscription_id ORDER BY from_at, id)
              AS before
       FROM term WHERE state = 'sold' AND beside IS NULL AND from_at < to_at) t
    WHERE before > from_at)::int AS "overlappingLines",
  (SELECT count(*) FROM promotion WHERE budget_left < 0)::int AS "overspentPromotions",
  (SELECT count(*) FROM (
     SELECT 1 FROM term WHERE kind = 'incident' AND state = 'sold'
      GROUP BY subscription_id, reference HAVING count(*) > 1
     UNION ALL
     SELECT 1 FROM promotion_use GROUP BY promotion_id, card_id HAVING count(*) > 1) g
  )::int AS "givenTwice"`;

/** What must hold of prepaid sales beyond the books; all zeros is sound. */
export async function checkPrepaid(pool: Pool): Promise<PrepaidCheck> {
  const { rows } = await pool.query(PREPAID);
  return rows[0];
}
