/** The rows of `card_refresh`, as their sender sees them: claimed under a lease, then finished. */
import type { Pool } from 'pg';
import { insertLog, logValues } from '../sending/command-log.ts';
import type { Claim, Claimed, Finished, NotDone } from '../sending/sender.ts';

export interface ClaimedRefresh extends Claimed {
  cardNumber: string;
}

export type RefreshResult = { state: 'on_air'; onAirAt: Date } | NotDone;

/**
 * Purpose: takes due rows of a system, the oldest first, and gives up those asked for by `$4` or
 * before.
 * Locks: the due rows, in the order of their due time, and never waits for one.
 * Plan: a range of `card_refresh_due`, then both tables by primary key.
 */
const CLAIM = `
WITH due AS MATERIALIZED (
  SELECT id FROM card_refresh
   WHERE cas_id = $5 AND next_at <= $1 AND (lease_until IS NULL OR lease_until <= $1)
   ORDER BY next_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED
), claimed AS (
  UPDATE card_refresh f SET lease_until = $3, attempts = f.attempts + 1
    FROM due WHERE f.id = due.id AND f.asked_at > $4
  RETURNING f.id, f.card_id, f.attempts
), expired AS (
  UPDATE card_refresh f
     SET state = 'failed', failure = 'EXPIRED', next_at = NULL, lease_until = NULL
    FROM due WHERE f.id = due.id AND f.asked_at <= $4
)
SELECT claimed.id, c.number, claimed.attempts
  FROM claimed JOIN card c ON c.id = claimed.card_id ORDER BY claimed.id`;

/**
 * Purpose: what became of claimed rows, and the command log. What is on air is so, whoever holds
 * the row by now.
 * Locks: the rows, by id, so that two writers cannot wait for each other in a circle.
 * Plan: primary key.
 */
const FINISH = `
WITH result AS (
  SELECT * FROM jsonb_to_recordset($1::jsonb) AS x (id bigint, attempts integer, state text,
         on_air_at timestamptz, next_at timestamptz, failure text)
), locked AS MATERIALIZED (
  SELECT id FROM card_refresh WHERE id IN (SELECT id FROM result) ORDER BY id FOR NO KEY UPDATE
), logged AS (${insertLog(2)}
)
UPDATE card_refresh f
   SET state = CASE x.state WHEN 'retry' THEN f.state ELSE x.state END,
       on_air_at = x.on_air_at, next_at = x.next_at, failure = x.failure, lease_until = NULL
  FROM result x JOIN locked USING (id)
 WHERE f.id = x.id
   AND CASE x.state
         WHEN 'on_air' THEN f.state <> 'on_air'
         ELSE f.state = 'queued' AND f.attempts = x.attempts
       END`;

/**
 * Takes due rows; one that is never finished is due again when its lease ends. What was asked for
 * `askValidMs` ago or before is given up.
 */
export async function claimRefreshes(
  pool: Pool,
  { casId, now, limit, leaseMs, askValidMs }: Claim & { casId: string; askValidMs: number },
): Promise<ClaimedRefresh[]> {
  const after = (ms: number) => new Date(now.getTime() + ms);
  const { rows } = await pool.query({
    name: 'refresh-claim',
    text: CLAIM,
    values: [now, limit, after(leaseMs), after(-askValidMs), casId],
  });
  return rows.map((row) => ({
    id: row.id,
    cardNumber: row.number,
    attempts: row.attempts,
  }));
}

/** Writes what became of claimed rows, all in one statement; repeating it changes nothing. */
export async function finishRefreshes(
  pool: Pool,
  finished: readonly Finished<RefreshResult>[],
): Promise<void> {
  const rows = finished.map(({ id, attempts, result }) => ({
    id: id.toString(),
    attempts,
    state: result.state,
    on_air_at: result.state === 'on_air' ? result.onAirAt : null,
    next_at: result.state === 'retry' ? result.nextAt : null,
    failure: result.state === 'on_air' ? null : result.failure,
  }));
  const lines = finished.flatMap(({ line }) => line ?? []);
  const values = [JSON.stringify(rows), ...logValues(lines)];
  await pool.query({ name: 'refresh-finish', text: FINISH, values });
}
