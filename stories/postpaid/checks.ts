/** Reads what the checks of postpaid cases ask for. */
import {
  accountBalance,
  attemptsOf,
  balanceOf,
  creditBalance,
  openInvoices,
  paidOn,
  paymentsOf,
} from '../../src/billing/postpaid/balances.ts';
import type { Book } from '../../src/billing/postpaid/books.ts';
import { chargedThrough, overlappingDays } from '../../src/billing/postpaid/charged.ts';
import { OPEN } from '../../src/billing/postpaid/intervals.ts';
import { arePlanChangesAllowed, overdueState } from '../../src/billing/postpaid/overdue.ts';
import { attemptStates, settledOf } from '../../src/billing/postpaid/payments.ts';
import type { Contract, Invoice, Payment } from '../../src/billing/postpaid/rows.ts';
import { phaseOn, stateOn } from '../../src/billing/postpaid/states.ts';
import { endOf } from '../../src/billing/postpaid/timeline.ts';
import { type Day, formatDay } from '../../src/platform/day.ts';
import { formatMinor } from '../../src/platform/money/amount.ts';
import { number, text } from '../fields.ts';
import { BadCase } from '../result.ts';
import { ofAction } from './action-checks.ts';
import type { Check } from './file.ts';
import { accountOfSelector, contractNamed, invoiceOf, paymentNumber } from './selectors.ts';
import { accountFor, money, readBook, type Story } from './story.ts';

interface Reading {
  story: Story;
  book: Book;
  check: Check;
  today: Day;
}

type Reader = (reading: Reading) => unknown;

const ofInvoice =
  (read: (reading: Reading, invoice: Invoice) => unknown): Reader =>
  (reading) =>
    read(reading, invoiceOf(reading.story, reading.book, reading.check.of_invoice));

const paymentIn = ({ book, check }: Reading) => paymentNumber(book, number(check, 'of_payment'));

const ofContract =
  (read: (reading: Reading, contract: Contract) => unknown): Reader =>
  (reading) => {
    const ref = text(reading.check, 'ref');
    const contract = contractNamed(reading.book, ref);
    if (!contract) throw new BadCase(`no subscription ${ref}`);
    return read(reading, contract);
  };

const rulesOf = ({ story, book }: Reading) => story.setup.rulesIn(book.account.currency);

const viewIn = (reading: Reading) => ({
  book: reading.book,
  ...rulesOf(reading),
  target: reading.today,
});

const ended = (kind: 'end_service' | 'end_billing'): Reader =>
  ofContract((reading, contract) => {
    const end = endOf(viewIn(reading), contract, kind);
    return end < OPEN ? formatDay(end) : null;
  });

const READERS: Record<string, Reader> = {
  account_balance: ({ book }) => money(book, accountBalance(book)),
  credit_balance: ({ book }) => money(book, creditBalance(book)),
  invoice_balance: ofInvoice(({ book }, invoice) => money(book, balanceOf(book, invoice))),
  invoice_paid: ofInvoice(({ book }, invoice) => money(book, paidOn(book, invoice))),
  invoice_status: ofInvoice((_, invoice) => invoice.status),
  open_invoices: ({ book }) => openInvoices(book).length,
  payment_count: ({ book }) => book.rows.payments.length,
  payment_amount: (reading) => {
    const { amount, currency } = settledOf(reading.book, paymentIn(reading));
    return formatMinor(amount, currency);
  },
  refunded_total: (reading) => {
    const payment = paymentIn(reading);
    const refunds = reading.book.rows.returns.filter(
      (row) => row.paymentId === payment.id && row.type === 'refund',
    );
    return money(
      reading.book,
      refunds.reduce((sum, { amount }) => sum + amount, 0n),
    );
  },
  payment_retry: (reading) => retryMade(reading.book, paymentIn(reading), reading.today),
  attempt_states: (reading) =>
    attemptStates(reading.book, paymentIn(reading), rulesOf(reading).config),
  payment_rows: ofInvoice(({ book }, invoice) => paymentRows(book, invoice)),
  overdue_state: ({ book }) => overdueState(book),
  plan_change_allowed: ({ book }) => arePlanChangesAllowed(book),
  charged_through: ofContract(({ book }, contract) => formatDay(chargedThrough(book, contract))),
  service_end: ended('end_service'),
  billing_end: ended('end_billing'),
  state: ofContract((reading, contract) => stateOn(viewIn(reading), contract)),
  phase: ofContract((reading, contract) => phaseOn(viewIn(reading), contract)),
  account_billing_day: ({ book }) => book.account.billingDay,
  account_parked: ({ book }) => book.account.parked,
  overlapping_charged_days: ofContract(({ book }, contract) => overlappingDays(book, contract)),
};

/** The number of the retry made on a day; null = none. One follows each time it was declined. */
function retryMade(book: Book, payment: Payment, today: Day): number | null {
  const attempts = attemptsOf(book, payment);
  if (!attempts.some(({ on }) => on === today)) return null;
  return attempts.filter(({ on, outcome }) => on < today && outcome === 'declined').length || null;
}

/** Attempts (one a payment, with what it settled), refunds and chargebacks, as they came. */
function paymentRows(book: Book, invoice: Invoice): unknown[] {
  const payments = paymentsOf(book, invoice);
  const number = new Map(book.rows.payments.map(({ id }, at) => [id, at + 1]));
  const attempts = payments.map((payment) => ({
    id: payment.id,
    type: 'attempt',
    amount: attemptsOf(book, payment).reduce((sum, { paid }) => sum + paid, 0n),
    of_payment: null as number | null,
  }));
  const returns = book.rows.returns
    .filter((row) => payments.some(({ id }) => id === row.paymentId))
    .map((row) => ({
      id: row.id,
      type: row.type,
      amount: row.type === 'chargeback_reversal' ? row.amount : -row.amount,
      of_payment: number.get(row.paymentId) ?? null,
    }));
  return [...attempts, ...returns]
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .map(({ type, amount, of_payment }) => ({ type, amount: money(book, amount), of_payment }));
}

/** No run made an invoice from `on` to `until`, up to now. */
function isWithoutInvoice({ story, check }: { story: Story; check: Check }): boolean {
  const account = check.account ?? 'main';
  const until = typeof check.until === 'string' ? check.until : check.on;
  return !story.invoices.some(
    (one) => one.account === account && check.on <= one.on && one.on <= until,
  );
}

/** The value of a check, as cases write it. */
export async function read(story: Story, check: Check, today: Day): Promise<unknown> {
  const after = check.step && 'after' in check.step ? check.step.after : null;
  if (check.check === 'no_invoice') {
    if (story.setup.isOnDemand && after !== null) return ofAction(story, 'run_is_empty', check);
    return isWithoutInvoice({ story, check });
  }
  const reader = READERS[check.check];
  if (!reader) return ofAction(story, check.check, check);
  const named = check.account ?? accountOfSelector(story, check.of_invoice, '');
  const account = named === '' ? await accountFor(story, check) : named;
  return readBook(story, account, (book) => reader({ story, book, check, today }));
}
