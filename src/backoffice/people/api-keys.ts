/** Keys of partners: a prefix to find them by, a secret of which only the hash is kept. */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { isPermission, type Permission } from './permissions.ts';
import type { Principal } from './principal.ts';
import { type Db, siteColumns, sitesOf } from './staff-store.ts';
import { hashToken } from './vault.ts';

export const KEY_PREFIX = 'vipk_';
const NAME_BYTES = 6;
const SECRET_BYTES = 32;
const USED_EVERY_MS = 60_000;
const SHAPE = /^vipk_([0-9a-f]{12})_([\w-]{43})$/;

export interface ApiKey {
  id: bigint;
  prefix: string;
  name: string;
  permissions: Permission[];
  sites: 'all' | bigint[];
  createdAt: Date;
  createdBy: bigint;
  expiresAt: Date;
  lastUsed: Date | null;
  revokedAt: Date | null;
}

export type NewApiKey = Omit<ApiKey, 'prefix' | 'lastUsed' | 'revokedAt'>;

interface Row {
  id: bigint;
  prefix: string;
  name: string;
  permissions: string[];
  all_sites: boolean;
  sites: string[];
  created_at: Date;
  created_by: bigint;
  expires_at: Date;
  last_used: Date | null;
  revoked_at: Date | null;
}

const keyOf = (row: Row): ApiKey => ({
  id: row.id,
  prefix: row.prefix,
  name: row.name,
  permissions: row.permissions.filter(isPermission),
  sites: sitesOf(row),
  createdAt: row.created_at,
  createdBy: row.created_by,
  expiresAt: row.expires_at,
  lastUsed: row.last_used,
  revokedAt: row.revoked_at,
});

/** Makes a key; the whole of it is told this once. */
export async function makeApiKey(db: Db, key: NewApiKey): Promise<{ key: ApiKey; token: string }> {
  const prefix = randomBytes(NAME_BYTES).toString('hex');
  const token = `${KEY_PREFIX}${prefix}_${randomBytes(SECRET_BYTES).toString('base64url')}`;
  const { rows } = await db.query(
    `INSERT INTO api_key (id, prefix, secret_hash, name, permissions, all_sites, sites, created_at,
                          created_by, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING *`,
    [
      key.id,
      prefix,
      hashToken(token),
      key.name,
      JSON.stringify(key.permissions),
      ...siteColumns(key.sites),
      key.createdAt,
      key.createdBy,
      key.expiresAt,
    ],
  );
  return { key: keyOf(rows[0]), token };
}

/** Whose key this is, or null when it is unknown, revoked or over. */
export async function principalOfKey(db: Db, token: string, now: Date): Promise<Principal | null> {
  const [, prefix] = SHAPE.exec(token) ?? [];
  if (!prefix) return null;
  const { rows } = await db.query({
    name: 'api-key-of-prefix',
    text: 'SELECT * FROM api_key WHERE prefix = $1',
    values: [prefix],
  });
  const [row] = rows;
  if (!row) return null;
  const isRight = timingSafeEqual(Buffer.from(row.secret_hash), Buffer.from(hashToken(token)));
  if (!isRight || row.revoked_at || row.expires_at.getTime() <= now.getTime()) return null;
  if (now.getTime() - (row.last_used?.getTime() ?? 0) >= USED_EVERY_MS) {
    await db.query('UPDATE api_key SET last_used = $2 WHERE id = $1', [row.id, now]);
  }
  const key = keyOf(row);
  return {
    key: `key:${key.id}`,
    kind: 'api_key',
    id: key.id,
    name: key.name,
    role: 'partner',
    permissions: new Set(key.permissions),
    sites: key.sites === 'all' ? 'all' : new Set(key.sites),
    sessionId: null,
    pending: null,
  };
}

/** Keys whose sites are all among the principal's own, the oldest first. */
export async function listApiKeys(
  db: Db,
  sites: Principal['sites'],
  page: { after: { at: Date; id: bigint } | null; limit: number },
): Promise<ApiKey[]> {
  const own = sites === 'all' ? null : JSON.stringify([...sites].map(String));
  const { rows } = await db.query(
    `SELECT * FROM api_key
      WHERE ($1::jsonb IS NULL OR (NOT all_sites AND sites <@ $1::jsonb))
        AND ($2::timestamptz IS NULL OR (created_at, id) > ($2, $3::bigint))
      ORDER BY created_at, id LIMIT $4`,
    [own, page.after?.at ?? null, page.after?.id ?? null, page.limit],
  );
  return rows.map(keyOf);
}

/** By id, with the row locked until the transaction ends. */
export async function apiKeyById(db: Db, id: bigint): Promise<ApiKey | null> {
  const { rows } = await db.query('SELECT * FROM api_key WHERE id = $1 FOR UPDATE', [id]);
  return rows[0] ? keyOf(rows[0]) : null;
}

/** From now on the key opens nothing. */
export async function revokeApiKey(db: Db, id: bigint, now: Date): Promise<void> {
  await db.query('UPDATE api_key SET revoked_at = coalesce(revoked_at, $2) WHERE id = $1', [
    id,
    now,
  ]);
}
