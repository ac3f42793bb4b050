/** What people and programs read of accounts, documents and payments. Amounts are minor units. */
import type { ClientBase, Pool } from 'pg';
import type { Day, Period } from '../../platform/day.ts';
import type { AttemptOutcome, Invoice, LineType, Payment } from './rows.ts';

type Database = Pool | ClientBase;

export interface DocumentView {
  id: bigint;
  accountId: bigint;
  /** Legal number; null for drafts, imports and receipts of top-ups. */
  number: string | null;
  kind: Invoice['kind'];
  status: Invoice['status'];
  isWrittenOff: boolean;
  /** Of a draft: the day on which it was made. */
  issuedOn: Day;
  /** Null: nothing has to be paid on it (yet). */
  dueOn: Day | null;
  currency: string;
  total: bigint;
  /** The taxes inside `total`. */
  taxTotal: bigint;
  paid: bigint;
  /** What is still to pay; 0 for drafts, credit, void and written-off documents. */
  balance: bigint;
  /** Numbers of the credit notes over adjustments of this document. */
  creditNotes: string[];
}

export interface LineView {
  id: bigint;
  contractId: bigint | null;
  /** What the contract is called outside. */
  ref: string | null;
  type: LineType;
  on: Day;
  from: Day;
  /** Exclusive; null = of no duration. */
  to: Day | null;
  amount: bigint;
  /** The taxes inside `amount`; 0 while it is not issued. */
  tax: bigint;
  planCode: string | null;
  phase: string | null;
  price: bigint | null;
  period: Period | null;
  linkedLineId: bigint | null;
}

/** One tax at one rate over the lines of a document. */
export interface TaxView {
  code: string;
  /** Parts per million. */
  ppm: bigint;
  base: bigint;
  amount: bigint;
}

export interface AttemptView {
  id: bigint;
  on: Day;
  asked: bigint;
  outcome: AttemptOutcome;
  paid: bigint;
  decidedOn: Day | null;
}

export interface PaymentView {
  id: bigint;
  invoiceId: bigint;
  kind: Payment['kind'];
  on: Day;
  paid: bigint;
  /** Refunds and chargebacks, less chargebacks taken back. */
  returned: bigint;
  attempts: AttemptView[];
}

export interface DocumentQuery {
  /** Null: every site. */
  sites: readonly bigint[] | null;
  accountId: bigint | null;
  subscriberId: bigint | null;
  status: 'open' | 'paid' | 'void' | 'draft' | null;
  /** A legal number, also of a credit note, as people type it: case, blanks and signs are free. */
  number: string | null;
  /** The last of the page before. */
  after: { at: Date; id: bigint } | null;
  limit: number;
}

const EPOCH = "DATE '1970-01-01'";

/** A number as payers type it; the same as the index on `document_number`. */
const typed = (text: string): string => `regexp_replace(upper(${text}), '[^A-Z0-9]', '', 'g')`;

const DOCUMENT = `
SELECT i.id, i.account_id AS "accountId", n.text AS number, i.kind, i.status,
       i.written_off AS "isWrittenOff", coalesce(d.issued_on, i.issued_on) - ${EPOCH} AS "issuedOn",
       d.due_on - ${EPOCH} AS "dueOn", a.currency, l.total, x.tax AS "taxTotal", p.paid,
       CASE WHEN i.status = 'committed' AND NOT i.written_off AND i.kind <> 'credit'
            THEN l.total - p.paid ELSE 0 END AS balance,
       c.notes AS "creditNotes", i.created_at AS "createdAt"
  FROM invoice i
  JOIN postpaid_account a ON a.id = i.account_id
  JOIN subscriber s ON s.id = a.subscriber_id
  LEFT JOIN invoice_issue d ON (d.account_id, d.invoice_id) = (i.account_id, i.id)
  LEFT JOIN document_number n
    ON (n.account_id, n.invoice_id) = (i.account_id, i.id) AND n.first_line_id IS NULL
 CROSS JOIN LATERAL (
    SELECT coalesce(sum(amount), 0)::bigint AS total FROM invoice_line
     WHERE account_id = i.account_id AND invoice_id = i.id) l
 CROSS JOIN LATERAL (
    SELECT coalesce(sum(t.amount), 0)::bigint AS tax
      FROM invoice_line o JOIN invoice_tax t ON (t.account_id, t.line_id) = (o.account_id, o.id)
     WHERE o.account_id = i.account_id AND o.invoice_id = i.id) x
 CROSS JOIN LATERAL (
    SELECT (coalesce(sum(paid), 0) - coalesce(sum(returned), 0))::bigint AS paid
      FROM (${paidAndReturned('(y.account_id, y.invoice_id) = (i.account_id, i.id)')}) m) p
 CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(text ORDER BY number), '{}') AS notes FROM document_number
     WHERE account_id = i.account_id AND invoice_id = i.id AND first_line_id IS NOT NULL) c`;

/** What came and went by each payment that meets a condition on `y`. */
function paidAndReturned(condition: string): string {
  return `SELECT y.*,
         (SELECT coalesce(sum(t.paid), 0)::bigint FROM payment_attempt t
           WHERE (t.account_id, t.payment_id) = (y.account_id, y.id)) AS paid,
         (SELECT coalesce(sum(CASE WHEN r.type = 'chargeback_reversal' THEN -r.amount
                                   ELSE r.amount END), 0)::bigint FROM payment_return r
           WHERE (r.account_id, r.payment_id) = (y.account_id, y.id)) AS returned
    FROM invoice_payment y WHERE ${condition}`;
}

/** Documents, the newest first. */
export async function findDocuments(
  db: Database,
  query: DocumentQuery,
): Promise<(DocumentView & { createdAt: Date })[]> {
  const { sites, accountId, subscriberId, status, number, after, limit } = query;
  const { rows } = await db.query({
    text: `SELECT * FROM (${DOCUMENT}
 WHERE ($1::bigint[] IS NULL OR s.site_id = ANY($1)) AND ($2::bigint IS NULL OR i.account_id = $2)
   AND ($3::bigint IS NULL OR a.subscriber_id = $3)
   AND ($4::text IS NULL OR (i.account_id, i.id) IN (
         SELECT account_id, invoice_id FROM document_number
          WHERE ${typed('text')} = ${typed('$4')}))
   AND ($5::timestamptz IS NULL OR (i.created_at, i.id) < ($5, $6::bigint))) v
 WHERE ($7::text IS NULL OR CASE $7
          WHEN 'open' THEN balance > 0
          WHEN 'paid' THEN status = 'committed' AND kind <> 'credit' AND balance <= 0
                           AND NOT "isWrittenOff"
          ELSE status = $7 END)
 ORDER BY "createdAt" DESC, id DESC LIMIT $8`,
    values: [sites, accountId, subscriberId, number, after?.at, after?.id, status, limit],
  });
  return rows;
}

/** One document with its lines, its taxes by code and rate, and its payments; null: no such. */
export async function readDocument(
  db: Database,
  accountId: bigint,
  id: bigint,
): Promise<
  (DocumentView & { lines: LineView[]; taxes: TaxView[]; payments: PaymentView[] }) | null
> {
  const values = [accountId, id];
  const { rows } = await db.query(`${DOCUMENT} WHERE i.account_id = $1 AND i.id = $2`, values);
  if (!rows[0]) return null;
  const { createdAt: _, ...document } = rows[0];
  const lines = await db.query(
    `SELECT l.id, l.contract_id AS "contractId", c.ref, l.type, l.added_on - ${EPOCH} AS "on",
            l.from_date - ${EPOCH} AS "from", l.to_date - ${EPOCH} AS "to", l.amount,
            (SELECT coalesce(sum(t.amount), 0)::bigint FROM invoice_tax t
              WHERE (t.account_id, t.line_id) = (l.account_id, l.id)) AS tax,
            l.plan_code AS "planCode", l.phase, l.price, l.period,
            l.linked_line_id AS "linkedLineId"
       FROM invoice_line l
       LEFT JOIN contract c ON (c.account_id, c.id) = (l.account_id, l.contract_id)
      WHERE l.account_id = $1 AND l.invoice_id = $2 ORDER BY l.id`,
    values,
  );
  const taxes = await db.query(
    `SELECT t.tax_code AS code, t.ppm, sum(t.base)::bigint AS base, sum(t.amount)::bigint AS amount
       FROM invoice_line l JOIN invoice_tax t ON (t.account_id, t.line_id) = (l.account_id, l.id)
      WHERE l.account_id = $1 AND l.invoice_id = $2
      GROUP BY t.tax_code, t.ppm ORDER BY min(t.place), t.tax_code, t.ppm`,
    values,
  );
  const payments = await findPayments(db, { accountId, invoiceId: id });
  return { ...document, lines: lines.rows, taxes: taxes.rows, payments };
}

const OF_ACCOUNT = 'y.account_id = $1 AND ($2::bigint IS NULL OR y.invoice_id = $2)';

/** Payments of an account (of one of its documents, if given) with their tries, oldest first. */
export async function findPayments(
  db: Database,
  { accountId, invoiceId }: { accountId: bigint; invoiceId: bigint | null },
): Promise<PaymentView[]> {
  const values = [accountId, invoiceId];
  const payments = await db.query(
    `SELECT id, invoice_id AS "invoiceId", kind, begun_on - ${EPOCH} AS "on", paid, returned
       FROM (${paidAndReturned(OF_ACCOUNT)}) p ORDER BY id`,
    values,
  );
  const attempts = await db.query(
    `SELECT t.payment_id AS "paymentId", t.id, t.tried_on - ${EPOCH} AS "on", t.asked, t.outcome,
            t.paid, t.decided_on - ${EPOCH} AS "decidedOn"
       FROM payment_attempt t
       JOIN invoice_payment y ON (y.account_id, y.id) = (t.account_id, t.payment_id)
      WHERE ${OF_ACCOUNT} ORDER BY t.id`,
    values,
  );
  const tries = Map.groupBy<bigint, AttemptView & { paymentId: bigint }>(
    attempts.rows,
    ({ paymentId }) => paymentId,
  );
  return payments.rows.map((payment: Omit<PaymentView, 'attempts'>) => ({
    ...payment,
    attempts: (tries.get(payment.id) ?? []).map(({ paymentId: _, ...attempt }) => attempt),
  }));
}

export interface AccountView {
  id: bigint;
  subscriberId: bigint;
  siteId: bigint;
  /** For whom its prices are. */
  category: string;
  currency: string;
  timeZone: string;
  billingDay: number | null;
  autoPay: boolean;
  autoInvoice: boolean;
  hasPaymentMethod: boolean;
  isParked: boolean;
  openedOn: Day;
  /** Owed (positive) or in credit. */
  balance: bigint;
}

export interface AccountQuery {
  /** Null: every site. */
  sites: readonly bigint[] | null;
  id: bigint | null;
  subscriberId: bigint | null;
  /** The last id of the page before. */
  after: bigint | null;
  limit: number;
}

/** Accounts, the highest id first. */
export async function findAccounts(db: Database, query: AccountQuery): Promise<AccountView[]> {
  const { sites, id, subscriberId, after, limit } = query;
  const { rows } = await db.query({
    text: `WITH chosen AS (
  SELECT a.*, s.site_id FROM postpaid_account a JOIN subscriber s ON s.id = a.subscriber_id
   WHERE ($1::bigint[] IS NULL OR s.site_id = ANY($1)) AND ($2::bigint IS NULL OR a.id = $2)
     AND ($3::bigint IS NULL OR a.subscriber_id = $3) AND ($4::bigint IS NULL OR a.id < $4)
   ORDER BY a.id DESC LIMIT $5)
SELECT h.id, h.subscriber_id AS "subscriberId", h.site_id AS "siteId", h.category, h.currency,
       h.time_zone AS "timeZone", h.billing_day AS "billingDay", h.auto_pay AS "autoPay",
       h.auto_invoice AS "autoInvoice", h.payment_method AS "hasPaymentMethod",
       h.parked AS "isParked", h.opened_on - ${EPOCH} AS "openedOn",
       (coalesce((SELECT sum(v.balance) FROM (${DOCUMENT} WHERE i.account_id = h.id) v), 0)
        - coalesce((SELECT sum(l.amount) FROM invoice_line l
                      JOIN invoice i ON (i.account_id, i.id) = (l.account_id, l.invoice_id)
                     WHERE l.account_id = h.id AND l.type = 'credit' AND i.status <> 'void'), 0)
       )::bigint AS balance
  FROM chosen h ORDER BY h.id DESC`,
    values: [sites, id, subscriberId, after, limit],
  });
  return rows;
}
