/** The cards that free days after a fault may reach, and which have some. Reads alone. */
import type { ClientBase, Pool } from 'pg';
import { localDate } from '../../platform/calendar.ts';
import { type Catalogue, priceAt, rulesOf, type Site } from '../catalogue/rules.ts';
import { isFree } from '../settlement/lines.ts';
import type { Given, IncidentCard, IncidentLimits } from './rules.ts';

type Db = Pool | ClientBase;

export interface Reach {
  siteId: bigint;
  /** Null: of every subscriber. */
  subscriberId: bigint | null;
  /** Null: every card. */
  cardIds: readonly bigint[] | null;
  /** Cards behind this one, by id; 0: all. */
  after?: bigint;
}

export interface ReachOptions {
  at: Date;
  limit: number;
  /** Who had days for it is read as well. */
  incident: string | null;
  /** What was paid in this time is read as well. */
  during?: { from: Date; to: Date };
  catalogue: Catalogue;
}

/**
 * Purpose: cards of a site with the term that runs; who had days for incident `$6` before, and what
 * was sold of the time from `$8` to `$9`. Locks: none.
 * Plan: cards by site, in order of id; look-ups in `term_subscription` for each.
 */
const CARDS = `
SELECT c.id, c.subscriber_id, c.site_id, s.bouquet_id, s.pause_from IS NOT NULL AS is_paused,
       t.kind AS running, p.sold, o.category,
       EXISTS (SELECT FROM term g WHERE g.subscription_id = s.id AND g.kind = 'incident'
                  AND g.reference = $6 AND g.state = 'sold') AS had
  FROM card c
  JOIN subscriber o ON o.id = c.subscriber_id
  JOIN subscription s ON s.card_id = c.id
  LEFT JOIN LATERAL (
    SELECT kind FROM term
     WHERE subscription_id = s.id AND state = 'sold' AND beside IS NULL
       AND from_at <= $4 AND to_at > $4
     ORDER BY from_at LIMIT 1) t ON true
  LEFT JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_object('bouquetId', bouquet_id::text, 'kind', kind,
                                        'from', from_at, 'to', to_at)) AS sold
      FROM term
     WHERE $8::timestamptz IS NOT NULL AND subscription_id = s.id AND state = 'sold'
       AND from_at < $9 AND to_at > $8) p ON true
 WHERE c.site_id = $1
   AND ($2::bigint IS NULL OR c.subscriber_id = $2)
   AND ($3::bigint[] IS NULL OR c.id = ANY ($3))
   AND c.id > $7
 ORDER BY c.id LIMIT $5`;

/** At most `limit` of them, by id. */
export async function cardsInReach(
  db: Db,
  { siteId, subscriberId, cardIds, after = 0n }: Reach,
  o: ReachOptions,
): Promise<IncidentCard[]> {
  const { from = null, to = null } = o.during ?? {};
  const values = [siteId, subscriberId, cardIds, o.at, o.limit, o.incident, after, from, to];
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
      paid: paidOf(o.catalogue, row.sold ?? []),
      monthPrice: bouquet ? priceAt(bouquet, 'month', o.at, row.category) : null,
    };
  });
}

type SoldLine = { bouquetId: string; kind: Parameters<typeof isFree>[0]['kind'] } & {
  from: string;
  to: string;
};

/** The products of what was paid; free time is no loss. */
const paidOf = ({ bouquets }: Catalogue, sold: readonly SoldLine[]): IncidentCard['paid'] =>
  sold
    .filter((line) => !isFree(line))
    .flatMap(({ bouquetId, from, to }) =>
      (bouquets.get(BigInt(bouquetId))?.products ?? []).map((product) => ({
        ...{ product, from: new Date(from), to: new Date(to) },
      })),
    );

/** The limits of a site; whoever decides above which sum is no rule of the site. */
export const limitsOf = (site: Site): IncidentLimits => {
  const { outage: _outage, ...limits } = rulesOf(site).incident;
  return { ...limits, costPerGiverAndMonth: null, secondPerson: { days: null, cost: null } };
};

/** Longer than any month. */
const MONTH_MS_MAX = 32 * 86_400_000;

/**
 * What the subscribers of these cards were given lately; nothing where no limit of the month asks.
 * Plan: the lines of the subscriptions of their cards.
 */
export async function givenLately(
  db: Db,
  site: Site,
  cards: readonly Pick<IncidentCard, 'subscriberId'>[],
  at: Date,
): Promise<Given[]> {
  const { daysPerCardAndMonth, daysPerSubscriberAndMonth } = limitsOf(site);
  if (daysPerCardAndMonth === null && daysPerSubscriberAndMonth === null) return [];
  const { rows } = await db.query({
    name: 'incident-given',
    text: `SELECT c.id, c.subscriber_id, t.sold_at, t.days
             FROM card c
             JOIN subscription s ON s.card_id = c.id OR s.former_card_id = c.id
             JOIN term t ON t.subscription_id = s.id AND t.kind = 'incident' AND t.state = 'sold'
            WHERE c.subscriber_id = ANY ($1::bigint[]) AND t.sold_at >= $2`,
    values: [
      [...new Set(cards.map(({ subscriberId }) => subscriberId))],
      new Date(at.getTime() - MONTH_MS_MAX),
    ],
  });
  return rows.map((row) => ({
    cardId: row.id,
    subscriberId: row.subscriber_id,
    by: '',
    on: localDate(row.sold_at, site.timeZone),
    days: row.days,
    cost: 0n,
  }));
}

/** How many cards (of these; null: of all) have free days for the incident. */
export async function countGiven(
  db: Db,
  incident: string,
  cardIds: readonly bigint[] | null,
): Promise<number> {
  const { rows } = await db.query(
    `SELECT count(DISTINCT coalesce(s.card_id, s.former_card_id))::int AS n
       FROM term t JOIN subscription s ON s.id = t.subscription_id
      WHERE t.kind = 'incident' AND t.reference = $2 AND t.state = 'sold'
        AND ($1::bigint[] IS NULL OR s.card_id = ANY ($1))`,
    [cardIds, incident],
  );
  return rows[0].n;
}
