/** Suspensions, and when they end by themselves. */
import type { Pool } from 'pg';
import type { Db } from '../people/staff-store.ts';

export interface SuspensionRecord {
  id: bigint;
  cardId: bigint;
  number: string;
  siteId: bigint;
  reason: string;
  suspendedAt: Date;
  suspendedBy: string;
  resumeAt: Date | null;
  resumedAt: Date | null;
  resumedBy: string | null;
}

/** Suspensions, the newest first. */
export async function findSuspensions(
  db: Db,
  o: {
    sites: bigint[] | null;
    cardId: bigint | null;
    isOpen: boolean | null;
    after: { at: Date; id: bigint } | null;
    limit: number;
  },
): Promise<SuspensionRecord[]> {
  const { rows } = await db.query(
    `SELECT x.id, x.card_id, c.number, c.site_id, x.reason, x.suspended_at, x.suspended_by,
            e.resume_at, x.resumed_at, x.resumed_by
       FROM card_suspension x
       JOIN card c ON c.id = x.card_id
       LEFT JOIN suspension_end e ON e.suspension_id = x.id
      WHERE ($1::bigint[] IS NULL OR c.site_id = ANY ($1))
        AND ($2::bigint IS NULL OR x.card_id = $2)
        AND ($3::boolean IS NULL OR (x.resumed_at IS NULL) = $3)
        AND ($4::timestamptz IS NULL OR (x.suspended_at, x.id) < ($4, $5::bigint))
      ORDER BY x.suspended_at DESC, x.id DESC LIMIT $6`,
    [o.sites, o.cardId, o.isOpen, o.after?.at ?? null, o.after?.id ?? null, o.limit],
  );
  return rows.map((row) => ({
    id: row.id,
    cardId: row.card_id,
    number: row.number,
    siteId: row.site_id,
    reason: row.reason,
    suspendedAt: row.suspended_at,
    suspendedBy: row.suspended_by,
    resumeAt: row.resume_at,
    resumedAt: row.resumed_at,
    resumedBy: row.resumed_by,
  }));
}

/** Plans the end of the card's open suspension. */
export async function planResumption(db: Db, cardId: bigint, resumeAt: Date): Promise<void> {
  await db.query(
    `INSERT INTO suspension_end (suspension_id, resume_at)
     SELECT id, $2 FROM card_suspension WHERE card_id = $1 AND resumed_at IS NULL
     ON CONFLICT (suspension_id) DO UPDATE SET resume_at = EXCLUDED.resume_at`,
    [cardId, resumeAt],
  );
}

/** Ends that are due and whose suspension is still open. Plan: `suspension_end_due`. */
export async function dueResumptions(
  pool: Pool,
  now: Date,
  limit: number,
): Promise<{ suspensionId: bigint; cardId: bigint; isOpen: boolean }[]> {
  const { rows } = await pool.query(
    `SELECT e.suspension_id, x.card_id, x.resumed_at IS NULL AS is_open
       FROM suspension_end e JOIN card_suspension x ON x.id = e.suspension_id
      WHERE e.done_at IS NULL AND e.resume_at <= $1 ORDER BY e.resume_at LIMIT $2`,
    [now, limit],
  );
  return rows.map((row) => ({
    suspensionId: row.suspension_id,
    cardId: row.card_id,
    isOpen: row.is_open,
  }));
}

/** It is done with. */
export async function markResumed(pool: Pool, suspensionId: bigint, now: Date): Promise<void> {
  await pool.query('UPDATE suspension_end SET done_at = $2 WHERE suspension_id = $1', [
    suspensionId,
    now,
  ]);
}
