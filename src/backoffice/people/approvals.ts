/**
 * Acts that wait for a second person. Whoever asks names an act and what it is done with; somebody
 * else, who holds the act's permission and sees its site, approves or refuses; an approved act is
 * carried out exactly once, because it is done under the approval's own key.
 */
import type { Permission } from './permissions.ts';
import type { Db } from './staff-store.ts';

/** After this nobody may approve any more. */
export const APPROVAL_MS_MAX = 3 * 24 * 60 * 60_000;

export interface Approval {
  id: bigint;
  act: string;
  permission: Permission;
  /** Null: it is of all sites, and seen by who sees them all. */
  siteId: bigint | null;
  subject: string;
  amount: { asset: string; minor: bigint } | null;
  input: unknown;
  reason: string;
  /** `approved`: decided and not carried out yet. */
  state: 'asked' | 'approved' | 'done' | 'failed' | 'refused';
  askedBy: string;
  askedAt: Date;
  expiresAt: Date;
  decidedBy: string | null;
  decidedAt: Date | null;
  decision: string | null;
  outcome: unknown;
  doneAt: Date | null;
}

export type ActOutcome =
  | { kind: 'done'; result: unknown }
  /** For ever: asked again, the act answers the same. */
  | { kind: 'refused'; code: string }
  /** Not known yet: the act may be asked again under the same key. */
  | { kind: 'unavailable' };

/** Something that may need a second person. */
export interface Act {
  /** What its second person must hold. */
  permission: Permission;
  /** Does it, once for ever for each `key`. */
  execute(input: unknown, key: string): Promise<ActOutcome>;
}

export type Acts = Readonly<Record<string, Act>>;

/** The key under which an approved act is carried out. */
export const keyOfApproval = (id: bigint): string => `approval:${id}`;

interface Row {
  [column: string]: unknown;
}

const approvalOf = (row: Row): Approval =>
  ({
    id: row.id,
    act: row.act,
    permission: row.permission,
    siteId: row.site_id,
    subject: row.subject,
    amount: row.amount === null ? null : { asset: row.asset, minor: row.amount },
    input: row.input,
    reason: row.reason,
    state: row.state,
    askedBy: row.asked_by,
    askedAt: row.asked_at,
    expiresAt: row.expires_at,
    decidedBy: row.decided_by,
    decidedAt: row.decided_at,
    decision: row.decision,
    outcome: row.outcome,
    doneAt: row.done_at,
  }) as Approval;

export type NewApproval = Pick<
  Approval,
  'id' | 'act' | 'permission' | 'siteId' | 'subject' | 'amount' | 'input' | 'reason' | 'askedBy'
> & { requestKey: string; now: Date };

/** Asks; the same `requestKey` asked again is the same approval. */
export async function askApproval(db: Db, asked: NewApproval): Promise<Approval> {
  await db.query(
    `INSERT INTO approval (id, request_key, act, permission, site_id, subject, asset, amount, input,
                           reason, state, asked_by, asked_at, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'asked', $11, $12, $13)
     ON CONFLICT (request_key) DO NOTHING`,
    [
      asked.id,
      asked.requestKey,
      asked.act,
      asked.permission,
      asked.siteId,
      asked.subject,
      asked.amount?.asset ?? null,
      asked.amount?.minor ?? null,
      JSON.stringify(asked.input),
      asked.reason,
      asked.askedBy,
      asked.now,
      new Date(asked.now.getTime() + APPROVAL_MS_MAX),
    ],
  );
  const { rows } = await db.query('SELECT * FROM approval WHERE request_key = $1', [
    asked.requestKey,
  ]);
  return approvalOf(rows[0]);
}

/** By id, if its site is among `sites` (null: all); `lock` until the transaction ends. */
export async function approvalById(
  db: Db,
  id: bigint,
  { sites, lock = false }: { sites: bigint[] | null; lock?: boolean },
): Promise<Approval | null> {
  const { rows } = await db.query(
    `SELECT * FROM approval WHERE id = $1 AND ($2::bigint[] IS NULL OR site_id = ANY ($2))
     ${lock ? 'FOR UPDATE' : ''}`,
    [id, sites],
  );
  return rows[0] ? approvalOf(rows[0]) : null;
}

/** The newest first. */
export async function listApprovals(
  db: Db,
  filter: {
    sites: bigint[] | null;
    state: Approval['state'] | null;
    after: { at: Date; id: bigint } | null;
    limit: number;
  },
): Promise<Approval[]> {
  const { rows } = await db.query(
    `SELECT * FROM approval
      WHERE ($1::bigint[] IS NULL OR site_id = ANY ($1))
        AND ($2::text IS NULL OR state = $2)
        AND ($3::timestamptz IS NULL OR (asked_at, id) < ($3, $4::bigint))
      ORDER BY asked_at DESC, id DESC LIMIT $5`,
    [filter.sites, filter.state, filter.after?.at ?? null, filter.after?.id ?? null, filter.limit],
  );
  return rows.map(approvalOf);
}

/** Why `who` may not decide this now; null when they may. Pure. */
export function decisionFault(
  approval: Approval,
  who: { key: string; permissions: ReadonlySet<Permission> },
  now: Date,
): 'own_request' | 'forbidden' | 'approval_closed' | null {
  if (!who.permissions.has(approval.permission)) return 'forbidden';
  if (approval.askedBy === who.key) return 'own_request';
  if (approval.state !== 'asked') return 'approval_closed';
  return approval.expiresAt.getTime() <= now.getTime() ? 'approval_closed' : null;
}

/** Writes the decision; the caller holds the row and has asked `decisionFault`. */
export async function decideApproval(
  db: Db,
  decided: { id: bigint; state: 'approved' | 'refused'; by: string; why: string; now: Date },
): Promise<void> {
  await db.query(
    `UPDATE approval SET state = $2, decided_by = $3, decision = $4, decided_at = $5
      WHERE id = $1 AND state = 'asked'`,
    [decided.id, decided.state, decided.by, decided.why, decided.now],
  );
}

/** Carries out an approved act and keeps what came of it; may be called again at any time. */
export async function carryOut(
  db: Db,
  acts: Acts,
  { approval, now }: { approval: Approval; now: Date },
): Promise<ActOutcome> {
  const act = acts[approval.act];
  if (!act) throw new Error(`No act ${approval.act}`);
  const outcome = await act.execute(approval.input, keyOfApproval(approval.id));
  if (outcome.kind === 'unavailable') return outcome;
  await db.query(
    `UPDATE approval SET state = $2, outcome = $3, done_at = $4
      WHERE id = $1 AND state = 'approved'`,
    [approval.id, outcome.kind === 'done' ? 'done' : 'failed', JSON.stringify(outcome), now],
  );
  return outcome;
}

/** What was approved before `before` and never carried out: the process ended in between. */
export async function unfinishedApprovals(
  db: Db,
  before: Date,
  limit: number,
): Promise<Approval[]> {
  const { rows } = await db.query(
    `SELECT * FROM approval WHERE state = 'approved' AND decided_at <= $1
      ORDER BY decided_at LIMIT $2`,
    [before, limit],
  );
  return rows.map(approvalOf);
}
