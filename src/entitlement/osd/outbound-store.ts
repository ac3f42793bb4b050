/**
 * The rows of `outbound`, as those who send them see them: claimed under a lease, finished in
 * batches. Texts and on-screen messages are sent by different rooms through the same statements.
 */
import type { Pool } from 'pg';
import { insertLog, type LogLine, logValues } from '../sending/command-log.ts';

export type OutboundKind = 'text' | 'osd';

export interface OutboundRow {
  id: bigint;
  template: string;
  siteId: bigint;
  /** E.164, or a card number. */
  target: string;
  body: string;
  notAfter: Date;
  /** How often it was claimed, this time included. */
  attempts: number;
}

export type OutboundResult =
  /** `providerId`: what the provider calls it, for its delivery report. */
  | { state: 'sent'; providerId: string | null }
  /** `failure`: a code for staff. */
  | { state: 'retry'; nextAt: Date; failure: string }
  | { state: 'failed'; failure: string };

export interface FinishedOutbound {
  id: bigint;
  /** As claimed. A retry or failure of an earlier claim then yields to the later claim. */
  attempts?: number;
  result: OutboundResult;
  /** How its sending over a head-end is to be logged. */
  line?: LogLine | null;
}

export interface OutboundClaim {
  kind: OutboundKind;
  /** The system of their cards; texts have none. */
  casId?: string;
  now: Date;
  /** Most rows to take. */
  limit: number;
  /** For how long nobody else is given them; longer than sending can take. */
  leaseMs: number;
}

/**
 * Purpose: takes due rows of a kind, oldest first, and ends those whose time has passed. A reminder
 * (`while_paid_until`) is overtaken as soon as its card is paid until another instant, or its
 * phone has sent STOP: a payment does not have to look for the reminders it makes wrong.
 * Locks: the due rows, in the order of their due time, and never waits for one.
 * Plan: a range of `outbound_due`, then the rows by primary key. `next_at` is left alone, so that
 * no index changes. Two look-ups by key for a reminder, none for anything else.
 */
const CLAIM = `
WITH due AS MATERIALIZED (
  SELECT id, not_after, target, card_id, while_paid_until FROM outbound
   WHERE kind = $1 AND cas_id = $5 AND next_at <= $2 AND (lease_until IS NULL OR lease_until <= $2)
   ORDER BY next_at LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED
), judged AS MATERIALIZED (
  SELECT id, CASE
           WHEN not_after <= $2 THEN 'expired'
           WHEN while_paid_until IS NULL THEN NULL
           WHEN (SELECT s.paid_until FROM subscription s WHERE s.card_id = due.card_id)
                IS DISTINCT FROM while_paid_until THEN 'overtaken'
           WHEN $1 = 'text' AND (SELECT c.wanted FROM reminder_choice c
                                  WHERE c.msisdn = due.target) IS FALSE THEN 'overtaken'
         END AS ending
    FROM due
), claimed AS (
  UPDATE outbound o
     SET lease_until = $4, attempts = o.attempts + 1
    FROM judged WHERE o.id = judged.id AND ending IS NULL
  RETURNING o.id, o.template, o.site_id, o.target, o.body, o.not_after, o.attempts
), ended AS (
  UPDATE outbound o
     SET state = ending, next_at = NULL, lease_until = NULL
    FROM judged WHERE o.id = judged.id AND ending IS NOT NULL
)
SELECT * FROM claimed ORDER BY id`;

/**
 * Purpose: what became of claimed rows, and the command log.
 * Something sent is sent, whoever holds the row by now; a
 * retry or failure counts only for the claim it belongs to.
 * Locks: the rows, by id, so that two writers cannot wait for each other in a circle.
 * Plan: primary key look-ups.
 */
const FINISH = `
WITH result AS (
  SELECT * FROM jsonb_to_recordset($1::jsonb) AS x (id bigint, attempts integer, state text,
         provider_id text, next_at timestamptz, failure text)
), locked AS MATERIALIZED (
  SELECT id FROM outbound WHERE id IN (SELECT id FROM result)
   ORDER BY id FOR NO KEY UPDATE
), logged AS (${insertLog(2)}
)
UPDATE outbound o
   SET state = CASE x.state WHEN 'retry' THEN o.state ELSE x.state END,
       next_at = x.next_at,
       lease_until = NULL,
       provider_id = coalesce(x.provider_id, o.provider_id),
       failure = x.failure
  FROM result x JOIN locked USING (id)
 WHERE o.id = x.id
   AND CASE x.state
         WHEN 'sent' THEN o.state IN ('queued', 'expired', 'overtaken')
         ELSE o.state = 'queued' AND o.attempts = coalesce(x.attempts, o.attempts)
       END`;

/**
 * Takes up to `limit` due rows for `leaseMs` milliseconds. Rows past their `notAfter` become
 * `expired`, reminders that a payment or a STOP makes wrong `overtaken`; they are not returned.
 * A claimed row that is never finished is due again when its lease ends. Throws only when the
 * database is lost.
 */
export async function claimOutbound(
  pool: Pool,
  { kind, casId = '', now, limit, leaseMs }: OutboundClaim,
): Promise<OutboundRow[]> {
  const { rows } = await pool.query({
    name: 'outbound-claim',
    text: CLAIM,
    values: [kind, now, limit, new Date(now.getTime() + leaseMs), casId],
  });
  return rows.map((row) => ({
    id: row.id,
    template: row.template,
    siteId: row.site_id,
    target: row.target,
    body: row.body,
    notAfter: row.not_after,
    attempts: row.attempts,
  }));
}

/** Writes what became of claimed rows, all in one statement; repeating it changes nothing. */
export async function finishOutbound(
  pool: Pool,
  finished: readonly FinishedOutbound[],
): Promise<void> {
  if (finished.length === 0) return;
  const rows = finished.map(({ id, attempts, result }) => ({
    id: id.toString(),
    attempts: attempts ?? null,
    state: result.state,
    provider_id: result.state === 'sent' ? result.providerId : null,
    next_at: result.state === 'retry' ? result.nextAt : null,
    failure: result.state === 'sent' ? null : result.failure,
  }));
  const lines = finished.flatMap(({ line }) => line ?? []);
  const values = [JSON.stringify(rows), ...logValues(lines)];
  await pool.query({ name: 'outbound-finish', text: FINISH, values });
}
