/** What is written once a document is issued: when it is due, and the taxes of its lines. */
import type { ClientBase } from 'pg';
import { dayOfInstant, formatDay } from '../../platform/day.ts';
import { changesOf } from './books.ts';
import { issuedLines, type TaxPart, type TaxParts, taxPartsOf } from './line-taxes.ts';
import type { Loaded } from './load.ts';
import type { Buyers, MarketTerms } from './markets.ts';
import { issuedOn } from './numbers.ts';
import type { Invoice, InvoiceLine } from './rows.ts';

interface IssueRow {
  account_id: bigint;
  invoice_id: bigint;
  issued_on: string;
  due_on: string | null;
}

interface TaxRow {
  account_id: bigint;
  line_id: bigint;
  place: number;
  tax_code: string;
  ppm: bigint;
  on_taxes: string;
  base: bigint;
  amount: bigint;
}

/** As the tables have them, and the taxes by line for the ledger. */
export interface Issues {
  issued: IssueRow[];
  taxes: TaxRow[];
  parts: TaxParts;
}

export interface IssueTools {
  at: Date;
  termsOf(buyers: Buyers): Pick<MarketTerms, 'dueDays' | 'taxesOn'>;
}

/** What these accounts have issued. */
export async function issuesOf(
  client: ClientBase,
  accounts: readonly Loaded[],
  { at, termsOf }: IssueTools,
): Promise<Issues> {
  const all = accounts.map((of) => ({ of, lines: issuedLines(of.book, of.before) }));
  const left = await readLeft(client, all);
  const issues: Issues = { issued: [], taxes: [], parts: new Map() };
  const parts = new Map<bigint, readonly TaxPart[]>();
  for (const { of, lines } of all) {
    const { dueDays, taxesOn } = termsOf(of);
    issues.issued.push(...issuedDocuments(of).map((one) => issueRow(of, one, { at, dueDays })));
    for (const [lineId, own] of taxPartsOf(of.book, lines, { taxesOn, left })) {
      parts.set(lineId, own);
      issues.taxes.push(...own.map((part, place) => taxRow(of, lineId, { part, place })));
    }
  }
  return { ...issues, parts };
}

/** Documents that are issued now. */
function issuedDocuments({ book, before }: Loaded): Invoice[] {
  const { added, changed } = changesOf(book);
  const was = new Map(before.invoices.map(({ id, status }) => [id, status]));
  return [...added.invoices, ...changed.invoices].filter(
    ({ id, status }) => status === 'committed' && was.get(id) !== 'committed',
  );
}

function issueRow(
  { book: { account }, before }: Loaded,
  invoice: Invoice,
  { at, dueDays }: { at: Date; dueDays: number },
): IssueRow {
  const { id, kind } = invoice;
  const wasDraft = before.invoices.some((row) => row.id === id);
  const on = issuedOn(invoice, { wasDraft, today: dayOfInstant(at, account.timeZone) });
  return {
    account_id: account.id,
    invoice_id: id,
    issued_on: formatDay(on),
    due_on: kind === 'credit' ? null : formatDay(on + dueDays),
  };
}

const taxRow = (
  { book }: Loaded,
  lineId: bigint,
  { part: { code, ppm, on, base, amount }, place }: { part: TaxPart; place: number },
): TaxRow => ({
  account_id: book.account.id,
  line_id: lineId,
  place: place + 1,
  tax_code: code,
  ppm,
  on_taxes: on.join(','),
  base,
  amount,
});

/** Purpose: what is left of the taxes of charges issued before that are lowered now. */
async function readLeft(
  client: ClientBase,
  all: readonly { of: Loaded; lines: readonly InvoiceLine[] }[],
): Promise<TaxParts> {
  const lowered = all.flatMap(({ lines }) => lines.flatMap((line) => line.linkedLineId ?? []));
  if (lowered.length === 0) return new Map();
  const { rows } = await client.query({
    name: 'postpaid-taxes-left',
    text: `SELECT coalesce(l.linked_line_id, l.id) AS charge, t.tax_code, t.ppm, t.on_taxes,
                  sum(t.base)::bigint AS base, sum(t.amount)::bigint AS amount
             FROM invoice_line l
             JOIN invoice i ON (i.account_id, i.id) = (l.account_id, l.invoice_id)
             JOIN invoice_tax t ON (t.account_id, t.line_id) = (l.account_id, l.id)
            WHERE l.account_id = ANY($1) AND (l.id = ANY($2) OR l.linked_line_id = ANY($2))
              AND i.status <> 'void'
            GROUP BY charge, t.place, t.tax_code, t.ppm, t.on_taxes ORDER BY charge, t.place`,
    values: [all.map(({ of }) => of.book.account.id), lowered],
  });
  const left = new Map<bigint, TaxPart[]>();
  for (const { charge, tax_code: code, ppm, on_taxes, base, amount } of rows) {
    const parts = left.get(charge) ?? [];
    parts.push({ code, ppm, on: on_taxes.split(','), base, amount });
    left.set(charge, parts);
  }
  return left;
}
