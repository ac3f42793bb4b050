/** Cards, what they are paid for, and what was bought for them: reads alone. */
import { readTaxes } from '../../billing/settlement/load-lines.ts';
import type { SoldTax } from '../../billing/settlement/taxes.ts';
import type { Db } from '../people/staff-store.ts';

export interface CardRecord {
  id: bigint;
  number: string;
  siteId: bigint;
  subscriberId: bigint;
  subscriberName: string;
  createdAt: Date;
  suspended: string | null;
  /** When what is wanted was last said to be on air. */
  onAirAt: Date | null;
  isOnAir: boolean;
  subscription: {
    bouquet: string;
    term: string;
    autoRenew: boolean;
    waitingTerm: string | null;
    paidUntil: Date | null;
    pausedUntil: Date | null;
    closedAt: Date | null;
  } | null;
}

const SELECT = `
SELECT c.id, c.number, c.site_id, c.subscriber_id, s.full_name, c.created_at, r.suspended,
       r.on_air_at, r.acked_rev >= r.desired_rev AND r.on_air_at IS NOT NULL AS is_on_air,
       b.code AS bouquet, u.term, u.auto_renew, u.waiting_term, u.paid_until,
       u.pause_until, u.closed_at
  FROM card c
  JOIN subscriber s ON s.id = c.subscriber_id
  JOIN card_rights r ON r.card_id = c.id
  LEFT JOIN subscription u ON u.card_id = c.id
  LEFT JOIN bouquet b ON b.id = u.bouquet_id`;

interface Row {
  id: bigint;
  number: string;
  site_id: bigint;
  subscriber_id: bigint;
  full_name: string;
  created_at: Date;
  suspended: string | null;
  on_air_at: Date | null;
  is_on_air: boolean;
  bouquet: string | null;
  term: string;
  auto_renew: boolean;
  waiting_term: string | null;
  paid_until: Date | null;
  pause_until: Date | null;
  closed_at: Date | null;
}

const recordOf = (row: Row): CardRecord => ({
  id: row.id,
  number: row.number,
  siteId: row.site_id,
  subscriberId: row.subscriber_id,
  subscriberName: row.full_name,
  createdAt: row.created_at,
  suspended: row.suspended,
  onAirAt: row.on_air_at,
  isOnAir: row.is_on_air,
  subscription:
    row.bouquet === null
      ? null
      : {
          bouquet: row.bouquet,
          term: row.term,
          autoRenew: row.auto_renew,
          waitingTerm: row.waiting_term,
          paidUntil: row.paid_until,
          pausedUntil: row.pause_until,
          closedAt: row.closed_at,
        },
});

/** A card at one of `sites` (null: all), or null. */
export async function cardById(
  db: Db,
  id: bigint,
  sites: bigint[] | null,
): Promise<CardRecord | null> {
  const { rows } = await db.query(
    `${SELECT} WHERE c.id = $1 AND ($2::bigint[] IS NULL OR c.site_id = ANY ($2))`,
    [id, sites],
  );
  return rows[0] ? recordOf(rows[0]) : null;
}

/** Cards, the oldest first. */
export async function findCards(
  db: Db,
  o: {
    sites: bigint[] | null;
    number: string | null;
    subscriberId: bigint | null;
    isSuspended: boolean | null;
    after: { at: Date; id: bigint } | null;
    limit: number;
  },
): Promise<CardRecord[]> {
  const { rows } = await db.query(
    `${SELECT}
      WHERE ($1::bigint[] IS NULL OR c.site_id = ANY ($1))
        AND ($2::text IS NULL OR c.number = $2)
        AND ($3::bigint IS NULL OR c.subscriber_id = $3)
        AND ($4::boolean IS NULL OR (r.suspended IS NOT NULL) = $4)
        AND ($5::timestamptz IS NULL OR (c.created_at, c.id) > ($5, $6::bigint))
      ORDER BY c.created_at, c.id LIMIT $7`,
    [
      o.sites,
      o.number,
      o.subscriberId,
      o.isSuspended,
      o.after?.at ?? null,
      o.after?.id ?? null,
      o.limit,
    ],
  );
  return rows.map(recordOf);
}

export interface TermRecord {
  id: bigint;
  bouquet: string;
  kind: string;
  days: number | null;
  from: Date;
  to: Date;
  asset: string;
  price: bigint;
  tax: bigint;
  taxes: readonly SoldTax[];
  /** `void`: taken back as if never bought. */
  state: 'sold' | 'void';
}

/** What was bought for a card, the latest first. */
export async function termsOf(
  db: Db,
  cardId: bigint,
  page: { after: { at: Date; id: bigint } | null; fetch: number },
): Promise<TermRecord[]> {
  const { rows } = await db.query(
    `SELECT t.id, b.code AS bouquet, t.kind, t.days, t.from_at, t.to_at, t.asset, t.price, t.tax,
            t.taxes, t.state
       FROM subscription s
       JOIN term t ON t.subscription_id = s.id
       JOIN bouquet b ON b.id = t.bouquet_id
      WHERE s.card_id = $1
        AND ($2::timestamptz IS NULL OR (t.from_at, t.id) < ($2, $3::bigint))
      ORDER BY t.from_at DESC, t.id DESC LIMIT $4`,
    [cardId, page.after?.at ?? null, page.after?.id ?? null, page.fetch],
  );
  return rows.map((row) => ({
    id: row.id,
    bouquet: row.bouquet,
    kind: row.kind,
    days: row.days,
    from: row.from_at,
    to: row.to_at,
    asset: row.asset,
    price: row.price,
    tax: row.tax,
    taxes: readTaxes(row.taxes),
    state: row.state,
  }));
}
