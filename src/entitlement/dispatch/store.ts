/**
 * The SQL of dispatch. Every statement that waits for a lock takes cards by id, as settlement does,
 * so that no two writers can wait for each other in a circle.
 */
import type { Pool } from 'pg';

export interface ClaimedCard {
  cardId: bigint;
  number: string;
  rev: number;
  /** The full set of that revision, as settlement wrote it. */
  desired: readonly { product: string; from: string; to: string }[];
  /** Why the card is to show nothing but what is free to air; null: it is not suspended. */
  suspended: string | null;
  attempts: number;
  /** Since when it waits to be sent. */
  dueSince: Date;
  /** When this revision was raised; null where that is not known. */
  raisedAt: Date | null;
}

export interface AckedCard {
  cardId: bigint;
  rev: number;
  onAirAt: Date;
  /** When it is first broadcast once more. */
  reairAt: Date | null;
}

export interface FailedCard {
  cardId: bigint;
  rev: number;
  nextAt: Date;
  attempts: number;
  failure: string;
  /** Whether the set needs a new revision: the head-end has another content under this one. */
  raise: boolean;
}

/** A pay-per-view purchase whose money is held. */
export interface HeldPurchase {
  purchaseId: bigint;
  siteId: bigint;
}

/**
 * Purpose: takes due cards under a lease and reads their sets, which is just before sending.
 * Locks: the due rows in the order of their due time; never waits for one.
 * Plan: a range of `card_rights_due`, then both tables by primary key. No indexed column changes,
 * so that the update stays in its page (HOT).
 */
const CLAIM = `
WITH due AS MATERIALIZED (
  SELECT card_id FROM card_rights
   WHERE next_at <= $1 AND (lease_until IS NULL OR lease_until <= $1)
   ORDER BY next_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE card_rights r SET lease_by = $3, lease_until = $4
  FROM due JOIN card c ON c.id = due.card_id
 WHERE r.card_id = due.card_id
RETURNING r.card_id, c.number, r.desired_rev, r.desired, r.suspended, r.attempts, r.next_at,
          r.raised_at`;

/**
 * Purpose: what is on air now. True whoever holds the lease, which is ended only if it is still
 * ours. A set raised since stays due. Re-airing begins anew with the wanted revision, once.
 * Answers the cards, whether the wanted set is on air since now, and which held purchases are
 * thereby on air in time.
 * Locks: the cards, by id. Plan: primary keys; `event_purchase_held`.
 */
const ACK = `
WITH x AS (
  SELECT * FROM unnest($1::bigint[], $2::integer[], $3::timestamptz[], $4::timestamptz[])
       AS x (card_id, rev, on_air_at, reair_at)
), locked AS MATERIALIZED (
  SELECT r.card_id, r.desired_rev = x.rev AS is_wanted, x.rev > r.acked_rev AS is_new
    FROM card_rights r JOIN x USING (card_id)
   ORDER BY r.card_id FOR NO KEY UPDATE OF r
), acked AS (
  UPDATE card_rights r
     SET acked_rev = greatest(r.acked_rev, x.rev),
         on_air_at = CASE WHEN is_new THEN x.on_air_at ELSE r.on_air_at END,
         reair_at = CASE WHEN is_wanted AND is_new THEN x.reair_at ELSE r.reair_at END,
         reairs = CASE WHEN is_wanted AND is_new THEN 0 ELSE r.reairs END,
         next_at = CASE WHEN is_wanted THEN NULL ELSE r.next_at END,
         attempts = CASE WHEN is_wanted THEN 0 ELSE r.attempts END,
         failure = CASE WHEN is_wanted THEN NULL ELSE r.failure END,
         lease_until = CASE WHEN r.lease_by = $5 THEN NULL ELSE r.lease_until END,
         lease_by = nullif(r.lease_by, $5)
    FROM x JOIN locked USING (card_id)
   WHERE r.card_id = x.card_id AND x.rev <= r.desired_rev
  RETURNING r.card_id, r.acked_rev, r.on_air_at, r.suspended, is_wanted AND is_new AS is_fresh
)
SELECT a.card_id, a.is_fresh, p.id AS purchase_id, c.site_id
  FROM acked a
  LEFT JOIN (event_purchase p JOIN card c ON c.id = p.card_id)
         ON p.card_id = a.card_id AND p.state = 'held'
        AND p.rights_rev <= a.acked_rev AND a.on_air_at < p.ends_at AND a.suspended IS NULL`;

/**
 * Purpose: when to try again, and why it failed. Counts only while the lease is ours; a set raised
 * since is due as it was. Answers the cards whose failure was recorded.
 * Locks: the cards, by id. Plan: primary key.
 */
const FAIL = `
WITH x AS (
  SELECT * FROM unnest($1::bigint[], $2::integer[], $3::timestamptz[], $4::integer[], $5::text[],
                       $6::boolean[])
       AS x (card_id, rev, next_at, attempts, failure, is_raised)
), locked AS MATERIALIZED (
  SELECT r.card_id, r.desired_rev = x.rev AS is_wanted
    FROM card_rights r JOIN x USING (card_id)
   ORDER BY r.card_id FOR NO KEY UPDATE OF r
)
UPDATE card_rights r
   SET desired_rev = r.desired_rev + CASE WHEN is_wanted AND x.is_raised THEN 1 ELSE 0 END,
       next_at = CASE WHEN is_wanted THEN x.next_at ELSE r.next_at END,
       attempts = CASE WHEN is_wanted THEN x.attempts ELSE r.attempts END,
       failure = CASE WHEN is_wanted THEN x.failure ELSE r.failure END,
       lease_until = NULL,
       lease_by = NULL
  FROM x JOIN locked USING (card_id)
 WHERE r.card_id = x.card_id AND r.lease_by = $7
RETURNING r.card_id, is_wanted`;

/** Purpose: moves the end of our leases (null: gives back). Locks: by id. Plan: primary key. */
const LEASE = `
WITH locked AS MATERIALIZED (
  SELECT card_id FROM card_rights WHERE card_id = ANY($1::bigint[]) AND lease_by = $2
   ORDER BY card_id FOR NO KEY UPDATE
)
UPDATE card_rights r
   SET lease_until = $3::timestamptz, lease_by = CASE WHEN $3 IS NULL THEN NULL ELSE $2 END
  FROM locked WHERE r.card_id = locked.card_id`;

/**
 * Purpose: cards whose wanted set was raised by `$1` and is not on air; the oldest, and how many
 * there are. Locks: none. Plan: all of `card_rights_due`, which holds what is not on air.
 */
const DARK = `
SELECT r.card_id, c.number, r.desired_rev, r.raised_at, r.failure,
       (count(*) OVER ())::integer AS dark
  FROM card_rights r JOIN card c ON c.id = r.card_id
 WHERE r.next_at IS NOT NULL AND r.desired_rev <> r.acked_rev AND r.raised_at <= $1
 ORDER BY r.raised_at, r.card_id LIMIT $2`;

/** Purpose: which of these cards have on air what is wanted. Locks: none. Plan: primary key. */
const LIT = `
SELECT card_id FROM card_rights WHERE card_id = ANY($1::bigint[]) AND acked_rev = desired_rev`;

/** Purpose: how much waits. Locks: none. Plan: an index-only range of `card_rights_due`. */
const BACKLOG = `
SELECT count(*)::integer AS waiting, min(next_at) AS oldest FROM card_rights WHERE next_at <= $1`;

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

/** The row of a head-end, made at its first use. Returns the epoch of our revisions there. */
export async function ensureConditionalAccess(pool: Pool, id: string): Promise<number> {
  await pool.query('INSERT INTO conditional_access (id) VALUES ($1) ON CONFLICT DO NOTHING', [id]);
  const { rows } = await pool.query('SELECT epoch FROM conditional_access WHERE id = $1', [id]);
  return rows[0].epoch;
}

/** Takes up to `limit` due cards until `until`, oldest first. */
export async function claimCards(
  pool: Pool,
  claim: { now: Date; limit: number; by: string; until: Date },
): Promise<ClaimedCard[]> {
  const { rows } = await pool.query({
    name: 'dispatch-claim',
    text: CLAIM,
    values: [claim.now, claim.limit, claim.by, claim.until],
  });
  return rows.map((row) => ({
    cardId: row.card_id,
    number: row.number,
    rev: row.desired_rev,
    desired: row.desired,
    suspended: row.suspended,
    attempts: row.attempts,
    dueSince: row.next_at,
    raisedAt: row.raised_at,
  }));
}

/**
 * Writes acknowledgements. Answers the cards whose wanted set is on air since now, and the held
 * purchases that are on air because of them.
 */
export async function ackCards(
  pool: Pool,
  cards: readonly AckedCard[],
  by: string,
): Promise<{ fresh: Set<bigint>; purchases: HeldPurchase[] }> {
  const { rows } = await pool.query({
    name: 'dispatch-ack',
    text: ACK,
    values: [
      cards.map((card) => card.cardId),
      cards.map((card) => card.rev),
      cards.map((card) => card.onAirAt),
      cards.map((card) => card.reairAt),
      by,
    ],
  });
  return {
    fresh: new Set(rows.filter((row) => row.is_fresh).map((row) => row.card_id)),
    purchases: rows.filter((row) => row.purchase_id !== null).map(heldPurchase),
  };
}

/** Writes failures; answers the cards for which they still mattered. */
export async function failCards(
  pool: Pool,
  cards: readonly FailedCard[],
  by: string,
): Promise<Set<bigint>> {
  const { rows } = await pool.query({
    name: 'dispatch-fail',
    text: FAIL,
    values: [
      cards.map((card) => card.cardId),
      cards.map((card) => card.rev),
      cards.map((card) => card.nextAt),
      cards.map((card) => card.attempts),
      cards.map((card) => card.failure),
      cards.map((card) => card.raise),
      by,
    ],
  });
  return new Set(rows.filter((row) => row.is_wanted).map((row) => row.card_id));
}

/** Prolongs the leases that are still ours; `until` null gives them back. */
export async function leaseCards(
  pool: Pool,
  cardIds: readonly bigint[],
  lease: { by: string; until: Date | null },
): Promise<void> {
  await pool.query({
    name: 'dispatch-lease',
    text: LEASE,
    values: [cardIds, lease.by, lease.until],
  });
}

/** Cards that are due or being sent, and since when the oldest of them has been. */
export async function readBacklog(
  pool: Pool,
  now: Date,
): Promise<{ waiting: number; oldest: Date | null }> {
  const { rows } = await pool.query({ name: 'dispatch-backlog', text: BACKLOG, values: [now] });
  return { waiting: rows[0].waiting, oldest: rows[0].oldest };
}

/** A card whose wanted set should be on air by now. */
export interface DarkCard {
  cardId: bigint;
  number: string;
  rev: number;
  raisedAt: Date;
  failure: string | null;
}

/** How many cards have waited since `raisedBy` or longer, and the oldest `limit` of them. */
export async function readDark(
  pool: Pool,
  { raisedBy, limit }: { raisedBy: Date; limit: number },
): Promise<{ count: number; cards: DarkCard[] }> {
  const { rows } = await pool.query({
    name: 'dispatch-dark',
    text: DARK,
    values: [raisedBy, limit],
  });
  const cards = rows.map((row) => ({
    cardId: row.card_id,
    number: row.number,
    rev: row.desired_rev,
    raisedAt: row.raised_at,
    failure: row.failure,
  }));
  return { count: rows[0]?.dark ?? 0, cards };
}

/** Which of these cards have on air what is wanted. */
export async function readLit(pool: Pool, cardIds: readonly bigint[]): Promise<Set<bigint>> {
  const { rows } = await pool.query({ name: 'dispatch-lit', text: LIT, values: [cardIds] });
  return new Set(rows.map((row) => row.card_id));
}

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

const heldPurchase = (row: { purchase_id: bigint; site_id: bigint }): HeldPurchase => ({
  purchaseId: row.purchase_id,
  siteId: row.site_id,
});
