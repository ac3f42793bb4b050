/** Payments by hand, refunds, chargebacks. */
import { type ActionOf, type Answer, DONE, refused } from './actions.ts';
import { adjustable, adjustLine, documentOf } from './acts-documents.ts';
import { balanceOf, openInvoices, paidBy, returnedOf } from './balances.ts';
import { add, type Book } from './books.ts';
import { conclude } from './consequences.ts';
import type { Desk } from './desk.ts';
import { addPayment, decidePayment, receiveOutside, settledOf, tryPayment } from './payments.ts';
import { divideHalfUp } from './proration.ts';
import type { Payment } from './rows.ts';

/** A payment by id. */
export function paymentOf(book: Book, id: bigint): Payment {
  const payment = book.rows.payments.find((row) => row.id === id);
  if (!payment) throw new Error(`The account has no payment ${id}`);
  return payment;
}

/** By hand through the gateway; a key acts once. */
export function payInvoice(desk: Desk, action: ActionOf<'pay_invoice'>): Answer {
  const { book, ids } = desk;
  const { key = null } = action;
  if (key !== null && book.rows.keys.some((row) => row.act === action.act && row.key === key)) {
    return refused('transaction_key_exists');
  }
  const invoice = documentOf(book, action.invoiceId);
  const amount = action.amount === 'balance' ? balanceOf(book, invoice) : action.amount;
  const payment = addPayment(desk, invoice, { kind: 'manual', key });
  if (key !== null) {
    add(book, 'keys', {
      id: ids.next(),
      accountId: book.account.id,
      key,
      act: action.act,
      resultId: payment.id,
    });
  }
  tryPayment(desk, payment, amount);
  return { ok: true, documentId: null, paymentId: payment.id };
}

export function externalPayment(desk: Desk, action: ActionOf<'external_payment'>): Answer {
  const { book } = desk;
  const invoice = documentOf(book, action.invoiceId);
  const amount = action.amount === 'balance' ? balanceOf(book, invoice) : action.amount;
  const payment = addPayment(desk, invoice, { kind: 'external', key: null });
  receiveOutside(desk, payment, amount);
  return { ok: true, documentId: null, paymentId: payment.id };
}

/** One by one; what overdue makes of each is settled before the next. */
export function payAllOpen(desk: Desk, { order }: ActionOf<'pay_all_open_invoices'>): Answer {
  const open = openInvoices(desk.book);
  for (const invoice of order === 'newest_first' ? open.reverse() : open) {
    const balance = balanceOf(desk.book, invoice);
    if (balance <= 0n) continue;
    tryPayment(desk, addPayment(desk, invoice, { kind: 'manual', key: null }), balance);
    conclude(desk);
  }
  return DONE;
}

export function completePayment(desk: Desk, action: ActionOf<'complete_payment'>): Answer {
  const { result, paymentId } = action;
  decidePayment(desk, paymentOf(desk.book, paymentId), { result });
  return { ok: true, documentId: null, paymentId: action.paymentId };
}

/**
 * Money is never refused: an attempt that waits is paid by it, for a decided one it is another
 * attempt, and what is more than the invoice needs becomes credit.
 */
export function receivePayment(desk: Desk, action: ActionOf<'receive_payment'>): Answer {
  const { amount } = action;
  if ('invoiceId' in action) {
    return externalPayment(desk, { act: 'external_payment', invoiceId: action.invoiceId, amount });
  }
  const payment = paymentOf(desk.book, action.paymentId);
  if (!decidePayment(desk, payment, { result: 'approved', amount })) {
    receiveOutside(desk, payment, amount);
  }
  return { ok: true, documentId: null, paymentId: payment.id };
}

/** Back to the payer; without adjustments the invoice is owed again. */
export function refund(desk: Desk, action: ActionOf<'refund'>): Answer {
  const { book } = desk;
  const payment = paymentOf(book, action.paymentId);
  if (action.amount > paidBy(book, payment) - returnedOf(book, payment)) {
    return refused('amount_too_large');
  }
  for (const { lineId, amount } of action.adjustments) {
    const asked = amount === 'remaining' ? adjustable(book, lineId) : amount;
    if (asked > adjustable(book, lineId)) return refused('too_many_repairs');
    adjustLine(desk, lineId, asked);
  }
  addReturn(desk, payment, {
    type: 'refund',
    amount: action.amount,
    settledAmount: action.amount,
    settledCurrency: book.account.currency,
    reversesId: null,
  });
  return { ok: true, documentId: null, paymentId: payment.id };
}

type ReturnDetails = Pick<
  Book['rows']['returns'][number],
  'type' | 'amount' | 'settledAmount' | 'settledCurrency' | 'reversesId'
>;

function addReturn({ book, ids, today }: Desk, payment: Payment, details: ReturnDetails): void {
  add(book, 'returns', {
    id: ids.next(),
    accountId: book.account.id,
    paymentId: payment.id,
    on: today,
    ...details,
  });
}

/** `amount` is in the currency in which the payment was settled. */
export function chargeback(desk: Desk, action: ActionOf<'chargeback'>): Answer {
  const { book } = desk;
  const payment = paymentOf(book, action.paymentId);
  const settled = settledOf(book, payment);
  const left = paidBy(book, payment) - returnedOf(book, payment);
  const amount =
    settled.currency === book.account.currency
      ? action.amount
      : divideHalfUp(paidBy(book, payment) * action.amount, settled.amount);
  if (amount > left) return refused('amount_too_large');
  addReturn(desk, payment, {
    type: 'chargeback',
    amount,
    settledAmount: action.amount,
    settledCurrency: settled.currency,
    reversesId: null,
  });
  return { ok: true, documentId: null, paymentId: payment.id };
}

/** Takes back the last chargeback of a payment that still stands. */
export function chargebackReversed(desk: Desk, action: ActionOf<'chargeback_reversed'>): Answer {
  const { book } = desk;
  const payment = paymentOf(book, action.paymentId);
  const rows = book.rows.returns.filter((row) => row.paymentId === payment.id);
  const standing = rows.findLast(
    (row) => row.type === 'chargeback' && !rows.some((other) => other.reversesId === row.id),
  );
  if (!standing) return refused('amount_too_large');
  const { amount, settledAmount, settledCurrency } = standing;
  addReturn(desk, payment, {
    type: 'chargeback_reversal',
    amount,
    settledAmount,
    settledCurrency,
    reversesId: standing.id,
  });
  return { ok: true, documentId: null, paymentId: payment.id };
}
