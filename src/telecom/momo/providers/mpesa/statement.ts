/**
 * The statement of an organisation's M-PESA account as its portal exports it: some lines about
 * the organisation, a header line, one line a movement, totals. Columns differ between countries
 * and years, so they are found by name. Two forms of date may stand in one file.
 */

import { parseCsv } from '../../../../platform/csv.ts';
import { toInstant } from '../../../../platform/instant.ts';
import { currencyExponent, parseAmount } from '../../../../platform/money/amount.ts';
import { toE164 } from '../../../../platform/phone.ts';
import type { MoneyStatement, ReadContext, Refused, StatementRow } from '../../../canonical.ts';
import { MISSING_FIELD } from '../../../provider.ts';
import { partyNumber } from './results.ts';

/** The separator is the first of these whose header line has all needed columns. */
const SEPARATORS = [',', ';', '\t', '|'] as const;
const NEEDED_COLUMNS = ['receiptno', 'paidin', 'withdrawn'] as const;
/** The header stands within the first lines or nowhere. */
const PREAMBLE_ROWS_MAX = 100;

/** Reads one line's cell by column name; empty when the column or the cell is not there. */
type Cells = (...columns: string[]) => string;

/** Reads a whole statement; without its header line it is refused. */
export function readStatement(text: string, context: ReadContext): MoneyStatement | Refused {
  const table = findTable(text);
  if (table === null) return MISSING_FIELD;
  const lines = table.lines.map((cells) => cellReader(table.columns, cells));
  const currency = lines.map((cell) => cell('currency').toUpperCase()).find(isCurrency);
  const rowContext = { ...context, currency: currency ?? context.currency };
  const rows: StatementRow[] = [];
  for (const cell of lines) {
    const row = readRow(cell, rowContext);
    if (row !== null) rows.push(row);
  }
  const ignored = lines.length - rows.length;
  return { type: 'money.statement', currency: rowContext.currency, rows, ignored };
}

function isCurrency(code: string): boolean {
  return currencyExponent(code).ok;
}

interface Table {
  columns: ReadonlyMap<string, number>;
  lines: string[][];
}

function findTable(text: string): Table | null {
  for (const separator of SEPARATORS) {
    const parsed = parseCsv(text, separator);
    if (!parsed.ok) return null;
    for (const [at, cells] of parsed.rows.slice(0, PREAMBLE_ROWS_MAX).entries()) {
      const columns = new Map(cells.map((cell, index): [string, number] => [key(cell), index]));
      if (NEEDED_COLUMNS.every((name) => columns.has(name))) {
        return { columns, lines: parsed.rows.slice(at + 1) };
      }
    }
  }
  return null;
}

/** `A/C No.` and `a/c no` are one column. */
function key(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '');
}

function cellReader(columns: ReadonlyMap<string, number>, cells: readonly string[]): Cells {
  return (...names) => {
    for (const name of names) {
      const cell = cells[columns.get(name) ?? -1]?.trim() ?? '';
      if (cell !== '') return cell;
    }
    return '';
  };
}

/** A receipt has at least one digit and no blank; `Totals` and a repeated header have not. */
const RECEIPT = /^(?=.*\d)[A-Za-z0-9._/-]{2,40}$/;

function readRow(cell: Cells, context: ReadContext): StatementRow | null {
  const receipt = cell('receiptno');
  if (!RECEIPT.test(receipt)) return null;
  const details = cell('details');
  const { direction, amount } = readMovement(cell, details);
  const parsed = parseAmount(amount, context.currency, { grouped: true });
  const status = cell('transactionstatus', 'status').toLowerCase();
  return {
    txnId: receipt.toUpperCase(),
    occurredAt: toInstant(cell('completiontime', 'initiationtime'), context.timeZone),
    direction,
    status: status === 'completed' || status === '' ? 'completed' : 'failed',
    amountMinor: parsed.ok ? parsed.minor.toString() : null,
    accountRef: cell('acno', 'accountno', 'accountnumber') || accountIn(details),
    payerMsisdn: direction === 'in' ? payerOf(cell, details, context) : null,
  };
}

/** Which way the money went: the column that is not zero decides, for its sign differs. */
function readMovement(cell: Cells, details: string) {
  const paidIn = cell('paidin');
  const withdrawn = cell('withdrawn');
  const isIn = isNothing(withdrawn) && !(isNothing(paidIn) && withdrawn !== '' && paidIn === '');
  if (isIn && !isNegative(paidIn)) return { direction: 'in', amount: paidIn } as const;
  const amount = (isIn ? paidIn : withdrawn).replace(/^[-(+\s]+|[)\s]+$/g, '');
  const isCharge = CHARGE.test(`${withoutAccount(details)} ${cell('reasontype')}`);
  return { direction: isCharge ? 'charge' : 'out', amount } as const;
}

function isNothing(amount: string): boolean {
  return /^[-+\s]*[0.,]*$/.test(amount);
}

function isNegative(amount: string): boolean {
  return /^[-(]/.test(amount);
}

const CHARGE = /\b(?:charges?|fees?|tariff|excise duty)\b/i;
const ACCOUNT = /\bAcc(?:ount)?\.?(?:\s*(?:No|Number)\.?)?[\s:]+(\S.*)$/i;

/** `GV A2` of `Pay Bill from 2547****678 - Acc. GV A2`; null when the details name none. */
function accountIn(details: string): string | null {
  return ACCOUNT.exec(details)?.[1]?.trim() ?? null;
}

function withoutAccount(details: string): string {
  return details.replace(ACCOUNT, '');
}

function payerOf(cell: Cells, details: string, context: ReadContext): string | null {
  const party = cell('otherpartyinfo', 'oppositeparty', 'otherparty');
  const named = toE164(partyNumber(party), context.country);
  if (named !== null) return named;
  const inDetails = /\bfrom\s+(\+?\d+)(?![\d*])/i.exec(details)?.[1];
  return toE164(inDetails, context.country);
}
