/** Where each row type of rows.ts lies in the database: a column and a type for every field. */
import type { PostpaidAccount, TableName, Tables } from './rows.ts';

/** `day` is a date column, and days since 1970-01-01 in a row. */
export type ColumnType =
  | 'bigint'
  | 'integer'
  | 'smallint'
  | 'text'
  | 'boolean'
  | 'day'
  | 'timestamptz';

export interface Column {
  readonly name: string;
  readonly type: ColumnType;
  /** It may change after the row was written. */
  readonly changes: boolean;
}

export type Columns<Row> = { readonly [F in keyof Row]-?: Column };

const column = (name: string, type: ColumnType): Column => ({ name, type, changes: false });
const changing = (name: string, type: ColumnType): Column => ({ name, type, changes: true });

const ID = column('id', 'bigint');
const ACCOUNT = column('account_id', 'bigint');

/** Its subscriber and `due_at` are no part of the row: the store knows them. */
export const ACCOUNT_COLUMNS: Columns<PostpaidAccount> = {
  id: ID,
  openedOn: column('opened_on', 'day'),
  timeZone: column('time_zone', 'text'),
  currency: column('currency', 'text'),
  billingDay: changing('billing_day', 'smallint'),
  autoPay: changing('auto_pay', 'boolean'),
  autoInvoice: changing('auto_invoice', 'boolean'),
  paymentMethod: changing('payment_method', 'boolean'),
  parked: changing('parked', 'boolean'),
  lastTarget: changing('last_target', 'day'),
  workedThrough: changing('worked_through', 'day'),
};

type Mapping = { readonly [T in TableName]: { table: string; columns: Columns<Tables[T]> } };

/** In the order in which rows refer to each other. */
export const TABLES: Mapping = {
  billingDayChanges: {
    table: 'billing_day_change',
    columns: {
      id: ID,
      accountId: ACCOUNT,
      on: column('changed_on', 'day'),
      before: column('before', 'smallint'),
      day: column('day', 'smallint'),
    },
  },
  overdueChanges: {
    table: 'overdue_change',
    columns: {
      id: ID,
      accountId: ACCOUNT,
      on: column('entered_on', 'day'),
      state: column('state', 'text'),
      blocksChanges: column('blocks_changes', 'boolean'),
      stops: column('stops', 'boolean'),
    },
  },
  contracts: {
    table: 'contract',
    columns: {
      id: ID,
      accountId: ACCOUNT,
      ref: column('ref', 'text'),
      baseId: column('base_id', 'bigint'),
      soldOn: column('sold_on', 'day'),
      startsOn: column('starts_on', 'day'),
      continuesId: column('continues_id', 'bigint'),
    },
  },
  events: {
    table: 'contract_event',
    columns: {
      id: ID,
      accountId: ACCOUNT,
      contractId: column('contract_id', 'bigint'),
      kind: column('kind', 'text'),
      on: column('recorded_on', 'day'),
      effective: column('effective_on', 'day'),
      planCode: column('plan_code', 'text'),
      phasesFrom: column('phases_from', 'day'),
      price: column('price', 'bigint'),
      period: column('period', 'text'),
      billing: column('billing', 'text'),
      day: column('day', 'smallint'),
      quantity: column('quantity', 'integer'),
    },
  },
  invoices: {
    table: 'invoice',
    columns: {
      id: ID,
      accountId: ACCOUNT,
      on: column('issued_on', 'day'),
      kind: column('kind', 'text'),
      status: changing('status', 'text'),
      writtenOff: changing('written_off', 'boolean'),
      target: column('target', 'day'),
    },
  },
  lines: {
    table: 'invoice_line',
    columns: {
      id: ID,
      accountId: ACCOUNT,
      invoiceId: column('invoice_id', 'bigint'),
      contractId: column('contract_id', 'bigint'),
      type: column('type', 'text'),
      on: column('added_on', 'day'),
      from: column('from_date', 'day'),
      to: column('to_date', 'day'),
      amount: column('amount', 'bigint'),
      planCode: column('plan_code', 'text'),
      phase: column('phase', 'text'),
      price: column('price', 'bigint'),
      period: column('period', 'text'),
      periodDays: column('period_days', 'integer'),
      taxCode: column('tax_code', 'text'),
      linkedLineId: column('linked_line_id', 'bigint'),
    },
  },
  payments: {
    table: 'invoice_payment',
    columns: {
      id: ID,
      accountId: ACCOUNT,
      invoiceId: column('invoice_id', 'bigint'),
      on: column('begun_on', 'day'),
      kind: column('kind', 'text'),
      key: column('key', 'text'),
    },
  },
  attempts: {
    table: 'payment_attempt',
    columns: {
      id: ID,
      accountId: ACCOUNT,
      paymentId: column('payment_id', 'bigint'),
      on: column('tried_on', 'day'),
      asked: column('asked', 'bigint'),
      outcome: changing('outcome', 'text'),
      paid: changing('paid', 'bigint'),
      settledAmount: changing('settled_amount', 'bigint'),
      settledCurrency: changing('settled_currency', 'text'),
      decidedOn: changing('decided_on', 'day'),
    },
  },
  returns: {
    table: 'payment_return',
    columns: {
      id: ID,
      accountId: ACCOUNT,
      paymentId: column('payment_id', 'bigint'),
      on: column('returned_on', 'day'),
      type: column('type', 'text'),
      amount: column('amount', 'bigint'),
      settledAmount: column('settled_amount', 'bigint'),
      settledCurrency: column('settled_currency', 'text'),
      reversesId: column('reverses_id', 'bigint'),
    },
  },
  keys: {
    table: 'money_key',
    columns: {
      id: ID,
      accountId: ACCOUNT,
      key: column('key', 'text'),
      act: column('act', 'text'),
      resultId: column('result_id', 'bigint'),
    },
  },
};

export const TABLE_NAMES = Object.keys(TABLES) as readonly TableName[];

export interface Field extends Column {
  readonly field: string;
}

/** The columns of a row type in one order. */
export const fieldsOf = (columns: Readonly<Record<string, Column>>): readonly Field[] =>
  Object.entries(columns).map(([field, of]) => ({ field, ...of }));
