/** What a phone paid last, and for which card. */
import type { Pool } from 'pg';

export interface LastPayment {
  cardId: bigint;
  cardNumber: string;
  amountMinor: bigint;
  at: Date;
}

/**
 * Purpose: the last money that a phone paid for a card of the site since an instant, and that was
 * not taken back. A prompt's payer is its order's phone. Of a paybill payment the payer is known
 * where a subscriber paid for another's card and bought a term: they were sent the payer's receipt.
 * The wallet that was credited leads to the card. Locks: none.
 */
const LAST_PAYMENT = `
WITH paid AS (
  SELECT o.inbox_id, o.amount, (o.purpose->>'cardId')::bigint AS card_id
    FROM payment_order o
   WHERE o.msisdn = $1 AND o.created_at >= $2 AND o.state = 'paid' AND o.purpose ? 'cardId'
  UNION ALL
  SELECT m.inbox_id, e.amount, s.card_id
    FROM outbound m
    JOIN journal j ON j.inbox_id = m.inbox_id AND j.kind = 'payment'
    JOIN entry e ON e.journal_id = j.id AND e.amount > 0
    JOIN account a ON a.id = e.account_id AND a.kind = 'wallet_paid'
    JOIN card c ON c.subscriber_id = CASE a.kind
         WHEN 'wallet_paid' THEN split_part(a.owner, ':', 2)::bigint END
    JOIN subscription s ON s.card_id = c.id
   WHERE m.target = $1 AND m.created_at >= $2
     AND m.template = 'text.receipt.other_card.payer'
     AND EXISTS (SELECT FROM term t JOIN journal sold ON sold.id = t.journal_id
                  WHERE t.subscription_id = s.id AND sold.inbox_id = m.inbox_id)
)
SELECT p.card_id, c.number, p.amount, i.received_at
  FROM paid p
  JOIN inbox i ON i.id = p.inbox_id
  JOIN card c ON c.id = p.card_id AND c.site_id = $3
 WHERE NOT EXISTS (SELECT FROM journal j JOIN journal r ON r.reverses = j.id
                    WHERE j.inbox_id = p.inbox_id)
 ORDER BY i.received_at DESC LIMIT 1`;

/** What a phone (E.164) last paid for a card of a site since `since`; null when none is known. */
export async function lastPayment(
  pool: Pool,
  { msisdn, siteId, since }: { msisdn: string; siteId: bigint; since: Date },
): Promise<LastPayment | null> {
  const { rows } = await pool.query({
    name: 'dialogue-last-payment',
    text: LAST_PAYMENT,
    values: [msisdn, since, siteId],
  });
  const [row] = rows;
  if (!row) return null;
  const { card_id: cardId, number: cardNumber, amount: amountMinor, received_at: at } = row;
  return { cardId, cardNumber, amountMinor, at };
}
