/** The SQL of dunning: who the debtors are, what was decided for them, and what was done. */
import type { Pool, PoolClient } from 'pg';
import { type Day, formatDay, parseDay } from '../../platform/day.ts';
import { bigintAsDigits } from '../../platform/json.ts';
import { byHouseTime, byTestClock } from '../../registry/test-clocks.ts';
import type { OutboundDraft } from '../settlement/commands.ts';
import type { HeldLevel } from './holds.ts';
import type { DunningAction, Flags, PaymentPromise, Span, StepKey } from './rules.ts';

type Db = Pool | PoolClient;

/** A subscriber as dunning sees one. */
export interface Debtor {
  id: bigint;
  siteId: bigint;
  category: string;
  language: 'en' | 'fr';
  phone: { msisdn: string; language: 'en' | 'fr'; isStopped: boolean } | null;
  cards: readonly string[];
  flags: Flags;
  hold: { level: HeldLevel; from: Day } | null;
}

/** One step taken, with what is said because of it. */
export interface TakenAction {
  subscriberId: bigint;
  owed: bigint;
  action: DunningAction;
  says: readonly (OutboundDraft & { id: bigint })[];
}

/** From now on the subscriber has no more than `level`; null: everything again. */
export interface HoldWrite {
  subscriberId: bigint;
  on: Day;
  next: { id: bigint; level: HeldLevel; because: string } | null;
}

/** Those of `$1` whose time it is, in order: of a test clock, or of all who have none. */
const SORTED = `SELECT i.id FROM unnest($1::bigint[]) AS i (id)
         WHERE CASE WHEN $2::bigint IS NULL THEN ${byHouseTime('i.id')}
                    ELSE ${byTestClock('i.id', '$2')} END
         ORDER BY i.id OFFSET 0`;

/**
 * Purpose: makes this transaction the only one that decides about these subscribers: what they owe
 * is read after it. Locks: an advisory lock each, in the order of ids.
 */
const LOCK = `
SELECT id FROM (
  SELECT id, pg_advisory_xact_lock(hashtextextended('dunning.' || id, 0))
    FROM (${SORTED}) AS sorted
) AS locked`;
/** The same, leaving out those that another transaction decides about now. */
const TRY_LOCK = `
SELECT id FROM (${SORTED}) AS sorted
 WHERE pg_try_advisory_xact_lock(hashtextextended('dunning.' || id, 0))`;

/** Purpose: what is kept of the debtors. Plan: each by key or by an index on the subscriber. */
const DEBTORS = `
SELECT u.id, u.site_id, u.category, u.language, u.contact_msisdn,
       coalesce(p.language, u.language) AS phone_language, c.wanted IS FALSE AS is_stopped,
       (SELECT coalesce(jsonb_agg(k.number ORDER BY k.id), '[]') FROM
         (SELECT id, number FROM card WHERE subscriber_id = u.id ORDER BY id LIMIT $2) k) AS cards,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('kind', f.kind, 'reason', f.reason,
                 'from', f.from_on, 'until', least(f.until_on, f.lifted_on))), '[]')
          FROM dunning_flag f WHERE f.subscriber_id = u.id) AS flags,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('madeOn', m.made_on, 'dueOn', m.due_on,
                 'amount', m.amount::text, 'owed', m.owed::text) ORDER BY m.id), '[]')
          FROM dunning_promise m WHERE m.subscriber_id = u.id) AS promises,
       h.level, h.from_on::text
  FROM subscriber u
  LEFT JOIN phone p ON p.msisdn = u.contact_msisdn
  LEFT JOIN reminder_choice c ON c.msisdn = u.contact_msisdn
  LEFT JOIN dunning_hold h ON h.subscriber_id = u.id AND h.to_at IS NULL
 WHERE u.id = ANY ($1::bigint[])
 ORDER BY u.id`;

/**
 * Purpose: steps, and the messages of those that nobody had taken before.
 * Locks: none that anybody else waits for; keys are inserted in their order.
 */
const WRITE_STEPS = `
WITH taken AS (
  INSERT INTO dunning_step (subscriber_id, cycle, step, round, due_on, taken_at, is_skipped, owed)
  SELECT subscriber_id, cycle, step, round, due_on, $2, is_skipped, owed
    FROM jsonb_to_recordset($1::jsonb) AS x (subscriber_id bigint, cycle date, step text,
         round integer, due_on date, is_skipped boolean, owed bigint)
   ORDER BY subscriber_id, cycle, step, round
  ON CONFLICT DO NOTHING RETURNING subscriber_id, cycle, step, round
), message AS (
  SELECT x.* FROM jsonb_to_recordset($3::jsonb) AS x (id bigint, subscriber_id bigint, cycle date,
         step text, round integer, site_id bigint, kind text, template text, target text,
         body text, not_after timestamptz)
    JOIN taken USING (subscriber_id, cycle, step, round)
), said AS (
  INSERT INTO outbound (id, kind, template, site_id, target, body, state, created_at, not_after,
                        next_at)
  SELECT id, kind, template, site_id, target, body, 'queued', $2, not_after, $2 FROM message
)
INSERT INTO dunning_message (outbound_id, subscriber_id) SELECT id, subscriber_id FROM message`;

/**
 * Purpose: nobody who owes nothing any more is still told to pay. One that is being sent may leave.
 * Plan: the messages of a subscriber by index, their rows by key. Locks: those rows, by id.
 */
const WITHDRAW = `
UPDATE outbound o SET state = 'overtaken', next_at = NULL, lease_until = NULL
 WHERE o.id IN (SELECT q.id FROM outbound q
                 WHERE q.state = 'queued' AND q.id IN (SELECT outbound_id FROM dunning_message
                                                        WHERE subscriber_id = ANY ($1::bigint[]))
                 ORDER BY q.id FOR NO KEY UPDATE)`;

/** Purpose: subscribers who are looked at whether they owe or not: something is held or blocked. */
const WATCHED = `
SELECT subscriber_id FROM (
  SELECT subscriber_id FROM dunning_hold WHERE to_at IS NULL
  UNION SELECT subscriber_id FROM dunning_flag
         WHERE kind = 'block' AND lifted_on IS NULL AND (until_on IS NULL OR until_on > $3)
) AS watched WHERE subscriber_id > $1 ORDER BY subscriber_id LIMIT $2`;

/**
 * Those of `ids` that are this transaction's to decide; `wait`: all, as soon as they are free. Of
 * those who live by a test clock, only with it.
 */
export async function lockDebtors(
  client: PoolClient,
  ids: readonly bigint[],
  { wait, testClockId = null }: { wait: boolean; testClockId?: bigint | null },
): Promise<bigint[]> {
  const values = [[...new Set(ids)], testClockId];
  const { rows } = await client.query<{ id: bigint }>(wait ? LOCK : TRY_LOCK, values);
  return rows.map(({ id }) => id);
}

/** What is kept of the subscribers, by id; each with up to `cardsMax` cards. */
export async function debtorsOf(
  db: Db,
  ids: readonly bigint[],
  cardsMax: number,
): Promise<Debtor[]> {
  const { rows } = await db.query({
    name: 'dunning-debtors',
    text: DEBTORS,
    values: [ids, cardsMax],
  });
  return rows.map((row) => ({
    id: row.id,
    siteId: row.site_id,
    category: row.category,
    language: row.language,
    phone:
      row.contact_msisdn === null
        ? null
        : {
            msisdn: row.contact_msisdn,
            language: row.phone_language,
            isStopped: row.is_stopped,
          },
    cards: row.cards,
    flags: {
      doNotCut: spansOf(row.flags, 'do_not_cut'),
      blocks: spansOf(row.flags, 'block'),
      promises: row.promises.map(promiseOf),
    },
    hold: row.level === null ? null : { level: row.level, from: parseDay(row.from_on) },
  }));
}

interface FlagJson {
  kind: string;
  reason: string;
  from: string;
  until: string | null;
}

/** A flag that was lifted before it began covers no day. */
const spansOf = (flags: readonly FlagJson[], wanted: string): Span[] =>
  flags
    .filter(({ kind }) => kind === wanted)
    .map(({ reason, from, until }) => ({
      reason,
      from: parseDay(from),
      until: until === null ? null : parseDay(until),
    }));

const promiseOf = (json: Record<keyof PaymentPromise, string>): PaymentPromise => ({
  madeOn: parseDay(json.madeOn),
  dueOn: parseDay(json.dueOn),
  amount: BigInt(json.amount),
  owed: BigInt(json.owed),
});

/** Steps taken in cycles that began on or after a subscriber's day, by subscriber. */
export async function stepsTaken(
  db: Db,
  since: ReadonlyMap<bigint, Day>,
): Promise<Map<bigint, StepKey[]>> {
  const taken = new Map<bigint, StepKey[]>();
  if (since.size === 0) return taken;
  const { rows } = await db.query({
    name: 'dunning-taken',
    text: `SELECT s.subscriber_id, s.cycle::text, s.step, s.round
             FROM unnest($1::bigint[], $2::date[]) AS x (id, since)
             JOIN dunning_step s ON s.subscriber_id = x.id AND s.cycle >= x.since`,
    values: [[...since.keys()], [...since.values()].map(formatDay)],
  });
  for (const { subscriber_id, cycle, step, round } of rows) {
    const keys = taken.get(subscriber_id) ?? [];
    keys.push({ cycle: parseDay(cycle), step, round });
    taken.set(subscriber_id, keys);
  }
  return taken;
}

/** Writes steps with what they say; returns how many messages were queued. */
export async function writeSteps(
  client: PoolClient,
  taken: readonly (TakenAction & { siteId: bigint })[],
  now: Date,
): Promise<number> {
  if (taken.length === 0) return 0;
  const keyOf = ({ subscriberId, action }: TakenAction) => ({
    subscriber_id: subscriberId,
    cycle: formatDay(action.cycle),
    step: action.step,
    round: action.round,
  });
  const steps = taken.map((one) => ({
    ...keyOf(one),
    due_on: formatDay(one.action.on),
    is_skipped: one.action.isSkipped,
    owed: one.owed,
  }));
  const messages = taken.flatMap((one) =>
    one.says.map(({ notAfter, ...draft }) => ({
      ...keyOf(one),
      ...draft,
      site_id: one.siteId,
      not_after: notAfter,
    })),
  );
  const json = (rows: unknown) => JSON.stringify(rows, bigintAsDigits);
  const { rowCount } = await client.query({
    name: 'dunning-steps',
    text: WRITE_STEPS,
    values: [json(steps), now, json(messages)],
  });
  return rowCount ?? 0;
}

/** Withdraws what is still queued for subscribers who owe nothing any more. */
export async function withdrawMessages(
  client: PoolClient,
  subscriberIds: readonly bigint[],
): Promise<void> {
  if (subscriberIds.length === 0) return;
  await client.query({ name: 'dunning-withdraw', text: WITHDRAW, values: [subscriberIds] });
}

/** Closes the open holds of subscribers and opens the next ones. */
export async function writeHolds(
  client: PoolClient,
  changes: readonly HoldWrite[],
  now: Date,
): Promise<void> {
  if (changes.length === 0) return;
  const days = changes.map(({ on }) => formatDay(on));
  await client.query(
    `UPDATE dunning_hold h SET to_on = greatest(h.from_on, x.day), to_at = $3
       FROM unnest($1::bigint[], $2::date[]) AS x (id, day)
      WHERE h.subscriber_id = x.id AND h.to_at IS NULL`,
    [changes.map(({ subscriberId }) => subscriberId), days, now],
  );
  const opened = changes.flatMap(({ subscriberId, on, next }) =>
    next === null ? [] : [{ ...next, subscriber_id: subscriberId, from_on: formatDay(on) }],
  );
  await client.query(
    `INSERT INTO dunning_hold (id, subscriber_id, level, because, from_on, from_at)
     SELECT id, subscriber_id, level, because, from_on, $2
       FROM jsonb_to_recordset($1::jsonb) AS x (id bigint, subscriber_id bigint, level text,
            because text, from_on date)`,
    [JSON.stringify(opened, bigintAsDigits), now],
  );
}

/** Ids above `after` of subscribers from whom something is held, or whom a block concerns. */
export async function watchedIds(
  db: Db,
  { after, limit, since }: { after: bigint; limit: number; since: Day },
): Promise<bigint[]> {
  const { rows } = await db.query<{ subscriber_id: bigint }>({
    name: 'dunning-watched',
    text: WATCHED,
    values: [after, limit, formatDay(since)],
  });
  return rows.map(({ subscriber_id }) => subscriber_id);
}
