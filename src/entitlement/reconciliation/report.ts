/** The SQL of what is reported of reconciliation (R16). */
import type { Pool, PoolClient, QueryResultRow } from 'pg';
import type { DifferenceClass } from './rules.ts';
import type { ProductCount } from './run-store.ts';
import type { FoundDifference } from './store.ts';

type Db = Pool | PoolClient;

export interface RunRecord {
  id: bigint;
  casId: string;
  askedAt: Date;
  askedBy: string;
  heal: boolean;
  /** Null: it waits, or is under way. */
  end: {
    startedAt: Date;
    endedAt: Date;
    error: string | null;
    cards: number;
    products: Record<string, ProductCount>;
    variancePpm: number;
    logLines: number;
    logForeign: number;
    logError: string | null;
  } | null;
}

export interface After {
  at: Date;
  id: bigint;
}

const RUN = `r.id, r.cas_id, r.asked_at, r.asked_by, r.heal, e.started_at, e.ended_at, e.error,
  e.cards, e.products, e.variance_ppm, e.log_lines, e.log_foreign, e.log_error
  FROM reconciliation_run r LEFT JOIN reconciliation_end e ON e.run_id = r.id`;

/** Runs, the newest first. Plan: the primary key; there are few a day. */
export async function findRuns(
  db: Db,
  wanted: { casId: string | null; after: After | null; limit: number },
): Promise<RunRecord[]> {
  const { rows } = await db.query(
    `SELECT ${RUN} WHERE ($1::text IS NULL OR r.cas_id = $1)
        AND ($2::timestamptz IS NULL OR (r.asked_at, r.id) < ($2, $3::bigint))
      ORDER BY r.asked_at DESC, r.id DESC LIMIT $4`,
    [wanted.casId, wanted.after?.at ?? null, wanted.after?.id ?? null, wanted.limit],
  );
  return rows.map(runOf);
}

/** One run. */
export async function runById(db: Db, id: bigint): Promise<RunRecord | null> {
  const { rows } = await db.query(`SELECT ${RUN} WHERE r.id = $1`, [id]);
  return rows[0] ? runOf(rows[0]) : null;
}

const runOf = (row: QueryResultRow): RunRecord => ({
  ...{ id: row.id, casId: row.cas_id, askedAt: row.asked_at, askedBy: row.asked_by },
  heal: row.heal,
  end: row.ended_at && {
    ...{ startedAt: row.started_at, endedAt: row.ended_at, error: row.error, cards: row.cards },
    ...{ products: row.products, variancePpm: row.variance_ppm, logLines: row.log_lines },
    ...{ logForeign: row.log_foreign, logError: row.log_error },
  },
});

export interface Total {
  class: DifferenceClass;
  product: string;
  cards: number;
  open: number;
  seconds: bigint;
  amount: bigint | null;
  currency: string | null;
}

/** What a run found, by class, product and currency. Plan: the unique index of the run's rows. */
export async function totalsOf(db: Db, runId: bigint): Promise<Total[]> {
  const { rows } = await db.query(
    `SELECT d.class, d.product, count(DISTINCT d.card)::integer AS cards,
            (count(*) FILTER (WHERE c.at IS NULL))::integer AS open,
            sum(d.seconds)::bigint AS seconds, sum(d.amount)::bigint AS amount, d.currency
       FROM reconciliation_difference d LEFT JOIN reconciliation_closing c ON c.difference_id = d.id
      WHERE d.run_id = $1 GROUP BY d.class, d.product, d.currency
      ORDER BY d.class, d.product, d.currency`,
    [runId],
  );
  return rows;
}

export interface DifferenceRecord extends Omit<FoundDifference, 'isActive' | 'writtenAt'> {
  id: bigint;
  runId: bigint;
  casId: string;
  foundAt: Date;
  writtenAt: Date | null;
  isHealed: boolean;
  closedAt: Date | null;
}

export interface DifferencesWanted {
  /** Null: all, and those of cards that are of no site. */
  sites: readonly bigint[] | null;
  runId: bigint | null;
  class: DifferenceClass | null;
  product: string | null;
  card: string | null;
  isOpen: boolean | null;
  after: After | null;
  limit: number;
}

/** Differences, the newest first. Plan: the unique index of a run's rows, else all of them. */
export async function findDifferences(
  db: Db,
  wanted: DifferencesWanted,
): Promise<DifferenceRecord[]> {
  const { rows } = await db.query(
    `SELECT d.id, d.run_id AS "runId", d.cas_id AS "casId", d.found_at AS "foundAt", d.card,
            d.card_id AS "cardId", d.site_id AS "siteId", d.class, d.product, d.wanted, d.found,
            d.since, d.seconds, d.amount, d.currency, d.written_by AS "writtenBy",
            d.written_at AS "writtenAt", d.is_healed AS "isHealed", c.at AS "closedAt"
       FROM reconciliation_difference d LEFT JOIN reconciliation_closing c ON c.difference_id = d.id
      WHERE ($1::bigint[] IS NULL OR d.site_id = ANY ($1))
        AND ($2::bigint IS NULL OR d.run_id = $2) AND ($3::text IS NULL OR d.class = $3)
        AND ($4::text IS NULL OR d.product = $4) AND ($5::text IS NULL OR d.card = $5)
        AND ($6::boolean IS NULL OR (c.at IS NULL) = $6)
        AND ($7::timestamptz IS NULL OR (d.found_at, d.id) < ($7, $8::bigint))
      ORDER BY d.found_at DESC, d.id DESC LIMIT $9`,
    [
      ...[wanted.sites, wanted.runId, wanted.class, wanted.product, wanted.card, wanted.isOpen],
      ...[wanted.after?.at ?? null, wanted.after?.id ?? null, wanted.limit],
    ],
  );
  return rows;
}

export interface ForeignRecord {
  id: bigint;
  /** The number of the line in the system's own log. */
  n: bigint;
  at: Date;
  op: string;
  targetKind: string;
  targetId: string;
  cmdId: string | null;
  by: string;
  args: unknown;
  code: string;
}

/** Lines of a system's own log that no command of ours explains, the newest first. */
export async function findForeign(
  db: Db,
  runId: bigint,
  wanted: { after: After | null; limit: number },
): Promise<ForeignRecord[]> {
  const { rows } = await db.query(
    `SELECT id, n, at, op, target_kind AS "targetKind", target_id AS "targetId",
            cmd_id AS "cmdId", by, args, code
       FROM reconciliation_foreign
      WHERE run_id = $1 AND ($2::timestamptz IS NULL OR (at, id) < ($2, $3::bigint))
      ORDER BY at DESC, id DESC LIMIT $4`,
    [runId, wanted.after?.at ?? null, wanted.after?.id ?? null, wanted.limit],
  );
  return rows;
}

/** How reconciliation stands, for whoever watches. */
export interface Standing {
  /** By system: when its last whole run ended, and that run's variance in millionths. */
  systems: { casId: string; endedAt: Date | null; variancePpm: number }[];
  /** Open differences, by class. */
  open: ReadonlyMap<string, number>;
}

/** Purpose: the last whole run of each system. Locks: none. Plan: `reconciliation_run_cas`. */
const LAST = `
SELECT a.id AS "casId", e.ended_at AS "endedAt", coalesce(e.variance_ppm, 0) AS "variancePpm"
  FROM conditional_access a
  LEFT JOIN LATERAL (
    SELECT e.ended_at, e.variance_ppm
      FROM reconciliation_run r JOIN reconciliation_end e ON e.run_id = r.id
     WHERE r.cas_id = a.id AND e.error IS NULL ORDER BY r.id DESC LIMIT 1) e ON true
 ORDER BY a.id`;

/** Reads how reconciliation stands. */
export async function readStanding(db: Db): Promise<Standing> {
  const { rows: systems } = await db.query(LAST);
  const { rows } = await db.query(
    `SELECT class, count(*)::integer AS open FROM reconciliation_difference d
      WHERE NOT EXISTS (SELECT FROM reconciliation_closing WHERE difference_id = d.id)
      GROUP BY class`,
  );
  const open = new Map<string, number>(rows.map((row) => [row.class, row.open]));
  return { systems, open };
}
