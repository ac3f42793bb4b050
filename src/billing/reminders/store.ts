/** The SQL of reminders: who is due, what was decided, and who wants none. */
import type { Pool, PoolClient } from 'pg';
import { bigintAsDigits } from '../../platform/json.ts';
import { byHouseTime, byTestClock } from '../../registry/test-clocks.ts';
import type { Category } from '../catalogue/file/types.ts';
import type { TermName } from '../catalogue/rules.ts';
import type { OutboundDraft } from '../settlement/commands.ts';
import type { TermLength } from '../subscriptions/rules.ts';
import type { DueStep, ReminderDecision } from './rules.ts';

/** A card whose step is due and undecided. */
export interface Candidate {
  cardId: bigint;
  cardNumber: string;
  paidUntil: Date;
  bouquetId: bigint;
  /** What a payment that says nothing else buys. */
  term: TermName;
  length: TermLength;
  boughtAt: Date;
  isSuspended: boolean;
  /** The wallet's automatic renewals up to and with this card's; empty when it has none. */
  renewals: readonly { bouquetId: bigint; term: TermName; at: Date }[];
  credit: bigint;
  language: 'en' | 'fr';
  category: Category;
  phone: { msisdn: string; language: 'en' | 'fr'; isStopped: boolean } | null;
}

export interface DecidedReminder {
  cardId: bigint;
  paidUntil: Date;
  decision: ReminderDecision;
  /** What is said because of it; ids are taken only by what is said. */
  says: readonly (OutboundDraft & { id: bigint })[];
}

/**
 * Purpose: makes this transaction the only one that decides reminders, so that two cannot both
 * believe that a phone has room for one more text.
 * Locks: one advisory lock.
 */
const KEY = "hashtextextended('reminders.decide', 0)";
const TRY_LOCK = `SELECT pg_try_advisory_xact_lock(${KEY}) AS taken`;
const LOCK = `SELECT pg_advisory_xact_lock(${KEY}), true AS taken`;

/**
 * Purpose: cards of a site whose paid time ends in a range and whose step is undecided.
 * Plan: a range of `term_end`, each row's subscription, card and reminder by key, until the page is
 * full; then the rest by key. The last term ends with the run, and only rare acts move it: so the
 * index costs a payment one entry, where one on `subscription.paid_until` would cost the
 * update its place in the page (HOT). Not prepared: a plan for any range would not trust the index.
 * Cost: 14 ms for 250 cards of 100,000; 75 ms to find that all 3,334 of a day are decided.
 */
const candidates = (whose: string): string => `
WITH page AS MATERIALIZED (
  SELECT s.id, s.card_id, s.bouquet_id, s.term, s.paid_until, s.renew_at,
         c.number, c.subscriber_id, t.kind, t.days, t.journal_id, t.sold_at
    FROM term t
    JOIN subscription s ON s.id = t.subscription_id AND s.paid_until = t.to_at
    JOIN card c ON c.id = s.card_id AND c.site_id = $1
   WHERE t.to_at > $2 AND t.to_at <= $3 AND t.state = 'sold' AND t.beside IS NULL
     AND s.pause_until IS NULL AND ${whose}
     AND NOT EXISTS (SELECT FROM reminder d
                      WHERE d.card_id = s.card_id AND d.paid_until = s.paid_until AND d.step = $4)
   LIMIT $5
)
SELECT page.*, coalesce(j.effective_at, page.sold_at) AS bought_at,
       r.suspended IS NOT NULL AS is_suspended,
       coalesce(w.renewals, '[]') AS renewals, b.amount AS credit, u.language, u.category,
       u.contact_msisdn AS msisdn, coalesce(p.language, u.language) AS phone_language,
       h.wanted IS FALSE AS is_stopped
  FROM page
  LEFT JOIN journal j ON j.id = page.journal_id
  JOIN card_rights r ON r.card_id = page.card_id
  JOIN subscriber u ON u.id = page.subscriber_id
  JOIN balance b ON b.account_id = u.wallet_id
  LEFT JOIN phone p ON p.msisdn = u.contact_msisdn
  LEFT JOIN reminder_choice h ON h.msisdn = u.contact_msisdn
  LEFT JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_object('bouquetId', o.bouquet_id::text, 'term', o.term,
                                        'at', o.renew_at)) AS renewals
      FROM card k JOIN subscription o ON o.card_id = k.id
     WHERE k.subscriber_id = page.subscriber_id AND o.renew_at > $6
       AND (o.renew_at, o.id) <= (page.renew_at, page.id)
  ) w ON page.renew_at IS NOT NULL`;

const OF_THE_HOUSE = candidates(byHouseTime('c.subscriber_id'));
const OF_A_CLOCK = candidates(byTestClock('c.subscriber_id', '$7'));

/**
 * Purpose: how many reminder texts each phone was sent, or will be, since an instant.
 * Plan: ranges of `outbound_reminder`.
 */
const TEXTS_SINCE = `
SELECT target, count(*) AS texts FROM outbound
 WHERE target = ANY($1::text[]) AND created_at >= $2
   AND while_paid_until IS NOT NULL AND kind = 'text' AND state <> 'overtaken'
 GROUP BY target`;

/**
 * Purpose: decisions, and the messages of those that nobody had decided before.
 * Locks: none that anybody else waits for; keys are inserted in the order of cards.
 */
const WRITE = `
WITH decided AS (
  INSERT INTO reminder (card_id, paid_until, step, decided_at, decision)
  SELECT card_id, paid_until, $2, $3, decision
    FROM jsonb_to_recordset($1::jsonb) AS x (card_id bigint, paid_until timestamptz,
         decision text)
   ORDER BY card_id
  ON CONFLICT DO NOTHING RETURNING card_id, paid_until
)
INSERT INTO outbound (id, kind, template, site_id, target, body, state, created_at, not_after,
                      next_at, card_id, while_paid_until)
SELECT x.id, x.kind, x.template, $5, x.target, x.body, 'queued', $3, x.not_after, $3, card_id,
       decided.paid_until
  FROM jsonb_to_recordset($4::jsonb) AS x (id bigint, kind text, template text, target text,
       body text, not_after timestamptz, card_id bigint)
  JOIN decided USING (card_id)`;

/** Whether this transaction may decide; without `wait`, false while another one does. */
export async function lockReminders(client: PoolClient, wait: boolean): Promise<boolean> {
  const { rows } = await client.query<{ taken: boolean }>(wait ? LOCK : TRY_LOCK);
  return rows[0]?.taken === true;
}

export interface Search {
  siteId: bigint;
  due: DueStep;
  now: Date;
  limit: number;
  /** Whose cards; null: of all who have no test clock. */
  testClockId: bigint | null;
}

/** Up to `limit` cards of the site for which the step is due and undecided. */
export async function findCandidates(
  client: PoolClient,
  { siteId, due, now, limit, testClockId }: Search,
): Promise<Candidate[]> {
  const values = [siteId, due.endsAfter, due.endsBy, due.step, limit, now];
  const { rows } = await (testClockId === null
    ? client.query(OF_THE_HOUSE, values)
    : client.query(OF_A_CLOCK, [...values, testClockId]));
  return rows.map((row) => ({
    cardId: row.card_id,
    cardNumber: row.number,
    paidUntil: row.paid_until,
    bouquetId: row.bouquet_id,
    term: row.term,
    length: row.days !== null ? { kind: 'days', days: row.days } : { kind: row.kind },
    boughtAt: row.bought_at,
    isSuspended: row.is_suspended,
    renewals: row.renewals.map((one: { bouquetId: string; term: TermName; at: string }) => ({
      bouquetId: BigInt(one.bouquetId),
      term: one.term,
      at: new Date(one.at),
    })),
    credit: row.credit,
    language: row.language,
    category: row.category,
    phone: row.msisdn && {
      msisdn: row.msisdn,
      language: row.phone_language,
      isStopped: row.is_stopped,
    },
  }));
}

/** Reminder texts since an instant, by phone; phones without any are missing. */
export async function countTexts(
  client: PoolClient,
  msisdns: readonly string[],
  since: Date,
): Promise<Map<string, number>> {
  if (msisdns.length === 0) return new Map();
  const { rows } = await client.query<{ target: string; texts: bigint }>({
    name: 'reminder-texts',
    text: TEXTS_SINCE,
    values: [msisdns, since],
  });
  return new Map(rows.map(({ target, texts }) => [target, Number(texts)]));
}

/** Writes decisions of one step, with what they say; returns how many messages were queued. */
export async function writeReminders(
  client: PoolClient,
  decided: readonly DecidedReminder[],
  { siteId, due, now }: { siteId: bigint; due: DueStep; now: Date },
): Promise<number> {
  const reminders = decided.map(({ cardId, paidUntil, decision }) => ({
    card_id: cardId,
    paid_until: paidUntil,
    decision,
  }));
  const messages = decided.flatMap(({ cardId, says }) =>
    says.map(({ id, kind, template, target, body, notAfter }) => ({
      ...{ id, kind, template, target, body },
      not_after: notAfter,
      card_id: cardId,
    })),
  );
  const json = (rows: unknown) => JSON.stringify(rows, bigintAsDigits);
  const { rowCount } = await client.query({
    name: 'reminder-write',
    text: WRITE,
    values: [json(reminders), due.step, now, json(messages), siteId],
  });
  return rowCount ?? 0;
}

/**
 * Keeps whether a phone wants reminders by text (STOP, START); the latest word counts, in whatever
 * order they arrive. Receipts are sent all the same.
 */
export async function setReminderChoice(
  db: Pool | PoolClient,
  { msisdn, wanted, at }: { msisdn: string; wanted: boolean; at: Date },
): Promise<void> {
  await db.query({
    name: 'reminder-choice',
    text: `INSERT INTO reminder_choice AS c (msisdn, wanted, at) VALUES ($1, $2, $3)
           ON CONFLICT (msisdn) DO UPDATE SET wanted = EXCLUDED.wanted, at = EXCLUDED.at
            WHERE c.at <= EXCLUDED.at`,
    values: [msisdn, wanted, at],
  });
}
