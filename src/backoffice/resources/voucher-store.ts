/** Scratch cards and their batches, as staff see them. Reads alone; no code can be read. */
import type { Db } from '../people/staff-store.ts';

export interface BatchRecord {
  id: bigint;
  name: string;
  siteId: bigint;
  kind: 'amount' | 'days';
  asset: string;
  value: bigint;
  days: number | null;
  bouquetId: bigint | null;
  size: number;
  expiresAt: Date;
  createdAt: Date;
  /** Cards by state; none before they are printed. */
  states: Readonly<Record<string, number>>;
}

/** Plan: batches by time, then the states of those of the page by `voucher_batch_state`. */
const BATCHES = `
SELECT b.*, coalesce(s.states, '{}') AS states
  FROM voucher_batch b
  LEFT JOIN LATERAL (
    SELECT jsonb_object_agg(state, n) AS states
      FROM (SELECT state, count(*)::int AS n FROM voucher WHERE batch_id = b.id GROUP BY state) g
  ) s ON true
 WHERE b.site_id IS NOT NULL AND ($1::bigint[] IS NULL OR b.site_id = ANY ($1))`;

// biome-ignore lint/suspicious/noExplicitAny: a row as the driver gives it
const batchOf = (row: any): BatchRecord => ({
  id: row.id,
  name: row.name,
  siteId: row.site_id,
  kind: row.kind,
  asset: row.asset,
  value: row.value,
  days: row.days,
  bouquetId: row.bouquet_id,
  size: row.size,
  expiresAt: row.expires_at,
  createdAt: row.created_at,
  states: row.states,
});

/** The newest first; `sites` null: of all. */
export async function findBatches(
  db: Db,
  o: { sites: bigint[] | null; after: { at: Date; id: bigint } | null; limit: number },
): Promise<BatchRecord[]> {
  const { rows } = await db.query(
    `${BATCHES} AND ($2::timestamptz IS NULL OR (b.created_at, b.id) < ($2, $3::bigint))
      ORDER BY b.created_at DESC, b.id DESC LIMIT $4`,
    [o.sites, o.after?.at ?? null, o.after?.id ?? null, o.limit],
  );
  return rows.map(batchOf);
}

/** One of them, if it is of one of `sites`. */
export async function batchById(
  db: Db,
  id: bigint,
  sites: bigint[] | null,
): Promise<BatchRecord | null> {
  const { rows } = await db.query(`${BATCHES} AND b.id = $2`, [sites, id]);
  return rows[0] ? batchOf(rows[0]) : null;
}

export interface VoucherRecord {
  serial: string;
  batchId: bigint;
  batch: string;
  siteId: bigint;
  kind: 'amount' | 'days';
  asset: string;
  value: bigint;
  days: number | null;
  state: string;
  expiresAt: Date;
  usedAt: Date | null;
  /** The card it was used for; null also where that is of a site which is not seen. */
  usedBy: { id: bigint; number: string } | null;
}

/**
 * Cards whose serial ends so, at most `limit`. Plan: `voucher_serial_end` by the last six digits,
 * which are never left out.
 */
export async function findVouchers(
  db: Db,
  o: { sites: bigint[] | null; ending: string; limit: number },
): Promise<VoucherRecord[]> {
  const { rows } = await db.query(
    `SELECT v.serial, v.state, v.used_at, b.id AS batch_id, b.name, b.site_id, b.kind, b.asset,
            b.value, b.days, b.expires_at, c.id AS card_id, c.number
       FROM voucher v
       JOIN voucher_batch b ON b.id = v.batch_id
       LEFT JOIN card c ON c.id = v.used_by AND ($1::bigint[] IS NULL OR c.site_id = ANY ($1))
      WHERE right(v.serial, 6) = right($2, 6) AND v.serial LIKE '%' || $2
        AND b.site_id IS NOT NULL AND ($1::bigint[] IS NULL OR b.site_id = ANY ($1))
      ORDER BY v.serial DESC LIMIT $3`,
    [o.sites, o.ending, o.limit],
  );
  return rows.map((row) => ({
    serial: row.serial,
    batchId: row.batch_id,
    batch: row.name,
    siteId: row.site_id,
    kind: row.kind,
    asset: row.asset,
    value: row.value,
    days: row.days,
    state: row.state,
    expiresAt: row.expires_at,
    usedAt: row.used_at,
    usedBy: row.card_id === null ? null : { id: row.card_id, number: row.number },
  }));
}
