/** Our requests for money: payment orders in Postgres. */
import type { Pool } from 'pg';
import type { Purpose } from '../../billing/settlement/commands.ts';
import { readPurpose } from '../../billing/settlement/load.ts';
import { bigintAsDigits } from '../../platform/json.ts';
import type { MoneyReason } from '../canonical.ts';

export type OrderState = 'open' | 'prompted' | 'unproven' | 'paid' | 'failed' | 'expired';

export interface Order {
  id: bigint;
  ref: string;
  requestToken: string;
  channelId: string;
  siteId: bigint;
  msisdn: string;
  asset: string;
  amount: bigint;
  purpose: Purpose;
  state: OrderState;
  checkoutRequestId: string | null;
  callback: Buffer | null;
  /** The receipt that paid it; null while it is not paid. */
  receipt: string | null;
  polls: number;
  createdAt: Date;
}

export interface NewOrder {
  id: bigint;
  ref: string;
  requestToken: string;
  key: string;
  channelId: string;
  siteId: bigint;
  msisdn: string;
  asset: string;
  amount: bigint;
  purpose: Purpose;
  nextPollAt: Date;
  createdAt: Date;
}

const COLUMNS = `id, ref, request_token, channel_id, site_id, msisdn, asset, amount, purpose, state,
  checkout_request_id, callback, polls, created_at`;

// biome-ignore lint/suspicious/noExplicitAny: a row as the driver gives it
const orderOf = (row: any): Order => ({
  id: row.id,
  ref: row.ref,
  requestToken: row.request_token,
  channelId: row.channel_id,
  siteId: row.site_id,
  msisdn: row.msisdn,
  asset: row.asset,
  amount: row.amount,
  purpose: readPurpose(row.purpose),
  state: row.state,
  checkoutRequestId: row.checkout_request_id,
  callback: row.callback,
  receipt: row.receipt ?? null,
  polls: row.polls,
  createdAt: row.created_at,
});

/** Writes the order, or finds the one that the same key made before. */
export async function insertOrder(
  pool: Pool,
  order: NewOrder,
): Promise<{ first: boolean; order: Order }> {
  const made = await pool.query({
    name: 'order-insert',
    text: `INSERT INTO payment_order (id, ref, request_token, key, channel_id, site_id, msisdn,
             asset, amount, purpose, state, next_poll_at, created_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'open', $11, $12)
           ON CONFLICT (key) DO NOTHING RETURNING ${COLUMNS}`,
    values: [
      order.id,
      order.ref,
      order.requestToken,
      order.key,
      order.channelId,
      order.siteId,
      order.msisdn,
      order.asset,
      order.amount,
      JSON.stringify(order.purpose, bigintAsDigits),
      order.nextPollAt,
      order.createdAt,
    ],
  });
  if (made.rows[0]) return { first: true, order: orderOf(made.rows[0]) };
  const found = await pool.query(`SELECT ${COLUMNS} FROM payment_order WHERE key = $1`, [
    order.key,
  ]);
  return { first: false, order: orderOf(found.rows[0]) };
}

/** The order whose token stands in a callback's address; null when there is none. */
export async function orderByToken(pool: Pool, requestToken: string): Promise<Order | null> {
  const { rows } = await pool.query({
    name: 'order-by-token',
    text: `SELECT o.*, i.receipt FROM payment_order o LEFT JOIN inbox i ON i.id = o.inbox_id
            WHERE o.request_token = $1`,
    values: [requestToken],
  });
  return rows[0] ? orderOf(rows[0]) : null;
}

/** The operator has taken the request: its id, and when to ask what became of it. */
export async function markPrompted(
  pool: Pool,
  id: bigint,
  checkoutRequestId: string,
  nextPollAt: Date,
): Promise<void> {
  await pool.query(
    `UPDATE payment_order
        SET checkout_request_id = coalesce(checkout_request_id, $2),
            state = CASE state WHEN 'open' THEN 'prompted' ELSE state END,
            next_poll_at = CASE WHEN state IN ('open', 'prompted') THEN $3 ELSE next_poll_at END
      WHERE id = $1`,
    [id, checkoutRequestId, nextPollAt],
  );
}

/**
 * The money did not move: ends an order that was still waiting, and says so once. Returns false
 * when the order had ended already; a paid one never goes back.
 */
export async function markFailed(
  pool: Pool,
  id: bigint,
  state: 'failed' | 'expired',
  reason: MoneyReason,
): Promise<boolean> {
  const { rowCount } = await pool.query(
    `UPDATE payment_order SET state = $2, failure = $3, next_poll_at = NULL
      WHERE id = $1 AND state IN ('open', 'prompted', 'unproven')`,
    [id, state, reason],
  );
  return rowCount === 1;
}

/** A callback says paid, and nothing has proved it yet: kept with the order, asked about soon. */
export async function markUnproven(
  pool: Pool,
  id: bigint,
  kept: { callback: Buffer; checkoutRequestId: string | null; nextPollAt: Date },
): Promise<void> {
  await pool.query(
    `UPDATE payment_order
        SET state = 'unproven', callback = $2,
            checkout_request_id = coalesce(checkout_request_id, $3), next_poll_at = $4
      WHERE id = $1 AND state <> 'paid'`,
    [id, kept.callback, kept.checkoutRequestId, kept.nextPollAt],
  );
}

/**
 * Takes orders whose poll is due, moving their next poll so that no other process takes them too.
 * Locks: the rows it takes, skipping what others hold.
 */
export async function takeDueOrders(
  pool: Pool,
  { now, limit, leaseMs }: { now: Date; limit: number; leaseMs: number },
): Promise<Order[]> {
  const { rows } = await pool.query(
    `UPDATE payment_order o SET polls = o.polls + 1, next_poll_at = $3
       FROM (SELECT id FROM payment_order WHERE next_poll_at <= $1
              ORDER BY next_poll_at LIMIT $2 FOR UPDATE SKIP LOCKED) due
      WHERE o.id = due.id
      RETURNING ${COLUMNS.split(',')
        .map((column) => `o.${column.trim()}`)
        .join(', ')}`,
    [now, limit, new Date(now.getTime() + leaseMs)],
  );
  return rows.map(orderOf);
}

/** When to ask again; null: never, people look at it. */
export async function setNextPoll(pool: Pool, id: bigint, at: Date | null): Promise<void> {
  await pool.query(
    `UPDATE payment_order SET next_poll_at = $2
      WHERE id = $1 AND state IN ('open', 'prompted', 'unproven')`,
    [id, at],
  );
}
