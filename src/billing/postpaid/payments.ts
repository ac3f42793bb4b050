/** Payments: by the gateway, automatically and by hand, their retries, and money that goes back. */

import type { Day } from '../../platform/day.ts';
import {
  attemptsOf,
  balanceOf,
  isPaymentPending,
  isUndecided,
  openInvoices,
  paidBy,
} from './balances.ts';
import { add, type Book, change } from './books.ts';
import type { Desk } from './desk.ts';
import type { PostpaidConfig } from './plans.ts';
import type { Invoice, Payment, PaymentAttempt } from './rows.ts';

export interface PaymentTerms {
  kind: Payment['kind'];
  key: string | null;
}

/** Notes a payment for an invoice; its tries follow. */
export function addPayment(
  { book, ids, today }: Desk,
  invoice: Invoice,
  terms: PaymentTerms,
): Payment {
  return add(book, 'payments', {
    id: ids.next(),
    accountId: book.account.id,
    invoiceId: invoice.id,
    on: today,
    ...terms,
  });
}

/** One try through the gateway. */
export function tryPayment(desk: Desk, payment: Payment, asked: bigint): PaymentAttempt {
  const { book, ids, gateway, today } = desk;
  const { id: accountId, currency } = book.account;
  const id = ids.next();
  const answer = gateway.charge({
    accountId,
    paymentId: payment.id,
    attemptId: id,
    amount: asked,
    currency,
  });
  const attempt = {
    id,
    accountId,
    paymentId: payment.id,
    on: today,
    asked,
    outcome: answer.outcome,
    decidedOn: answer.outcome === 'pending' || answer.outcome === 'unknown' ? null : today,
  };
  if (answer.outcome !== 'approved') {
    return add(book, 'attempts', {
      ...attempt,
      paid: 0n,
      settledAmount: null,
      settledCurrency: null,
    });
  }
  const { settledAmount = asked, settledCurrency = currency } = answer;
  // Less of the same currency leaves the rest open; another currency was exchanged for all of it.
  const paid = settledCurrency === currency ? settledAmount : asked;
  return add(book, 'attempts', { ...attempt, paid, settledAmount, settledCurrency });
}

/** Money that came in outside the gateway. */
export function receiveOutside(desk: Desk, payment: Payment, amount: bigint): PaymentAttempt {
  const { book, ids, today } = desk;
  return add(book, 'attempts', {
    id: ids.next(),
    accountId: book.account.id,
    paymentId: payment.id,
    on: today,
    asked: amount,
    outcome: 'approved',
    paid: amount,
    settledAmount: amount,
    settledCurrency: book.account.currency,
    decidedOn: today,
  });
}

/** Automatic payment is on, and there is something to pay with. */
const canCollect = ({ book }: Desk): boolean => book.account.autoPay && book.account.paymentMethod;

/** Collects what is open on an invoice, if the account pays automatically. */
export function collect(desk: Desk, invoice: Invoice): void {
  const { book } = desk;
  const balance = balanceOf(book, invoice);
  if (balance <= 0n || !canCollect(desk) || isPaymentPending(book, invoice)) return;
  tryPayment(desk, addPayment(desk, invoice, { kind: 'automatic', key: null }), balance);
}

/** Collects all open invoices, oldest first. */
export function collectAll(desk: Desk): void {
  for (const invoice of openInvoices(desk.book)) collect(desk, invoice);
}

/** The day of the next try of a declined automatic payment; null when none follows. */
export function nextTryOn(book: Book, payment: Payment, config: PostpaidConfig): Day | null {
  if (payment.kind !== 'automatic') return null;
  const attempts = attemptsOf(book, payment);
  const last = attempts.at(-1);
  if (last?.outcome !== 'declined' || last.decidedOn === null) return null;
  const declined = attempts.filter(({ outcome }) => outcome === 'declined').length;
  const wait = config.retryDays[declined - 1];
  if (wait === undefined) return null;
  const day = last.decidedOn + wait;
  // A try whose day has passed without one (nothing was open) does not come back.
  return day > book.account.workedThrough ? day : null;
}

/** Makes the tries that are due, each for what is open now; true if there were any. */
export function retryDue(desk: Desk): boolean {
  const { book, config, today } = desk;
  const due = book.rows.payments.filter((payment) => {
    const day = nextTryOn(book, payment, config);
    return day !== null && day <= today;
  });
  return due.map((payment) => tryAgain(desk, payment)).some(Boolean);
}

function tryAgain(desk: Desk, payment: Payment): boolean {
  const { book } = desk;
  const invoice = invoiceOf(book, payment);
  const balance = balanceOf(book, invoice);
  if (balance <= 0n || !canCollect(desk) || isPaymentPending(book, invoice)) return false;
  tryPayment(desk, payment, balance);
  return true;
}

/** The invoice of a payment. */
export function invoiceOf(book: Book, payment: Payment): Invoice {
  const invoice = book.rows.invoices.find((row) => row.id === payment.invoiceId);
  if (!invoice) throw new Error(`Payment ${payment.id} has no invoice`);
  return invoice;
}

/** Is a try that did not reach the gateway to be repeated? */
export function isDownToRepeat(book: Book, payment: Payment, config: PostpaidConfig): boolean {
  if (payment.kind !== 'automatic') return false;
  const attempts = attemptsOf(book, payment);
  const downs = attempts.length - 1 - attempts.findLastIndex(({ outcome }) => outcome !== 'down');
  return downs > 0 && downs < config.gatewayDown.attemptsMax;
}

/** Seconds to wait before the try that follows the nth one that did not reach the gateway. */
export const downWaitSeconds = (
  { gatewayDown }: Pick<PostpaidConfig, 'gatewayDown'>,
  nth: number,
): number => gatewayDown.startSeconds * gatewayDown.multiplier ** (nth - 1);

/** Repeats, once each, the payments that did not reach the gateway; true if there were any. */
export function repeatDown(desk: Desk): boolean {
  const { book, config } = desk;
  return book.rows.payments
    .filter((payment) => isDownToRepeat(book, payment, config))
    .map((payment) => tryAgain(desk, payment))
    .some(Boolean);
}

export interface Decided {
  result: 'approved' | 'declined' | 'down';
  /** What came in, if not what was asked for. */
  amount?: bigint;
}

/** Gives a pending or unknown payment its outcome; false if it has one. */
export function decidePayment(
  desk: Desk,
  payment: Payment,
  { result: outcome, amount }: Decided,
): boolean {
  const { book, today } = desk;
  const attempt = attemptsOf(book, payment).findLast(isUndecided);
  if (!attempt) return false;
  const paid = amount ?? attempt.asked;
  const settled =
    outcome === 'approved'
      ? { paid, settledAmount: paid, settledCurrency: book.account.currency }
      : {};
  change(book, 'attempts', attempt.id, { outcome, decidedOn: today, ...settled });
  return true;
}

export type AttemptState = 'success' | 'failed' | 'aborted' | 'retried' | 'scheduled';

/** The tries of a payment as a clerk reads them, with the one to come. */
export function attemptStates(
  book: Book,
  payment: Payment,
  config: PostpaidConfig,
): AttemptState[] {
  const attempts = attemptsOf(book, payment);
  const follows =
    nextTryOn(book, payment, config) !== null || isDownToRepeat(book, payment, config);
  const states = attempts.map(({ outcome }, at): AttemptState => {
    if (outcome === 'approved' || outcome === 'pending') return 'success';
    if (outcome === 'unknown') return 'aborted';
    return at < attempts.length - 1 || follows ? 'retried' : 'failed';
  });
  return follows ? [...states, 'scheduled'] : states;
}

/** What the provider settled of a payment, in its currency. */
export function settledOf(book: Book, payment: Payment): { amount: bigint; currency: string } {
  const approved = attemptsOf(book, payment).find(({ outcome }) => outcome === 'approved');
  return {
    amount: approved?.settledAmount ?? 0n,
    currency: approved?.settledCurrency ?? book.account.currency,
  };
}

/** Is there money of this payment to give back? */
export const isPaid = (book: Book, payment: Payment): boolean => paidBy(book, payment) > 0n;
