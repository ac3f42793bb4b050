/** Documents that people make and change: charges, credit, adjustments, voids, imports. */
import { type ActionOf, type Answer, DONE, type ImportedLine, refused } from './actions.ts';
import { contractOf } from './acts-sales.ts';
import { openInvoices, paidOn } from './balances.ts';
import { add, type Book, change } from './books.ts';
import { chargesOf, isCharge, remainingDays, standingLines } from './charged.ts';
import { conclude, runTo, settleAndCollect } from './consequences.ts';
import { creditLine } from './credit.ts';
import { type Desk, viewOf } from './desk.ts';
import { OPEN } from './intervals.ts';
import type { Invoice, InvoiceLine } from './rows.ts';
import { segmentsOf } from './segments.ts';

/** A document by id. */
export function documentOf(book: Book, id: bigint): Invoice {
  const invoice = book.rows.invoices.find((row) => row.id === id);
  if (!invoice) throw new Error(`The account has no document ${id}`);
  return invoice;
}

function addDocument(
  { book, ids, today }: Desk,
  kind: Invoice['kind'],
  status: Invoice['status'] = 'committed',
): Invoice {
  return add(book, 'invoices', {
    id: ids.next(),
    accountId: book.account.id,
    on: today,
    kind,
    status,
    writtenOff: false,
    target: null,
  });
}

type Bare = Pick<InvoiceLine, 'type' | 'from' | 'to' | 'amount'> & Partial<InvoiceLine>;

function addLine({ book, ids, today }: Desk, invoice: Invoice, line: Bare): InvoiceLine {
  return add(book, 'lines', {
    contractId: null,
    planCode: null,
    phase: null,
    price: null,
    period: null,
    periodDays: null,
    taxCode: null,
    linkedLineId: null,
    ...line,
    id: ids.next(),
    accountId: book.account.id,
    invoiceId: invoice.id,
    on: today,
  });
}

const made = (invoice: Invoice): Answer => ({ ok: true, documentId: invoice.id, paymentId: null });

/** A one-off charge, its own document; a draft waits to be committed. */
export function externalCharge(desk: Desk, action: ActionOf<'external_charge'>): Answer {
  const { amount, from, to, draft, taxCode = null } = action;
  const invoice = addDocument(desk, 'charge', draft ? 'draft' : 'committed');
  addLine(desk, invoice, { type: 'external_charge', from, to, amount, taxCode });
  settleAndCollect(desk, invoice);
  return made(invoice);
}

export function commitInvoice(desk: Desk, { invoiceId }: ActionOf<'commit_invoice'>): Answer {
  const invoice = documentOf(desk.book, invoiceId);
  if (invoice.status !== 'draft') return made(invoice);
  settleAndCollect(desk, change(desk.book, 'invoices', invoiceId, { status: 'committed' }));
  return made(invoice);
}

/** Not while paid, nor while a repair of it stands. */
export function voidInvoice(desk: Desk, { invoiceId }: ActionOf<'void_invoice'>): Answer {
  const { book } = desk;
  const invoice = documentOf(book, invoiceId);
  if (paidOn(book, invoice) > 0n) return refused('cannot_void_paid_invoice');
  const lines = new Set(
    book.rows.lines.filter((line) => line.invoiceId === invoiceId).map(({ id }) => id),
  );
  const isRepaired = standingLines(book).some(
    ({ type, linkedLineId, ...line }) =>
      type === 'repair' &&
      linkedLineId !== null &&
      lines.has(linkedLineId) &&
      line.invoiceId !== invoiceId,
  );
  if (isRepaired) return refused('cannot_void_repaired_invoice');
  change(book, 'invoices', invoiceId, { status: 'void' });
  return made(invoice);
}

export function writeOff(desk: Desk, { invoiceId }: ActionOf<'write_off'>): Answer {
  return made(change(desk.book, 'invoices', invoiceId, { writtenOff: true }));
}

export function grantCredit(desk: Desk, { amount }: { amount: bigint }): Answer {
  const invoice = addDocument(desk, 'credit');
  creditLine(desk, invoice, amount);
  return made(invoice);
}

/** Takes a given credit away; invoices that used it are open again. */
export function deleteCredit(desk: Desk, { invoiceId }: ActionOf<'delete_credit'>): Answer {
  const invoice = documentOf(desk.book, invoiceId);
  const lines = desk.book.rows.lines.filter((line) => line.invoiceId === invoiceId);
  const given = lines.reduce((sum, { amount }) => sum + amount, 0n);
  if (given !== 0n) creditLine(desk, invoice, -given);
  return made(invoice);
}

/** Credit under a key: a repeated key answers as the first time and adds nothing. */
export function topUp(desk: Desk, { amount, key, act }: ActionOf<'top_up'>): Answer {
  const { book, ids } = desk;
  const known = book.rows.keys.find((row) => row.act === act && row.key === key);
  if (known) return { ok: true, documentId: known.resultId, paymentId: null };
  const answer = grantCredit(desk, { amount });
  if (answer.ok && answer.documentId !== null) {
    const resultId = answer.documentId;
    add(book, 'keys', { id: ids.next(), accountId: book.account.id, key, act, resultId });
  }
  return answer;
}

/** What is left of a charge line. */
export function adjustable(book: Book, lineId: bigint): bigint {
  const charged = chargesOf(book).find(({ line }) => line.id === lineId);
  if (!charged) throw new Error(`The account has no charge ${lineId}`);
  return charged.left;
}

/** Lowers a line, dated today; the adjustment stands on the line's invoice. */
export function adjustLine(desk: Desk, lineId: bigint, amount: bigint): void {
  const { book, today } = desk;
  const line = book.rows.lines.find((row) => row.id === lineId);
  if (!line) throw new Error(`The account has no line ${lineId}`);
  addLine(desk, documentOf(book, line.invoiceId), {
    type: 'item_adjustment',
    from: today,
    to: today,
    amount: -amount,
    contractId: line.contractId,
    planCode: line.planCode,
    taxCode: line.taxCode,
    linkedLineId: line.id,
  });
}

export function adjustItem(desk: Desk, { lineId, amount }: ActionOf<'adjust_item'>): Answer {
  const left = adjustable(desk.book, lineId);
  const asked = amount === 'remaining' ? left : amount;
  if (asked > left) return refused('too_many_repairs');
  if (asked > 0n) adjustLine(desk, lineId, asked);
  return DONE;
}

export function forceItemAdjustment(
  desk: Desk,
  { lineId, amount }: ActionOf<'force_item_adjustment'>,
): Answer {
  adjustLine(desk, lineId, amount);
  return DONE;
}

/** Every line of every open invoice to zero; overdue is evaluated after each invoice. */
export function adjustAllOpen(desk: Desk, { order }: ActionOf<'adjust_all_open_invoices'>): Answer {
  const open = openInvoices(desk.book);
  for (const invoice of order === 'newest_first' ? open.reverse() : open) {
    for (const { line, left } of chargesOf(desk.book)) {
      if (line.invoiceId === invoice.id && left > 0n) adjustLine(desk, line.id, left);
    }
    conclude(desk);
  }
  return DONE;
}

/** An invoice as another system made it. */
export function importInvoice(desk: Desk, { lines }: ActionOf<'import_invoice'>): Answer {
  const invoice = addDocument(desk, 'import');
  for (const line of lines) addLine(desk, invoice, importedLine(desk, line));
  settleAndCollect(desk, invoice);
  return made(invoice);
}

function importedLine(desk: Desk, { ref, ...line }: ImportedLine): Bare {
  const contract = ref === null ? null : contractOf(desk, ref);
  const contractId = contract?.id ?? null;
  if (!contract) return { ...line, contractId };
  if (line.type === 'repair' || line.type === 'item_adjustment') {
    const linked = chargesOf(desk.book, contract).findLast(
      (charged) =>
        isCharge(charged.line) &&
        remainingDays(charged).some(({ from, to }) => from <= line.from && (line.to ?? from) <= to),
    );
    return { ...line, contractId, linkedLineId: linked?.line.id ?? null };
  }
  // It was sold as the plan of its first day, whatever the other system made of the price.
  const view = { ...viewOf(desk), target: Math.max(desk.today, line.from) };
  const segments = segmentsOf(view, contract);
  const segment =
    segments.find(({ from, to }) => from <= line.from && line.from < to) ??
    segments.find(({ to }) => to === OPEN) ??
    null;
  return {
    ...line,
    contractId,
    planCode: segment?.planCode ?? null,
    phase: segment?.phase ?? null,
    price: line.type === 'fixed' ? line.amount : (segment?.price ?? null),
    period: line.type === 'fixed' ? null : (segment?.period ?? null),
  };
}

/** A run on demand, also when invoicing is off. */
export function generateInvoice(desk: Desk, { target }: ActionOf<'generate_invoice'>): Answer {
  const result = runTo(desk, target);
  if (!result.ok) return result;
  return { ok: true, documentId: result.invoice?.id ?? null, paymentId: null };
}
