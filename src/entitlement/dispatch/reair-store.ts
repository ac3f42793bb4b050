/** The SQL of re-airing. */
import type { Pool } from 'pg';

/** A card that is on air, and due to be once more. */
export interface ReairCard {
  cardId: bigint;
  number: string;
  rev: number;
  desired: readonly { product: string; from: string; to: string }[];
  onAirAt: Date;
  /** How often this revision was re-aired, this time included. */
  reairs: number;
}

/**
 * Purpose: takes cards of a system whose wanted set is on air and due to be broadcast once more.
 * They are due again at `$3`, so that no other process takes them, and a death here loses one
 * repetition.
 * Locks: the due rows in the order of their due time; never waits for one.
 * Plan: a range of `card_rights_reair`, then both tables by primary key.
 */
const CLAIM_REAIRS = `
WITH due AS MATERIALIZED (
  SELECT card_id FROM card_rights
   WHERE cas_id = $4 AND reair_at <= $1 AND acked_rev = desired_rev
   ORDER BY reair_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE card_rights r SET reair_at = $3, reairs = r.reairs + 1
  FROM due JOIN card c ON c.id = due.card_id
 WHERE r.card_id = due.card_id
RETURNING r.card_id, c.number, r.acked_rev, r.desired, r.on_air_at, r.reairs`;

/**
 * Purpose: when re-airing goes on, unless the set was raised or re-aired since.
 * Locks: the cards, by id. Plan: primary key.
 */
const SET_REAIRS = `
WITH x AS (
  SELECT * FROM unnest($1::bigint[], $2::integer[], $3::integer[], $4::timestamptz[])
       AS x (card_id, rev, reairs, reair_at)
), locked AS MATERIALIZED (
  SELECT r.card_id FROM card_rights r JOIN x USING (card_id)
   ORDER BY r.card_id FOR NO KEY UPDATE OF r
)
UPDATE card_rights r SET reair_at = x.reair_at
  FROM x JOIN locked USING (card_id)
 WHERE r.card_id = x.card_id AND r.acked_rev = x.rev AND r.reairs = x.reairs`;

/** Takes up to `limit` cards that are due for re-airing; they are due again at `until`. */
export async function claimReairs(
  pool: Pool,
  claim: { casId: string; now: Date; limit: number; until: Date },
): Promise<ReairCard[]> {
  const { rows } = await pool.query({
    name: 'dispatch-claim-reairs',
    text: CLAIM_REAIRS,
    values: [claim.now, claim.limit, claim.until, claim.casId],
  });
  return rows.map((row) => ({
    cardId: row.card_id,
    number: row.number,
    rev: row.acked_rev,
    desired: row.desired,
    onAirAt: row.on_air_at,
    reairs: row.reairs,
  }));
}

/** Writes when claimed cards are re-aired next; null: never again. */
export async function setReairs(
  pool: Pool,
  cards: readonly (ReairCard & { reairAt: Date | null })[],
): Promise<void> {
  await pool.query({
    name: 'dispatch-set-reairs',
    text: SET_REAIRS,
    values: [
      cards.map((card) => card.cardId),
      cards.map((card) => card.rev),
      cards.map((card) => card.reairs),
      cards.map((card) => card.reairAt),
    ],
  });
}
