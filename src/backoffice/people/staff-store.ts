/** The SQL of staff accounts. Every function takes the connection of the caller's transaction. */
import type { Pool, PoolClient } from 'pg';
import { isRoleName, type RoleName } from './permissions.ts';
import type { Principal } from './principal.ts';

export type Db = Pool | PoolClient;

export interface Staff {
  id: bigint;
  login: string;
  fullName: string;
  passwordHash: string;
  mustChange: boolean;
  totpSealed: string | null;
  totpSince: Date | null;
  totpStep: bigint;
  roles: RoleName[];
  sites: 'all' | bigint[];
  isActive: boolean;
  createdAt: Date;
}

const COLUMNS = `id, login, full_name, password_hash, must_change, totp_sealed, totp_since,
  totp_step, roles, all_sites, sites, is_active, created_at`;

interface StaffRow {
  id: bigint;
  login: string;
  full_name: string;
  password_hash: string;
  must_change: boolean;
  totp_sealed: string | null;
  totp_since: Date | null;
  totp_step: bigint;
  roles: string[];
  all_sites: boolean;
  sites: string[];
  is_active: boolean;
  created_at: Date;
}

const staffOf = (row: StaffRow): Staff => ({
  id: row.id,
  login: row.login,
  fullName: row.full_name,
  passwordHash: row.password_hash,
  mustChange: row.must_change,
  totpSealed: row.totp_sealed,
  totpSince: row.totp_since,
  totpStep: row.totp_step,
  roles: row.roles.filter(isRoleName),
  sites: sitesOf(row),
  isActive: row.is_active,
  createdAt: row.created_at,
});

/** Sites as a row keeps them: ids as digits. */
export const sitesOf = (row: { all_sites: boolean; sites: string[] }): 'all' | bigint[] =>
  row.all_sites ? 'all' : row.sites.map(BigInt);

/** And back: for the columns `all_sites` and `sites`. */
export const siteColumns = (sites: 'all' | readonly bigint[]): [boolean, string] => [
  sites === 'all',
  JSON.stringify(sites === 'all' ? [] : sites.map(String)),
];

/** By login; null when nobody has it. */
export async function staffByLogin(db: Db, login: string): Promise<Staff | null> {
  const { rows } = await db.query(`SELECT ${COLUMNS} FROM staff WHERE login = $1`, [login]);
  return rows[0] ? staffOf(rows[0]) : null;
}

/** By id; `lock` keeps others from changing it until the transaction ends. */
export async function staffById(db: Db, id: bigint, lock = false): Promise<Staff | null> {
  const suffix = lock ? ' FOR UPDATE' : '';
  const { rows } = await db.query(`SELECT ${COLUMNS} FROM staff WHERE id = $1${suffix}`, [id]);
  return rows[0] ? staffOf(rows[0]) : null;
}

/**
 * Staff that a principal may see: those whose sites are all among its own. Oldest first, after the
 * one named by the cursor.
 */
export async function listStaff(
  db: Db,
  sites: Principal['sites'],
  page: { after: { at: Date; id: bigint } | null; limit: number },
): Promise<Staff[]> {
  const own = sites === 'all' ? null : JSON.stringify([...sites].map(String));
  const { rows } = await db.query(
    `SELECT ${COLUMNS} FROM staff
      WHERE ($1::jsonb IS NULL OR (NOT all_sites AND sites <@ $1::jsonb))
        AND ($2::timestamptz IS NULL OR (created_at, id) > ($2, $3::bigint))
      ORDER BY created_at, id LIMIT $4`,
    [own, page.after?.at ?? null, page.after?.id ?? null, page.limit],
  );
  return rows.map(staffOf);
}

/** Is there any account at all? */
export async function hasStaff(db: Db): Promise<boolean> {
  const { rows } = await db.query('SELECT EXISTS (SELECT FROM staff) AS found');
  return rows[0].found;
}

export type NewStaff = Pick<
  Staff,
  'id' | 'login' | 'fullName' | 'passwordHash' | 'mustChange' | 'roles' | 'sites' | 'createdAt'
>;

/** Writes an account; false when the login is taken. */
export async function insertStaff(db: Db, staff: NewStaff): Promise<boolean> {
  const { rowCount } = await db.query(
    `INSERT INTO staff (id, login, full_name, password_hash, must_change, roles, all_sites, sites,
                        created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (login) DO NOTHING`,
    [
      staff.id,
      staff.login,
      staff.fullName,
      staff.passwordHash,
      staff.mustChange,
      JSON.stringify(staff.roles),
      ...siteColumns(staff.sites),
      staff.createdAt,
    ],
  );
  return rowCount === 1;
}

/** Changes what an administrator may change. */
export async function updateStaff(
  db: Db,
  staff: Pick<Staff, 'id' | 'fullName' | 'roles' | 'sites' | 'isActive'>,
): Promise<void> {
  await db.query(
    `UPDATE staff SET full_name = $2, roles = $3, all_sites = $4, sites = $5, is_active = $6
      WHERE id = $1`,
    [
      staff.id,
      staff.fullName,
      JSON.stringify(staff.roles),
      ...siteColumns(staff.sites),
      staff.isActive,
    ],
  );
}

/** Sets a password; `mustChange`: its owner did not choose it. */
export async function setPassword(
  db: Db,
  id: bigint,
  passwordHash: string,
  mustChange: boolean,
): Promise<void> {
  await db.query('UPDATE staff SET password_hash = $2, must_change = $3 WHERE id = $1', [
    id,
    passwordHash,
    mustChange,
  ]);
}

/** Begins an enrolment, or (null) forgets the second factor. */
export async function setTotp(db: Db, id: bigint, sealed: string | null): Promise<void> {
  await db.query('UPDATE staff SET totp_sealed = $2, totp_since = NULL WHERE id = $1', [
    id,
    sealed,
  ]);
}

/** Takes the code of a time step, once: false when this step, or a later one, was taken before. */
export async function takeTotpStep(db: Db, id: bigint, step: bigint, now: Date): Promise<boolean> {
  const { rowCount } = await db.query(
    `UPDATE staff SET totp_step = $2, totp_since = coalesce(totp_since, $3)
      WHERE id = $1 AND totp_step < $2`,
    [id, step, now],
  );
  return rowCount === 1;
}
