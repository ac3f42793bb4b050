/** The SQL of comparing what a system holds with what it acknowledged. */
import type { Pool } from 'pg';
import type { CardRecord } from '../vip-control/queries.ts';

/** Up to which of its changes a system was compared, and when it was asked. */
export interface Compared {
  change: number;
  at: Date;
}

export interface CardsAsked {
  casId: string;
  /** The epoch of our revisions there. */
  epoch: number;
  /** The card numbers that the page speaks of: after one, up to another; null: without bound. */
  range: { after: string | null; to: string | null };
  /** Acknowledged since the question: the page may be older. */
  askedAt: Date;
  /** Cards on air since then must be on the page, others need not; null: all must. */
  changedFrom: Date | null;
}

/**
 * Purpose: makes due, under a new revision, the cards at rest whose acknowledged revision the
 * system does not hold. As bulk: many may be lost at once, and who pays now comes first.
 * Locks: those cards, by id. Plan: the cards of the range by number, their rights by key; for the
 * whole range both tables from end to end, once after a log-in.
 */
const COMPARE = `
WITH heard AS (
  SELECT * FROM unnest($5::text[], $6::integer[], $7::integer[]) AS h (number, epoch, rev)
), differing AS MATERIALIZED (
  SELECT r.card_id
    FROM card c
    JOIN card_rights r ON r.card_id = c.id
    LEFT JOIN heard h ON h.number = c.number
   WHERE c.cas_id = $1 AND ($3::text IS NULL OR c.number > $3)
     AND ($4::text IS NULL OR c.number <= $4)
     AND r.next_at IS NULL AND r.acked_rev > 0 AND r.on_air_at < $8
     AND CASE WHEN h.number IS NULL THEN $9::timestamptz IS NULL OR r.on_air_at >= $9
              ELSE h.epoch <> $2 OR h.rev <> r.acked_rev END
   ORDER BY r.card_id FOR NO KEY UPDATE OF r
)
UPDATE card_rights r
   SET desired_rev = r.desired_rev + 1, next_at = $8, raised_at = $8, attempts = 0,
       failure = NULL, is_bulk = true
  FROM differing WHERE r.card_id = differing.card_id AND r.next_at IS NULL`;

/** Makes due what differs from a page; returns how many cards. */
export async function compareCards(
  pool: Pool,
  cards: readonly Pick<CardRecord, 'card' | 'epoch' | 'rev'>[],
  { casId, epoch, range, askedAt, changedFrom }: CardsAsked,
): Promise<number> {
  const { rowCount } = await pool.query({
    name: 'comparison-cards',
    text: COMPARE,
    values: [
      ...[casId, epoch, range.after, range.to],
      cards.map(({ card }) => card),
      cards.map((card) => card.epoch),
      cards.map(({ rev }) => rev),
      ...[askedAt, changedFrom],
    ],
  });
  return rowCount ?? 0;
}

/** How far a system was compared; null: never. */
export async function readCompared(pool: Pool, casId: string): Promise<Compared | null> {
  const { rows } = await pool.query(
    'SELECT compared_change, compared_at FROM conditional_access WHERE id = $1',
    [casId],
  );
  const [row] = rows;
  if (!row?.compared_at) return null;
  return { change: Number(row.compared_change), at: row.compared_at };
}

/** Notes how far a system was compared. */
export async function saveCompared(pool: Pool, casId: string, { change, at }: Compared) {
  await pool.query(
    'UPDATE conditional_access SET compared_change = $2, compared_at = $3 WHERE id = $1',
    [casId, change, at],
  );
}
