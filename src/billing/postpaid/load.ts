/** Reads accounts with all their rows: two round trips for any number of them. */
import type { ClientBase } from 'pg';
import type { Category } from '../catalogue/file/types.ts';
import { type Book, openBook, type Rows } from './books.ts';
import type { LegalEntity } from './numbers.ts';
import type { PostpaidAccount, TableName, Tables } from './rows.ts';
import {
  ACCOUNT_COLUMNS,
  type Column,
  type Field,
  fieldsOf,
  TABLE_NAMES,
  TABLES,
} from './tables.ts';

/** Where an account belongs. */
export interface Place {
  siteId: bigint;
  /** Code of the site. */
  site: string;
  /** For whom its prices are; see `Buyers`. */
  category: Category;
  subscriberId: bigint;
  /** In whose name it is billed; null = nobody yet, so that nothing can be issued. */
  entity: LegalEntity | null;
}

/** An account with its rows as they were, which those to write are compared with. */
export interface Loaded extends Place {
  book: Book;
  before: Rows;
}

/** bigint as text, which JSON keeps whole; days as numbers. */
function selected({ name, type }: Column): string {
  if (type === 'bigint') return `${name}::text`;
  return type === 'day' ? `${name} - DATE '1970-01-01'` : name;
}

const ACCOUNT_FIELDS = fieldsOf(ACCOUNT_COLUMNS);
const FIELDS = new Map(TABLE_NAMES.map((name) => [name, fieldsOf(TABLES[name].columns)]));

const PLACE = `s.id AS subscriber_id, s.site_id, t.code AS site, e.id AS entity_id,
       e.fiscal_month, e.invoice_format, e.credit_note_format
  FROM subscriber s
  JOIN site t ON t.id = s.site_id
  LEFT JOIN site_legal_entity l ON l.site_id = s.site_id
  LEFT JOIN legal_entity e ON e.id = l.legal_entity_id`;

const ACCOUNTS = `
SELECT json_build_array(${ACCOUNT_FIELDS.map((f) => selected({ ...f, name: `a.${f.name}` })).join(
  ', ',
)}) AS account,
       a.category, ${PLACE}
  JOIN postpaid_account a ON a.subscriber_id = s.id
 WHERE a.id = ANY($1)
 ORDER BY a.id`;

/** Purpose: lock accounts, in the order of their ids, before anything of them is read. */
const LOCK = `${ACCOUNTS}\n   FOR NO KEY UPDATE OF a`;

/** Purpose: every row of these accounts, one result row a table, in the order of recording. */
const ROWS = TABLE_NAMES.map((name) => {
  const list = fieldsOf(TABLES[name].columns).map(selected).join(', ');
  return `SELECT '${name}' AS name,
       json_agg(json_build_array(${list}) ORDER BY account_id, id) AS rows
  FROM ${TABLES[name].table} WHERE account_id = ANY($1)`;
}).join('\nUNION ALL\n');

interface PlaceRow {
  subscriber_id: bigint;
  site_id: bigint;
  site: string;
  category: Category;
  entity_id: bigint | null;
  fiscal_month: number;
  invoice_format: string;
  credit_note_format: string;
}

interface AccountRow extends PlaceRow {
  account: unknown[];
}

/** Where a new account of a subscriber belongs. Throws when there is no such subscriber. */
export async function readPlace(client: ClientBase, subscriberId: bigint): Promise<Place> {
  const { rows } = await client.query(`SELECT s.category, ${PLACE} WHERE s.id = $1`, [
    subscriberId,
  ]);
  if (!rows[0]) throw new Error(`There is no subscriber ${subscriberId}`);
  return placeOf(rows[0]);
}

/** A new account, as one that had nothing before. */
export const newlyLoaded = (book: Book, place: Place): Loaded => ({
  ...place,
  book,
  before: emptyRows(),
});

/** Loads accounts and locks them for the rest of the transaction. Throws when one is unknown. */
export async function loadLocked(
  client: ClientBase,
  accountIds: readonly bigint[],
): Promise<Map<bigint, Loaded>> {
  const values = [accountIds];
  const accounts = await client.query({ name: 'postpaid-lock', text: LOCK, values });
  return await withRows(client, accountIds, accounts.rows);
}

/** Loads accounts as they are now, without a lock: for reading. Throws when one is unknown. */
export async function loadBooks(
  client: ClientBase,
  accountIds: readonly bigint[],
): Promise<Map<bigint, Loaded>> {
  const accounts = await client.query({ text: ACCOUNTS, values: [accountIds] });
  return await withRows(client, accountIds, accounts.rows);
}

async function withRows(
  client: ClientBase,
  accountIds: readonly bigint[],
  accounts: readonly AccountRow[],
): Promise<Map<bigint, Loaded>> {
  if (accounts.length !== new Set(accountIds).size) throw new Error('Unknown postpaid account');
  const { rows } = await client.query({
    name: 'postpaid-rows',
    text: ROWS,
    values: [accountIds],
  });
  const stored = new Map<bigint, Rows>(accounts.map((row) => [idOf(row), emptyRows()]));
  for (const { name, rows: values } of rows as { name: TableName; rows: unknown[][] | null }[]) {
    for (const row of values ?? []) put(stored, name, row);
  }
  return new Map(accounts.map((row) => [idOf(row), loaded(row, stored.get(idOf(row)))]));
}

const emptyRows = (): Rows =>
  Object.fromEntries(TABLE_NAMES.map((name) => [name, []])) as unknown as Rows;

function put(stored: Map<bigint, Rows>, name: TableName, values: unknown[]): void {
  const row = decode(FIELDS.get(name) ?? [], values) as Tables[TableName];
  (stored.get(row.accountId)?.[name] as Tables[TableName][] | undefined)?.push(row);
}

const idOf = ({ account }: AccountRow): bigint => BigInt(String(account[0]));

function decode(fields: readonly Field[], values: readonly unknown[]): object {
  const row: Record<string, unknown> = {};
  for (const [at, { field, type }] of fields.entries()) {
    const value = values[at];
    row[field] = type === 'bigint' && value !== null ? BigInt(String(value)) : value;
  }
  return row;
}

function loaded(row: AccountRow, rows: Rows = emptyRows()): Loaded {
  const account = decode(ACCOUNT_FIELDS, row.account) as PostpaidAccount;
  return { ...placeOf(row), book: openBook(account, rows), before: rows };
}

function placeOf(row: PlaceRow): Place {
  const entity = row.entity_id && {
    id: row.entity_id,
    fiscalMonth: row.fiscal_month,
    formats: { invoice: row.invoice_format, credit_note: row.credit_note_format },
  };
  const { site_id: siteId, subscriber_id: subscriberId, site, category } = row;
  return { siteId, subscriberId, site, category, entity: entity || null };
}

/** The latest id that any of these accounts has: new ones must be above it. */
export function latestId(accounts: Iterable<Loaded>): bigint {
  let latest = 0n;
  for (const { before } of accounts) {
    for (const name of TABLE_NAMES) {
      const last = before[name].at(-1)?.id ?? 0n;
      if (last > latest) latest = last;
    }
  }
  return latest;
}
