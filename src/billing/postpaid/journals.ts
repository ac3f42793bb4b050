/**
 * The double entry of postpaid, derived from what an act has written. Pure. Signs as in the chart
 * of accounts: credit positive, debit negative; every journal sums to zero per asset.
 *
 * | fact                     | debit                    | credit                  |
 * |--------------------------|--------------------------|-------------------------|
 * | charge issued            | receivable               | deferred revenue, taxes |
 * | repair, adjustment       | deferred revenue, taxes  | receivable              |
 * | credit line given        | receivable               | customer credit         |
 * | credit line used         | customer credit          | receivable              |
 * | credit document          | promotion expense        | customer credit         |
 * | top-up document          | external clearing        | customer credit         |
 * | payment                  | external clearing        | receivable              |
 * | refund, chargeback       | receivable               | external clearing       |
 * | chargeback taken back    | external clearing        | receivable              |
 * | write-off                | bad debt                 | receivable              |
 * | void                     | what was booked, negated |                         |
 *
 * External clearing is the site's own: settlement puts there what operators brought for accounts.
 * What has no days is earned at once: earned revenue stands in the place of the deferred.
 * After a write-off, bad debt stands in the place of the receivable; after a void, suspense: such
 * money belongs to nothing.
 */
import { paidOn, totalOf } from './balances.ts';
import { type Book, changesOf, type Rows } from './books.ts';
import type { TaxParts } from './line-taxes.ts';
import type { Invoice, InvoiceLine, Payment, PaymentAttempt, PaymentReturn } from './rows.ts';

export type Role =
  | 'receivable'
  | 'customer_credit'
  | 'deferred_revenue'
  | 'earned_revenue'
  | 'tax_payable'
  | 'promo_expense'
  | 'external_clearing'
  | 'bad_debt'
  | 'suspense'
  | 'exchange';

export interface RoleEntry {
  role: Role;
  asset: string;
  amount: bigint;
  /** Of tax payable: which tax. */
  taxCode?: string;
}

export interface FactJournal {
  kind: string;
  /** The row that it books; each is booked once in each way. */
  factId: bigint;
  /** The fact whose journal it takes back. */
  reversesFact: bigint | null;
  entries: readonly RoleEntry[];
}

export interface Bookings {
  journals: FactJournal[];
  /** All that was booked of these facts is to be negated, journal by journal. */
  voided: bigint[];
}

interface Change {
  book: Book;
  before: Rows;
  currency: string;
  taxes: TaxParts;
}

const NO_TAXES: TaxParts = new Map();

/**
 * What must be booked for the difference between a book and its rows before. `taxes`: of the lines
 * that are issued with it.
 */
export function bookingsOf(book: Book, before: Rows, taxes = NO_TAXES): Bookings {
  const change: Change = { book, before, currency: book.account.currency, taxes };
  const { added, changed } = changesOf(book);
  const touched = [...added.invoices, ...changed.invoices];
  const journals = [
    ...touched.filter((invoice) => isIssued(change, invoice)).map((one) => issue(change, one)),
    ...added.lines.filter((line) => joinsIssued(change, line)).map((one) => joined(change, one)),
    ...[...added.attempts, ...changed.attempts]
      .filter((attempt) => isApproved(change, attempt))
      .map((attempt) => payment(change, attempt)),
    ...added.returns.map((one) => returned(change, one)),
    ...touched.filter((invoice) => isWrittenOff(change, invoice)).map((one) => loss(change, one)),
  ];
  const voided = changed.invoices
    .filter((row) => row.status === 'void' && earlier(change, row)?.status === 'committed')
    .flatMap((row) => [row.id, ...linesOf(before.lines, row).map(({ id }) => id)]);
  return { journals: journals.filter(({ entries }) => entries.length > 0), voided };
}

const earlier = ({ before }: Change, { id }: Invoice): Invoice | undefined =>
  before.invoices.find((row) => row.id === id);

const linesOf = (lines: readonly InvoiceLine[], { id }: Invoice): InvoiceLine[] =>
  lines.filter((line) => line.invoiceId === id);

const isIssued = (change: Change, invoice: Invoice): boolean =>
  invoice.status === 'committed' && earlier(change, invoice)?.status !== 'committed';

const isWrittenOff = (change: Change, invoice: Invoice): boolean =>
  invoice.writtenOff &&
  invoice.status === 'committed' &&
  invoice.kind !== 'credit' &&
  !earlier(change, invoice)?.writtenOff;

/** Is it a new line on a document that was issued before? */
function joinsIssued(change: Change, line: InvoiceLine): boolean {
  const before = change.before.invoices.find(({ id }) => id === line.invoiceId);
  const now = change.book.rows.invoices.find(({ id }) => id === line.invoiceId);
  return before?.status === 'committed' && now?.status === 'committed';
}

const isApproved = ({ before }: Change, { id, outcome }: PaymentAttempt): boolean =>
  outcome === 'approved' && before.attempts.find((row) => row.id === id)?.outcome !== 'approved';

/** On which account stands what this document says is owed. */
function debtor(change: Change, invoice: Invoice): Role {
  if (invoice.status === 'void') return 'suspense';
  return earlier(change, invoice)?.writtenOff ? 'bad_debt' : 'receivable';
}

function issue(change: Change, invoice: Invoice): FactJournal {
  const lines = linesOf(change.book.rows.lines, invoice);
  const entries = lines.flatMap((line) => lineEntries(change, invoice, line));
  const kind = invoice.kind === 'credit' ? 'credit_document' : 'invoice';
  return { kind, factId: invoice.id, reversesFact: null, entries: summed(entries) };
}

function joined(change: Change, line: InvoiceLine): FactJournal {
  const invoice = invoiceOf(change, line);
  const entries = summed(lineEntries(change, invoice, line));
  return { kind: `invoice_${line.type}`, factId: line.id, reversesFact: null, entries };
}

function lineEntries(change: Change, invoice: Invoice, line: InvoiceLine): RoleEntry[] {
  const { amount, type } = line;
  const asset = change.currency;
  const against: Role = type === 'credit' ? 'customer_credit' : revenueOf(change, line);
  const from = invoice.kind === 'credit' ? giver(change, invoice) : debtor(change, invoice);
  const taxes = (change.taxes.get(line.id) ?? []).map(
    ({ code, amount }): RoleEntry => ({ role: 'tax_payable', asset, amount, taxCode: code }),
  );
  const net = taxes.reduce((left, tax) => left - tax.amount, amount);
  return [{ role: from, asset, amount: -amount }, { role: against, asset, amount: net }, ...taxes];
}

/** What has days is earned day by day; the rest at once. What lowers a charge follows it. */
function revenueOf({ book }: Change, line: InvoiceLine): Role {
  const { linkedLineId } = line;
  const charge = book.rows.lines.find(({ id }) => id === linkedLineId) ?? line;
  return hasDays(charge) ? 'deferred_revenue' : 'earned_revenue';
}

const hasDays = ({ from, to }: InvoiceLine): boolean => to !== null && to > from;

/** A top-up was paid for; any other credit is given. */
const giver = ({ book }: Change, { id }: Invoice): Role =>
  book.rows.keys.some(({ act, resultId }) => act === 'top_up' && resultId === id)
    ? 'external_clearing'
    : 'promo_expense';

function payment(change: Change, attempt: PaymentAttempt): FactJournal {
  const of = paymentOf(change, attempt);
  const money = {
    counted: attempt.paid,
    settled: attempt.settledAmount ?? attempt.paid,
    currency: attempt.settledCurrency ?? change.currency,
  };
  const entries = moneyEntries(change, of, money);
  return { kind: 'payment', factId: attempt.id, reversesFact: null, entries };
}

function returned(change: Change, back: PaymentReturn): FactJournal {
  const sign = back.type === 'chargeback_reversal' ? 1n : -1n;
  const entries = moneyEntries(change, paymentOf(change, back), {
    counted: sign * back.amount,
    settled: sign * back.settledAmount,
    currency: back.settledCurrency,
  });
  return { kind: back.type, factId: back.id, reversesFact: back.reversesId, entries };
}

/** Money that came (positive) or went: what was settled against what the invoice counts. */
function moneyEntries(
  change: Change,
  of: Payment,
  { counted, settled, currency }: { counted: bigint; settled: bigint; currency: string },
): RoleEntry[] {
  return summed([
    { role: 'external_clearing', asset: currency, amount: -settled },
    { role: 'exchange', asset: currency, amount: settled },
    { role: 'exchange', asset: change.currency, amount: -counted },
    { role: debtor(change, invoiceOf(change, of)), asset: change.currency, amount: counted },
  ]);
}

function loss(change: Change, invoice: Invoice): FactJournal {
  const asset = change.currency;
  const open = totalOf(change.book, invoice) - paidOn(change.book, invoice);
  const entries = summed([
    { role: 'bad_debt', asset, amount: -open },
    { role: 'receivable', asset, amount: open },
  ]);
  return { kind: 'write_off', factId: invoice.id, reversesFact: null, entries };
}

function invoiceOf({ book }: Change, { invoiceId }: { invoiceId: bigint }): Invoice {
  const invoice = book.rows.invoices.find(({ id }) => id === invoiceId);
  if (!invoice) throw new Error(`There is no invoice ${invoiceId}`);
  return invoice;
}

function paymentOf({ book }: Change, { paymentId }: { paymentId: bigint }): Payment {
  const found = book.rows.payments.find(({ id }) => id === paymentId);
  if (!found) throw new Error(`There is no payment ${paymentId}`);
  return found;
}

/** One entry for each role and asset; those that cancel out are left out. */
function summed(entries: readonly RoleEntry[]): RoleEntry[] {
  const sums = new Map<string, RoleEntry>();
  for (const entry of entries) {
    const key = `${entry.role}|${entry.asset}|${entry.taxCode}`;
    const amount = (sums.get(key)?.amount ?? 0n) + entry.amount;
    sums.set(key, { ...entry, amount });
  }
  return [...sums.values()].filter(({ amount }) => amount !== 0n);
}
