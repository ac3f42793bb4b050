/** The SQL of held pay-per-view prices. */
import type { Pool } from 'pg';

/** A pay-per-view purchase whose money is held. */
export interface HeldPurchase {
  purchaseId: bigint;
  siteId: bigint;
}

/**
 * Purpose: money held though the rights are on air; a suspended card shows nothing.
 * Locks: none. Plan: `event_purchase_held`.
 */
const CAPTURABLE = `
SELECT p.id AS purchase_id, c.site_id
  FROM event_purchase p
  JOIN card_rights r ON r.card_id = p.card_id
  JOIN card c ON c.id = p.card_id
 WHERE p.state = 'held' AND r.acked_rev >= p.rights_rev AND r.on_air_at < p.ends_at
   AND r.suspended IS NULL AND p.id > $1
 ORDER BY p.id LIMIT $2`;

/**
 * Purpose: money held for events that ended by `$3` and were not on air before their end.
 * Locks: none. Plan: `event_purchase_held`.
 */
const RELEASABLE = `
SELECT p.id AS purchase_id, c.site_id
  FROM event_purchase p
  JOIN card_rights r ON r.card_id = p.card_id
  JOIN card c ON c.id = p.card_id
 WHERE p.state = 'held' AND p.ends_at <= $3 AND p.id > $1
   AND NOT (r.acked_rev >= p.rights_rev AND coalesce(r.on_air_at < p.ends_at, false)
            AND r.suspended IS NULL)
 ORDER BY p.id LIMIT $2`;

interface Page {
  /** Only purchases with a higher id. */
  after: bigint;
  limit: number;
}

/** Held purchases whose rights went on air before the event's end, by id. */
export async function capturable(pool: Pool, { after, limit }: Page): Promise<HeldPurchase[]> {
  const { rows } = await pool.query({
    name: 'dispatch-capturable',
    text: CAPTURABLE,
    values: [after, limit],
  });
  return rows.map(heldPurchase);
}

/** Held purchases of events that ended at `endedBy` or before, and were not on air in time. */
export async function releasable(
  pool: Pool,
  { after, limit }: Page,
  endedBy: Date,
): Promise<HeldPurchase[]> {
  const { rows } = await pool.query({
    name: 'dispatch-releasable',
    text: RELEASABLE,
    values: [after, limit, endedBy],
  });
  return rows.map(heldPurchase);
}

/** A row of a purchase as the held purchase it stands for. */
export const heldPurchase = (row: { purchase_id: bigint; site_id: bigint }): HeldPurchase => ({
  purchaseId: row.purchase_id,
  siteId: row.site_id,
});
