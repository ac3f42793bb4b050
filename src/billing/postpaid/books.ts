/**
 * The working copy of accounts: their rows, and what was added and changed since it was opened.
 * Rows are never changed in place, so that a copy is cheap and a refused act leaves no trace.
 */
import type { PostpaidAccount, TableName, Tables } from './rows.ts';

export type Rows = { readonly [T in TableName]: readonly Tables[T][] };

/** All that is known of one account. Rows of each table are in the order of their ids. */
export interface Book {
  account: PostpaidAccount;
  rows: { [T in TableName]: Tables[T][] };
  /** Ids of rows that were added, and of older rows that were replaced. */
  added: Set<bigint>;
  changed: Set<bigint>;
}

/** The books of the accounts that an act concerns, by account id. */
export type Books = Map<bigint, Book>;

/** Rising ids; a caller with a database lends them in blocks. */
export interface IdSource {
  next(): bigint;
}

const TABLES: readonly TableName[] = [
  'billingDayChanges',
  'overdueChanges',
  'contracts',
  'events',
  'invoices',
  'lines',
  'payments',
  'attempts',
  'returns',
  'keys',
];

const noRows = (): Book['rows'] => ({
  billingDayChanges: [],
  overdueChanges: [],
  contracts: [],
  events: [],
  invoices: [],
  lines: [],
  payments: [],
  attempts: [],
  returns: [],
  keys: [],
});

/** Opens the book of an account from its stored rows (in the order of their ids), or empty. */
export function openBook(account: PostpaidAccount, stored?: Rows): Book {
  const rows = noRows();
  if (stored) for (const table of TABLES) fill(rows, stored, table);
  return { account, rows, added: new Set(), changed: new Set() };
}

function fill<T extends TableName>(to: Book['rows'], from: Rows, table: T): void {
  to[table] = [...from[table]] as Book['rows'][T];
}

/** A copy that can be worked on and thrown away. */
export function copyBook(book: Book): Book {
  const rows = noRows();
  for (const table of TABLES) fill(rows, book.rows, table);
  return {
    account: book.account,
    rows,
    added: new Set(book.added),
    changed: new Set(book.changed),
  };
}

/** Makes `book` what `copy` became. */
export function adopt(book: Book, copy: Book): void {
  book.account = copy.account;
  book.rows = copy.rows;
  book.added = copy.added;
  book.changed = copy.changed;
}

/** Appends a row. */
export function add<T extends TableName>(book: Book, table: T, row: Tables[T]): Tables[T] {
  (book.rows[table] as Tables[T][]).push(row);
  book.added.add(row.id);
  return row;
}

/** Replaces fields of a row that may change. */
export function change<T extends TableName>(
  book: Book,
  table: T,
  id: bigint,
  fields: Partial<Tables[T]>,
): Tables[T] {
  const rows = book.rows[table] as Tables[T][];
  const at = rows.findIndex((row) => row.id === id);
  const before = rows[at];
  if (!before) throw new Error(`${table} has no row ${id}`);
  const after = { ...before, ...fields };
  rows[at] = after;
  if (!book.added.has(id)) book.changed.add(id);
  return after;
}

/** Replaces fields of the account. */
export function changeAccount(book: Book, fields: Partial<PostpaidAccount>): void {
  book.account = { ...book.account, ...fields };
  if (!book.added.has(book.account.id)) book.changed.add(book.account.id);
}

/** What must be written: new rows, and older rows as they are now. */
export function changesOf(book: Book): {
  account: 'added' | 'changed' | 'same';
  added: Rows;
  changed: Rows;
} {
  const added = noRows();
  const changed = noRows();
  for (const table of TABLES) {
    pick(book, table, book.added, added);
    pick(book, table, book.changed, changed);
  }
  const { id } = book.account;
  const account = book.added.has(id) ? 'added' : book.changed.has(id) ? 'changed' : 'same';
  return { account, added, changed };
}

function pick<T extends TableName>(
  book: Book,
  table: T,
  ids: Set<bigint>,
  into: Book['rows'],
): void {
  if (ids.size === 0) return;
  into[table] = book.rows[table].filter((row) => ids.has(row.id)) as Book['rows'][T];
}

/** Has anything changed since it was opened? */
export const isTouched = (book: Book): boolean => book.added.size + book.changed.size > 0;
