/**
 * The taxes inside the lines of a document, frozen when it is issued. Pure. Amounts are gross: a
 * charge holds the taxes of its tax code on its first day; what lowers it holds what the taxes of
 * the charge become less, so that a charge given back whole leaves nothing of any tax.
 */
import type { Day } from '../../platform/day.ts';
import { type AppliedTax, taxLines } from '../catalogue/file/tax.ts';
import type { Book, Rows } from './books.ts';
import { standingLines } from './charged.ts';
import type { InvoiceLine } from './rows.ts';

export interface TaxPart extends AppliedTax {
  /** What it is a percentage of, in minor units. */
  base: bigint;
  amount: bigint;
}

/** By line id, in the order in which they are applied; a line without taxes is not in it. */
export type TaxParts = ReadonlyMap<bigint, readonly TaxPart[]>;

/** Lines that are issued now: of documents that are, and new ones of documents that were. */
export function issuedLines(book: Book, before: Rows): InvoiceLine[] {
  const wasIssued = idsOfIssued(before);
  const isIssued = idsOfIssued(book.rows);
  return book.rows.lines.filter(
    ({ id, invoiceId }) =>
      isIssued.has(invoiceId) && (!wasIssued.has(invoiceId) || book.added.has(id)),
  );
}

const idsOfIssued = ({ invoices }: Pick<Rows, 'invoices'>): Set<bigint> =>
  new Set(invoices.filter(({ status }) => status === 'committed').map(({ id }) => id));

export interface TaxSources {
  /** The taxes of a tax code on a day. */
  taxesOn(taxCode: string, day: Day): readonly AppliedTax[];
  /** What is left of the taxes of charges that were issued before, by the charge's line. */
  left: TaxParts;
}

/** The taxes of lines that are issued now. `lines`: as `issuedLines` gives them. */
export function taxPartsOf(
  book: Book,
  lines: readonly InvoiceLine[],
  { taxesOn, left: known }: TaxSources,
): Map<bigint, readonly TaxPart[]> {
  const left = new Map(known);
  const parts = new Map<bigint, readonly TaxPart[]>();
  for (const line of lines) {
    const { id, linkedLineId, taxCode, amount } = line;
    if (linkedLineId !== null) {
      const before = left.get(linkedLineId);
      if (!before) continue;
      const after = partsOf(leftOf(book, linkedLineId, id), before);
      left.set(linkedLineId, after);
      parts.set(
        id,
        after.map((part, at) => less(part, before[at])),
      );
    } else if (taxCode !== null && amount !== 0n) {
      const own = partsOf(amount, taxesOn(taxCode, line.from));
      if (own.length === 0) continue;
      left.set(id, own);
      parts.set(id, own);
    }
  }
  return parts;
}

/** What a charge amounts to after all that lowers it, up to and with a line. */
function leftOf(book: Book, chargeId: bigint, upTo: bigint): bigint {
  const charge = book.rows.lines.find(({ id }) => id === chargeId);
  if (!charge) throw new Error(`The account has no line ${chargeId}`);
  return standingLines(book)
    .filter(({ linkedLineId, id }) => linkedLineId === chargeId && id <= upTo)
    .reduce((sum, { amount }) => sum + amount, charge.amount);
}

function partsOf(gross: bigint, taxes: readonly AppliedTax[]): TaxPart[] {
  const { net, taxes: amounts } = taxLines(gross, taxes, 'inclusive');
  const bases = new Map([
    ['net', net],
    ...amounts.map(({ code, amount }) => [code, amount] as const),
  ]);
  return taxes.map(({ code, ppm, on }, at) => ({
    code,
    ppm,
    on,
    base: on.reduce((sum, name) => sum + (bases.get(name) ?? 0n), 0n),
    amount: amounts[at]?.amount ?? 0n,
  }));
}

const less = (part: TaxPart, before: TaxPart | undefined): TaxPart => ({
  ...part,
  base: part.base - (before?.base ?? 0n),
  amount: part.amount - (before?.amount ?? 0n),
});
