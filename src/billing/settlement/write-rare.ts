/** The rows that few batches have, in statements of their own: the common one stays lean. */
import type { ClientBase } from 'pg';
import { formatLocalDate } from '../../platform/calendar.ts';
import { bigintAsDigits } from '../../platform/json.ts';
import { CHART } from '../ledger/chart.ts';
import type { CardFacts, Facts, SubscriptionFacts } from './facts.ts';
import { runCoverage } from './load-cards.ts';
import { partRow, taxRows } from './load-lines.ts';
import type { LoadTools } from './load-tools.ts';
import type { InboxDraft } from './rules.ts';
import { sumOfTaxes } from './taxes.ts';
import type { Writes } from './workspace.ts';

/** Rows as one parameter of a statement. */
export const json = (rows: readonly unknown[]): string =>
  rows.length === 0 ? '[]' : JSON.stringify(rows, bigintAsDigits);

/** Accounts opened with their first money: they must stand before their balance is set. */
export async function openAccounts(client: ClientBase, { rare }: Writes): Promise<void> {
  await client.query({
    name: 'settlement-accounts',
    text: `WITH made AS (
             INSERT INTO account (id, owner, kind, asset, policy)
             SELECT * FROM jsonb_to_recordset($1::jsonb)
                    AS x (id bigint, owner text, kind text, asset text, policy text)
              ORDER BY owner, kind, asset
             RETURNING id, policy)
           INSERT INTO balance (account_id) SELECT id FROM made WHERE policy = 'exact'`,
    values: [json(rare.accounts.map((name) => ({ ...name, policy: CHART[name.kind] })))],
  });
}

/** Payments that were met, money without an owner, pay-per-view. */
const WRITE_EVENTS = `
WITH orders AS (
  UPDATE payment_order o SET state = 'paid', inbox_id = x.inbox_id, next_poll_at = NULL,
         failure = NULL
    FROM jsonb_to_recordset($1::jsonb) AS x (id bigint, inbox_id bigint) WHERE o.id = x.id
), suspense AS (
  INSERT INTO suspense_item (inbox_id, site_id, asset, amount, reason, account_ref, payer_msisdn,
                             payer_hash, state, created_at)
  SELECT inbox_id, site_id, asset, amount, reason, account_ref, payer_msisdn, payer_hash, 'open',
         created_at
    FROM jsonb_to_recordset($2::jsonb) AS x (inbox_id bigint, site_id bigint, asset text,
         amount bigint, reason text, account_ref text, payer_msisdn text, payer_hash text,
         created_at timestamptz)
), ended AS (
  UPDATE suspense_item SET state = CASE WHEN inbox_id = ANY($3::bigint[]) THEN 'returned'
                                        ELSE 'claimed' END
   WHERE inbox_id = ANY($3::bigint[] || $7::bigint[]) AND state = 'open'
), purchases AS (
  INSERT INTO event_purchase (id, event_id, card_id, subscriber_id, asset, price, tax, state,
                              ends_at, rights_rev, journal_id)
  SELECT * FROM jsonb_to_recordset($4::jsonb) AS x (id bigint, event_id bigint, card_id bigint,
         subscriber_id bigint, asset text, price bigint, tax bigint, state text,
         ends_at timestamptz, rights_rev integer, journal_id bigint)
), parts AS (
  INSERT INTO hold_part (event_purchase_id, lot_id, amount)
  SELECT * FROM jsonb_to_recordset($5::jsonb) AS x (event_purchase_id bigint, lot_id bigint,
         amount bigint)
), receipts AS (
  INSERT INTO postpaid_receipt (inbox_id, account_id, payment_id, invoice_id, amount)
  SELECT * FROM jsonb_to_recordset($8::jsonb) AS x ("inboxId" bigint, "accountId" bigint,
         "paymentId" bigint, "invoiceId" bigint, amount bigint)
), events AS (
  UPDATE event_purchase p SET state = x.state
    FROM jsonb_to_recordset($6::jsonb) AS x (id bigint, state text) WHERE p.id = x.id
)
SELECT 1`;

/** Lines that shrank or moved, and what of subscriptions, cards and subscribers seldom changes. */
const WRITE_CHANGES = `
WITH terms AS (
  UPDATE term t
     SET from_at = x.from_at, to_at = x.to_at, price = x.price, tax = x.tax, taxes = x.taxes,
         base_date = x.base_date, anchor_day = x.anchor_day, time_of_day = x.time_of_day,
         parts = x.parts, breaks = x.breaks, state = x.state, sold_at = x.sold_at
    FROM jsonb_to_recordset($1::jsonb) AS x (id bigint, from_at timestamptz, to_at timestamptz,
         price bigint, tax bigint, taxes jsonb, base_date date, anchor_day smallint,
         time_of_day integer, parts jsonb, breaks jsonb, state text, sold_at timestamptz)
   WHERE t.id = x.id
), subscriptions AS (
  UPDATE subscription s
     SET bouquet_id = x.bouquet_id, term = x.term, auto_renew = x.auto_renew,
         renew_term = x.renew_term, auto_renew_since = x.auto_renew_since,
         closed_at = x.closed_at, pause_from = x.pause_from, pause_until = x.pause_until,
         paused_year = x.paused_year, paused_days = x.paused_days, payments = x.payments
    FROM jsonb_to_recordset($2::jsonb) AS x (id bigint, bouquet_id bigint, term text,
         auto_renew boolean, renew_term text, auto_renew_since timestamptz,
         closed_at timestamptz, pause_from timestamptz, pause_until timestamptz,
         paused_year smallint, paused_days smallint, payments smallint)
   WHERE s.id = x.id
), coverage AS (
  UPDATE card_rights r SET coverage = x.coverage
    FROM jsonb_to_recordset($3::jsonb) AS x (card_id bigint, coverage jsonb)
   WHERE r.card_id = x.card_id
), subscribers AS (
  UPDATE subscriber s SET promo_id = x.promo_id, other_units = x.other_units, owes = x.owes
    FROM jsonb_to_recordset($4::jsonb) AS x (id bigint, promo_id bigint, other_units jsonb,
         owes boolean)
   WHERE s.id = x.id
)
SELECT 1`;

/** Debts, moves, scratch cards, promotions, trials, commissions. */
const WRITE_ACTS = `
WITH new_debts AS (
  INSERT INTO debt (id, subscriber_id, kind, asset, amount, fee, remaining, line_id)
  SELECT * FROM jsonb_to_recordset($1::jsonb) AS x (id bigint, subscriber_id bigint, kind text,
         asset text, amount bigint, fee bigint, remaining bigint, line_id bigint)
), debts AS (
  UPDATE debt d SET remaining = x.remaining
    FROM jsonb_to_recordset($2::jsonb) AS x (id bigint, remaining bigint) WHERE d.id = x.id
), new_moves AS (
  INSERT INTO payment_move (id, payment_id, to_card_id, payer, asked_at, due_at, state)
  SELECT * FROM jsonb_to_recordset($3::jsonb) AS x (id bigint, payment_id bigint,
         to_card_id bigint, payer text, asked_at timestamptz, due_at timestamptz, state text)
), moves AS (
  UPDATE payment_move m SET state = x.state
    FROM jsonb_to_recordset($4::jsonb) AS x (id bigint, state text) WHERE m.id = x.id
), places AS (
  INSERT INTO payment_place (payment_id, journal_id, subscriber_id, card_id, amount)
  SELECT payment_id, journal_id, subscriber_id, card_id, amount
    FROM jsonb_to_recordset($5::jsonb) AS x (n integer, payment_id bigint, journal_id bigint,
         subscriber_id bigint, card_id bigint, amount bigint)
   ORDER BY n
), vouchers AS (
  UPDATE voucher v SET state = x.state, used_at = x.used_at, used_by = x.used_by,
         inbox_id = x.inbox_id, settled = x.settled
    FROM jsonb_to_recordset($6::jsonb) AS x (id bigint, state text, used_at timestamptz,
         used_by bigint, inbox_id bigint, settled jsonb)
   WHERE v.id = x.id
), promotions AS (
  UPDATE promotion p SET budget_left = x.budget_left
    FROM jsonb_to_recordset($7::jsonb) AS x (id bigint, budget_left bigint) WHERE p.id = x.id
), promotion_uses AS (
  INSERT INTO promotion_use (promotion_id, card_id, used_at)
  SELECT * FROM jsonb_to_recordset($8::jsonb) AS x (promotion_id bigint, card_id bigint,
         used_at timestamptz)
), trials AS (
  INSERT INTO trial (subscription_id, decoder, person, granted_on)
  SELECT * FROM jsonb_to_recordset($9::jsonb) AS x (subscription_id bigint, decoder text,
         person text, granted_on date)
), kept AS (
  UPDATE commission c SET state = 'kept'
   WHERE c.subscription_id = ANY($10::bigint[]) AND c.state = 'open'
), commissions AS (
  UPDATE commission c SET state = x.state
    FROM jsonb_to_recordset($11::jsonb) AS x (id bigint, state text)
   WHERE c.id = x.id AND NOT c.subscription_id = ANY($10::bigint[])
), new_commissions AS (
  INSERT INTO commission (id, subscription_id, site_id, reseller, asset, amount, due_at, state)
  SELECT * FROM jsonb_to_recordset($12::jsonb) AS x (id bigint, subscription_id bigint,
         site_id bigint, reseller text, asset text, amount bigint, due_at timestamptz, state text)
)
SELECT 1`;

export interface RareContext {
  facts: Facts;
  inbox: readonly InboxDraft[];
  tools: LoadTools;
}

/** Writes whatever of these rows the batch has; most batches have none. */
export async function writeRare(
  client: ClientBase,
  writes: Writes,
  context: RareContext,
): Promise<void> {
  await writeIfAny(client, 'settlement-write-events', WRITE_EVENTS, eventRows(writes));
  await writeIfAny(client, 'settlement-write-changes', WRITE_CHANGES, changeRows(writes, context));
  await writeIfAny(client, 'settlement-write-acts', WRITE_ACTS, actRows(writes, context));
}

type Rows = readonly (readonly unknown[])[];

/** Lists of ids are arrays for Postgres; rows are JSON. */
async function writeIfAny(
  client: ClientBase,
  name: string,
  text: string,
  sets: Rows,
): Promise<void> {
  if (sets.every((set) => set.length === 0)) return;
  const values = sets.map((set, i) => (isIds(text, i) ? set : json(set)));
  await client.query({ name, text, values });
}

const isIds = (text: string, index: number): boolean => text.includes(`$${index + 1}::bigint[]`);

function eventRows(writes: Writes): Rows {
  const purchases = writes.eventPurchases;
  return [
    [...writes.paidOrders].map(([id, inboxId]) => ({ id, inbox_id: inboxId })),
    writes.suspense.map((s) => ({
      inbox_id: s.inboxId,
      site_id: s.siteId,
      asset: s.asset,
      amount: s.amount,
      reason: s.reason,
      account_ref: s.accountRef,
      payer_msisdn: s.payerMsisdn,
      payer_hash: s.payerHash,
      created_at: s.at,
    })),
    writes.returnedSuspense,
    purchases.map((p) => ({
      id: p.id,
      event_id: p.eventId,
      card_id: p.cardId,
      subscriber_id: p.subscriberId,
      asset: p.asset,
      price: p.price,
      tax: p.tax,
      state: p.state,
      ends_at: p.endsAt,
      rights_rev: p.rightsRev,
      journal_id: p.journalId,
    })),
    purchases.flatMap((p) =>
      p.parts.map(({ lotId, amount }) => ({ event_purchase_id: p.id, lot_id: lotId, amount })),
    ),
    writes.eventStates,
    writes.rare.claimedSuspense,
    writes.rare.postpaidReceipts,
  ];
}

function changeRows(writes: Writes, { facts, tools }: RareContext): Rows {
  const { rare } = writes;
  return [
    [...rare.changedTerms.values()].map((line) => ({
      id: line.id,
      from_at: line.from,
      to_at: line.to,
      price: line.price,
      tax: sumOfTaxes(line.taxes),
      taxes: taxRows(line.taxes),
      base_date: formatLocalDate(line.baseDate),
      anchor_day: line.anchorDay,
      time_of_day: line.timeOfDay,
      parts: line.parts.map(partRow),
      breaks: line.breaks,
      state: line.state,
      sold_at: line.soldAt,
    })),
    changedSubscriptions(writes, facts),
    changedCoverage(writes, facts, tools),
    [...rare.subscribers.values()].map(({ id, promoId, otherUnits, owes }) => ({
      id,
      promo_id: promoId ?? null,
      other_units: Object.fromEntries(otherUnits ?? []),
      owes: owes ?? false,
    })),
  ];
}

const seldomRow = (s: SubscriptionFacts) => ({
  id: s.id,
  bouquet_id: s.bouquetId,
  term: s.term,
  auto_renew: s.autoRenew,
  renew_term: s.renewTerm ?? null,
  auto_renew_since: s.autoRenewSince ?? null,
  closed_at: s.closedAt ?? null,
  pause_from: s.pause?.from ?? null,
  pause_until: s.pause?.until ?? null,
  paused_year: s.pausedDays?.year ?? null,
  paused_days: s.pausedDays?.days ?? null,
  payments: s.payments ?? 0,
});

/** Most payments change the run alone, which the common statement has written. */
function changedSubscriptions(writes: Writes, facts: Facts) {
  if (writes.subscriptions.size === 0) return [];
  const before = new Map(
    [...facts.cards.values()].flatMap(({ subscription: s }) => (s ? [[s.id, s]] : [])),
  );
  return [...writes.subscriptions.values()]
    .filter((now) => {
      const known = before.get(now.id);
      return !known || SELDOM.some((name) => !isEqual(now[name], known[name]));
    })
    .map(seldomRow);
}

const SELDOM = [
  'bouquetId',
  'term',
  'autoRenew',
  'renewTerm',
  'autoRenewSince',
  'closedAt',
  'pause',
  'pausedDays',
  'payments',
] as const satisfies readonly (keyof SubscriptionFacts)[];

/** The working copy is never changed in place: what was not set is the very same value. */
const isEqual = (a: unknown, b: unknown): boolean => a === b || (a ?? null) === (b ?? null);

/** Cards whose rights were not raised, but whose coverage must be kept now, or no more. */
function changedCoverage(writes: Writes, facts: Facts, tools: LoadTools) {
  return [...writes.cards.values()].flatMap((card) => {
    const before = facts.cards.get(card.id);
    if (!before || before.desiredRev !== card.desiredRev) return [];
    const coverage = coverageRow(card, tools);
    const known = coverageRow(before, tools);
    if (JSON.stringify(coverage) === JSON.stringify(known)) return [];
    return [{ card_id: card.id, coverage }];
  });
}

/** Null where the running term says it all. */
export function coverageRow(card: CardFacts, tools: Pick<LoadTools, 'productsOf'>) {
  const { coverage = [], subscription } = card;
  const run = runCoverage(subscription, tools);
  const isRun =
    coverage.length === run.length &&
    coverage.every(({ product, from, to }) =>
      run.some(
        (one) =>
          one.product === product &&
          one.from.getTime() === from.getTime() &&
          one.to.getTime() === to.getTime(),
      ),
    );
  return isRun ? null : coverage;
}

function actRows(writes: Writes, { inbox }: RareContext): Rows {
  const { rare } = writes;
  const inserted = <T>(all: ReadonlyMap<bigint, T>, fresh: ReadonlySet<bigint>) =>
    [...all].flatMap(([id, one]) => (fresh.has(id) ? [one] : []));
  const updated = <T>(all: ReadonlyMap<bigint, T>, fresh: ReadonlySet<bigint>) =>
    [...all].flatMap(([id, one]) => (fresh.has(id) ? [] : [one]));
  return [
    inserted(rare.debts, rare.newDebts).map((debt) => ({
      id: debt.id,
      subscriber_id: debt.subscriberId,
      kind: debt.kind,
      asset: debt.asset,
      amount: debt.amount,
      fee: debt.fee,
      remaining: debt.remaining,
      line_id: debt.lineId,
    })),
    updated(rare.debts, rare.newDebts).map(({ id, remaining }) => ({ id, remaining })),
    inserted(rare.moves, rare.newMoves).map((move) => ({
      id: move.id,
      payment_id: move.paymentId,
      to_card_id: move.toCardId,
      payer: move.payer,
      asked_at: move.askedAt,
      due_at: move.dueAt,
      state: move.state,
    })),
    updated(rare.moves, rare.newMoves).map(({ id, state }) => ({ id, state })),
    rare.places.map((place, n) => ({
      n,
      payment_id: place.paymentId,
      journal_id: place.journalId,
      subscriber_id: place.subscriberId,
      card_id: place.cardId,
      amount: place.amount,
    })),
    [...rare.vouchers.values()].map(({ id, state, used }) => ({
      id,
      state,
      used_at: used?.at ?? null,
      used_by: used?.cardId ?? null,
      inbox_id: inbox.find((draft) => draft.settled === used?.settled)?.id ?? null,
      settled: used?.settled ?? null,
    })),
    [...rare.promotions.values()].map(({ id, budgetLeft }) => ({ id, budget_left: budgetLeft })),
    rare.promotionUses.map((one) => ({
      promotion_id: one.promotionId,
      card_id: one.cardId,
      used_at: one.at,
    })),
    rare.trials.map((trial) => ({
      subscription_id: trial.subscriptionId,
      decoder: trial.decoder,
      person: trial.person,
      granted_on: formatLocalDate(trial.on),
    })),
    [...rare.commissionsKept],
    updated(rare.commissions, rare.newCommissions).map(({ id, state }) => ({ id, state })),
    inserted(rare.commissions, rare.newCommissions).map((made) => ({
      id: made.id,
      subscription_id: made.subscriptionId,
      site_id: made.siteId,
      reseller: made.reseller,
      asset: made.asset,
      amount: made.amount,
      due_at: made.dueAt,
      state: made.state,
    })),
  ];
}
