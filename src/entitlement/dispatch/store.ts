/**
 * The SQL of dispatch. Every statement that waits for a lock takes cards by id, as settlement does,
 * so that no two writers can wait for each other in a circle.
 */
import type { Pool, PoolClient } from 'pg';
import { insertLog, type LogLine, logValues } from '../sending/command-log.ts';
import { type HeldPurchase, heldPurchase } from './holds-store.ts';

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
  /** Why this revision failed last, and since when it has; null: it has not. */
  failure: string | null;
  failingSince: Date | null;
  /** Nobody waits for it: a machine raised it. */
  isBulk: boolean;
  /** Of this claim: what is written under it counts until the card is claimed again. */
  token: bigint;
  /** What it was raised for; null where that is not known. */
  raisedFor: string | null;
}

/** A card under the claim that was made of it. */
export type Held = Pick<ClaimedCard, 'cardId' | 'token'>;

export interface AckedCard extends Held {
  rev: number;
  onAirAt: Date;
  line: LogLine | null;
  /** When it is first broadcast once more. */
  reairAt: Date | null;
}

export interface FailedCard extends Held {
  rev: number;
  nextAt: Date;
  attempts: number;
  failure: string;
  failingSince: Date;
  /** Whether the set needs a new revision: the head-end has another content under this one. */
  raise: boolean;
  line: LogLine | null;
}

/**
 * Purpose: takes due cards of a system under a lease and reads their sets, which is just before
 * sending; so many of those that somebody waits for, and so many of the bulk. The token of a lease
 * grows with each claim.
 * Locks: the due rows in the order of their due time; never waits for one.
 * Plan: two ranges of `card_rights_due`, then both tables by primary key. No indexed column
 * changes, so that the update stays in its page (HOT).
 */
const CLAIM = `
WITH asked AS MATERIALIZED (
  SELECT card_id FROM card_rights
   WHERE cas_id = $5 AND NOT is_bulk AND next_at <= $1
     AND (lease_until IS NULL OR lease_until <= $1)
   ORDER BY next_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED
), bulk AS MATERIALIZED (
  SELECT card_id FROM card_rights
   WHERE cas_id = $5 AND is_bulk AND next_at <= $1
     AND (lease_until IS NULL OR lease_until <= $1)
   ORDER BY next_at LIMIT $6 FOR NO KEY UPDATE SKIP LOCKED
), due AS (SELECT card_id FROM asked UNION ALL SELECT card_id FROM bulk)
UPDATE card_rights r SET lease_by = $3, lease_until = $4, lease_token = r.lease_token + 1
  FROM due JOIN card c ON c.id = due.card_id
 WHERE r.card_id = due.card_id
RETURNING r.card_id, c.number, r.desired_rev, r.desired, r.suspended, r.attempts, r.next_at,
          r.raised_at, r.raised_for, r.is_bulk, r.lease_token, r.failure,
          CASE WHEN r.failure IS NOT NULL THEN r.failing_since END AS failing_since`;

/** Lines `x` of a revision that was not known to be on air. */
const NOT_KNOWN = 'JOIN card_rights k ON k.card_id = x.card_id AND k.acked_rev <> x.rev';

/**
 * Purpose: what is on air now. Counts only with the token of the last claim. A set raised since
 * stays due. Re-airing begins anew with the wanted revision, once; work items of the card end. What
 * was done is logged whoever holds the claim, unless that revision was known and so is logged.
 * Answers the cards, whether the wanted set is on air since now, and which held purchases are
 * thereby on air in time.
 * Locks: the cards, by id. Plan: primary keys; `event_purchase_held`; `work_item_open`.
 */
const ACK = `
WITH x AS (
  SELECT * FROM unnest($1::bigint[], $2::integer[], $3::timestamptz[], $4::timestamptz[],
                       $5::bigint[])
       AS x (card_id, rev, on_air_at, reair_at, token)
), locked AS MATERIALIZED (
  SELECT r.card_id, r.desired_rev = x.rev AS is_wanted, x.rev > r.acked_rev AS is_new
    FROM card_rights r JOIN x ON x.card_id = r.card_id AND x.token = r.lease_token
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
         lease_until = NULL,
         lease_by = NULL
    FROM x JOIN locked USING (card_id)
   WHERE r.card_id = x.card_id AND x.token = r.lease_token AND x.rev <= r.desired_rev
  RETURNING r.card_id, r.acked_rev, r.on_air_at, r.suspended, is_wanted,
            is_wanted AND is_new AS is_fresh
), closed AS (
  UPDATE work_item w SET closed_at = $6, closed_by = 'on_air'
    FROM acked a WHERE w.card_id = a.card_id AND a.is_wanted AND w.closed_at IS NULL
), logged AS (${insertLog(7, NOT_KNOWN)}
)
SELECT a.card_id, a.is_fresh, p.id AS purchase_id, c.site_id
  FROM acked a
  LEFT JOIN (event_purchase p JOIN card c ON c.id = p.card_id)
         ON p.card_id = a.card_id AND p.state = 'held'
        AND p.rights_rev <= a.acked_rev AND a.on_air_at < p.ends_at AND a.suspended IS NULL`;

/**
 * Purpose: when to try again, and why it failed. Counts only with the token of the last claim; a
 * set raised since is due as it was. Answers the cards whose failure was recorded.
 * Locks: the cards, by id. Plan: primary key.
 */
const FAIL = `
WITH x AS (
  SELECT * FROM unnest($1::bigint[], $2::integer[], $3::timestamptz[], $4::integer[], $5::text[],
                       $6::boolean[], $7::bigint[], $8::timestamptz[])
       AS x (card_id, rev, next_at, attempts, failure, is_raised, token, failing_since)
), locked AS MATERIALIZED (
  SELECT r.card_id, r.desired_rev = x.rev AS is_wanted
    FROM card_rights r JOIN x ON x.card_id = r.card_id AND x.token = r.lease_token
   ORDER BY r.card_id FOR NO KEY UPDATE OF r
), logged AS (${insertLog(9, 'JOIN locked ON locked.card_id = x.card_id')}
)
UPDATE card_rights r
   SET desired_rev = r.desired_rev + CASE WHEN is_wanted AND x.is_raised THEN 1 ELSE 0 END,
       next_at = CASE WHEN is_wanted THEN x.next_at ELSE r.next_at END,
       attempts = CASE WHEN is_wanted THEN x.attempts ELSE r.attempts END,
       failing_since = CASE WHEN is_wanted THEN x.failing_since ELSE r.failing_since END,
       failure = CASE WHEN is_wanted THEN x.failure ELSE r.failure END,
       lease_until = NULL,
       lease_by = NULL
  FROM x JOIN locked USING (card_id)
 WHERE r.card_id = x.card_id AND x.token = r.lease_token
RETURNING r.card_id, is_wanted`;

/** Purpose: moves the end of our leases (null: gives back). Locks: by id. Plan: primary key. */
const LEASE = `
WITH x AS (
  SELECT * FROM unnest($1::bigint[], $2::bigint[]) AS x (card_id, token)
), locked AS MATERIALIZED (
  SELECT r.card_id FROM card_rights r JOIN x ON x.card_id = r.card_id AND x.token = r.lease_token
   WHERE r.lease_by IS NOT NULL
   ORDER BY r.card_id FOR NO KEY UPDATE OF r
)
UPDATE card_rights r
   SET lease_until = $3::timestamptz, lease_by = CASE WHEN $3 IS NULL THEN NULL ELSE r.lease_by END
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
SELECT count(*)::integer AS waiting, min(next_at) AS oldest FROM card_rights
 WHERE cas_id = $2 AND next_at <= $1`;

/** No failure but those of a day waits as long. */
const SOONER_SECONDS = 600;

/**
 * Purpose: cards that are tried only once a day, because they failed for so long, are due at once:
 * what they failed of may be over with the session that failed.
 * Locks: those cards, by id; steps over what others hold. Plan: a range of `card_rights_due`.
 */
const TRY_AGAIN = `
WITH late AS MATERIALIZED (
  SELECT card_id FROM card_rights
   WHERE cas_id = $1 AND next_at > $2::timestamptz + make_interval(secs => $3)
     AND failure IS NOT NULL
   ORDER BY card_id FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE card_rights r SET next_at = $2 FROM late WHERE r.card_id = late.card_id`;

/** How many cards to take of a system, by whom, and until when nobody else gets them. */
export interface CardClaim {
  casId: string;
  now: Date;
  /** Most cards that somebody waits for, and most of the bulk. */
  asked: number;
  bulk: number;
  by: string;
  until: Date;
}

/** Takes due cards, the oldest first. */
export async function claimCards(pool: Pool, claim: CardClaim): Promise<ClaimedCard[]> {
  const { rows } = await pool.query({
    name: 'dispatch-claim',
    text: CLAIM,
    values: [claim.now, claim.asked, claim.by, claim.until, claim.casId, claim.bulk],
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
    failure: row.failure,
    failingSince: row.failing_since,
    isBulk: row.is_bulk,
    token: row.lease_token,
    raisedFor: row.raised_for,
  }));
}

/**
 * Writes acknowledgements that were heard by `now`. Answers the cards whose wanted set is on air
 * since now, and the held purchases that are on air because of them.
 */
export async function ackCards(
  pool: Pool,
  cards: readonly AckedCard[],
  now: Date,
): Promise<{ fresh: Set<bigint>; purchases: HeldPurchase[] }> {
  const { rows } = await pool.query({
    name: 'dispatch-ack',
    text: ACK,
    values: [
      cards.map((card) => card.cardId),
      cards.map((card) => card.rev),
      cards.map((card) => card.onAirAt),
      cards.map((card) => card.reairAt),
      cards.map((card) => card.token),
      now,
      ...logValues(linesOf(cards)),
    ],
  });
  return {
    fresh: new Set(rows.filter((row) => row.is_fresh).map((row) => row.card_id)),
    purchases: rows.filter((row) => row.purchase_id !== null).map(heldPurchase),
  };
}

const linesOf = (cards: readonly { line: LogLine | null }[]): LogLine[] =>
  cards.flatMap(({ line }) => line ?? []);

/** Writes failures that were heard by `now`; answers the cards for which they still mattered. */
export async function failCards(
  db: PoolClient,
  cards: readonly FailedCard[],
): Promise<Set<bigint>> {
  const { rows } = await db.query({
    name: 'dispatch-fail',
    text: FAIL,
    values: [
      cards.map((card) => card.cardId),
      cards.map((card) => card.rev),
      cards.map((card) => card.nextAt),
      cards.map((card) => card.attempts),
      cards.map((card) => card.failure),
      cards.map((card) => card.raise),
      cards.map((card) => card.token),
      cards.map((card) => card.failingSince),
      ...logValues(linesOf(cards)),
    ],
  });
  return new Set(rows.filter((row) => row.is_wanted).map((row) => row.card_id));
}

/** Prolongs the leases of claims that nobody has made anew; `until` null gives them back. */
export async function leaseCards(
  pool: Pool,
  cards: readonly Held[],
  until: Date | null,
): Promise<void> {
  await pool.query({
    name: 'dispatch-lease',
    text: LEASE,
    values: [cards.map(({ cardId }) => cardId), cards.map(({ token }) => token), until],
  });
}

/** Cards of a system that are due or being sent, and since when the oldest of them has been. */
export async function readBacklog(
  pool: Pool,
  casId: string,
  now: Date,
): Promise<{ waiting: number; oldest: Date | null }> {
  const { rows } = await pool.query({
    name: 'dispatch-backlog',
    text: BACKLOG,
    values: [now, casId],
  });
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

/** Makes due what waits for its daily try; returns how many cards. */
export async function tryLateCards(pool: Pool, casId: string, now: Date): Promise<number> {
  const { rowCount } = await pool.query({
    name: 'dispatch-late',
    text: TRY_AGAIN,
    values: [casId, now, SOONER_SECONDS],
  });
  return rowCount ?? 0;
}
