/** The SQL of runs: asked for, waiting, ended. */
import type { Pool, PoolClient } from 'pg';
import type { LogMark } from '../cas/log.ts';
import { LOG_BEGINNING } from '../cas/log.ts';

export interface Run {
  id: bigint;
  casId: string;
  askedAt: Date;
  heal: boolean;
}

export interface RunAsked {
  casId: string;
  by: string;
  heal: boolean;
  at: Date;
}

export type AskedRun =
  | { ok: true; id: bigint }
  | { ok: false; error: 'reconciliation_waiting' | 'unknown_system' };

/** Asks for a run, unless one of that system waits or is under way. */
export async function askRun(db: Pool | PoolClient, asked: RunAsked): Promise<AskedRun> {
  const { rows } = await db.query(
    `SELECT EXISTS (SELECT FROM reconciliation_run r WHERE r.cas_id = a.id AND NOT EXISTS (
              SELECT FROM reconciliation_end WHERE run_id = r.id)) AS is_waiting
       FROM conditional_access a WHERE a.id = $1`,
    [asked.casId],
  );
  const [system] = rows;
  if (!system) return { ok: false, error: 'unknown_system' };
  if (system.is_waiting) return { ok: false, error: 'reconciliation_waiting' };
  const made = await db.query(
    `INSERT INTO reconciliation_run (cas_id, asked_at, asked_by, heal)
     VALUES ($1, $2, $3, $4) RETURNING id`,
    [asked.casId, asked.at, asked.by, asked.heal],
  );
  return { ok: true, id: made.rows[0].id };
}

/** The oldest run of a system that has not ended; null: none. */
export async function waitingRun(pool: Pool, casId: string): Promise<Run | null> {
  const { rows } = await pool.query(
    `SELECT r.id, r.cas_id, r.asked_at, r.heal FROM reconciliation_run r
      WHERE r.cas_id = $1 AND NOT EXISTS (SELECT FROM reconciliation_end WHERE run_id = r.id)
      ORDER BY r.id LIMIT 1`,
    [casId],
  );
  const [row] = rows;
  return row ? { id: row.id, casId: row.cas_id, askedAt: row.asked_at, heal: row.heal } : null;
}

export interface Before {
  /** When the last whole run of the system began: whatever differed then was written. */
  startedAt: Date | null;
  /** The last line of the system's own log that was judged. */
  mark: LogMark;
}

/** What earlier runs of a system know. */
export async function readBefore(pool: Pool, casId: string): Promise<Before> {
  const { rows } = await pool.query(
    `SELECT max(e.started_at) FILTER (WHERE e.error IS NULL) AS started_at,
            (array_agg(e.log_n ORDER BY r.id DESC) FILTER (WHERE e.log_n IS NOT NULL))[1] AS n,
            (array_agg(e.log_hash ORDER BY r.id DESC) FILTER (WHERE e.log_n IS NOT NULL))[1] AS hash
       FROM reconciliation_run r JOIN reconciliation_end e ON e.run_id = r.id
      WHERE r.cas_id = $1`,
    [casId],
  );
  const [row] = rows;
  return {
    startedAt: row?.started_at ?? null,
    mark: row?.hash ? { n: Number(row.n), hash: row.hash } : LOG_BEGINNING,
  };
}

/** What was read of a system's own log. */
export interface LogEvidence {
  lines: number;
  foreign: number;
  /** Null: not read, or not to be relied on. */
  mark: LogMark | null;
  error: string | null;
}

export interface RunEnd {
  startedAt: Date;
  endedAt: Date;
  error: string | null;
  cards: number;
  /** Cards that show a product here or there, by product; `*`: any. */
  active: ReadonlyMap<string, number>;
  log: LogEvidence;
}

export interface ProductCount {
  active: number;
  differing: number;
}

/** The key of all cards that show something, whatever it is. */
export const ANY_PRODUCT = '*';
const MILLION = 1_000_000;

/** Of so many active cards so many differ, in millionths. */
export const varianceOf = ({ active, differing }: ProductCount): number =>
  differing === 0 ? 0 : Math.round((MILLION * differing) / Math.max(active, differing));

/** Ends a run; what differs is counted as it was written. Answers the variance in millionths. */
export async function endRun(pool: Pool, runId: bigint, end: RunEnd): Promise<number> {
  const { rows } = await pool.query(
    `SELECT coalesce(product, $2) AS product, count(DISTINCT card)::integer AS differing
       FROM reconciliation_difference WHERE run_id = $1 AND is_active
      GROUP BY GROUPING SETS ((product), ())`,
    [runId, ANY_PRODUCT],
  );
  const differing = new Map<string, number>(rows.map((row) => [row.product, row.differing]));
  const names = new Set([ANY_PRODUCT, ...end.active.keys(), ...differing.keys()]);
  names.delete('');
  const counts = new Map<string, ProductCount>(
    [...names]
      .sort()
      .map((product) => [
        product,
        { active: end.active.get(product) ?? 0, differing: differing.get(product) ?? 0 },
      ]),
  );
  const variance = varianceOf(counts.get(ANY_PRODUCT) ?? { active: 0, differing: 0 });
  const { log } = end;
  await pool.query(
    `INSERT INTO reconciliation_end (run_id, started_at, ended_at, error, cards, products,
            variance_ppm, log_lines, log_foreign, log_n, log_hash, log_error)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (run_id) DO NOTHING`,
    [
      ...[runId, end.startedAt, end.endedAt, end.error, end.cards],
      ...[JSON.stringify(Object.fromEntries(counts)), variance],
      ...[log.lines, log.foreign, log.mark?.n ?? null, log.mark?.hash ?? null, log.error],
    ],
  );
  return variance;
}
