/** The SQL of test clocks. Few subscribers have one, and only in a demo: nothing here is hot. */
import type { Pool, PoolClient } from 'pg';
import { transaction } from '../../platform/database/pool.ts';
import { type Day, parseDay } from '../../platform/day.ts';

type Db = Pool | PoolClient;

/** A time of its own; it stands still until it is moved on. */
export interface TestClock {
  id: bigint;
  siteId: bigint;
  at: Date;
  /** Who lives by it. */
  subscriberIds: bigint[];
}

const CLOCK = `
SELECT t.id, t.site_id, t.at,
       ARRAY(SELECT id FROM subscriber WHERE test_clock_id = t.id ORDER BY id) AS subscribers
  FROM test_clock t`;

/** Writes a new clock. */
export async function insertClock(
  db: Db,
  clock: { id: bigint; siteId: bigint; at: Date; madeBy: string },
): Promise<void> {
  await db.query('INSERT INTO test_clock (id, site_id, at, made_by) VALUES ($1, $2, $3, $4)', [
    clock.id,
    clock.siteId,
    clock.at,
    clock.madeBy,
  ]);
}

/** A clock, or null. */
export async function readClock(db: Db, id: bigint): Promise<TestClock | null> {
  const { rows } = await db.query(`${CLOCK} WHERE t.id = $1`, [id]);
  const [row] = rows;
  if (!row) return null;
  return { id: row.id, siteId: row.site_id, at: row.at, subscriberIds: row.subscribers };
}

/** Sets a clock on; the database refuses to set it back. */
export async function setClock(db: Db, id: bigint, at: Date): Promise<void> {
  await db.query('UPDATE test_clock SET at = $2 WHERE id = $1', [id, at]);
}

/**
 * Purpose: whether anything of a subscriber has a date yet: money, a term, a contract.
 * Locks: none; what comes in meanwhile waits for the balances, which are locked before.
 */
const IS_FRESH = `
SELECT s.test_clock_id IS NULL
   AND NOT EXISTS (SELECT FROM entry WHERE account_id IN
                     (SELECT id FROM account WHERE owner = 'subscriber:' || s.id))
   AND NOT EXISTS (SELECT FROM card c JOIN subscription n ON n.card_id = c.id
                    WHERE c.subscriber_id = s.id
                      AND (n.paid_until IS NOT NULL OR n.waiting_term IS NOT NULL))
   AND NOT EXISTS (SELECT FROM card c JOIN card_rights r ON r.card_id = c.id
                    WHERE c.subscriber_id = s.id AND r.desired_rev > 0)
   AND NOT EXISTS (SELECT FROM postpaid_account p WHERE p.subscriber_id = s.id) AS is_fresh
  FROM subscriber s WHERE s.id = $1`;

/**
 * Has a subscriber of the clock's site live by it from now on; false when something of theirs has
 * a date of the house already, or the clock has `max` subscribers.
 */
export function attachSubscriber(
  pool: Pool,
  { subscriberId, clock, max }: { subscriberId: bigint; clock: TestClock; max: number },
): Promise<boolean> {
  return transaction(pool, async (client) => {
    await client.query(
      `SELECT FROM balance WHERE account_id IN
         (SELECT id FROM account WHERE owner = 'subscriber:' || $1) ORDER BY account_id FOR UPDATE`,
      [subscriberId],
    );
    const { rows } = await client.query(IS_FRESH, [subscriberId]);
    if (!rows[0]?.is_fresh) return false;
    const { rowCount } = await client.query(
      `UPDATE subscriber SET test_clock_id = $2
        WHERE id = $1 AND site_id = $3
          AND (SELECT count(*) FROM subscriber WHERE test_clock_id = $2) < $4`,
      [subscriberId, clock.id, clock.siteId, max],
    );
    return rowCount === 1;
  });
}

/** By what the parties of an act are known; null or absent: not by this. */
export interface Party {
  subscriberId?: bigint | null;
  cardId?: bigint | null;
  cardNumber?: string | null;
  msisdn?: string | null;
  /** A postpaid account. */
  accountId?: bigint;
  /** A payment of theirs. */
  payment?: { provider: string; receipt: string };
}

/** The time of the clock that somebody lives by; null: they live by the house's. */
export async function clockOf(db: Db, party: Party): Promise<Date | null> {
  const { subscriberId = null, cardId = null, cardNumber = null, msisdn = null } = party;
  const { provider = null, receipt = null } = party.payment ?? {};
  const { accountId = null } = party;
  const { rows } = await db.query(
    `SELECT t.at FROM subscriber s JOIN test_clock t ON t.id = s.test_clock_id
      WHERE s.id IN (SELECT $1::bigint
                     UNION SELECT subscriber_id FROM card WHERE id = $2 OR number = $3
                     UNION SELECT subscriber_id FROM phone WHERE msisdn = $4
                     UNION SELECT subscriber_id FROM inbox WHERE provider = $5 AND receipt = $6
                     UNION SELECT subscriber_id FROM postpaid_account WHERE id = $7)
      ORDER BY t.at DESC LIMIT 1`,
    [subscriberId, cardId, cardNumber, msisdn, provider, receipt, accountId],
  );
  return rows[0]?.at ?? null;
}

/** Ends of what the cards of a clock are paid for, where they come after an instant. */
export async function endsAfter(db: Db, clockId: bigint, after: Date): Promise<Date[]> {
  const { rows } = await db.query(
    `SELECT DISTINCT n.paid_until AS at FROM subscriber s
       JOIN card c ON c.subscriber_id = s.id JOIN subscription n ON n.card_id = c.id
      WHERE s.test_clock_id = $1 AND n.paid_until > $2`,
    [clockId, after],
  );
  return rows.map(({ at }) => at);
}

/** Has anybody of these a flag of dunning, now or on a day to come? */
export async function areFlagged(db: Db, subscriberIds: readonly bigint[]): Promise<boolean> {
  const { rows } = await db.query<{ flagged: boolean }>(
    `SELECT EXISTS (SELECT FROM dunning_flag
                     WHERE subscriber_id = ANY ($1::bigint[]) AND lifted_on IS NULL) AS flagged`,
    [subscriberIds],
  );
  return rows[0]?.flagged === true;
}

/** The postpaid accounts of a clock, with when each has work next. */
export async function postpaidAccounts(
  db: Db,
  clockId: bigint,
): Promise<{ id: bigint; dueAt: Date | null }[]> {
  const { rows } = await db.query(
    `SELECT p.id, p.due_at FROM postpaid_account p JOIN subscriber s ON s.id = p.subscriber_id
      WHERE s.test_clock_id = $1 ORDER BY p.id`,
    [clockId],
  );
  return rows.map((row) => ({ id: row.id, dueAt: row.due_at }));
}

/** What was said to somebody. */
export interface SaidMessage {
  at: Date;
  kind: 'text' | 'osd';
  template: string;
  /** A phone (E.164), or the number of a card. */
  target: string;
  body: string;
}

const TARGETS = `(SELECT msisdn FROM phone p JOIN subscriber s ON s.id = p.subscriber_id
                   WHERE s.test_clock_id = $1
                  UNION SELECT number FROM card c JOIN subscriber s ON s.id = c.subscriber_id
                   WHERE s.test_clock_id = $1)`;

/** What was said to the subscribers of a clock after `from` and up to `until`, oldest first. */
export async function messagesBetween(
  db: Db,
  clockId: bigint,
  { from, until, limit }: { from: Date; until: Date; limit: number },
): Promise<SaidMessage[]> {
  const { rows } = await db.query(
    `SELECT created_at AS at, kind, template, target, body FROM outbound
      WHERE target IN ${TARGETS} AND created_at > $2 AND created_at <= $3
      ORDER BY created_at, id LIMIT $4`,
    [clockId, from, until, limit],
  );
  return rows;
}

/** Keeps what waits to be said to a clock's subscribers from being sent by the house's time. */
export async function keepMessages(db: Db, clockId: bigint): Promise<void> {
  await db.query(
    `UPDATE outbound SET state = 'overtaken', next_at = NULL, lease_until = NULL
      WHERE next_at IS NOT NULL AND state = 'queued' AND target IN ${TARGETS}`,
    [clockId],
  );
}

/** An invoice that was issued. Amounts are minor units. */
export interface IssuedInvoice {
  id: bigint;
  accountId: bigint;
  issuedOn: Day;
  number: string | null;
  amount: bigint;
  currency: string;
}

/** The invoices of postpaid accounts, in the order of their days. */
export async function invoicesOf(db: Db, accountIds: readonly bigint[]): Promise<IssuedInvoice[]> {
  if (accountIds.length === 0) return [];
  const { rows } = await db.query(
    `SELECT i.id, i.account_id, i.issued_on::text, a.currency, n.text AS number,
            (SELECT coalesce(sum(l.amount), 0)::bigint FROM invoice_line l
              WHERE l.account_id = i.account_id AND l.invoice_id = i.id) AS amount
       FROM invoice i JOIN postpaid_account a ON a.id = i.account_id
       LEFT JOIN document_number n
              ON n.account_id = i.account_id AND n.invoice_id = i.id AND n.first_line_id IS NULL
      WHERE i.account_id = ANY ($1::bigint[]) ORDER BY i.issued_on, i.id`,
    [accountIds],
  );
  return rows.map((row) => ({
    id: row.id,
    accountId: row.account_id,
    issuedOn: parseDay(row.issued_on),
    number: row.number,
    amount: row.amount,
    currency: row.currency,
  }));
}
