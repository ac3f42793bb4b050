/** The one statement that writes the common rows of a batch, and the sets of rows it takes. */

import { type Columns, parametersOf, placed, type Row } from '../../platform/database/columns.ts';
import { ENTRY_COLUMNS } from '../ledger/columns.ts';

/** The columns of each set of rows, in the order in which they are parameters. */
const SETS = {
  inbox: {
    id: 'bigint',
    provider: 'text',
    receipt: 'text',
    kind: 'text',
    state: 'text',
    channel_id: 'text',
    received_at: 'timestamptz',
    outcome: 'jsonb',
    raw: 'text',
    card_id: 'bigint',
    subscriber_id: 'bigint',
    payer_msisdn: 'text',
    means: 'text',
  },
  journals: {
    id: 'bigint',
    kind: 'text',
    site_id: 'bigint',
    inbox_id: 'bigint',
    effective_at: 'timestamptz',
    reverses: 'bigint',
  },
  entries: ENTRY_COLUMNS,
  newLots: {
    id: 'bigint',
    account_id: 'bigint',
    journal_id: 'bigint',
    kind: 'text',
    priority: 'smallint',
    expires_at: 'timestamptz',
    amount: 'bigint',
    remaining: 'bigint',
    cost: 'bigint',
    cost_remaining: 'bigint',
  },
  changedLots: { id: 'bigint', amount: 'bigint', remaining: 'bigint', cost_remaining: 'bigint' },
  balances: { account_id: 'bigint', amount: 'bigint' },
  subscriptions: {
    id: 'bigint',
    waiting_term: 'text',
    run_from: 'timestamptz',
    paid_until: 'timestamptz',
    base_date: 'date',
    anchor_day: 'smallint',
    time_of_day: 'integer',
  },
  terms: {
    id: 'bigint',
    subscription_id: 'bigint',
    bouquet_id: 'bigint',
    kind: 'text',
    days: 'integer',
    from_at: 'timestamptz',
    to_at: 'timestamptz',
    asset: 'text',
    price: 'bigint',
    tax: 'bigint',
    taxes: 'jsonb',
    journal_id: 'bigint',
    sold_at: 'timestamptz',
    base_date: 'date',
    anchor_day: 'smallint',
    time_of_day: 'integer',
    parts: 'jsonb',
    paid_by: 'text',
    payer_id: 'bigint',
    breaks: 'jsonb',
    beside: 'bigint',
    reference: 'text',
    state: 'text',
  },
  rights: {
    card_id: 'bigint',
    desired_rev: 'integer',
    desired: 'jsonb',
    coverage: 'jsonb',
    next_at: 'timestamptz',
    is_bulk: 'boolean',
    raised_for: 'text',
  },
  messages: {
    id: 'bigint',
    kind: 'text',
    template: 'text',
    site_id: 'bigint',
    target: 'text',
    body: 'text',
    created_at: 'timestamptz',
    not_after: 'timestamptz',
    inbox_id: 'bigint',
  },
} as const satisfies Record<string, Columns>;

/** The rows of each set, by the names of their columns. */
export type Sets = Record<keyof typeof SETS, readonly Row[]>;

const FROM = placed(SETS);

const columnsOf = (name: keyof typeof SETS): string => Object.keys(SETS[name]).join(', ');

/**
 * Purpose: all rows of a batch in one round trip. Locks: the balances, cards and orders it updates
 * are locked already; inbox keys are inserted sorted, last in the order of locks. Referencing rows
 * may stand in the same statement, because references are checked at its end.
 */
export const WRITE = `
WITH inbox_rows AS (
  INSERT INTO inbox (id, provider, receipt, kind, state, channel_id, received_at, settled_at,
                     outcome, raw, card_id, subscriber_id, payer_msisdn, means)
  SELECT id, provider, receipt, kind, state, channel_id, received_at, received_at, outcome,
         decode(raw, 'base64'), card_id, subscriber_id, payer_msisdn, means
    FROM ${FROM.inbox}
   ORDER BY provider, receipt
), journals AS (
  INSERT INTO journal (${columnsOf('journals')})
  SELECT * FROM ${FROM.journals}
), entries AS (
  INSERT INTO entry (${columnsOf('entries')})
  SELECT * FROM ${FROM.entries}
), new_lots AS (
  INSERT INTO lot (${columnsOf('newLots')})
  SELECT * FROM ${FROM.newLots}
), changed_lots AS (
  UPDATE lot SET amount = x.amount, remaining = x.remaining, cost_remaining = x.cost_remaining
    FROM ${FROM.changedLots}
   WHERE lot.id = x.id
), balances AS (
  UPDATE balance SET amount = x.amount
    FROM ${FROM.balances}
   WHERE balance.account_id = x.account_id
), subscriptions AS (
  UPDATE subscription s
     SET waiting_term = x.waiting_term, run_from = x.run_from, paid_until = x.paid_until,
         base_date = x.base_date, anchor_day = x.anchor_day, time_of_day = x.time_of_day
    FROM ${FROM.subscriptions}
   WHERE s.id = x.id
), terms AS (
  INSERT INTO term (${columnsOf('terms')})
  SELECT * FROM ${FROM.terms}
), rights AS (
  UPDATE card_rights r
     SET desired_rev = x.desired_rev, desired = x.desired, coverage = x.coverage,
         next_at = x.next_at, attempts = 0, failure = NULL, raised_at = x.next_at,
         is_bulk = x.is_bulk AND (r.is_bulk OR r.next_at IS NULL), raised_for = x.raised_for
    FROM ${FROM.rights}
   WHERE r.card_id = x.card_id
), messages AS (
  INSERT INTO outbound (id, kind, template, site_id, target, body, state, created_at, not_after,
                        next_at, inbox_id)
  SELECT id, kind, template, site_id, target, body, 'queued', created_at, not_after, created_at,
         inbox_id
    FROM ${FROM.messages}
)
SELECT 1`;

/** The parameters of `WRITE`. */
export const writeValues = (rows: Sets): string[] =>
  (Object.keys(SETS) as (keyof Sets)[]).flatMap((name) => parametersOf(SETS[name], rows[name]));
