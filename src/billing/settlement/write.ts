/**
 * Writes a decided batch: one statement, one set a table. Sums to zero, floors, references and
 * unique keys are checked by the database once more; whatever it refuses fails the whole batch.
 */
import type { ClientBase } from 'pg';
import { formatLocalDate } from '../../platform/calendar.ts';
import type { Command } from './commands.ts';
import { contentOf } from './content.ts';
import type { Facts, LineFacts, SubscriptionFacts } from './facts.ts';
import { partRow } from './load-lines.ts';
import type { LoadTools } from './load-tools.ts';
import type { BatchDecision, InboxDraft } from './rules.ts';
import type { Writes } from './workspace.ts';
import { coverageRow, json, openAccounts, writeRare } from './write-rare.ts';

/**
 * Purpose: all rows of a batch in one round trip. Locks: the balances, cards and orders it updates
 * are locked already; inbox keys are inserted sorted, last in the order of locks. Referencing rows
 * may stand in the same statement, because references are checked at its end.
 */
const WRITE = `
WITH inbox_rows AS (
  INSERT INTO inbox (id, provider, receipt, kind, state, channel_id, received_at, settled_at,
                     outcome, raw, card_id, subscriber_id, payer_msisdn, means)
  SELECT id, provider, receipt, kind, state, channel_id, received_at, received_at, outcome,
         decode(raw, 'base64'), card_id, subscriber_id, payer_msisdn, means
    FROM jsonb_to_recordset($1::jsonb) AS x (id bigint, provider text, receipt text, kind text,
         state text, channel_id text, received_at timestamptz, outcome jsonb, raw text,
         card_id bigint, subscriber_id bigint, payer_msisdn text, means text)
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
  UPDATE lot SET amount = x.amount, remaining = x.remaining, cost_remaining = x.cost_remaining
    FROM jsonb_to_recordset($5::jsonb) AS x (id bigint, amount bigint, remaining bigint,
         cost_remaining bigint)
   WHERE lot.id = x.id
), balances AS (
  UPDATE balance SET amount = x.amount
    FROM jsonb_to_recordset($6::jsonb) AS x (account_id bigint, amount bigint)
   WHERE balance.account_id = x.account_id
), subscriptions AS (
  UPDATE subscription s
     SET waiting_term = x.waiting_term, run_from = x.run_from, paid_until = x.paid_until,
         base_date = x.base_date, anchor_day = x.anchor_day, time_of_day = x.time_of_day
    FROM jsonb_to_recordset($7::jsonb) AS x (id bigint, waiting_term text, run_from timestamptz,
         paid_until timestamptz, base_date date, anchor_day smallint, time_of_day integer)
   WHERE s.id = x.id
), terms AS (
  INSERT INTO term (id, subscription_id, bouquet_id, kind, days, from_at, to_at, asset, price, tax,
                    journal_id, sold_at, base_date, anchor_day, time_of_day, parts, paid_by,
                    payer_id, breaks, beside, reference, state)
  SELECT * FROM jsonb_to_recordset($8::jsonb) AS x (id bigint, subscription_id bigint,
         bouquet_id bigint, kind text, days integer, from_at timestamptz, to_at timestamptz,
         asset text, price bigint, tax bigint, journal_id bigint, sold_at timestamptz,
         base_date date, anchor_day smallint, time_of_day integer, parts jsonb, paid_by text,
         payer_id bigint, breaks jsonb, beside bigint, reference text, state text)
), rights AS (
  UPDATE card_rights r
     SET desired_rev = x.desired_rev, desired = x.desired, coverage = x.coverage,
         next_at = x.next_at, attempts = 0, failure = NULL, raised_at = x.next_at
    FROM jsonb_to_recordset($9::jsonb) AS x (card_id bigint, desired_rev integer, desired jsonb,
         coverage jsonb, next_at timestamptz)
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

const outcomeOf = (draft: InboxDraft, tools: LoadTools) => ({
  settled: draft.settled,
  content: keptContent(draft.command, tools),
});

/** The content of a command as it is kept: a scratch card's code is nowhere in the database. */
export const keptContent = (command: Command, { voucherHash }: Pick<LoadTools, 'voucherHash'>) =>
  contentOf(command.kind === 'redeem' ? { ...command, code: voucherHash(command.code) } : command);

export interface WriteTools extends LoadTools {
  /** Ids of inbox rows that stood there parked before. */
  parked: ReadonlySet<bigint>;
}

/** Writes all rows of the batch. */
export async function writeBatch(
  client: ClientBase,
  { inbox, writes }: BatchDecision,
  facts: Facts,
  tools: WriteTools,
): Promise<void> {
  const { parked } = tools;
  const fresh = inbox.filter((draft) => !parked.has(draft.id));
  const retried = inbox.filter((draft) => parked.has(draft.id));
  if (writes.rare.accounts.length > 0) await openAccounts(client, writes);
  const held = new Set(writes.eventPurchases.flatMap((p) => p.parts.map((part) => part.lotId)));
  if (retried.length > 0) await markRetried(client, retried, tools);
  await client.query({
    name: 'settlement-write',
    text: WRITE,
    values: [
      json(fresh.map((draft) => inboxRow(draft, tools))),
      json(writes.journals.map(journalRow)),
      json(writes.journals.flatMap(entryRows)),
      json(lotRows(writes, held)),
      json(changedLotRows(writes)),
      json(balanceRows(writes, facts)),
      json([...writes.subscriptions.values()].map(runRow)),
      json(writes.terms.map((line) => termRow(line, payerOf(line, facts, writes)))),
      json(rightsRows(writes, facts, { tools, at: inbox[0]?.command.at })),
      json(writes.outbound.map(outboundRow)),
    ],
  });
  await writeRare(client, writes, { facts, inbox, tools });
}

const inboxRow = (draft: InboxDraft, tools: LoadTools) => ({
  id: draft.id,
  provider: draft.command.provider,
  receipt: draft.command.receipt,
  kind: draft.command.kind,
  state: draft.settled.state,
  channel_id: draft.command.channelId,
  received_at: draft.command.at,
  outcome: outcomeOf(draft, tools),
  raw: draft.command.raw.toString('base64'),
  ...paymentColumns(draft),
});

const paymentColumns = ({ command, payment }: InboxDraft) => ({
  card_id: payment?.cardId ?? null,
  subscriber_id: payment?.subscriberId ?? null,
  payer_msisdn: command.kind === 'payment' ? command.payerMsisdn : null,
  means: command.kind === 'payment' ? (command.means ?? null) : null,
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
    .map(({ id, amount, remaining, costRemaining }) => ({
      id,
      amount,
      remaining,
      cost_remaining: costRemaining,
    }));

const balanceRows = (writes: Writes, facts: Facts) =>
  [...writes.balances]
    .filter(([id, amount]) => facts.balances.get(id) !== amount)
    .map(([id, amount]) => ({ account_id: id, amount }));

const runRow = (s: SubscriptionFacts) => ({
  id: s.id,
  waiting_term: s.waitingTerm,
  run_from: s.runFrom,
  paid_until: s.paidUntil,
  base_date: s.baseDate && formatLocalDate(s.baseDate),
  anchor_day: s.anchorDay,
  time_of_day: s.timeOfDay ?? null,
});

/** The wallet that paid for the line, where it is not of the card's owner. */
function payerOf(line: LineFacts, facts: Facts, writes: Writes): bigint | null {
  const accountId = line.parts[0]?.accountId;
  if (accountId === undefined) return null;
  for (const known of facts.subscribers.values()) {
    const { id, walletId, promoId } = writes.rare.subscribers.get(known.id) ?? known;
    if (walletId !== accountId && promoId !== accountId) continue;
    const card = [...writes.cards.values()].find(
      (one) => one.subscription?.id === line.subscriptionId,
    );
    return card?.subscriberId === id ? null : walletId;
  }
  return null;
}

/** A line as it is stored. */
export const termRow = (term: LineFacts, payerId: bigint | null) => ({
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
  sold_at: term.soldAt,
  base_date: formatLocalDate(term.baseDate),
  anchor_day: term.anchorDay,
  time_of_day: term.timeOfDay,
  parts: term.parts.map(partRow),
  paid_by: term.paidBy,
  payer_id: payerId,
  breaks: term.breaks,
  beside: term.beside,
  reference: term.reference,
  state: term.state,
});

const rightsRows = (
  writes: Writes,
  facts: Facts,
  { tools, at }: { tools: LoadTools; at: Date | undefined },
) =>
  [...writes.cards.values()]
    .filter((card) => facts.cards.get(card.id)?.desiredRev !== card.desiredRev)
    .map((card) => ({
      card_id: card.id,
      desired_rev: card.desiredRev,
      desired: card.desired,
      coverage: coverageRow(card, tools),
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

async function markRetried(
  client: ClientBase,
  retried: readonly InboxDraft[],
  tools: LoadTools,
): Promise<void> {
  await client.query({
    name: 'settlement-retried',
    text: `UPDATE inbox i SET state = x.state, outcome = x.outcome, settled_at = x.settled_at,
                  card_id = x.card_id, subscriber_id = x.subscriber_id,
                  payer_msisdn = x.payer_msisdn, means = x.means
             FROM jsonb_to_recordset($1::jsonb) AS x (id bigint, state text, outcome jsonb,
                  settled_at timestamptz, card_id bigint, subscriber_id bigint,
                  payer_msisdn text, means text)
            WHERE i.id = x.id AND i.state = 'parked'`,
    values: [
      json(
        retried.map((draft) => ({
          id: draft.id,
          state: draft.settled.state,
          outcome: outcomeOf(draft, tools),
          settled_at: draft.command.at,
          ...paymentColumns(draft),
        })),
      ),
    ],
  });
}
