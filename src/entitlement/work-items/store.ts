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
  db: Db,
  items: readonly NewWorkItem[],
  { casId, at }: { casId: string; at: Date },
): Promise<void> {
  await db.query({
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
  /** Null: of a decoder, or of a card that nobody uses. */
  cardId: bigint | null;
  /** Of the card; null: it is of a decoder. */
  number: string | null;
  /** Serial of the decoder; null: it is of a card. */
  decoder: string | null;
  /** Null: of a device that no site has; whoever sees all sites sees it. */
  siteId: bigint | null;
  /** The command that was refused; null: the rights of the card are. */
  command: { id: bigint; op: string } | null;
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

const COLUMNS = `w.id, c.id AS card_id, w.command_id, k.op, w.cas_id, w.code, w.sentence,
       w.opened_at, w.closed_at, w.closed_by, coalesce(c.site_id, v.site_id, d.site_id) AS site_id,
       CASE WHEN k.target_kind = 'stb' THEN NULL ELSE coalesce(c.number, k.target) END AS number,
       CASE WHEN k.target_kind = 'stb' THEN k.target END AS decoder`;

/** An item with the device that it is about, in use or not. Plan: primary keys. */
const ITEMS = `work_item w
  LEFT JOIN cas_command k ON k.id = w.command_id
  LEFT JOIN card c ON c.id = coalesce(w.card_id, k.card_id)
  LEFT JOIN viewing_card v ON k.target_kind = 'card' AND v.number = k.target
  LEFT JOIN decoder d ON k.target_kind = 'stb' AND d.serial = k.target`;

/** At these sites, `$n`. */
const atSites = (n: number): string =>
  `($${n}::bigint[] IS NULL OR coalesce(c.site_id, v.site_id, d.site_id) = ANY ($${n}))`;

/** Work items, the newest first. Plan: `work_item_opened`, then the devices by key. */
export async function findWorkItems(db: Db, wanted: WorkItemsWanted): Promise<WorkItem[]> {
  const { rows } = await db.query(
    `SELECT ${COLUMNS} FROM ${ITEMS}
      WHERE ${atSites(1)}
        AND ($2::bigint IS NULL OR c.id = $2)
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
    `SELECT ${COLUMNS} FROM ${ITEMS} WHERE w.id = $1 AND ${atSites(2)}`,
    [id, sites],
  );
  return rows[0] ? workItemOf(rows[0]) : null;
}

/**
 * Purpose: ends work that somebody has done; a card whose set is refused is tried at once instead
 * of in a while.
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
  decoder: row.decoder,
  command: row.command_id === null ? null : { id: row.command_id, op: row.op },
  siteId: row.site_id,
  casId: row.cas_id,
  code: row.code,
  sentence: row.sentence,
  openedAt: row.opened_at,
  closedAt: row.closed_at,
  closedBy: row.closed_by,
});
