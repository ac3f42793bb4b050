/** What came in: payments, suspense and what is parked. Reads alone. */
import type { Db } from '../people/staff-store.ts';

export interface PaymentRecord {
  id: bigint;
  provider: string;
  receipt: string;
  kind: string;
  state: string;
  channelId: string;
  receivedAt: Date;
  settledAt: Date | null;
  /** Why it is parked, in suspense or refused. */
  code: string | null;
  amount: { minor: bigint; asset: string } | null;
  siteId: bigint | null;
  isReversed: boolean;
}

/**
 * Rows of the inbox with their money: the first journal of what came in is the money itself, what
 * it bought follows. Looked up for the rows of one page, after they are chosen.
 */
const withMoney = (inbox: string): string => `
SELECT i.id, i.provider, i.receipt, i.kind, i.state, i.channel_id, i.received_at, i.settled_at,
       coalesce(i.error, i.outcome -> 'settled' ->> 'code') AS code,
       m.asset, m.amount, j.site_id,
       EXISTS (SELECT FROM journal r WHERE r.reverses = j.id) AS is_reversed
  FROM (${inbox}) i
  LEFT JOIN LATERAL (
    SELECT id, site_id FROM journal WHERE inbox_id = i.id ORDER BY id LIMIT 1) j ON true
  LEFT JOIN LATERAL (
    SELECT asset, sum(amount)::bigint AS amount FROM entry
     WHERE journal_id = j.id AND amount > 0 GROUP BY asset ORDER BY asset LIMIT 1) m ON true`;

interface Row {
  id: bigint;
  provider: string;
  receipt: string;
  kind: string;
  state: string;
  channel_id: string;
  received_at: Date;
  settled_at: Date | null;
  code: string | null;
  asset: string | null;
  amount: bigint | null;
  site_id: bigint | null;
  is_reversed: boolean;
}

const recordOf = (row: Row): PaymentRecord => ({
  id: row.id,
  provider: row.provider,
  receipt: row.receipt,
  kind: row.kind,
  state: row.state,
  channelId: row.channel_id,
  receivedAt: row.received_at,
  settledAt: row.settled_at,
  code: row.code,
  amount:
    row.asset === null || row.amount === null ? null : { minor: row.amount, asset: row.asset },
  siteId: row.site_id,
  isReversed: row.is_reversed,
});

/**
 * What came in between two instants, the newest first. `channels` null: over all of them.
 * Plan: the span of time by `inbox_received`.
 */
export async function findPayments(
  db: Db,
  o: {
    channels: string[] | null;
    state: string | null;
    kind: string | null;
    receipt: string | null;
    since: Date;
    until: Date;
    after: { at: Date; id: bigint } | null;
    limit: number;
  },
): Promise<PaymentRecord[]> {
  const { rows } = await db.query(
    `${withMoney(`
      SELECT * FROM inbox i
       WHERE ($1::text[] IS NULL OR i.channel_id = ANY ($1))
         AND ($2::text IS NULL OR i.state = $2)
         AND ($3::text IS NULL OR i.kind = $3)
         AND ($4::text IS NULL OR i.receipt = $4)
         AND i.received_at >= $5 AND i.received_at <= $6
         AND ($7::timestamptz IS NULL OR (i.received_at, i.id) < ($7, $8::bigint))
       ORDER BY i.received_at DESC, i.id DESC LIMIT $9`)}
     ORDER BY i.received_at DESC, i.id DESC`,
    [
      o.channels,
      o.state,
      o.kind,
      o.receipt,
      o.since,
      o.until,
      o.after?.at ?? null,
      o.after?.id ?? null,
      o.limit,
    ],
  );
  return rows.map(recordOf);
}

/** One of them, if it came over one of `channels` (null: all). */
export async function paymentById(
  db: Db,
  id: bigint,
  channels: string[] | null,
): Promise<PaymentRecord | null> {
  const { rows } = await db.query(
    withMoney(`SELECT * FROM inbox i
                WHERE i.id = $1 AND ($2::text[] IS NULL OR i.channel_id = ANY ($2))`),
    [id, channels],
  );
  return rows[0] ? recordOf(rows[0]) : null;
}

export interface SuspenseRecord {
  /** Of the payment. */
  id: bigint;
  siteId: bigint;
  asset: string;
  amount: bigint;
  reason: string;
  accountRef: string | null;
  payerMsisdn: string | null;
  state: string;
  createdAt: Date;
}

/** Money whose owner is not known, the oldest first. */
export async function findSuspense(
  db: Db,
  o: {
    sites: bigint[] | null;
    state: string;
    after: { at: Date; id: bigint } | null;
    limit: number;
  },
): Promise<SuspenseRecord[]> {
  const { rows } = await db.query(
    `SELECT inbox_id, site_id, asset, amount, reason, account_ref, payer_msisdn, state, created_at
       FROM suspense_item
      WHERE ($1::bigint[] IS NULL OR site_id = ANY ($1)) AND state = $2
        AND ($3::timestamptz IS NULL OR (created_at, inbox_id) > ($3, $4::bigint))
      ORDER BY created_at, inbox_id LIMIT $5`,
    [o.sites, o.state, o.after?.at ?? null, o.after?.id ?? null, o.limit],
  );
  return rows.map((row) => ({
    id: row.inbox_id,
    siteId: row.site_id,
    asset: row.asset,
    amount: row.amount,
    reason: row.reason,
    accountRef: row.account_ref,
    payerMsisdn: row.payer_msisdn,
    state: row.state,
    createdAt: row.created_at,
  }));
}

export interface SuspendedMoney {
  provider: string;
  receipt: string;
  siteId: bigint;
  asset: string;
  amount: bigint;
  /** Who may claim it: the phone that paid, where it is known. */
  payerMsisdn: string | null;
  isOpen: boolean;
}

/** What came in with this id and had no owner, if it is of one of `sites` (null: all). */
export async function suspenseById(
  db: Db,
  id: bigint,
  sites: bigint[] | null,
): Promise<SuspendedMoney | null> {
  const { rows } = await db.query(
    `SELECT i.provider, i.receipt, i.payer_msisdn, s.site_id, s.asset, s.amount,
            s.state = 'open' AS is_open
       FROM suspense_item s JOIN inbox i ON i.id = s.inbox_id
      WHERE s.inbox_id = $1 AND ($2::bigint[] IS NULL OR s.site_id = ANY ($2))`,
    [id, sites],
  );
  const [row] = rows;
  if (!row) return null;
  return {
    provider: row.provider,
    receipt: row.receipt,
    siteId: row.site_id,
    asset: row.asset,
    amount: row.amount,
    payerMsisdn: row.payer_msisdn,
    isOpen: row.is_open,
  };
}
