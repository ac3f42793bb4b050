/** What is read for "Paid wrong card": a phone's payments, and the moves an owner may object to. */
import type { Pool } from 'pg';

export interface PaidRecord {
  /** The inbox row of the payment. */
  id: bigint;
  at: Date;
  /** What was paid, in minor units. */
  amount: bigint;
  /** The card it lies with now. */
  cardNumber: string;
  fullName: string;
  /** An agent took it, or the payer is a reseller. */
  isSale: boolean;
  /** It was taken back, moved, or is being moved. */
  isTaken: boolean;
}

const PAID_MAX = 20;

/** Payments of a phone (E.164) for cards of a site since an instant, the latest first. */
export async function findPaid(
  pool: Pool,
  { msisdn, siteId, since }: { msisdn: string; siteId: bigint; since: Date },
): Promise<PaidRecord[]> {
  const { rows } = await pool.query({
    name: 'dialogue-paid',
    // Plan: inbox_payer, then keys. Locks: none.
    text: `SELECT i.id, i.received_at, e.amount, c.number, o.full_name,
                  i.means IS NOT DISTINCT FROM 'agent'
                    OR EXISTS (SELECT FROM reseller r WHERE r.msisdn = $1) AS is_sale,
                  EXISTS (SELECT FROM payment_move m WHERE m.payment_id = i.id)
                    OR EXISTS (SELECT FROM journal r WHERE r.reverses = j.id) AS is_taken
             FROM inbox i
             JOIN journal j ON j.inbox_id = i.id AND j.kind = 'payment' AND j.site_id = $2
             JOIN entry e ON e.journal_id = j.id AND e.amount > 0
             JOIN account a ON a.id = e.account_id AND a.kind = 'wallet_paid'
             LEFT JOIN LATERAL (SELECT p.card_id FROM payment_place p
                                 WHERE p.payment_id = i.id ORDER BY p.id DESC LIMIT 1) p ON true
             JOIN card c ON c.id = coalesce(p.card_id, i.card_id)
             JOIN subscriber o ON o.id = c.subscriber_id
            WHERE i.payer_msisdn = $1 AND i.received_at > $3
            ORDER BY i.received_at DESC, i.id DESC LIMIT $4`,
    values: [msisdn, siteId, since, PAID_MAX],
  });
  return rows.map((row) => ({
    id: row.id,
    at: row.received_at,
    amount: row.amount,
    cardNumber: row.number,
    fullName: row.full_name,
    isSale: row.is_sale,
    isTaken: row.is_taken,
  }));
}

/** By which key a payment came; null for none of this id. */
export async function receiptOf(
  pool: Pool,
  paymentId: bigint,
): Promise<{ provider: string; receipt: string } | null> {
  const { rows } = await pool.query<{ provider: string; receipt: string }>({
    name: 'dialogue-receipt',
    text: "SELECT provider, receipt FROM inbox WHERE id = $1 AND kind = 'payment'",
    values: [paymentId],
  });
  return rows[0] ?? null;
}

export interface ObjectableMove {
  id: bigint;
  original: { provider: string; receipt: string };
  amount: bigint;
  cardId: bigint;
  cardNumber: string;
  casId: string;
}

/**
 * Moves that take a payment from a card of whoever this phone belongs to, due since an instant;
 * those that were objected to as well, for a repeat to be answered.
 */
export async function findObjectable(
  pool: Pool,
  msisdn: string,
  since: Date,
): Promise<ObjectableMove[]> {
  const { rows } = await pool.query({
    name: 'dialogue-objectable',
    // Plan: payment_move_objection, then keys. Locks: none.
    text: `SELECT m.id, i.provider, i.receipt, e.amount, c.id AS card_id, c.number, c.cas_id
             FROM payment_move m
             JOIN inbox i ON i.id = m.payment_id
             JOIN journal j ON j.inbox_id = i.id AND j.kind = 'payment'
             JOIN entry e ON e.journal_id = j.id AND e.amount > 0
             JOIN account a ON a.id = e.account_id AND a.kind = 'wallet_paid'
             LEFT JOIN LATERAL (SELECT p.card_id FROM payment_place p
                                 WHERE p.payment_id = i.id ORDER BY p.id DESC LIMIT 1) p ON true
             JOIN card c ON c.id = coalesce(p.card_id, i.card_id)
             JOIN subscriber o ON o.id = c.subscriber_id
            WHERE m.state IN ('pending', 'objected') AND m.due_at > $2
              AND (o.contact_msisdn = $1
                   OR EXISTS (SELECT FROM phone p
                               WHERE p.msisdn = $1 AND p.subscriber_id = o.id))
            ORDER BY m.id`,
    values: [msisdn, since],
  });
  return rows.map((row) => ({
    id: row.id,
    original: { provider: row.provider, receipt: row.receipt },
    amount: row.amount,
    cardId: row.card_id,
    cardNumber: row.number,
    casId: row.cas_id,
  }));
}
