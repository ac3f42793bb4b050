/**
 * Account credit. What an invoice has too much becomes credit on it; credit is used at once, the
 * oldest open invoice first; credit that turns out not to be there is taken back from its uses.
 */

import type { Day } from '../../platform/day.ts';
import { balanceOf, creditBalance, isPaymentPending, openInvoices } from './balances.ts';
import { add, type Book, type IdSource } from './books.ts';
import type { Invoice } from './rows.ts';

/** The part of a desk that credit needs. */
export interface CreditDesk {
  book: Book;
  ids: IdSource;
  today: Day;
}

/** Brings credit and open invoices together after any act. */
export function settleCredit(desk: CreditDesk): void {
  const { book } = desk;
  for (const invoice of book.rows.invoices) {
    const balance = balanceOf(book, invoice);
    if (balance < 0n) creditLine(desk, invoice, -balance);
  }
  const missing = -creditBalance(book);
  if (missing > 0n) takeBack(desk, missing);
  else spendCredit(desk);
}

/** Adds a line: positive gives credit, negative uses it. */
export function creditLine(
  { book, ids, today }: CreditDesk,
  invoice: Invoice,
  amount: bigint,
): void {
  add(book, 'lines', {
    id: ids.next(),
    accountId: book.account.id,
    invoiceId: invoice.id,
    contractId: null,
    type: 'credit',
    on: today,
    from: today,
    to: today,
    amount,
    planCode: null,
    phase: null,
    price: null,
    period: null,
    periodDays: null,
    taxCode: null,
    linkedLineId: null,
  });
}

function spendCredit(desk: CreditDesk): void {
  const { book } = desk;
  for (const invoice of openInvoices(book)) {
    const credit = creditBalance(book);
    if (credit <= 0n) return;
    if (isPaymentPending(book, invoice)) continue;
    const balance = balanceOf(book, invoice);
    creditLine(desk, invoice, -(balance < credit ? balance : credit));
  }
}

/** Opens the invoices again that used credit which is gone, the latest use first. */
function takeBack(desk: CreditDesk, missing: bigint): void {
  const { book } = desk;
  let left = missing;
  for (const invoice of usersOfCredit(book)) {
    const used = usedOn(book, invoice);
    const amount = used < left ? used : left;
    if (amount > 0n) creditLine(desk, invoice, amount);
    left -= amount;
  }
}

/** Committed documents that used credit, the one that used it last first. */
function usersOfCredit(book: Book): Invoice[] {
  const lastUse = new Map<bigint, bigint>();
  for (const line of book.rows.lines) {
    if (line.type === 'credit' && line.amount < 0n) lastUse.set(line.invoiceId, line.id);
  }
  const at = (invoice: Invoice): bigint => lastUse.get(invoice.id) ?? 0n;
  return book.rows.invoices
    .filter(
      ({ id, status, kind }) => lastUse.has(id) && status === 'committed' && kind !== 'credit',
    )
    .sort((a, b) => (at(a) > at(b) ? -1 : 1));
}

/** Credit that an invoice has used and not been given back. */
function usedOn(book: Book, invoice: Invoice): bigint {
  const lines = book.rows.lines.filter(
    ({ invoiceId, type }) => invoiceId === invoice.id && type === 'credit',
  );
  const net = lines.reduce((sum, { amount }) => sum - amount, 0n);
  return net > 0n ? net : 0n;
}
