/** The SQL of published catalogues. */
import type { CatalogueVersion } from '../../billing/catalogue/store.ts';
import type { Db } from '../people/staff-store.ts';

const HEAD = `id, sha256, published_at AS "publishedAt", published_by AS "publishedBy", note`;

/** Publications without their texts, the newest first. */
export async function listVersions(
  db: Db,
  { after, limit }: { after: { at: Date; id: bigint } | null; limit: number },
): Promise<CatalogueVersion[]> {
  const { rows } = await db.query(
    `SELECT ${HEAD} FROM catalogue_version
      WHERE $1::timestamptz IS NULL OR (published_at, id) < ($1, $2::bigint)
      ORDER BY published_at DESC, id DESC LIMIT $3`,
    [after?.at ?? null, after?.id ?? null, limit],
  );
  return rows;
}

/** One of them with its text. */
export async function versionById(
  db: Db,
  id: bigint,
): Promise<(CatalogueVersion & { text: string }) | null> {
  const { rows } = await db.query(`SELECT ${HEAD}, text FROM catalogue_version WHERE id = $1`, [
    id,
  ]);
  return rows[0] ?? null;
}
