/** The SQL of what staff and subscribers do to the course of dunning. */
import type { Pool, PoolClient } from 'pg';
import { type Day, formatDay } from '../../platform/day.ts';
import type { OutboundDraft } from '../settlement/commands.ts';
import type { PaymentPromise } from './rules.ts';

interface FlagRow {
  id: bigint;
  subscriberId: bigint;
  kind: string;
  reason: string;
  from: Day;
  until: Day | null;
  by: string;
  at: Date;
}

export async function insertFlag(client: PoolClient, flag: FlagRow): Promise<void> {
  await client.query(
    `INSERT INTO dunning_flag (id, subscriber_id, kind, reason, from_on, until_on, set_by, set_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [
      ...[flag.id, flag.subscriberId, flag.kind, flag.reason, formatDay(flag.from)],
      ...[flag.until === null ? null : formatDay(flag.until), flag.by, flag.at],
    ],
  );
}

/** Whose flag it is; null when there is none of that id. */
export async function subscriberOfFlag(db: Pool, id: bigint): Promise<bigint | null> {
  const { rows } = await db.query('SELECT subscriber_id FROM dunning_flag WHERE id = $1', [id]);
  return rows[0]?.subscriber_id ?? null;
}

/** `on`: the first day without; false when it was lifted before. */
export async function liftFlag(
  client: PoolClient,
  { id, by, on }: { id: bigint; by: string; on: Day },
): Promise<boolean> {
  const { rowCount } = await client.query(
    `UPDATE dunning_flag SET lifted_on = $2, lifted_by = $3 WHERE id = $1 AND lifted_on IS NULL`,
    [id, formatDay(on), by],
  );
  return rowCount === 1;
}

export async function insertPromise(
  client: PoolClient,
  promise: PaymentPromise & { id: bigint; subscriberId: bigint; by: string; at: Date },
): Promise<void> {
  const { id, subscriberId, madeOn, dueOn, amount, owed, by, at } = promise;
  await client.query(
    `INSERT INTO dunning_promise (id, subscriber_id, made_on, due_on, amount, owed, made_by,
                                  made_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [id, subscriberId, formatDay(madeOn), formatDay(dueOn), amount, owed, by, at],
  );
}

/** Queues one message that stands by itself. */
export async function insertMessage(
  client: PoolClient,
  {
    id,
    siteId,
    kind,
    template,
    target,
    body,
    notAfter,
  }: OutboundDraft & {
    id: bigint;
    siteId: bigint;
  },
  now: Date,
): Promise<void> {
  await client.query(
    `INSERT INTO outbound (id, kind, template, site_id, target, body, state, created_at, not_after,
                           next_at)
     VALUES ($1, $2, $3, $4, $5, $6, 'queued', $7, $8, $7)`,
    [id, kind, template, siteId, target, body, now, notAfter],
  );
}
