/**
 * Legal numbers: which documents get one, in which series and fiscal year. Pure. They are allotted
 * without gaps inside the transaction that issues; a void document keeps its number.
 */

import { type Day, partsOf } from '../../platform/day.ts';
import { type Book, changesOf, type Rows } from './books.ts';
import type { Invoice, InvoiceLine } from './rows.ts';

export type Series = 'invoice' | 'credit_note';

/** In whose name documents are issued. */
export interface LegalEntity {
  id: bigint;
  /** The month in which its fiscal year starts, 1 to 12. */
  fiscalMonth: number;
  /** `{year}` and `{number:digits}` stand for the fiscal year and the number. */
  formats: Readonly<Record<Series, string>>;
}

/** A document that wants a number. */
export interface Numbered {
  series: Series;
  on: Day;
  accountId: bigint;
  invoiceId: bigint;
  /** Null: the document itself; else a credit note over its lines from the first to the last. */
  lines: { first: bigint; last: bigint } | null;
}

/** The day on which a document is issued: a draft, when it is committed. */
export const issuedOn = (
  { on }: Invoice,
  { wasDraft, today }: { wasDraft: boolean; today: Day },
): Day => (wasDraft ? Math.max(on, today) : on);

/**
 * What an act has issued. A document gets its number when it is committed: of the invoices, or of
 * the credit notes when it gives back more than it charges. Adjustments of a document that was
 * issued before are one credit note. Drafts have none; imports were numbered elsewhere, and a
 * top-up is a receipt of money. A draft is issued today.
 */
export function numberedOf(book: Book, before: Rows, today: Day): Numbered[] {
  const { added, changed } = changesOf(book);
  const status = new Map(before.invoices.map((row) => [row.id, row.status]));
  const issued = [...added.invoices, ...changed.invoices]
    .filter((row) => row.status !== 'draft' && (status.get(row.id) ?? 'draft') === 'draft')
    .filter((row) => row.status === 'committed' && isNumbered(book, row))
    .map((row) => ({
      ...placeOf(row),
      series: seriesOf(book, row),
      on: issuedOn(row, { wasDraft: status.has(row.id), today }),
      lines: null,
    }));
  const adjustments = added.lines.filter(
    ({ type, invoiceId }) => type === 'item_adjustment' && status.get(invoiceId) === 'committed',
  );
  const notes = [...Map.groupBy(adjustments, ({ invoiceId }) => invoiceId).values()].map(noteOf);
  return [...issued, ...notes];
}

const placeOf = ({ id, accountId }: Invoice) => ({ accountId, invoiceId: id });

function isNumbered(book: Book, { id, kind }: Invoice): boolean {
  if (kind === 'import') return false;
  return !book.rows.keys.some(({ act, resultId }) => act === 'top_up' && resultId === id);
}

function seriesOf(book: Book, { id, kind }: Invoice): Series {
  if (kind === 'credit') return 'credit_note';
  const own = book.rows.lines.filter((row) => row.invoiceId === id && row.type !== 'credit');
  return own.reduce((sum, { amount }) => sum + amount, 0n) < 0n ? 'credit_note' : 'invoice';
}

/** Ids of one account rise, so that no line of another act lies between the first and the last. */
function noteOf(lines: readonly InvoiceLine[]): Numbered {
  const [first, last] = [lines[0], lines.at(-1)];
  if (!first || !last) throw new Error('A credit note has lines');
  const { accountId, invoiceId, on } = first;
  const series = 'credit_note';
  return { series, on, accountId, invoiceId, lines: { first: first.id, last: last.id } };
}

/** The fiscal year of a day, named after the calendar year in which it starts. */
export function fiscalYear(day: Day, fiscalMonth: number): number {
  const { year, month } = partsOf(day);
  return month >= fiscalMonth ? year : year - 1;
}

/** What stands before and after the digits of a number, and how many digits there are at least. */
export interface NumberText {
  before: string;
  digits: number;
  after: string;
}

/** Reads a format such as `INV-{year}-{number:6}`. Throws when it has no number. */
export function numberText(format: string, year: number): NumberText {
  const match = /^(.*?)\{number(?::(\d{1,2}))?\}(.*)$/.exec(format);
  if (!match) throw new Error(`Not a format of numbers: ${format}`);
  const [, before = '', digits = '1', after = ''] = match;
  const withYear = (text: string): string => text.replaceAll('{year}', String(year));
  return { before: withYear(before), digits: Number(digits), after: withYear(after) };
}
