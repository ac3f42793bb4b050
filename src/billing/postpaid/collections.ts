/** What is to be collected, and what became of it: attempts and the orders that stand for them. */
import type { Pool } from 'pg';

/** An attempt that waits to be sent. */
export interface ToCollect {
  attemptId: bigint;
  accountId: bigint;
  paymentId: bigint;
  siteId: bigint;
  /** Minor units. */
  amount: bigint;
  currency: string;
  /** E.164; null: nobody can be asked. */
  msisdn: string | null;
}

/** The key of the order for an attempt: one order for ever. */
export const orderKey = (attemptId: bigint): string => `attempt:${attemptId}`;

/** Purpose: attempts without an order, the oldest first. Plan: the index of open attempts. */
export async function findUnsent(pool: Pool, limit: number): Promise<ToCollect[]> {
  const { rows } = await pool.query({
    name: 'postpaid-unsent',
    text: `SELECT t.id AS "attemptId", t.account_id AS "accountId", t.payment_id AS "paymentId",
                  s.site_id AS "siteId", t.asked AS amount, a.currency,
                  s.contact_msisdn AS msisdn
             FROM payment_attempt t
             JOIN postpaid_account a ON a.id = t.account_id
             JOIN subscriber s ON s.id = a.subscriber_id
            WHERE t.outcome = 'pending'
              AND NOT EXISTS (SELECT FROM payment_order o WHERE o.key = 'attempt:' || t.id)
            ORDER BY t.id LIMIT $1`,
    values: [limit],
  });
  return rows;
}

/** An attempt whose order ended without money. */
export interface EndedAttempt {
  attemptId: bigint;
  accountId: bigint;
  paymentId: bigint;
  /** Down: no operator is known to have had the request. */
  result: 'declined' | 'down';
}

/**
 * Purpose: open attempts whose order has failed, or about which nobody will be asked any more.
 * An order that is paid is not here: its money comes as a receipt.
 */
export async function findEnded(pool: Pool, limit: number): Promise<EndedAttempt[]> {
  const { rows } = await pool.query({
    name: 'postpaid-ended',
    text: `SELECT t.id AS "attemptId", t.account_id AS "accountId", t.payment_id AS "paymentId",
                  CASE WHEN o.state = 'expired' AND o.checkout_request_id IS NULL
                       THEN 'down' ELSE 'declined' END AS result
             FROM payment_attempt t JOIN payment_order o ON o.key = 'attempt:' || t.id
            WHERE t.outcome IN ('pending', 'unknown') AND o.state <> 'paid'
              AND o.next_poll_at IS NULL
            ORDER BY t.id LIMIT $1`,
    values: [limit],
  });
  return rows;
}

/** A payment whose last tries did not reach the operator. */
export interface DownPayment {
  accountId: bigint;
  /** When the last of them was made. */
  triedAt: Date;
  /** How many there were in a row. */
  count: number;
}

/**
 * Purpose: automatic payments of open invoices that end with tries that did not reach the operator,
 * the last of them since an instant.
 */
export async function findDown(
  pool: Pool,
  { since, limit }: { since: Date; limit: number },
): Promise<DownPayment[]> {
  const { rows } = await pool.query({
    name: 'postpaid-down',
    text: `SELECT t.account_id AS "accountId", o.created_at AS "triedAt",
                  (SELECT count(*)::int FROM payment_attempt b
                    WHERE (b.account_id, b.payment_id) = (t.account_id, t.payment_id)
                      AND b.id > coalesce((SELECT max(c.id) FROM payment_attempt c
                           WHERE (c.account_id, c.payment_id) = (t.account_id, t.payment_id)
                             AND c.outcome <> 'down'), 0)) AS count
             FROM payment_attempt t
             JOIN invoice_payment p ON (p.account_id, p.id) = (t.account_id, t.payment_id)
             JOIN invoice i ON (i.account_id, i.id) = (p.account_id, p.invoice_id)
             JOIN postpaid_account a ON a.id = t.account_id
             JOIN payment_order o ON o.key = 'attempt:' || t.id
            WHERE t.outcome = 'down' AND p.kind = 'automatic' AND o.created_at >= $2
              AND a.auto_pay AND a.payment_method
              AND i.status = 'committed' AND NOT i.written_off
              AND NOT EXISTS (SELECT FROM invoice_payment y
                   JOIN payment_attempt m ON (m.account_id, m.payment_id) = (y.account_id, y.id)
                   WHERE (y.account_id, y.invoice_id) = (i.account_id, i.id)
                     AND m.outcome = 'approved')
              AND NOT EXISTS (SELECT FROM payment_attempt n
                   WHERE (n.account_id, n.payment_id) = (t.account_id, t.payment_id)
                     AND n.id > t.id)
            ORDER BY t.id DESC LIMIT $1`,
    values: [limit, since],
  });
  return rows;
}
