/** What is remembered while a case is told. */
import type { Answer } from '../../src/billing/postpaid/actions.ts';
import { totalOf } from '../../src/billing/postpaid/balances.ts';
import type { Book } from '../../src/billing/postpaid/books.ts';
import type { Invoice, InvoiceLine } from '../../src/billing/postpaid/rows.ts';
import { type Day, formatDay } from '../../src/platform/day.ts';
import { formatMinor } from '../../src/platform/money/amount.ts';
import { BadCase } from '../result.ts';
import type { ScriptedGateway } from './gateway.ts';
import type { PostpaidHouse } from './house.ts';
import type { Setup } from './setup.ts';

/** What came of an action. */
export interface Performed {
  /** Why it was refused; null = accepted. */
  error: string | null;
  /** Of an act on an account. */
  answer: Answer | null;
  /** Of a pure call. */
  value: unknown;
  /** The items that the preview asked for had. */
  preview: string[] | null;
  account: string;
  before: Book | null;
  after: Book | null;
}

/** A line as cases write it. */
export interface ShownItem {
  type: string;
  ref: string | null;
  from: string;
  to: string | null;
  amount: string;
}

/** An invoice that a run made, as it was before any later act. */
export interface MadeInvoice {
  account: string;
  on: string;
  nth: number;
  id: bigint;
  shown: ShownInvoice;
}

export interface ShownInvoice {
  items: ShownItem[];
  total: string;
  /** Collected by its automatic payments. */
  payment: string;
}

export interface Story {
  setup: Setup;
  house: PostpaidHouse;
  gateway: ScriptedGateway;
  /** Account ids by name. */
  accounts: Map<string, bigint>;
  performed: Map<number, Performed>;
  invoices: MadeInvoice[];
  /** No automatic work before this day. */
  downUntil: Day | null;
}

export function accountIdOf(story: Story, name: string): bigint {
  const id = story.accounts.get(name);
  if (id === undefined) throw new BadCase(`no account ${name}`);
  return id;
}

/**
 * The account that is named, else `main`; where main has no such subscription (or there is no
 * main), the one that has it now.
 */
export async function accountFor(
  story: Story,
  { account, ref }: { account?: string | undefined; ref?: unknown },
): Promise<string> {
  if (account !== undefined || typeof ref !== 'string') return account ?? 'main';
  const latest: { name: string; id: bigint }[] = [];
  for (const [name, id] of story.accounts) {
    const found = await story.house.read(id, (book) =>
      book.rows.contracts.findLast((row) => row.ref === ref),
    );
    if (found && name === 'main') return name;
    if (found) latest.push({ name, id: found.id });
  }
  return latest.sort((a, b) => (a.id > b.id ? -1 : 1))[0]?.name ?? 'main';
}

/** Reads the book of a named account. */
export const readBook = <T>(story: Story, name: string, fn: (book: Book) => T): Promise<T> =>
  story.house.read(accountIdOf(story, name), fn);

export const money = (book: Book, minor: bigint): string =>
  formatMinor(minor, book.account.currency);

export function shownItem(book: Book, line: InvoiceLine): ShownItem {
  const contract = book.rows.contracts.find(({ id }) => id === line.contractId);
  return {
    type: line.type,
    ref: contract?.ref ?? null,
    from: formatDay(line.from),
    to: line.to === null ? null : formatDay(line.to),
    amount: money(book, line.amount),
  };
}

export function shownInvoice(book: Book, invoice: Invoice): ShownInvoice {
  const lines = book.rows.lines.filter(({ invoiceId }) => invoiceId === invoice.id);
  const payments = new Set(
    book.rows.payments
      .filter(({ invoiceId, kind }) => invoiceId === invoice.id && kind === 'automatic')
      .map(({ id }) => id),
  );
  const paid = book.rows.attempts
    .filter(({ paymentId }) => payments.has(paymentId))
    .reduce((sum, attempt) => sum + attempt.paid, 0n);
  return {
    items: lines.map((line) => shownItem(book, line)),
    total: money(book, totalOf(book, invoice)),
    payment: money(book, paid),
  };
}

/** Notes the invoices that runs of an account have made since the last look. */
export async function noteInvoices(story: Story, account: string): Promise<void> {
  const known = new Set(story.invoices.map(({ id }) => id));
  await readBook(story, account, (book) => {
    for (const invoice of book.rows.invoices) {
      if (invoice.kind !== 'run' || known.has(invoice.id)) continue;
      const on = formatDay(invoice.on);
      const same = story.invoices.filter((one) => one.account === account && one.on === on);
      const shown = shownInvoice(book, invoice);
      story.invoices.push({ account, on, nth: same.length + 1, id: invoice.id, shown });
    }
  });
}
