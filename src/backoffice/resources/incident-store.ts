/** The cards that free days after a fault may reach, and which have some. Reads alone. */
import type { Catalogue } from '../../billing/catalogue/rules.ts';
import { priceAt } from '../../billing/catalogue/rules.ts';
import type { IncidentCard } from '../../billing/incidents/rules.ts';
import { isFree } from '../../billing/settlement/lines.ts';
import type { Db } from '../people/staff-store.ts';

export interface Reach {
  siteId: bigint;
  /** Null: of every subscriber. */
  subscriberId: bigint | null;
  /** Null: every card. */
  cardIds: readonly bigint[] | null;
}

/**
 * Purpose: cards of a site with the term that runs. `incident`: who had days for it before.
 * Locks: none. Plan: cards by site, in order of id; two look-ups in `term_subscription` for each.
 */
const CARDS = `
SELECT c.id, c.subscriber_id, c.site_id, s.bouquet_id, s.pause_from IS NOT NULL AS is_paused,
       t.kind AS running,
       EXISTS (SELECT FROM term g WHERE g.subscription_id = s.id AND g.kind = 'incident'
                  AND g.reference = $6 AND g.state = 'sold') AS had
  FROM card c
  JOIN subscription s ON s.card_id = c.id
  LEFT JOIN LATERAL (
    SELECT kind FROM term
     WHERE subscription_id = s.id AND state = 'sold' AND beside IS NULL
       AND from_at <= $4 AND to_at > $4
     ORDER BY from_at LIMIT 1) t ON true
 WHERE c.site_id = $1
   AND ($2::bigint IS NULL OR c.subscriber_id = $2)
   AND ($3::bigint[] IS NULL OR c.id = ANY ($3))
 ORDER BY c.id LIMIT $5`;

/** At most `limit` of them, by id. */
export async function cardsInReach(
  db: Db,
  { siteId, subscriberId, cardIds }: Reach,
  o: { at: Date; limit: number; incident: string | null; catalogue: Catalogue },
): Promise<IncidentCard[]> {
  const values = [siteId, subscriberId, cardIds, o.at, o.limit, o.incident];
  const { rows } = await db.query({ name: 'incident-cards', text: CARDS, values });
  return rows.map((row) => {
    const bouquet = o.catalogue.bouquets.get(row.bouquet_id);
    return {
      cardId: row.id,
      subscriberId: row.subscriber_id,
      siteId: row.site_id,
      running: row.running === null ? null : { isFree: isFree({ kind: row.running }) },
      isPaused: row.is_paused,
      had: row.had && o.incident !== null ? [o.incident] : [],
      paid: [],
      monthPrice: bouquet ? priceAt(bouquet, 'month', o.at) : null,
    };
  });
}

/** How many of these cards have free days for the incident. */
export async function countGiven(
  db: Db,
  incident: string,
  cardIds: readonly bigint[],
): Promise<number> {
  const { rows } = await db.query(
    `SELECT count(DISTINCT s.card_id)::int AS n
       FROM subscription s JOIN term t ON t.subscription_id = s.id
      WHERE s.card_id = ANY ($1::bigint[]) AND t.kind = 'incident' AND t.reference = $2
        AND t.state = 'sold'`,
    [cardIds, incident],
  );
  return rows[0].n;
}
