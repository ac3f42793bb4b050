/** The SQL of debts: who owes, and what is open on whose invoices. */
import type { Pool } from 'pg';
import { parseDay } from '../../platform/day.ts';
import type { Clock } from '../../platform/ports.ts';
import type { OpenInvoice } from './rules.ts';
import type { DunningPorts } from './service.ts';

export interface DebtsDeps {
  pool: Pool;
  clock: Clock;
}

/**
 * What is open on the documents of some accounts (`account`: id, subscriber_id), as
 * `postpaid/balances` defines it: lines less what payments brought and kept. Plan: a range of the
 * primary key of each table for an account.
 */
const OPEN = `
moved AS (
  SELECT l.account_id, l.invoice_id, l.amount
    FROM account a JOIN invoice_line l ON l.account_id = a.id
  UNION ALL
  SELECT p.account_id, p.invoice_id, -t.paid
    FROM account a JOIN invoice_payment p ON p.account_id = a.id
    JOIN payment_attempt t ON t.account_id = p.account_id AND t.payment_id = p.id
  UNION ALL
  SELECT p.account_id, p.invoice_id,
         CASE r.type WHEN 'chargeback_reversal' THEN -r.amount ELSE r.amount END
    FROM account a JOIN invoice_payment p ON p.account_id = a.id
    JOIN payment_return r ON r.account_id = p.account_id AND r.payment_id = p.id
), open AS (
  SELECT i.account_id, i.id, i.issued_on, sum(m.amount)::bigint AS open
    FROM moved m JOIN invoice i ON i.account_id = m.account_id AND i.id = m.invoice_id
   WHERE i.status = 'committed' AND NOT i.written_off AND i.kind <> 'credit'
   GROUP BY i.account_id, i.id, i.issued_on HAVING sum(m.amount) > 0
)`;

/** Purpose: open invoices of subscribers who have a postpaid account, or a row without. */
const INVOICES = `
WITH account AS MATERIALIZED (
  SELECT id, subscriber_id FROM postpaid_account WHERE subscriber_id = ANY ($1::bigint[])
), ${OPEN}
SELECT a.subscriber_id, o.id, o.issued_on::text, o.open,
       coalesce(s.due_on, o.issued_on)::text AS due_on
  FROM account a
  LEFT JOIN open o ON o.account_id = a.id
  LEFT JOIN invoice_issue s ON s.account_id = o.account_id AND s.invoice_id = o.id
 ORDER BY o.issued_on, o.id`;

/**
 * Purpose: subscribers of a site who have something open, or the last day of whose prepaid time has
 * begun at `$3`. Who has an account is not asked for prepaid time.
 * Plan: where few owe, subscriptions once through; where many do, cards by subscriber until the
 * page is full. Not prepared: a plan for any instant would not know which. Accounts by subscriber,
 * the documents of each by key.
 */
const DEBTORS = `
SELECT id FROM (
  (SELECT DISTINCT k.subscriber_id AS id
     FROM subscription s JOIN card k ON k.id = s.card_id
     JOIN subscriber u ON u.id = k.subscriber_id
    WHERE u.site_id = $1 AND k.subscriber_id > $2 AND s.closed_at IS NULL AND s.paid_until <= $3
      AND NOT EXISTS (SELECT FROM postpaid_account p WHERE p.subscriber_id = k.subscriber_id)
      AND NOT EXISTS (SELECT FROM card o JOIN subscription t ON t.card_id = o.id
                       WHERE o.subscriber_id = k.subscriber_id AND t.closed_at IS NULL
                         AND t.paid_until > $3)
    ORDER BY id LIMIT $4)
  UNION ALL
  (SELECT DISTINCT p.subscriber_id AS id
     FROM postpaid_account p JOIN subscriber u ON u.id = p.subscriber_id
    WHERE u.site_id = $1 AND p.subscriber_id > $2
      AND EXISTS (WITH account AS (SELECT p.id, p.subscriber_id), ${OPEN} SELECT FROM open)
    ORDER BY id LIMIT $4)
) AS owing ORDER BY id LIMIT $4`;

/** A step may be due on the last day that is paid. */
const LAST_DAY_MS = 86_400_000;

/** Debts as they are committed. Throws when the database is lost. */
export function createDebts(deps: DebtsDeps): Pick<DunningPorts, 'debtors' | 'openInvoicesOf'> {
  const { pool, clock } = deps;
  return {
    async debtors({ siteId, after, limit }) {
      const until = new Date(clock.now().getTime() + LAST_DAY_MS);
      const values = [siteId, after, until, limit];
      const { rows } = await pool.query<{ id: bigint }>(DEBTORS, values);
      return rows.map(({ id }) => id);
    },
    async openInvoicesOf(subscriberIds) {
      const { rows } = await pool.query({
        name: 'dunning-invoices',
        text: INVOICES,
        values: [subscriberIds],
      });
      const found = new Map<bigint, OpenInvoice[]>();
      for (const { subscriber_id, id, issued_on, due_on, open } of rows) {
        const invoices = found.get(subscriber_id) ?? [];
        found.set(subscriber_id, invoices);
        if (id === null) continue;
        invoices.push({ id, issuedOn: parseDay(issued_on), dueOn: parseDay(due_on), open });
      }
      return found;
    },
  };
}
