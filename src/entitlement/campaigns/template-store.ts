/** Templates by version, and groups of cards: written once, never changed. */
import type { ClientBase, Pool } from 'pg';
import type { Ids } from '../../platform/ports.ts';
import type { Filter, Texts } from './content.ts';

type Db = Pool | ClientBase;

export interface Template {
  id: bigint;
  siteId: bigint;
  name: string;
  version: number;
  texts: Texts;
  /** From this version on the name is used by no new campaign. */
  isRetired: boolean;
  createdAt: Date;
  createdBy: string;
}

export interface CardGroup {
  id: bigint;
  siteId: bigint;
  name: string;
  filter: Filter;
  createdAt: Date;
  createdBy: string;
}

interface Made {
  siteId: bigint;
  name: string;
  by: string;
  at: Date;
}

interface Page {
  /** Null: of all sites. */
  sites: bigint[] | null;
  name: string | null;
  after: { at: Date; id: bigint } | null;
  limit: number;
}

// biome-ignore lint/suspicious/noExplicitAny: a row as the driver gives it
const templateOf = (row: any): Template => ({
  ...{ id: row.id, siteId: row.site_id, name: row.name, version: row.version, texts: row.texts },
  ...{ isRetired: row.is_retired, createdAt: row.created_at, createdBy: row.created_by },
});

// biome-ignore lint/suspicious/noExplicitAny: a row as the driver gives it
const groupOf = (row: any): CardGroup => ({
  ...{ id: row.id, siteId: row.site_id, name: row.name, filter: row.filter },
  ...{ createdAt: row.created_at, createdBy: row.created_by },
});

/** Writes the next version under a name; null when somebody else does so at the same time. */
export async function addTemplate(
  db: Db,
  ids: Ids,
  made: Made & { texts: Texts; isRetired: boolean },
): Promise<Template | null> {
  const { siteId, name, texts, isRetired, at, by } = made;
  const { rows } = await db.query(
    `INSERT INTO message_template
            (id, site_id, name, version, texts, is_retired, created_at, created_by)
     SELECT $1, $2, $3, coalesce(max(version), 0) + 1, $4, $5, $6, $7
       FROM message_template WHERE site_id = $2 AND name = $3
     ON CONFLICT (site_id, name, version) DO NOTHING RETURNING *`,
    [await ids.take(), siteId, name, JSON.stringify(texts), isRetired, at, by],
  );
  return rows[0] ? templateOf(rows[0]) : null;
}

/** A version, if it is of one of `sites` (null: all). */
export async function templateById(
  db: Db,
  id: bigint,
  sites: bigint[] | null,
): Promise<Template | null> {
  const { rows } = await db.query(
    `SELECT * FROM message_template
      WHERE id = $1 AND ($2::bigint[] IS NULL OR site_id = ANY ($2))`,
    [id, sites],
  );
  return rows[0] ? templateOf(rows[0]) : null;
}

/** Is a name used no more? */
export async function isRetired(
  db: Db,
  { siteId, name }: Pick<Template, 'siteId' | 'name'>,
): Promise<boolean> {
  const { rows } = await db.query(
    `SELECT is_retired FROM message_template WHERE site_id = $1 AND name = $2
      ORDER BY version DESC LIMIT 1`,
    [siteId, name],
  );
  return rows[0]?.is_retired === true;
}

const PAGE = `($1::bigint[] IS NULL OR site_id = ANY ($1)) AND ($2::text IS NULL OR name = $2)
   AND ($3::timestamptz IS NULL OR (created_at, id) < ($3, $4::bigint))
 ORDER BY created_at DESC, id DESC LIMIT $5`;
const pageValues = ({ sites, name, after, limit }: Page) => [
  ...[sites, name, after?.at ?? null, after?.id ?? null, limit],
];

/** Versions, the newest first. */
export async function findTemplates(db: Db, page: Page): Promise<Template[]> {
  const { rows } = await db.query(`SELECT * FROM message_template WHERE ${PAGE}`, pageValues(page));
  return rows.map(templateOf);
}

/** Saves a group; null when the site has one of this name. */
export async function addGroup(
  db: Db,
  ids: Ids,
  { siteId, name, filter, at, by }: Made & { filter: Filter },
): Promise<CardGroup | null> {
  const { rows } = await db.query(
    `INSERT INTO card_group (id, site_id, name, filter, created_at, created_by)
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (site_id, name) DO NOTHING RETURNING *`,
    [await ids.take(), siteId, name, JSON.stringify(filter), at, by],
  );
  return rows[0] ? groupOf(rows[0]) : null;
}

/** Groups, the newest first. */
export async function findGroups(db: Db, page: Page): Promise<CardGroup[]> {
  const { rows } = await db.query(`SELECT * FROM card_group WHERE ${PAGE}`, pageValues(page));
  return rows.map(groupOf);
}
