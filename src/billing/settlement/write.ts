/**
 * Writes a decided batch: one statement, one set a table. Sums to zero, floors, references and
 * unique keys are checked by the database once more; whatever it refuses fails the whole batch.
 */
import type { ClientBase } from 'pg';
import { formatLocalDate } from '../../platform/calendar.ts';
import type { Command } from './commands.ts';
import { contentOf } from './content.ts';
import type { Facts, LineFacts, SubscriberFacts, SubscriptionFacts } from './facts.ts';
import { partRow, taxRows } from './load-lines.ts';
import type { LoadTools } from './load-tools.ts';
import type { BatchDecision, InboxDraft } from './rules.ts';
import { sumOfTaxes } from './taxes.ts';
import type { Writes } from './workspace.ts';
import { coverageRow, json, openAccounts, writeRare } from './write-rare.ts';
import { type Sets, WRITE, writeValues } from './write-rows.ts';

/** What a reason may have on the wire. */
const CAUSE_CHARS_MAX = 200;

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
  const payerOf = payers(facts, writes);
  const held = new Set(writes.eventPurchases.flatMap((p) => p.parts.map((part) => part.lotId)));
  if (retried.length > 0) await markRetried(client, retried, tools);
  const rows: Sets = {
    inbox: fresh.map((draft) => inboxRow(draft, tools)),
    journals: writes.journals.map(journalRow),
    entries: writes.journals.flatMap(entryRows),
    newLots: lotRows(writes, held),
    changedLots: changedLotRows(writes),
    balances: balanceRows(writes, facts),
    subscriptions: [...writes.subscriptions.values()].map(runRow),
    terms: writes.terms.map((line) => termRow(line, payerOf(line))),
    rights: rightsRows(writes, facts, { tools, inbox }),
    messages: writes.outbound.map(outboundRow),
  };
  await client.query({ name: 'settlement-write', text: WRITE, values: writeValues(rows) });
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
  payer_msisdn: payment?.payerMsisdn ?? (command.kind === 'payment' ? command.payerMsisdn : null),
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

/** Tells of a line the wallet that paid for it, where it is not of the card's owner. */
function payers(facts: Facts, writes: Writes): (line: LineFacts) => bigint | null {
  const owners = new Map<bigint, SubscriberFacts>();
  for (const known of facts.subscribers.values()) {
    const now = writes.rare.subscribers.get(known.id) ?? known;
    owners.set(now.walletId, now);
    if (now.promoId) owners.set(now.promoId, now);
  }
  const cardOwners = new Map(
    [...writes.cards.values()].map((card) => [card.subscription?.id, card.subscriberId]),
  );
  return ({ parts, subscriptionId }) => {
    const accountId = parts[0]?.accountId;
    const payer = accountId === undefined ? undefined : owners.get(accountId);
    if (!payer) return null;
    return cardOwners.get(subscriptionId) === payer.id ? null : payer.walletId;
  };
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
  tax: sumOfTaxes(term.taxes),
  taxes: taxRows(term.taxes),
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

const MACHINES = new Set(['scheduler', 'entitlement']);

const isMachine = ({ channelId, kind }: Command): boolean =>
  MACHINES.has(channelId) || kind === 'incident';

const rightsRows = (
  writes: Writes,
  facts: Facts,
  { tools, inbox }: { tools: LoadTools; inbox: readonly InboxDraft[] },
) => {
  const causes = new Map(inbox.map((draft) => [draft.id, causeOf(draft.command)]));
  const isBulk = inbox.every(({ command }) => isMachine(command));
  return [...writes.cards.values()]
    .filter((card) => facts.cards.get(card.id)?.desiredRev !== card.desiredRev)
    .map((card) => ({
      card_id: card.id,
      desired_rev: card.desiredRev,
      desired: card.desired,
      coverage: coverageRow(card, tools),
      next_at: inbox[0]?.command.at,
      // Nobody waits for what machines alone have asked for.
      is_bulk: isBulk,
      raised_for: card.raisedBy === undefined ? null : causes.get(card.raisedBy),
    }));
};

/** A cause as it stands in the command log: what was done, and where it lies in the inbox. */
const causeOf = ({ kind, provider, receipt }: Command): string =>
  `${kind.toUpperCase()}:${provider}/${receipt}`.slice(0, CAUSE_CHARS_MAX);

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
