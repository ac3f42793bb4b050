/** The SQL of the desk: facts of one card, its refreshes, and what its viewers say. */
import type { ClientBase, Pool } from 'pg';
import type { Right } from '../rights/rules.ts';
import type { Asking, SuspensionReason } from './desk.ts';
import {
  ASKS_READ_MAX,
  type Ask,
  type BroadcastFacts,
  type PictureFacts,
  type Report,
} from './rules.ts';

/** More of a card's reports in one day tell nothing new. */
const REPORTS_READ_MAX = 100;

/**
 * Purpose: everything that is known about the picture of a card. Locks: none.
 * Plan: primary and unique keys; one step back in `card_refresh_card`.
 */
const FACTS = `
SELECT r.desired, r.desired_rev, r.acked_rev, r.on_air_at, r.raised_at, s.paid_until,
       x.reason, x.suspended_at, f.on_air_at AS refreshed_at
  FROM card_rights r
  LEFT JOIN subscription s ON s.card_id = r.card_id
  LEFT JOIN card_suspension x ON x.card_id = r.card_id AND x.resumed_at IS NULL
  LEFT JOIN LATERAL (
    SELECT on_air_at FROM card_refresh
     WHERE card_id = r.card_id AND state = 'on_air' ORDER BY asked_at DESC LIMIT 1
  ) f ON true
 WHERE r.card_id = $1`;

/** Purpose: lets one ask at a time decide. Locks: the card. Plan: primary key. */
const LOCK = `
SELECT desired, desired_rev, acked_rev, on_air_at, suspended FROM card_rights
 WHERE card_id = $1 FOR NO KEY UPDATE`;

/** Purpose: the last asks of a card. Locks: none. Plan: `card_refresh_card`, backwards. */
const ASKS = `
SELECT asked_at, state FROM card_refresh WHERE card_id = $1 ORDER BY asked_at DESC LIMIT $2`;

/**
 * Purpose: what was said about a card since `$2`, and when a refresh was first asked for since
 * then. Locks: none. Plan: ranges of `picture_report_card` and `card_refresh_card`.
 */
const SAID = `
SELECT at, answer,
       (SELECT min(asked_at) FROM card_refresh WHERE card_id = $1 AND asked_at > $2) AS refreshed_at
  FROM picture_report WHERE card_id = $1 AND at > $2 ORDER BY at DESC, id DESC LIMIT $3`;

interface RightsRow {
  desired: { product: string; from: string; to: string }[];
  desired_rev: number;
  acked_rev: number;
  on_air_at: Date | null;
}

const broadcastOf = (row: RightsRow): BroadcastFacts => ({
  desired: row.desired.map(
    ({ product, from, to }): Right => ({ product, from: new Date(from), to: new Date(to) }),
  ),
  desiredRev: row.desired_rev,
  ackedRev: row.acked_rev,
  onAirAt: row.on_air_at,
});

/** What is known about a card's picture; null for a card that does not exist. */
export async function loadPicture(pool: Pool, cardId: bigint): Promise<PictureFacts | null> {
  const { rows } = await pool.query({ name: 'picture-facts', text: FACTS, values: [cardId] });
  const row = rows[0];
  if (!row) return null;
  return {
    ...broadcastOf(row),
    suspension: row.reason === null ? null : { reason: row.reason, since: row.suspended_at },
    paidUntil: row.paid_until,
    raisedAt: row.raised_at,
    refreshedAt: row.refreshed_at,
  };
}

/** Locks a card's rights until the transaction ends; null for a card that does not exist. */
export async function lockRights(
  client: ClientBase,
  cardId: bigint,
): Promise<(BroadcastFacts & { suspended: SuspensionReason | null }) | null> {
  const { rows } = await client.query({ name: 'picture-lock', text: LOCK, values: [cardId] });
  const row = rows[0];
  return row ? { ...broadcastOf(row), suspended: row.suspended } : null;
}

/** The last asks of a card, the oldest first. */
export async function lastAsks(client: ClientBase, cardId: bigint): Promise<Ask[]> {
  const { rows } = await client.query({
    name: 'picture-asks',
    text: ASKS,
    values: [cardId, ASKS_READ_MAX],
  });
  return rows.map((row): Ask => ({ at: row.asked_at, state: row.state })).reverse();
}

/** Writes an ask that is due at once. */
export async function insertRefresh(
  client: ClientBase,
  { cardId, source, msisdn }: Asking,
  { id, at }: { id: bigint; at: Date },
): Promise<void> {
  await client.query({
    name: 'picture-ask',
    text: `INSERT INTO card_refresh (id, card_id, asked_at, source, msisdn, state, next_at)
           VALUES ($1, $2, $3, $4, $5, 'queued', $3)`,
    values: [id, cardId, at, source, msisdn],
  });
}

/** Writes what was said; false when this very act was written before. */
export async function insertReport(
  pool: Pool,
  { cardId, source, msisdn, answer, key }: Asking & { answer: Report['answer']; key: string },
  { id, at }: { id: bigint; at: Date },
): Promise<boolean> {
  const { rowCount } = await pool.query({
    name: 'picture-report',
    text: `INSERT INTO picture_report (id, card_id, at, source, msisdn, answer, act_key)
           VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (act_key) DO NOTHING`,
    values: [id, cardId, at, source, msisdn, answer, key],
  });
  return rowCount === 1;
}

/** What was said about a card since then, the oldest first, and the first refresh since then. */
export async function reportsSince(
  pool: Pool,
  cardId: bigint,
  since: Date,
): Promise<{ reports: Report[]; refreshedAt: Date | null }> {
  const { rows } = await pool.query({
    name: 'picture-said',
    text: SAID,
    values: [cardId, since, REPORTS_READ_MAX],
  });
  return {
    reports: rows.map((row): Report => ({ at: row.at, answer: row.answer })).reverse(),
    refreshedAt: rows[0]?.refreshed_at ?? null,
  };
}
