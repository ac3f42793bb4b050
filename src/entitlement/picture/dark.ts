/** Paid but dark: the cards that a person has to look at, and why. */
import type { Pool } from 'pg';
import { DAY_MS, STILL_BLACK_REPORTS } from './rules.ts';

export type DarkReason =
  /** The head-end has not said that what was paid for is on air. */
  | 'not_on_air'
  /** Refreshed more than twice in a day. */
  | 'refreshed_often'
  /** "Still black" was said twice in a day, and "back" not since. */
  | 'still_black';

export interface DarkCard {
  cardId: bigint;
  number: string;
  siteId: bigint;
  /** When the first of its reasons began. */
  since: Date;
  reasons: DarkReason[];
  /** What dispatch heard last: a code of the head-end, `NO_ANSWER` or `NOT_SENT`. */
  failure: string | null;
  lastRefresh: {
    askedAt: Date;
    state: 'queued' | 'on_air' | 'failed';
    failure: string | null;
  } | null;
}

const CARDS_MAX = 200;
const REFRESHES_FINE = 2;
/** Rights are on air within seconds; what takes this long is not on its way any more. */
export const DARK_AFTER_SECONDS = 120;

/**
 * The cards with a reason to look: those that are due were raised by `$1`; asks and reports count
 * since `$2`. Left out is what is rightly dark at `$3`: nothing in date or to come, or suspended.
 * Locks: none. Plan: `card_rights_due`, because a card that is not on air is due;
 * `card_refresh_asked` and `picture_report_at` for the last day; the rights of what was found by
 * primary key. Measured: 14 ms with 500 cards due, 300,000 asks and 150,000 reports kept.
 */
const DARK = `
WITH found AS (
  SELECT card_id, 'not_on_air' AS reason, raised_at AS since FROM card_rights
   WHERE next_at IS NOT NULL AND acked_rev < desired_rev AND raised_at <= $1
  UNION ALL
  SELECT card_id, 'refreshed_often', min(asked_at) FROM card_refresh
   WHERE asked_at > $2 GROUP BY card_id HAVING count(*) > ${REFRESHES_FINE}
  UNION ALL
  SELECT p.card_id, 'still_black', min(p.at) FROM picture_report p
   WHERE p.at > $2 AND p.answer = 'black'
     AND NOT EXISTS (SELECT 1 FROM picture_report b
                      WHERE b.card_id = p.card_id AND b.answer = 'back'
                        AND (b.at, b.id) > (p.at, p.id))
   GROUP BY p.card_id HAVING count(*) >= ${STILL_BLACK_REPORTS}
), dark AS (
  SELECT f.card_id, array_agg(f.reason ORDER BY f.reason) AS reasons, min(f.since) AS since,
         r.failure
    FROM found f JOIN card_rights r USING (card_id)
   WHERE r.suspended IS NULL
     AND EXISTS (SELECT 1 FROM jsonb_array_elements(r.desired) AS x
                  WHERE (x ->> 'to')::timestamptz > $3)
   GROUP BY f.card_id, r.failure
)`;

/** Purpose: the list. Plan: as above, then one step back in `card_refresh_card` for each card. */
const LIST = `${DARK}
SELECT d.card_id, c.number, c.site_id, d.since, d.reasons, d.failure, l.asked_at, l.state,
       l.failure AS refresh_failure
  FROM (SELECT dark.* FROM dark JOIN card ON card.id = dark.card_id
         WHERE $5::bigint[] IS NULL OR card.site_id = ANY ($5)
         ORDER BY since, card_id LIMIT $4) d
  JOIN card c ON c.id = d.card_id
  LEFT JOIN LATERAL (
    SELECT asked_at, state, failure FROM card_refresh
     WHERE card_id = d.card_id ORDER BY asked_at DESC LIMIT 1
  ) l ON true
 ORDER BY d.since, d.card_id`;

const COUNT = `${DARK} SELECT count(*)::integer AS cards FROM dark`;

/** The instants that bound the list. */
const bounds = (now: Date, afterSeconds: number): Date[] => [
  new Date(now.getTime() - afterSeconds * 1000),
  new Date(now.getTime() - DAY_MS),
  now,
];

/**
 * The cards that are paid but dark, the longest dark first, at most 200. `afterSeconds`: how long
 * rights may take to be on air; `sites`: of these alone (null or left out: of all).
 */
export async function paidButDark(
  pool: Pool,
  o: { now: Date; afterSeconds: number; sites?: readonly bigint[] | null },
): Promise<DarkCard[]> {
  const { rows } = await pool.query({
    name: 'dark-list',
    text: LIST,
    values: [...bounds(o.now, o.afterSeconds), CARDS_MAX, o.sites ?? null],
  });
  return rows.map((row) => ({
    cardId: row.card_id,
    number: row.number,
    siteId: row.site_id,
    since: row.since,
    reasons: row.reasons,
    failure: row.failure,
    lastRefresh:
      row.asked_at === null
        ? null
        : { askedAt: row.asked_at, state: row.state, failure: row.refresh_failure },
  }));
}

/** How many cards are paid but dark after `DARK_AFTER_SECONDS`, without a bound. */
export async function countDark(pool: Pool, now: Date): Promise<number> {
  const { rows } = await pool.query({
    name: 'dark-count',
    text: COUNT,
    values: bounds(now, DARK_AFTER_SECONDS),
  });
  return rows[0].cards;
}
