/**
 * Writes a decided batch: one statement, one set a table. Sums to zero, floors, references and
 * unique keys are checked by the database once more; whatever it refuses fails the whole batch.
 */
import type { ClientBase } from 'pg';
import { formatLocalDate } from '../../platform/calendar.ts';
import { bigintAsDigits } from '../../platform/json.ts';
import type { Command } from './commands.ts';
import type { Facts, SubscriptionFacts } from './facts.ts';
import type { BatchDecision, InboxDraft } from './rules.ts';
import type { Writes } from './workspace.ts';

/**
 * Purpose: all rows of a batch in one round trip. Locks: the balances, cards and orders it updates
 * are locked already; inbox keys are inserted sorted, last in the order of locks. Referencing rows
 * may stand in the same statement, because references are checked at its end.
 */
const WRITE = `
WITH inbox_rows AS (
  INSERT INTO inbox (id, provider, receipt, kind, state, channel_id, received_at, settled_at,
                     outcome, raw)
  SELECT id, provider, receipt, kind, state, channel_id, received_at, received_at, outcome,
         decode(raw, 'base64')
    FROM jsonb_to_recordset($1::jsonb) AS x (id bigint, provider text, receipt text, kind text,
         state text, channel_id text, received_at timestamptz, outcome jsonb, raw text)
   ORDER BY provider, receipt
), journals AS (
  INSERT INTO journal (id, kind, site_id, inbox_id, effective_at, reverses)
  SELECT * FROM jsonb_to_recordset($2::jsonb) AS x (id bigint, kind text, site_id bigint,
         inbox_id bigint, effective_at timestamptz, reverses bigint)
), entries AS (
  INSERT INTO entry (journal_id, line, account_id, asset, amount)
  SELECT * FROM jsonb_to_recordset($3::jsonb) AS x (journal_id bigint, line smallint,
         account_id bigint, asset text, amount bigint)
), new_lots AS (
  INSERT INTO lot (id, account_id, journal_id, kind, priority, expires_at, amount, remaining,
                   cost, cost_remaining)
  SELECT * FROM jsonb_to_recordset($4::jsonb) AS x (id bigint, account_id bigint,
         journal_id bigint, kind text, priority smallint, expires_at timestamptz, amount bigint,
         remaining bigint, cost bigint, cost_remaining bigint)
), changed_lots AS (
  UPDATE lot SET remaining = x.remaining, cost_remaining = x.cost_remaining
    FROM jsonb_to_recordset($5::jsonb) AS x (id bigint, remaining bigint, cost_remaining bigint)
   WHERE lot.id = x.id
), balances AS (
  UPDATE balance SET amount = x.amount
    FROM jsonb_to_recordset($6::jsonb) AS x (account_id bigint, amount bigint)
   WHERE balance.account_id = x.account_id
), subscriptions AS (
  UPDATE subscription s
     SET waiting_term = x.waiting_term, run_from = x.run_from, paid_until = x.paid_until,
         base_date = x.base_date, anchor_day = x.anchor_day
    FROM jsonb_to_recordset($7::jsonb) AS x (id bigint, waiting_term text, run_from timestamptz,
         paid_until timestamptz, base_date date, anchor_day smallint)
   WHERE s.id = x.id
), terms AS (
  INSERT INTO term (id, subscription_id, bouquet_id, kind, days, from_at, to_at, asset, price, tax,
                    journal_id)
  SELECT * FROM jsonb_to_recordset($8::jsonb) AS x (id bigint, subscription_id bigint,
         bouquet_id bigint, kind text, days integer, from_at timestamptz, to_at timestamptz,
         asset text, price bigint, tax bigint, journal_id bigint)
), rights AS (
  UPDATE card_rights r
     SET desired_rev = x.desired_rev, desired = x.desired, next_at = x.next_at, attempts = 0,
         failure = NULL, raised_at = x.next_at
    FROM jsonb_to_recordset($9::jsonb) AS x (card_id bigint, desired_rev integer, desired jsonb,
         next_at timestamptz)
   WHERE r.card_id = x.card_id
), messages AS (
  INSERT INTO outbound (id, kind, template, site_id, target, body, state, created_at, not_after,
                        next_at, inbox_id)
  SELECT id, kind, template, site_id, target, body, 'queued', created_at, not_after, created_at,
         inbox_id
    FROM jsonb_to_recordset($10::jsonb) AS x (id bigint, kind text, template text, site_id bigint,
         target text, body text, created_at timestamptz, not_after timestamptz, inbox_id bigint)
)
SELECT 1`;

/** The same for rows that few batches have, so that the common statement stays lean. */
const WRITE_RARE = `
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
), returned AS (
  UPDATE suspense_item SET state = 'returned' WHERE inbox_id = ANY($3::bigint[])
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
), events AS (
  UPDATE event_purchase p SET state = x.state
    FROM jsonb_to_recordset($6::jsonb) AS x (id bigint, state text) WHERE p.id = x.id
)
SELECT 1`;

/** What of a command must be the same when its key comes again. */
export function contentOf(command: Command): string {
  switch (command.kind) {
    case 'payment':
      return `${command.amount} ${command.asset}`;
    case 'tvu_notice':
    case 'convert_tvu':
      return `${command.units} ${command.msisdn}`;
    case 'transfer_tvu':
      return `${command.units} ${command.fromMsisdn} ${command.toMsisdn}`;
    case 'buy':
      return [JSON.stringify(command.purpose, bigintAsDigits), command.msisdn, command.means].join(
        ' ',
      );
    case 'reverse_payment':
      return `${command.original.provider} ${command.original.receipt}`;
    default:
      return command.kind;
  }
}

const outcomeOf = (draft: InboxDraft) => ({
  settled: draft.settled,
  content: contentOf(draft.command),
});

/** Writes all rows of the batch. `parked`: ids of inbox rows that stood there parked before. */
export async function writeBatch(
  client: ClientBase,
  { inbox, writes }: BatchDecision,
  facts: Facts,
  parked: ReadonlySet<bigint>,
): Promise<void> {
  const fresh = inbox.filter((draft) => !parked.has(draft.id));
  const retried = inbox.filter((draft) => parked.has(draft.id));
  const held = new Set(writes.eventPurchases.flatMap((p) => p.parts.map((part) => part.lotId)));
  if (retried.length > 0) await markRetried(client, retried);
  await client.query({
    name: 'settlement-write',
    text: WRITE,
    values: [
      json(fresh.map(inboxRow)),
      json(writes.journals.map(journalRow)),
      json(writes.journals.flatMap(entryRows)),
      json(lotRows(writes, held)),
      json(changedLotRows(writes)),
      json(balanceRows(writes, facts)),
      json([...writes.subscriptions.values()].map(subscriptionRow)),
      json(writes.terms.map(termRow)),
      json(rightsRows(writes, facts, inbox[0]?.command.at)),
      json(writes.outbound.map(outboundRow)),
    ],
  });
  if (hasRare(writes)) await writeRare(client, writes);
}

const hasRare = (writes: Writes): boolean =>
  writes.paidOrders.size > 0 ||
  writes.suspense.length > 0 ||
  writes.returnedSuspense.length > 0 ||
  writes.eventPurchases.length > 0 ||
  writes.eventStates.length > 0;

const json = (rows: readonly unknown[]): string =>
  rows.length === 0 ? '[]' : JSON.stringify(rows, bigintAsDigits);

const inboxRow = (draft: InboxDraft) => ({
  id: draft.id,
  provider: draft.command.provider,
  receipt: draft.command.receipt,
  kind: draft.command.kind,
  state: draft.settled.state,
  channel_id: draft.command.channelId,
  received_at: draft.command.at,
  outcome: outcomeOf(draft),
  raw: draft.command.raw.toString('base64'),
});

const journalRow = (journal: Writes['journals'][number]) => ({
  id: journal.id,
  kind: journal.kind,
  site_id: journal.siteId,
  inbox_id: journal.inboxId,
  effective_at: journal.effectiveAt,
  reverses: journal.reverses,
});

const entryRows = (journal: Writes['journals'][number]) =>
  journal.entries.map((entry, index) => ({
    journal_id: journal.id,
    line: index + 1,
    account_id: entry.accountId,
    asset: entry.asset,
    amount: entry.amount,
  }));

/** A lot that came and went inside the batch leaves no row, unless a hold points at it. */
const lotRows = (writes: Writes, held: ReadonlySet<bigint>) =>
  [...writes.newLots]
    .map((id) => writes.lots.get(id))
    .filter((lot) => lot !== undefined && (lot.remaining > 0n || held.has(lot.id)))
    .map((lot) => ({
      id: lot?.id,
      account_id: lot?.accountId,
      journal_id: lot?.journalId,
      kind: lot?.kind,
      priority: lot?.priority,
      expires_at: lot?.expiresAt,
      amount: lot?.amount,
      remaining: lot?.remaining,
      cost: lot?.cost,
      cost_remaining: lot?.costRemaining,
    }));

const changedLotRows = (writes: Writes) =>
  [...writes.lots.values()]
    .filter((lot) => !writes.newLots.has(lot.id))
    .map((lot) => ({ id: lot.id, remaining: lot.remaining, cost_remaining: lot.costRemaining }));

const balanceRows = (writes: Writes, facts: Facts) =>
  [...writes.balances]
    .filter(([id, amount]) => facts.balances.get(id) !== amount)
    .map(([id, amount]) => ({ account_id: id, amount }));

const subscriptionRow = (s: SubscriptionFacts) => ({
  id: s.id,
  waiting_term: s.waitingTerm,
  run_from: s.runFrom,
  paid_until: s.paidUntil,
  base_date: s.baseDate && formatLocalDate(s.baseDate),
  anchor_day: s.anchorDay,
});

const termRow = (term: Writes['terms'][number]) => ({
  id: term.id,
  subscription_id: term.subscriptionId,
  bouquet_id: term.bouquetId,
  kind: term.kind,
  days: term.days,
  from_at: term.from,
  to_at: term.to,
  asset: term.asset,
  price: term.price,
  tax: term.tax,
  journal_id: term.journalId,
});

const rightsRows = (writes: Writes, facts: Facts, at: Date | undefined) =>
  [...writes.cards.values()]
    .filter((card) => facts.cards.get(card.id)?.desiredRev !== card.desiredRev)
    .map((card) => ({
      card_id: card.id,
      desired_rev: card.desiredRev,
      desired: card.desired,
      next_at: at,
    }));

const outboundRow = (message: Writes['outbound'][number]) => ({
  id: message.id,
  kind: message.kind,
  template: message.template,
  site_id: message.siteId,
  target: message.target,
  body: message.body,
  created_at: message.at,
  not_after: message.notAfter,
  inbox_id: message.inboxId,
});

async function markRetried(client: ClientBase, retried: readonly InboxDraft[]): Promise<void> {
  await client.query({
    name: 'settlement-retried',
    text: `UPDATE inbox i SET state = x.state, outcome = x.outcome, settled_at = x.settled_at
             FROM jsonb_to_recordset($1::jsonb) AS x (id bigint, state text, outcome jsonb,
                  settled_at timestamptz)
            WHERE i.id = x.id AND i.state = 'parked'`,
    values: [
      json(
        retried.map((draft) => ({
          id: draft.id,
          state: draft.settled.state,
          outcome: outcomeOf(draft),
          settled_at: draft.command.at,
        })),
      ),
    ],
  });
}

async function writeRare(client: ClientBase, writes: Writes): Promise<void> {
  const purchases = writes.eventPurchases;
  await client.query({
    name: 'settlement-write-rare',
    text: WRITE_RARE,
    values: [
      json([...writes.paidOrders].map(([id, inboxId]) => ({ id, inbox_id: inboxId }))),
      json(
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
      ),
      writes.returnedSuspense,
      json(
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
      ),
      json(
        purchases.flatMap((p) =>
          p.parts.map((part) => ({
            event_purchase_id: p.id,
            lot_id: part.lotId,
            amount: part.amount,
          })),
        ),
      ),
      json(writes.eventStates),
    ],
  });
}
