/** Writes what acts have added and changed, with its journals: one statement for any number. */
import type { ClientBase } from 'pg';
import { formatDay } from '../../platform/day.ts';
import { bigintAsDigits } from '../../platform/json.ts';
import { changesOf } from './books.ts';
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
}

const typeOf = ({ type }: Field): string => (type === 'day' ? 'date' : type);

const recordset = (parameter: number, columns: readonly string[]): string =>
  `jsonb_to_recordset($${parameter}::jsonb) AS x (${columns.join(', ')})`;

const definitions = (fields: readonly Field[]): string[] =>
  fields.map((field) => `${field.name} ${typeOf(field)}`);

function insert(table: string, fields: readonly Field[], parameter: number): string {
  const names = fields.map(({ name }) => name).join(', ');
  return `INSERT INTO ${table} (${names})
  SELECT ${names} FROM ${recordset(parameter, definitions(fields))}`;
}

function update(table: string, fields: readonly Field[], parameter: number): string {
  const kept = fields.filter(({ name, changes }) => changes || KEYS.has(name));
  const sets = fields.filter(({ changes }) => changes).map(({ name }) => `${name} = x.${name}`);
  const where = kept
    .filter(({ name }) => KEYS.has(name))
    .map(({ name }) => `t.${name} = x.${name}`);
  return `UPDATE ${table} t SET ${sets.join(', ')}
    FROM ${recordset(parameter, definitions(kept))}
   WHERE ${where.join(' AND ')}`;
}

const KEYS = new Set(['id', 'account_id']);

/** What the store knows of an account and the engine does not. */
const ACCOUNT_FIELDS: readonly Field[] = [
  ...fieldsOf(ACCOUNT_COLUMNS),
  { field: 'subscriberId', name: 'subscriber_id', type: 'bigint', changes: false },
];
const DUE = ', due_at timestamptz';

const FIELDS = new Map(TABLE_NAMES.map((name) => [name, fieldsOf(TABLES[name].columns)]));
const fields = (name: TableName): readonly Field[] => FIELDS.get(name) ?? [];
const CHANGING = TABLE_NAMES.filter((name) => fields(name).some(({ changes }) => changes));

const names = ACCOUNT_FIELDS.map(({ name }) => name).join(', ');
const OTHERS_FROM = 6;

const UPDATE_ACCOUNTS = `
  UPDATE postpaid_account t
     SET ${ACCOUNT_FIELDS.filter(({ changes }) => changes)
       .map(({ name }) => `${name} = x.${name}`)
       .join(', ')}, due_at = x.due_at
    FROM jsonb_to_recordset($1::jsonb) AS x (${definitions(ACCOUNT_FIELDS).join(', ')}${DUE})
   WHERE t.id = x.id`;

/**
 * Purpose: all rows of a change in one round trip. Locks: the accounts are locked already, new
 * rows are seen by nobody. References may stand in the same statement: they are checked at its
 * end, and so is that each journal sums to zero.
 */
const SAVE = `
WITH new_accounts AS (
  INSERT INTO postpaid_account (${names}, due_at)
  SELECT ${names}, due_at
    FROM jsonb_to_recordset($2::jsonb) AS x (${definitions(ACCOUNT_FIELDS).join(', ')}${DUE})
), changed_accounts AS (${UPDATE_ACCOUNTS}
), journals AS (
  INSERT INTO journal (id, kind, site_id, fact_id, effective_at, reverses)
  SELECT * FROM jsonb_to_recordset($3::jsonb) AS x (id bigint, kind text, site_id bigint,
         fact_id bigint, effective_at timestamptz, reverses bigint)
), entries AS (
  INSERT INTO entry (journal_id, line, account_id, asset, amount)
  SELECT * FROM jsonb_to_recordset($4::jsonb) AS x (journal_id bigint, line smallint,
         account_id bigint, asset text, amount bigint)
), acts AS (
  INSERT INTO postpaid_act (account_id, key, content_hash, answer, acted_at)
  SELECT * FROM jsonb_to_recordset($5::jsonb) AS x (account_id bigint, key text,
         content_hash text, answer jsonb, acted_at timestamptz)
), ${[
  ...TABLE_NAMES.map(
    (name, at) => `new_${TABLES[name].table} AS (
  ${insert(TABLES[name].table, fields(name), OTHERS_FROM + at)}
)`,
  ),
  ...CHANGING.map(
    (name, at) => `changed_${TABLES[name].table} AS (
  ${update(TABLES[name].table, fields(name), OTHERS_FROM + TABLE_NAMES.length + at)}
)`,
  ),
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
  const of = (which: 'added' | 'changed') => (name: TableName) =>
    json(changes.flatMap((one) => one[which][name].map((row) => encode(fields(name), row))));
  const isNew = ({ account }: { account: string }) => account === 'added';
  const [fresh, known] = [changes.filter(isNew), changes.filter((one) => !isNew(one))];
  const settings = json(known.map(({ written }) => accountRow(written)));
  const isMore = ({ account, written: { book } }: (typeof changes)[number]): boolean =>
    book.added.size + book.changed.size > (account === 'same' ? 0 : 1);
  if (fresh.length === 0 && !rest.kept && !changes.some(isMore)) {
    // A day on which nothing was to do.
    await client.query({ name: 'postpaid-days', text: UPDATE_ACCOUNTS, values: [settings] });
    return;
  }
  await client.query({
    name: 'postpaid-save',
    text: SAVE,
    values: [
      settings,
      json(fresh.map(({ written }) => accountRow(written))),
      json(rest.postings.journals),
      json(rest.postings.entries),
      json(rest.kept ? [keptRow(rest.kept)] : []),
      ...TABLE_NAMES.map(of('added')),
      ...CHANGING.map(of('changed')),
    ],
  });
}

const accountRow = ({ book, subscriberId, nextDueAt }: Written) => ({
  ...encode(ACCOUNT_FIELDS, { ...book.account, subscriberId }),
  due_at: nextDueAt,
});

const keptRow = ({ accountId, key, contentHash, answer, at }: KeptAnswer) => ({
  account_id: accountId,
  key,
  content_hash: contentHash,
  answer: toData(answer),
  acted_at: at,
});

function encode(columns: readonly Field[], row: object): Record<string, unknown> {
  const values = row as Readonly<Record<string, unknown>>;
  const encoded: Record<string, unknown> = {};
  for (const { field, name, type } of columns) {
    const value = values[field];
    encoded[name] = type === 'day' && typeof value === 'number' ? formatDay(value) : value;
  }
  return encoded;
}

const json = (rows: readonly unknown[]): string =>
  rows.length === 0 ? '[]' : JSON.stringify(rows, bigintAsDigits);
