/** The SQL of work items. */
import type { Pool, PoolClient } from 'pg';

type Db = Pool | PoolClient;

export interface NewWorkItem {
  cardId: bigint;
  code: string;
  sentence: string;
}

/**
 * Purpose: says once for each card and code that a person must look; one that is open stays.
 * Locks: the new rows. Plan: `work_item_open`.
 */
const OPEN = `
INSERT INTO work_item (card_id, cas_id, code, sentence, opened_at)
SELECT card_id, $4, code, sentence, $5
  FROM unnest($1::bigint[], $2::text[], $3::text[]) AS x (card_id, code, sentence)
 ORDER BY card_id, code
ON CONFLICT (card_id, code) WHERE closed_at IS NULL DO NOTHING`;

/** Opens work items of one system. */
export async function openWorkItems(
  pool: Pool,
  items: readonly NewWorkItem[],
  { casId, at }: { casId: string; at: Date },
): Promise<void> {
  await pool.query({
    name: 'work-items-open',
    text: OPEN,
    values: [
      items.map(({ cardId }) => cardId),
      items.map(({ code }) => code),
      items.map(({ sentence }) => sentence),
      casId,
      at,
    ],
  });
}

/** How many are open, by code. Plan: all of `work_item_open`. */
export async function countWorkItems(pool: Pool): Promise<ReadonlyMap<string, number>> {
  const { rows } = await pool.query(
    'SELECT code, count(*)::integer AS open FROM work_item WHERE closed_at IS NULL GROUP BY code',
  );
  return new Map(rows.map(({ code, open }) => [code, open]));
}

export interface WorkItem {
  id: bigint;
  cardId: bigint;
  number: string;
  siteId: bigint;
  casId: string;
  code: string;
  sentence: string;
  openedAt: Date;
  closedAt: Date | null;
  closedBy: string | null;
}

export interface WorkItemsWanted {
  /** Null: all. */
  sites: readonly bigint[] | null;
  cardId: bigint | null;
  isOpen: boolean | null;
  after: { at: Date; id: bigint } | null;
  limit: number;
}

const COLUMNS = `w.id, w.card_id, c.number, c.site_id, w.cas_id, w.code, w.sentence, w.opened_at,
                 w.closed_at, w.closed_by`;

/** Work items, the newest first. Plan: `work_item_opened`, then the cards by key. */
export async function findWorkItems(db: Db, wanted: WorkItemsWanted): Promise<WorkItem[]> {
  const { rows } = await db.query(
    `SELECT ${COLUMNS} FROM work_item w JOIN card c ON c.id = w.card_id
      WHERE ($1::bigint[] IS NULL OR c.site_id = ANY ($1))
        AND ($2::bigint IS NULL OR w.card_id = $2)
        AND ($3::boolean IS NULL OR (w.closed_at IS NULL) = $3)
        AND ($4::timestamptz IS NULL OR (w.opened_at, w.id) < ($4, $5::bigint))
      ORDER BY w.opened_at DESC, w.id DESC LIMIT $6`,
    [
      ...[wanted.sites, wanted.cardId, wanted.isOpen],
      ...[wanted.after?.at ?? null, wanted.after?.id ?? null, wanted.limit],
    ],
  );
  return rows.map(workItemOf);
}

/** One of them, at these sites (null: at any). */
export async function workItemById(
  db: Db,
  id: bigint,
  sites: readonly bigint[] | null,
): Promise<WorkItem | null> {
  const { rows } = await db.query(
    `SELECT ${COLUMNS} FROM work_item w JOIN card c ON c.id = w.card_id
      WHERE w.id = $1 AND ($2::bigint[] IS NULL OR c.site_id = ANY ($2))`,
    [id, sites],
  );
  return rows[0] ? workItemOf(rows[0]) : null;
}

/**
 * Purpose: ends work that somebody has done; the card is tried at once instead of in a while.
 * Locks: the card, as all who write its rights do, then the item. Plan: primary keys.
 */
const CLOSE = `
WITH tried AS (
  UPDATE card_rights r SET next_at = least(r.next_at, $3), is_bulk = false
    FROM work_item w
   WHERE w.id = $1 AND w.closed_at IS NULL AND r.card_id = w.card_id AND r.next_at IS NOT NULL
), closed AS (
  UPDATE work_item SET closed_by = $2, closed_at = $3
   WHERE id = $1 AND closed_at IS NULL RETURNING id)
SELECT id FROM closed`;

/** Closes an open item; false when it is closed already. */
export async function closeWorkItem(
  db: Db,
  id: bigint,
  { by, at }: { by: string; at: Date },
): Promise<boolean> {
  const { rowCount } = await db.query(CLOSE, [id, by, at]);
  return rowCount === 1;
}

// biome-ignore lint/suspicious/noExplicitAny: a row as the driver gives it
const workItemOf = (row: any): WorkItem => ({
  id: row.id,
  cardId: row.card_id,
  number: row.number,
  siteId: row.site_id,
  casId: row.cas_id,
  code: row.code,
  sentence: row.sentence,
  openedAt: row.opened_at,
  closedAt: row.closed_at,
  closedBy: row.closed_by,
});
