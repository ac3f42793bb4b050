/** Finds the documents, lines and payments that cases name. */
import { openInvoices } from '../../src/billing/postpaid/balances.ts';
import type { Book } from '../../src/billing/postpaid/books.ts';
import { isCharge } from '../../src/billing/postpaid/charged.ts';
import type { Contract, Invoice, InvoiceLine, Payment } from '../../src/billing/postpaid/rows.ts';
import { formatDay } from '../../src/platform/day.ts';
import { BadCase } from '../result.ts';
import type { Story } from './story.ts';

/** The account that a selector names, or `otherwise`. */
export function accountOfSelector(story: Story, selector: unknown, otherwise: string): string {
  if (typeof selector !== 'object' || selector === null) return otherwise;
  if ('account' in selector && typeof selector.account === 'string') return selector.account;
  if ('made_by' in selector) {
    return story.performed.get(Number(selector.made_by))?.account ?? otherwise;
  }
  return otherwise;
}

/** `{on, nth}`, `{made_by}` or `earliest_unpaid`, in the book of its account. */
export function invoiceOf(story: Story, book: Book, selector: unknown): Invoice {
  const found = findInvoice(story, book, selector);
  if (!found) throw new BadCase(`no invoice ${JSON.stringify(selector)}`);
  return found;
}

function findInvoice(story: Story, book: Book, selector: unknown): Invoice | undefined {
  if (selector === 'earliest_unpaid') return openInvoices(book)[0];
  if (typeof selector !== 'object' || selector === null) throw new BadCase('not an invoice');
  if ('made_by' in selector) {
    const answer = story.performed.get(Number(selector.made_by))?.answer;
    const id = answer?.ok ? answer.documentId : null;
    return book.rows.invoices.find((row) => row.id === id);
  }
  const { on, nth = 1 } = selector as { on?: string; nth?: number };
  const sameDay = book.rows.invoices.filter(
    (row) => row.kind === 'run' && formatDay(row.on) === on,
  );
  return sameDay[nth - 1];
}

/** A charge line of an invoice, by subscription and first day. */
export function lineOf(
  book: Book,
  invoice: Invoice,
  selector: Record<string, unknown>,
): InvoiceLine {
  const refs = new Map(book.rows.contracts.map(({ id, ref }) => [id, ref]));
  const found = book.rows.lines.find(
    (line) =>
      line.invoiceId === invoice.id &&
      isCharge(line) &&
      (selector.from === undefined || formatDay(line.from) === selector.from) &&
      (selector.ref === undefined ||
        (line.contractId !== null && refs.get(line.contractId) === selector.ref)),
  );
  if (!found) throw new BadCase(`no item ${JSON.stringify(selector)}`);
  return found;
}

/** The nth payment of an account. */
export function paymentNumber(book: Book, nth: number): Payment {
  const payment = book.rows.payments[nth - 1];
  if (!payment) throw new BadCase(`no payment ${nth}`);
  return payment;
}

/** The contract of a ref; of several that followed each other, the last. */
export function contractNamed(book: Book, ref: string): Contract | null {
  return book.rows.contracts.findLast((row) => row.ref === ref) ?? null;
}
