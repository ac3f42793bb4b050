/**
 * What a desk may ask of an account as it is now. The engine itself takes more: imports, and money
 * that came in for what is settled already. Pure.
 */
import type { Action } from './actions.ts';
import { balanceOf, isPaymentPending } from './balances.ts';
import type { Book } from './books.ts';
import { chargesOf } from './charged.ts';
import type { Invoice } from './rows.ts';

/** Why the desk does not ask for an act. `not_found` is for ever: nothing known goes away. */
export type Fault =
  | 'not_found'
  /** Draft, void, written off, or nothing is open on it. */
  | 'invoice_not_open'
  | 'more_than_open'
  /** A payment of the invoice has no outcome yet. */
  | 'payment_pending'
  | 'invoice_not_draft'
  /** Void or written off. */
  | 'invoice_closed'
  | 'line_not_adjustable'
  /** Not credit that was granted, or taken away already. */
  | 'credit_not_granted'
  | 'too_many_contracts';

/** Contracts of one account, also those that have ended. */
export const CONTRACTS_MAX = 2_000;

type Money = bigint | 'balance';
type Adjustment = { lineId: bigint };

/** Why an act cannot be asked for; null when it can. */
export function faultOf(book: Book, action: Action): Fault | null {
  switch (action.act) {
    case 'create_subscription':
      return knows(book, action.bundle) ?? overfull(book, 1);
    case 'create_bundles':
      return overfull(
        book,
        action.bundles.reduce((sum, { addOns }) => sum + 1 + addOns.length, 0),
      );
    case 'pay_invoice':
    case 'external_payment':
      return withInvoice(book, action.invoiceId, (one) => payFault(book, one, action));
    case 'commit_invoice':
      return withInvoice(book, action.invoiceId, ({ status }) =>
        status === 'draft' ? null : 'invoice_not_draft',
      );
    case 'void_invoice':
      return withInvoice(book, action.invoiceId, (one) =>
        isClosed(one) || one.kind === 'credit' ? 'invoice_closed' : null,
      );
    case 'write_off':
      return withInvoice(book, action.invoiceId, (one) =>
        balanceOf(book, one) > 0n ? null : 'invoice_not_open',
      );
    case 'delete_credit':
      return withInvoice(book, action.invoiceId, (one) => creditFault(book, one));
    case 'adjust_item':
      return adjustFault(book, [action]);
    case 'refund':
      return refundFault(book, action);
    case 'chargeback':
    case 'chargeback_reversed':
    case 'complete_payment':
      return hasPayment(book, action.paymentId) ? null : 'not_found';
    default:
      return 'ref' in action ? knows(book, action.ref) : null;
  }
}

const knows = (book: Book, ref: string | undefined): Fault | null =>
  ref === undefined || book.rows.contracts.some((row) => row.ref === ref) ? null : 'not_found';

const overfull = (book: Book, more: number): Fault | null =>
  book.rows.contracts.length + more > CONTRACTS_MAX ? 'too_many_contracts' : null;

function withInvoice(
  book: Book,
  id: bigint,
  fault: (invoice: Invoice) => Fault | null,
): Fault | null {
  const invoice = book.rows.invoices.find((row) => row.id === id);
  return invoice ? fault(invoice) : 'not_found';
}

const isClosed = ({ status, writtenOff }: Invoice): boolean => status === 'void' || writtenOff;

function payFault(
  book: Book,
  invoice: Invoice,
  { act, amount }: { act: 'pay_invoice' | 'external_payment'; amount: Money },
): Fault | null {
  const open = balanceOf(book, invoice);
  if (open <= 0n) return 'invoice_not_open';
  if (amount !== 'balance' && amount > open) return 'more_than_open';
  // Money that was handed over is there; what is asked of a gateway could be taken twice.
  return act === 'pay_invoice' && isPaymentPending(book, invoice) ? 'payment_pending' : null;
}

function creditFault({ rows }: Book, { id, kind }: Invoice): Fault | null {
  const isToppedUp = rows.keys.some(({ act, resultId }) => act === 'top_up' && resultId === id);
  const given = rows.lines
    .filter(({ invoiceId }) => invoiceId === id)
    .reduce((sum, { amount }) => sum + amount, 0n);
  return kind === 'credit' && !isToppedUp && given !== 0n ? null : 'credit_not_granted';
}

function adjustFault(book: Book, adjustments: readonly Adjustment[]): Fault | null {
  const charges = new Map(chargesOf(book).map(({ line }) => [line.id, line.invoiceId]));
  const isFine = ({ lineId }: Adjustment): boolean => {
    const invoice = book.rows.invoices.find(({ id }) => id === charges.get(lineId));
    return invoice?.status === 'committed' && !invoice.writtenOff;
  };
  return adjustments.every(isFine) ? null : 'line_not_adjustable';
}

const hasPayment = ({ rows }: Book, id: bigint): boolean =>
  rows.payments.some((row) => row.id === id);

/** Adjustments lower the invoice that was paid. */
function refundFault(
  book: Book,
  { paymentId, adjustments }: { paymentId: bigint; adjustments: readonly Adjustment[] },
): Fault | null {
  const payment = book.rows.payments.find((row) => row.id === paymentId);
  if (!payment) return 'not_found';
  const isOwn = ({ lineId }: Adjustment): boolean =>
    book.rows.lines.some(({ id, invoiceId }) => id === lineId && invoiceId === payment.invoiceId);
  if (!adjustments.every(isOwn)) return 'line_not_adjustable';
  return adjustFault(book, adjustments);
}
