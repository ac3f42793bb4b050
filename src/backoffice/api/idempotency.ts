/**
 * Calls with a key act once. The key's row is written before the act, the answer after it; the act
 * itself is done under a receipt made from caller, route, key and content, which settlement takes
 * once for ever. So a process that ends between the two leaves a row without an answer, and the
 * repeat finds what was done instead of doing it again.
 */
import { createHash } from 'node:crypto';
import type { Ids } from '../../platform/ports.ts';
import type { Db } from '../people/staff-store.ts';
import { canonical, differences } from './canonical.ts';

/** Mobile-money providers repeat for days, partners for weeks. */
export const KEPT_MS = 90 * 24 * 60 * 60_000;
/** Longer than any act takes: then its process is gone. */
export const LEASE_MS = 60_000;
export const KEY_SHAPE = /^[\x21-\x7e]{8,128}$/;

export interface Asked {
  principal: string;
  route: string;
  key: string;
  /** Plain JSON: parameters and body. */
  content: unknown;
}

export interface KeptAnswer {
  status: number;
  body: unknown;
  headers: Record<string, string>;
}

export type Claim =
  | { kind: 'mine'; id: bigint }
  | { kind: 'answered'; answer: KeptAnswer }
  | { kind: 'differs'; fields: string[] }
  | { kind: 'in_progress'; retryAfterS: number };

/**
 * Under which the act is done. The content is part of it: a key whose time is over may be used for
 * something else, which must not get the old act's answer.
 */
export const receiptOf = ({ principal, route, key, content }: Asked): string =>
  createHash('sha256')
    .update([principal, route, key, canonical(content)].join('\n'))
    .digest('base64url');

/**
 * A free key, one whose time is over, or the same call whose process is gone, becomes ours.
 * Locks: the key's row.
 */
const CLAIM = `
INSERT INTO idempotency_key AS k (id, principal, route, key, content, state, lease_until,
                                  created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, 'in_hand', $7, $6, $8)
ON CONFLICT (principal, route, key) DO UPDATE
   SET state = 'in_hand', content = EXCLUDED.content, lease_until = EXCLUDED.lease_until,
       created_at = EXCLUDED.created_at, expires_at = EXCLUDED.expires_at, answer = NULL
 WHERE k.state = 'free' OR k.expires_at <= $6
    OR (k.state = 'in_hand' AND k.lease_until <= $6 AND k.content = EXCLUDED.content)
RETURNING id`;

/** Takes the key for this call, or says what became of it before. */
export async function claimKey(db: Db, ids: Ids, asked: Asked, now: Date): Promise<Claim> {
  const ms = now.getTime();
  const { principal, route, key } = asked;
  const content = JSON.stringify(asked.content);
  const until = [new Date(ms + LEASE_MS), new Date(ms + KEPT_MS)];
  const values = [await ids.take(), principal, route, key, content, now, ...until];
  const { rows } = await db.query({ name: 'idempotency-claim', text: CLAIM, values });
  if (rows[0]) return { kind: 'mine', id: rows[0].id };
  const found = await db.query(
    `SELECT content, state, answer, lease_until FROM idempotency_key
      WHERE principal = $1 AND route = $2 AND key = $3`,
    [principal, route, key],
  );
  const [row] = found.rows;
  const fields = differences(row.content, JSON.parse(content));
  if (fields.length > 0) return { kind: 'differs', fields };
  if (row.state === 'done') return { kind: 'answered', answer: row.answer };
  const waitMs = Math.max(row.lease_until.getTime() - ms, 0);
  return { kind: 'in_progress', retryAfterS: Math.min(Math.ceil(waitMs / 1000), 2) || 1 };
}

/** Keeps the answer. */
export async function keepAnswer(db: Db, id: bigint, answer: KeptAnswer): Promise<void> {
  await db.query(
    `UPDATE idempotency_key SET state = 'done', answer = $2 WHERE id = $1 AND state = 'in_hand'`,
    [id, JSON.stringify(answer)],
  );
}

/** Nothing was done: the key may be used again, also for something else. */
export async function freeKey(db: Db, id: bigint): Promise<void> {
  await db.query(`UPDATE idempotency_key SET state = 'free' WHERE id = $1 AND state = 'in_hand'`, [
    id,
  ]);
}

/** What was done is not known: the same call may be made again at once, another one not. */
export async function yieldKey(db: Db, id: bigint, now: Date): Promise<void> {
  await db.query(
    `UPDATE idempotency_key SET lease_until = $2 WHERE id = $1 AND state = 'in_hand'`,
    [id, now],
  );
}

/** So many a round, every half minute: more than are made, without ever holding much. */
const FORGOTTEN_MAX = 1_000;

/**
 * Lets keys go whose time is over: `KEPT_MS` after they were last taken. The application's role
 * deletes nothing; the function it calls deletes as the owner, and only what is over. Returns how
 * many went.
 */
export async function forgetKeys(db: Db, now: Date): Promise<number> {
  const { rows } = await db.query('SELECT forget_idempotency_keys($1, $2) AS n', [
    now,
    FORGOTTEN_MAX,
  ]);
  return rows[0].n;
}
