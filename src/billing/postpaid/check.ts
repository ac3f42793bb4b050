/** What must hold between documents, ledger and numbers after anything at all. */
import type { Pool } from 'pg';

export interface PostpaidCheck {
  /** Accounts whose open documents are not what the ledger says they owe. */
  wrongReceivables: number;
  /** Accounts whose unused credit is not what the ledger says they have. */
  wrongCredits: number;
  /** Issued documents without a number. */
  unnumbered: number;
  /** Series with a number missing or one too many. */
  gaps: number;
  /** Sites whose deferred revenue is not what their lines brought less what was earned. */
  wrongDeferred: number;
  /** Sites whose taxes payable are not those of their lines. */
  wrongTaxes: number;
  /** Journals that do not sum to zero in some asset. */
  unbalanced: number;
  /** Reversals that do not negate what they name. */
  wrongReversals: number;
}

const CHECK = `
WITH document AS (
  -- Of a draft, and of credit, only money that came in for it counts.
  SELECT i.account_id, i.id,
         coalesce((SELECT sum(l.amount) FROM invoice_line l
                    WHERE l.account_id = i.account_id AND l.invoice_id = i.id
                      AND i.status = 'committed' AND i.kind <> 'credit'), 0)
         - coalesce((SELECT sum(a.paid) FROM invoice_payment p
                       JOIN payment_attempt a ON a.account_id = p.account_id
                                             AND a.payment_id = p.id
                      WHERE p.account_id = i.account_id AND p.invoice_id = i.id), 0)
         + coalesce((SELECT sum(CASE WHEN r.type = 'chargeback_reversal' THEN -r.amount
                                     ELSE r.amount END) FROM invoice_payment p
                       JOIN payment_return r ON r.account_id = p.account_id
                                            AND r.payment_id = p.id
                      WHERE p.account_id = i.account_id AND p.invoice_id = i.id), 0) AS balance
    FROM invoice i
   WHERE i.status <> 'void' AND NOT i.written_off
), credit AS (
  SELECT l.account_id, sum(l.amount) AS balance FROM invoice_line l
    JOIN invoice i ON i.account_id = l.account_id AND i.id = l.invoice_id
   WHERE l.type = 'credit' AND i.status <> 'void'
   GROUP BY l.account_id
), line AS (
  SELECT s.site_id, coalesce(c.to_date > c.from_date, CASE WHEN c.id IS NULL
           THEN l.to_date > l.from_date END, false) AS has_days, l.amount,
         coalesce((SELECT sum(t.amount) FROM invoice_tax t
                    WHERE t.account_id = l.account_id AND t.line_id = l.id), 0) AS tax
    FROM invoice_line l
    JOIN invoice i ON i.account_id = l.account_id AND i.id = l.invoice_id
    JOIN postpaid_account p ON p.id = l.account_id
    JOIN subscriber s ON s.id = p.subscriber_id
    LEFT JOIN invoice_line c ON c.account_id = l.account_id AND c.id = l.linked_line_id
   WHERE i.status = 'committed' AND l.type <> 'credit'
), by_site AS (
  SELECT s.id,
         coalesce((SELECT sum(l.amount - l.tax) FROM line l
                    WHERE l.site_id = s.id AND l.has_days), 0)
         - coalesce((SELECT sum(r.amount) FROM recognition r
                       WHERE r.site_id = s.id AND r.book = 'invoices'), 0)
           AS deferred,
         coalesce((SELECT sum(l.tax) FROM line l WHERE l.site_id = s.id), 0) AS tax
    FROM site s
), by_kind AS (
  SELECT j.site_id, a.kind, sum(e.amount) AS amount
    FROM journal j JOIN entry e ON e.journal_id = j.id JOIN account a ON a.id = e.account_id
   WHERE j.fact_id IS NOT NULL AND (a.kind = 'tax_payable'
      OR (a.kind = 'deferred_revenue' AND a.owner = 'site:' || j.site_id || ':invoices'))
   GROUP BY j.site_id, a.kind
), booked AS (
  SELECT p.id, a.kind, sum(e.amount) AS amount
    FROM postpaid_account p
    JOIN account a ON a.owner = 'postpaid:' || p.id AND a.asset = p.currency
    JOIN entry e ON e.account_id = a.id
   GROUP BY p.id, a.kind
)
SELECT
  -- Joined, not looked up account by account: none of these has an index.
  (SELECT count(*) FROM postpaid_account p
     LEFT JOIN (SELECT account_id, sum(balance) AS balance FROM document GROUP BY account_id) d
            ON d.account_id = p.id
     LEFT JOIN booked b ON b.id = p.id AND b.kind = 'receivable'
    WHERE coalesce(d.balance, 0) <> -coalesce(b.amount, 0))::int AS "wrongReceivables",
  (SELECT count(*) FROM postpaid_account p
     LEFT JOIN credit c ON c.account_id = p.id
     LEFT JOIN booked b ON b.id = p.id AND b.kind = 'customer_credit'
    WHERE coalesce(c.balance, 0) <> coalesce(b.amount, 0))::int AS "wrongCredits",
  (SELECT count(*) FROM invoice i WHERE i.status = 'committed' AND i.kind <> 'import'
      AND NOT EXISTS (SELECT FROM document_number n WHERE n.account_id = i.account_id
                         AND n.invoice_id = i.id AND n.first_line_id IS NULL)
      AND NOT EXISTS (SELECT FROM money_key k WHERE k.account_id = i.account_id
                         AND k.result_id = i.id AND k.act = 'top_up'))::int AS unnumbered,
  (SELECT count(*) FROM number_counter c LEFT JOIN LATERAL (
       SELECT max(n.number) AS last, count(*) AS given FROM document_number n
        WHERE (n.legal_entity_id, n.series, n.fiscal_year)
            = (c.legal_entity_id, c.series, c.fiscal_year)) n ON true
    WHERE (n.last, n.given) IS DISTINCT FROM (c.last, c.last))::int AS gaps,
  (SELECT count(*) FROM by_site s WHERE s.deferred <> coalesce((SELECT k.amount FROM by_kind k
      WHERE k.site_id = s.id AND k.kind = 'deferred_revenue'), 0))::int AS "wrongDeferred",
  (SELECT count(*) FROM by_site s WHERE s.tax <> coalesce((SELECT k.amount FROM by_kind k
      WHERE k.site_id = s.id AND k.kind = 'tax_payable'), 0))::int AS "wrongTaxes",
  (SELECT count(*) FROM (SELECT 1 FROM entry GROUP BY journal_id, asset
                         HAVING sum(amount) <> 0) j)::int AS unbalanced,
  (SELECT count(*) FROM (
     SELECT 1 FROM journal j JOIN entry e ON e.journal_id IN (j.id, j.reverses)
      WHERE j.reverses IS NOT NULL AND j.fact_id IS NOT NULL
      GROUP BY j.id, e.account_id HAVING sum(e.amount) <> 0) r)::int AS "wrongReversals"`;

/** Reads every invariant over the whole database; all zeros is sound. */
export async function checkPostpaid(pool: Pool): Promise<PostpaidCheck> {
  const { rows } = await pool.query(CHECK);
  return rows[0];
}
