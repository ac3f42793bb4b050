/** What is owed, computed from lines and payments whenever it is asked. Minor units. */
import type { Book } from './books.ts';
import { standingLines } from './charged.ts';
import type { Invoice, Payment, PaymentAttempt } from './rows.ts';

const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((a, b) => a + b, 0n);

export const attemptsOf = (book: Book, payment: Payment): PaymentAttempt[] =>
  book.rows.attempts.filter((row) => row.paymentId === payment.id);

export const paymentsOf = (book: Book, invoice: Invoice): Payment[] =>
  book.rows.payments.filter((row) => row.invoiceId === invoice.id);

/** The sum of the lines of a document. */
export const totalOf = (book: Book, invoice: Invoice): bigint =>
  sum(book.rows.lines.filter((row) => row.invoiceId === invoice.id).map((row) => row.amount));

/** What came in by a payment, before refunds and chargebacks. */
export const paidBy = (book: Book, payment: Payment): bigint =>
  sum(attemptsOf(book, payment).map((row) => row.paid));

/** What of a payment went back: refunds and chargebacks less reversals. */
export const returnedOf = (book: Book, payment: Payment): bigint =>
  sum(
    book.rows.returns
      .filter((row) => row.paymentId === payment.id)
      .map((row) => (row.type === 'chargeback_reversal' ? -row.amount : row.amount)),
  );

/** What an invoice holds of its payments. */
export const paidOn = (book: Book, invoice: Invoice): bigint =>
  sum(
    paymentsOf(book, invoice).map((payment) => paidBy(book, payment) - returnedOf(book, payment)),
  );

/** Items − paid + given back; 0 for drafts, void and written-off documents and for credit. */
export function balanceOf(book: Book, invoice: Invoice): bigint {
  if (invoice.status !== 'committed' || invoice.writtenOff) return 0n;
  if (invoice.kind === 'credit') return 0n;
  return totalOf(book, invoice) - paidOn(book, invoice);
}

const oldestFirst = (a: Invoice, b: Invoice): number => a.on - b.on || (a.id < b.id ? -1 : 1);

/** Documents with something to pay, oldest first. */
export const openInvoices = (book: Book): Invoice[] =>
  book.rows.invoices.filter((invoice) => balanceOf(book, invoice) > 0n).sort(oldestFirst);

/** Unused credit of every kind. */
export const creditBalance = (book: Book): bigint =>
  sum(
    standingLines(book)
      .filter(({ type }) => type === 'credit')
      .map(({ amount }) => amount),
  );

/** The sum of what is open on invoices. */
export const totalOwed = (book: Book): bigint =>
  sum(openInvoices(book).map((invoice) => balanceOf(book, invoice)));

/** Owed (positive) or in credit. */
export const accountBalance = (book: Book): bigint => totalOwed(book) - creditBalance(book);

/** Money may be on its way: a try without a known outcome. */
export const isUndecided = ({ outcome }: PaymentAttempt): boolean =>
  outcome === 'pending' || outcome === 'unknown';

/** Is a payment of this invoice under way? */
export const isPaymentPending = (book: Book, invoice: Invoice): boolean =>
  paymentsOf(book, invoice).some((payment) => attemptsOf(book, payment).some(isUndecided));
