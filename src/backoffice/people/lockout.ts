/**
 * Failed sign-ins by login and by address: after some free ones each failure makes the wait longer.
 * A try is counted before its password is checked, so that tries made at the same time do not share
 * one; a login that nobody has is counted like any other.
 */
import type { PoolClient } from 'pg';
import { hashToken } from './vault.ts';

export type TryKind = 'login' | 'address';

interface Tries {
  failed: number;
  lastAt: Date;
  lockedUntil: Date | null;
}

/** How many tries are free, by what is counted; an address may stand for a whole office. */
export const FREE_TRIES: Readonly<Record<TryKind, number>> = { login: 5, address: 30 };
const FIRST_WAIT_MS = 30_000;
const WAIT_MS_MAX = 60 * 60_000;
const FORGOTTEN_AFTER_MS = 24 * 60 * 60_000;
const DOUBLINGS_MAX = 16;

/** What a try at `now` makes of the count, or until when there is none to be had. */
export function countTry(
  before: Tries | null,
  kind: TryKind,
  now: Date,
): { lockedUntil: Date } | { counted: Tries } {
  const ms = now.getTime();
  if (before?.lockedUntil && before.lockedUntil.getTime() > ms) {
    return { lockedUntil: before.lockedUntil };
  }
  const isOld = before !== null && ms - before.lastAt.getTime() > FORGOTTEN_AFTER_MS;
  const failed = before === null || isOld ? 1 : before.failed + 1;
  const over = Math.min(failed - FREE_TRIES[kind], DOUBLINGS_MAX);
  const waitMs = Math.min(FIRST_WAIT_MS * 2 ** over, WAIT_MS_MAX);
  const lockedUntil = over < 0 ? null : new Date(ms + waitMs);
  return { counted: { failed, lastAt: now, lockedUntil } };
}

/** Counts a try; the instant until which there is none to be had, or null when it may be made. */
export async function beginTry(
  client: PoolClient,
  kind: TryKind,
  key: string,
  now: Date,
): Promise<Date | null> {
  const id = [kind, hashToken(key)];
  await client.query(
    `INSERT INTO sign_in_try (kind, key_hash, failed, last_at) VALUES ($1, $2, 0, $3)
     ON CONFLICT DO NOTHING`,
    [...id, now],
  );
  const { rows } = await client.query(
    `SELECT failed, last_at, locked_until FROM sign_in_try
      WHERE kind = $1 AND key_hash = $2 FOR UPDATE`,
    id,
  );
  const [row] = rows;
  const before = { failed: row.failed, lastAt: row.last_at, lockedUntil: row.locked_until };
  const next = countTry(before, kind, now);
  if ('lockedUntil' in next) return next.lockedUntil;
  const { failed, lastAt, lockedUntil } = next.counted;
  await client.query(
    `UPDATE sign_in_try SET failed = $3, last_at = $4, locked_until = $5
      WHERE kind = $1 AND key_hash = $2`,
    [...id, failed, lastAt, lockedUntil],
  );
  return null;
}

/**
 * A right sign-in: the login's count begins anew, the address gets this one try back. Not more: a
 * stranger with an account of their own could else try for ever.
 */
export async function forgiveTries(
  client: PoolClient,
  { login, address }: { login: string; address: string },
): Promise<void> {
  await client.query(
    `UPDATE sign_in_try SET failed = CASE kind WHEN 'login' THEN 0 ELSE greatest(failed - 1, 0) END,
            locked_until = NULL
      WHERE (kind, key_hash) IN (('login', $1), ('address', $2))`,
    [hashToken(login), hashToken(address)],
  );
}
