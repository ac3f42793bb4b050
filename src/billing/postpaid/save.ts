/** Writes what acts have added and changed, with its journals: one statement for any number. */

import type { ClientBase } from 'pg';
import { type Columns, parametersOf, placed, type Row } from '../../platform/database/columns.ts';
import { formatDay } from '../../platform/day.ts';
import { ENTRY_COLUMNS } from '../ledger/columns.ts';
import { changesOf } from './books.ts';
import type { Issues } from './issue.ts';
import { toData } from './kept.ts';
import type { Loaded } from './load.ts';
import type { Postings } from './posting.ts';
import type { TableName } from './rows.ts';
import { ACCOUNT_COLUMNS, type Field, fieldsOf, TABLE_NAMES, TABLES } from './tables.ts';

/** An account to write; `nextDueAt` is when the billing run must look at it again. */
export interface Written extends Loaded {
  nextDueAt: Date | null;
}

/** An answer to keep for whoever asks again with the same key. */
export interface KeptAnswer {
  accountId: bigint;
  key: string;
  contentHash: string;
  answer: unknown;
  at: Date;
}

export interface Writes {
  accounts: readonly Written[];
  postings: Postings;
  kept: KeptAnswer | null;
  issues: Issues;
  at: Date;
}

/** The columns of these fields, by name. */
const columnsOf = (fields: readonly Field[]): Columns =>
  Object.fromEntries(fields.map(({ name, type }) => [name, type === 'day' ? 'date' : type]));

function insert(table: string, from: string, fields: readonly Field[]): string {
  const names = fields.map(({ name }) => name).join(', ');
  return `INSERT INTO ${table} (${names})
  SELECT ${names} FROM ${from}`;
}

/** What tells which row changes, and what of it does. */
const changing = (fields: readonly Field[]): Field[] =>
  fields.filter(({ name, changes }) => changes || KEYS.has(name));

function update(table: string, from: string, fields: readonly Field[]): string {
  const sets = fields.filter(({ changes }) => changes).map(({ name }) => `${name} = x.${name}`);
  const where = fields
    .filter(({ name }) => KEYS.has(name))
    .map(({ name }) => `t.${name} = x.${name}`);
  return `UPDATE ${table} t SET ${sets.join(', ')}
    FROM ${from}
   WHERE ${where.join(' AND ')}`;
}

const KEYS = new Set(['id', 'account_id']);

/** What the store knows of an account and the engine does not. */
const ACCOUNT_FIELDS: readonly Field[] = [
  ...fieldsOf(ACCOUNT_COLUMNS),
  { field: 'subscriberId', name: 'subscriber_id', type: 'bigint', changes: false },
  { field: 'category', name: 'category', type: 'text', changes: false },
];
const CREATED_AT: Field = {
  field: 'createdAt',
  name: 'created_at',
  type: 'timestamptz',
  changes: false,
};

const FIELDS = new Map(
  TABLE_NAMES.map((name) => {
    const own = fieldsOf(TABLES[name].columns);
    return [name, name === 'invoices' ? [...own, CREATED_AT] : own];
  }),
);
const fields = (name: TableName): readonly Field[] => FIELDS.get(name) ?? [];
const CHANGING = TABLE_NAMES.filter((name) => fields(name).some(({ changes }) => changes));

const ACCOUNTS: Columns = { ...columnsOf(ACCOUNT_FIELDS), due_at: 'timestamptz' };
const names = Object.keys(ACCOUNTS).join(', ');

/** Sets of rows that are added and changed, in the order in which they are parameters. */
const SETS = {
  known: ACCOUNTS,
  fresh: ACCOUNTS,
  journals: {
    id: 'bigint',
    kind: 'text',
    site_id: 'bigint',
    fact_id: 'bigint',
    effective_at: 'timestamptz',
    reverses: 'bigint',
  },
  entries: ENTRY_COLUMNS,
  acts: {
    account_id: 'bigint',
    key: 'text',
    content_hash: 'text',
    answer: 'jsonb',
    acted_at: 'timestamptz',
  },
  issues: { account_id: 'bigint', invoice_id: 'bigint', issued_on: 'date', due_on: 'date' },
  taxes: {
    account_id: 'bigint',
    line_id: 'bigint',
    place: 'smallint',
    tax_code: 'text',
    ppm: 'bigint',
    on_taxes: 'text',
    base: 'bigint',
    amount: 'bigint',
  },
} as const satisfies Record<string, Columns>;

const setOf = (which: 'added' | 'changed', name: TableName): string => `${which} ${name}`;

const ALL_SETS: Readonly<Record<string, Columns>> = {
  ...SETS,
  ...Object.fromEntries(TABLE_NAMES.map((name) => [setOf('added', name), columnsOf(fields(name))])),
  ...Object.fromEntries(
    CHANGING.map((name) => [setOf('changed', name), columnsOf(changing(fields(name)))]),
  ),
};
const FROM = placed(ALL_SETS);

const appended = (table: string, set: keyof typeof SETS): string =>
  `INSERT INTO ${table} (${Object.keys(SETS[set]).join(', ')}) SELECT * FROM ${FROM[set]}`;

const UPDATE_ACCOUNTS = `
  UPDATE postpaid_account t
     SET ${ACCOUNT_FIELDS.filter(({ changes }) => changes)
       .map(({ name }) => `${name} = x.${name}`)
       .join(', ')}, due_at = x.due_at
    FROM ${FROM.known}
   WHERE t.id = x.id`;

/**
 * Purpose: all rows of a change in one round trip. Locks: the accounts are locked already, new
 * rows are seen by nobody. References may stand in the same statement: they are checked at its
 * end, and so is that each journal sums to zero.
 */
const SAVE = `
WITH new_accounts AS (
  INSERT INTO postpaid_account (${names}) SELECT * FROM ${FROM.fresh}
), changed_accounts AS (${UPDATE_ACCOUNTS}
), journals AS (${appended('journal', 'journals')}
), entries AS (${appended('entry', 'entries')}
), acts AS (${appended('postpaid_act', 'acts')}
), issues AS (${appended('invoice_issue', 'issues')}
), taxes AS (${appended('invoice_tax', 'taxes')}
), ${[
  ...TABLE_NAMES.map((name) => {
    const { table } = TABLES[name];
    const from = FROM[setOf('added', name)] ?? '';
    return `new_${table} AS (${insert(table, from, fields(name))}\n)`;
  }),
  ...CHANGING.map((name) => {
    const { table } = TABLES[name];
    const from = FROM[setOf('changed', name)] ?? '';
    return `changed_${table} AS (${update(table, from, changing(fields(name)))}\n)`;
  }),
].join(', ')}
SELECT 1`;

/** Writes all of it. Throws when a table was changed whose rows never change. */
export async function save(client: ClientBase, { accounts, ...rest }: Writes): Promise<void> {
  const changes = accounts.map((written) => ({ written, ...changesOf(written.book) }));
  for (const name of TABLE_NAMES) {
    if (!CHANGING.includes(name) && changes.some(({ changed }) => changed[name].length > 0)) {
      throw new Error(`Rows of ${name} never change`);
    }
  }
  const isNew = ({ account }: { account: string }) => account === 'added';
  const [fresh, known] = [changes.filter(isNew), changes.filter((one) => !isNew(one))];
  const settings = known.map(({ written }) => accountRow(written));
  const isMore = ({ account, written: { book } }: (typeof changes)[number]): boolean =>
    book.added.size + book.changed.size > (account === 'same' ? 0 : 1);
  if (fresh.length === 0 && !rest.kept && !changes.some(isMore)) {
    // A day on which nothing was to do.
    const values = parametersOf(ACCOUNTS, settings);
    await client.query({ name: 'postpaid-days', text: UPDATE_ACCOUNTS, values });
    return;
  }
  const rows = new Map<string, readonly Row[]>([
    ['known', settings],
    ['fresh', fresh.map(({ written }) => accountRow(written))],
    ['journals', rest.postings.journals],
    ['entries', rest.postings.entries],
    ['acts', rest.kept ? [keptRow(rest.kept)] : []],
    ['issues', rest.issues.issued],
    ['taxes', rest.issues.taxes],
  ]);
  for (const which of ['added', 'changed'] as const) {
    for (const name of TABLE_NAMES) {
      const own = changes.flatMap((one) =>
        one[which][name].map((row) => encode(fields(name), row, rest.at)),
      );
      rows.set(setOf(which, name), own);
    }
  }
  const values = Object.entries(ALL_SETS).flatMap(([set, columns]) =>
    parametersOf(columns, rows.get(set) ?? []),
  );
  await client.query({ name: 'postpaid-save', text: SAVE, values });
}

const accountRow = ({ book, subscriberId, category, nextDueAt }: Written) => ({
  ...encode(ACCOUNT_FIELDS, { ...book.account, subscriberId, category }, null),
  due_at: nextDueAt,
});

const keptRow = ({ accountId, key, contentHash, answer, at }: KeptAnswer) => ({
  account_id: accountId,
  key,
  content_hash: contentHash,
  answer: toData(answer),
  acted_at: at,
});

function encode(columns: readonly Field[], row: object, createdAt: Date | null): Row {
  const values = row as Readonly<Record<string, unknown>>;
  const encoded: Record<string, unknown> = {};
  for (const { field, name, type } of columns) {
    const value = field === CREATED_AT.field ? createdAt : values[field];
    encoded[name] = type === 'day' && typeof value === 'number' ? formatDay(value) : value;
  }
  return encoded;
}
