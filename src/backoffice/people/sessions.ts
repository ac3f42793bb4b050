/** Sessions of staff: opaque random tokens, kept as a hash, with an idle and an absolute end. */
import { randomBytes } from 'node:crypto';
import { isRoleName, permissionsOf, roleText } from './permissions.ts';
import type { Principal } from './principal.ts';
import { type Db, sitesOf } from './staff-store.ts';
import { hashToken } from './vault.ts';

export const SESSION_PREFIX = 'vips_';
export const SESSION_IDLE_MS = 30 * 60_000;
export const SESSION_MS_MAX = 12 * 60 * 60_000;
/** A session in use is noted at most so often. */
const SEEN_EVERY_MS = 60_000;
const TOKEN_BYTES = 32;
const AGENT_CHARS_MAX = 200;

export interface Session {
  id: bigint;
  staffId: bigint;
  createdAt: Date;
  seenAt: Date;
  endsAt: Date;
  remote: string;
  agent: string;
}

/** Opens a session; the token is told this once. */
export async function openSession(
  db: Db,
  session: { id: bigint; staffId: bigint; now: Date; remote: string; agent: string },
): Promise<{ token: string; endsAt: Date }> {
  const token = SESSION_PREFIX + randomBytes(TOKEN_BYTES).toString('base64url');
  const endsAt = new Date(session.now.getTime() + SESSION_MS_MAX);
  await db.query(
    `INSERT INTO staff_session (id, staff_id, token_hash, created_at, seen_at, ends_at, remote,
                                agent)
     VALUES ($1, $2, $3, $4, $4, $5, $6, $7)`,
    [
      session.id,
      session.staffId,
      hashToken(token),
      session.now,
      endsAt,
      session.remote,
      session.agent.slice(0, AGENT_CHARS_MAX),
    ],
  );
  return { token, endsAt };
}

/** Whose session this token is, or null when it is nobody's any more. */
export async function principalOfSession(
  db: Db,
  token: string,
  { now, requireTotp }: { now: Date; requireTotp: boolean },
): Promise<Principal | null> {
  const { rows } = await db.query({
    name: 'session-of-token',
    text: `SELECT s.id AS session_id, s.seen_at, p.id, p.login, p.must_change, p.totp_since,
                  p.roles, p.all_sites, p.sites
             FROM staff_session s JOIN staff p ON p.id = s.staff_id
            WHERE s.token_hash = $1 AND s.ended_at IS NULL AND s.ends_at > $2 AND s.seen_at > $3
              AND p.is_active`,
    values: [hashToken(token), now, new Date(now.getTime() - SESSION_IDLE_MS)],
  });
  const [row] = rows;
  if (!row) return null;
  if (now.getTime() - row.seen_at.getTime() >= SEEN_EVERY_MS) {
    await db.query('UPDATE staff_session SET seen_at = $2 WHERE id = $1 AND seen_at < $2', [
      row.session_id,
      now,
    ]);
  }
  const sites = sitesOf(row);
  return {
    key: `staff:${row.id}`,
    kind: 'staff',
    id: row.id,
    name: row.login,
    role: roleText(row.roles),
    permissions: new Set(permissionsOf(row.roles.filter(isRoleName))),
    sites: sites === 'all' ? 'all' : new Set(sites),
    sessionId: row.session_id,
    pending: row.must_change ? 'password' : requireTotp && !row.totp_since ? 'totp' : null,
  };
}

/** The open sessions of a member of staff, the newest first. */
export async function listSessions(db: Db, staffId: bigint, now: Date): Promise<Session[]> {
  const { rows } = await db.query(
    `SELECT id, staff_id, created_at, seen_at, ends_at, remote, agent FROM staff_session
      WHERE staff_id = $1 AND ended_at IS NULL AND ends_at > $2 AND seen_at > $3
      ORDER BY created_at DESC, id DESC LIMIT 100`,
    [staffId, now, new Date(now.getTime() - SESSION_IDLE_MS)],
  );
  return rows.map((row) => ({
    id: row.id,
    staffId: row.staff_id,
    createdAt: row.created_at,
    seenAt: row.seen_at,
    endsAt: row.ends_at,
    remote: row.remote,
    agent: row.agent,
  }));
}

/** Ends one session of this member of staff; false when there is none such open. */
export async function endSession(
  db: Db,
  session: { id: bigint; staffId: bigint; now: Date },
): Promise<boolean> {
  const { rowCount } = await db.query(
    `UPDATE staff_session SET ended_at = $3
      WHERE id = $1 AND staff_id = $2 AND ended_at IS NULL`,
    [session.id, session.staffId, session.now],
  );
  return rowCount === 1;
}

/** Ends all sessions of a member of staff, but for `except`. */
export async function endSessions(
  db: Db,
  staffId: bigint,
  { now, except }: { now: Date; except?: bigint | null },
): Promise<void> {
  await db.query(
    `UPDATE staff_session SET ended_at = $2
      WHERE staff_id = $1 AND ended_at IS NULL AND id <> coalesce($3::bigint, 0)`,
    [staffId, now, except ?? null],
  );
}
