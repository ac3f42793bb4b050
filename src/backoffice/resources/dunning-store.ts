/** What was decided for subscribers who do not pay, and what was taken from them. */
import { type Day, parseDay } from '../../platform/day.ts';
import type { Db } from '../people/staff-store.ts';

export interface FlagRecord {
  id: bigint;
  kind: 'do_not_cut' | 'block';
  reason: string;
  from: Day;
  /** Exclusive; null: until it is lifted. */
  until: Day | null;
  setBy: string;
  /** The first day without, where somebody decided that. */
  liftedOn: Day | null;
  liftedBy: string | null;
}

export interface PromiseRecord {
  id: bigint;
  madeOn: Day;
  dueOn: Day;
  amount: bigint;
  madeBy: string;
}

export interface HoldRecord {
  id: bigint;
  subscriberId: bigint;
  siteId: bigint;
  level: 'walled' | 'stopped' | 'ended';
  because: string;
  fromAt: Date;
  toAt: Date | null;
}

/** Of one subscriber: more would tell nothing new. */
const SHOWN_MAX = 100;

const dayOf = (date: string | null): Day | null => (date === null ? null : parseDay(date));

/** Flags of a subscriber, the newest first. */
export async function flagsOf(db: Db, subscriberId: bigint): Promise<FlagRecord[]> {
  const { rows } = await db.query(
    `SELECT id, kind, reason, from_on::text, until_on::text, set_by, lifted_on::text, lifted_by
       FROM dunning_flag WHERE subscriber_id = $1 ORDER BY id DESC LIMIT $2`,
    [subscriberId, SHOWN_MAX],
  );
  return rows.map((row) => ({
    ...{ id: row.id, kind: row.kind, reason: row.reason, from: parseDay(row.from_on) },
    ...{ until: dayOf(row.until_on), setBy: row.set_by },
    ...{ liftedOn: dayOf(row.lifted_on), liftedBy: row.lifted_by },
  }));
}

/** Promises of a subscriber, the newest first. */
export async function promisesOf(db: Db, subscriberId: bigint): Promise<PromiseRecord[]> {
  const { rows } = await db.query(
    `SELECT id, made_on::text, due_on::text, amount, made_by
       FROM dunning_promise WHERE subscriber_id = $1 ORDER BY id DESC LIMIT $2`,
    [subscriberId, SHOWN_MAX],
  );
  return rows.map((row) => ({
    ...{ id: row.id, madeOn: parseDay(row.made_on), dueOn: parseDay(row.due_on) },
    ...{ amount: row.amount, madeBy: row.made_by },
  }));
}

/** What was taken, the newest first. Plan: `dunning_hold_from` backwards, or one subscriber's. */
export async function findHolds(
  db: Db,
  o: {
    sites: bigint[] | null;
    subscriberId: bigint | null;
    level: string | null;
    isOpen: boolean | null;
    after: { at: Date; id: bigint } | null;
    limit: number;
  },
): Promise<HoldRecord[]> {
  const { rows } = await db.query(
    `SELECT h.id, h.subscriber_id, u.site_id, h.level, h.because, h.from_at, h.to_at
       FROM dunning_hold h JOIN subscriber u ON u.id = h.subscriber_id
      WHERE ($1::bigint[] IS NULL OR u.site_id = ANY ($1))
        AND ($2::bigint IS NULL OR h.subscriber_id = $2)
        AND ($3::text IS NULL OR h.level = $3)
        AND ($4::boolean IS NULL OR (h.to_at IS NULL) = $4)
        AND ($5::timestamptz IS NULL OR (h.from_at, h.id) < ($5, $6::bigint))
      ORDER BY h.from_at DESC, h.id DESC LIMIT $7`,
    [o.sites, o.subscriberId, o.level, o.isOpen, o.after?.at ?? null, o.after?.id ?? null, o.limit],
  );
  return rows.map((row) => ({
    ...{ id: row.id, subscriberId: row.subscriber_id, siteId: row.site_id, level: row.level },
    ...{ because: row.because, fromAt: row.from_at, toAt: row.to_at },
  }));
}
