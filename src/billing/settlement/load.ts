/**
 * Reads and locks what a batch needs. Locks are taken in one order everywhere: balances by account
 * id, cards by id, orders by id, and last (when writing) inbox keys sorted. A card's subscription
 * and owner are guarded by the lock on its rights row, a wallet's lots by the one on its balance.
 */
import type { ClientBase } from 'pg';
import type { TermName } from '../catalogue/rules.ts';
import type { Lot } from '../ledger/rules.ts';
import type { Command, Settled } from './commands.ts';
import type { BookedPayment, Facts, OrderFacts, ResellerFacts, SubscriberFacts } from './facts.ts';
import { checkSubscribers, loadSubscribers, lockCards, resolveCards } from './load-cards.ts';
import { lineAccounts, loadLines } from './load-lines.ts';
import { loadOriginals, payersCards } from './load-originals.ts';
import {
  loadDebts,
  loadEventPurchases,
  loadEventsBought,
  loadHashedPhones,
  loadInvoices,
  loadTrials,
  loadUnitTransfers,
  lockNames,
  lockRows,
} from './load-rare.ts';
import { FactsMoved, type LoadTools, type Resolved, startResolving } from './load-tools.ts';
import type { Needs } from './needs.ts';

export { FactsMoved, type LoadTools } from './load-tools.ts';

export interface KnownKey {
  inboxId: bigint;
  state: 'settled' | 'suspense' | 'refused' | 'parked';
  outcome: { settled: Settled; content: string } | null;
}

/** What earlier settlements answered to these keys, by `provider|receipt`. */
export async function loadKnown(
  client: ClientBase,
  commands: readonly Command[],
): Promise<Map<string, KnownKey>> {
  const { rows } = await client.query({
    name: 'settlement-known',
    text: `SELECT i.id, i.provider, i.receipt, i.state, i.outcome
             FROM unnest($1::text[], $2::text[]) AS k (provider, receipt)
             JOIN inbox i ON i.provider = k.provider AND i.receipt = k.receipt`,
    values: [commands.map((c) => c.provider), commands.map((c) => c.receipt)],
  });
  return new Map(
    rows.map((row) => [
      `${row.provider}|${row.receipt}`,
      { inboxId: row.id, state: row.state, outcome: row.outcome },
    ]),
  );
}

/**
 * Loads the facts of a batch inside its transaction; on return everything mutable is locked. What
 * was read before the locks is read again behind them, and the batch starts anew where it moved.
 */
export async function loadFacts(
  client: ClientBase,
  needs: Needs,
  tools: LoadTools,
): Promise<Facts> {
  const resolved = startResolving(needs);
  await lockNames(client, needs);
  const foundOrders = await findOrders(client, needs, resolved);
  const purchases = await loadEventPurchases(client, needs.purchaseIds);
  for (const purchase of purchases.values()) {
    resolved.cardIds.add(purchase.cardId);
    resolved.subscriberIds.add(purchase.subscriberId);
  }
  const rows = await lockRows(client, needs, tools);
  const bookedPayments = await loadOriginals(client, needs.originals);
  await resolveOriginals(client, needs, bookedPayments, resolved);
  await resolvePhones(client, needs, resolved);
  await resolveCards(client, needs, resolved);
  const subscribers = await loadSubscribers(client, resolved.subscriberIds);
  const resellerByPhone = await loadResellers(client, needs.resellerPhones);
  const accounts = await lineAccounts(client, resolved.lineCardIds);
  for (const s of subscribers.values()) {
    for (const id of accountsOf(s, needs)) accounts.add(id);
  }
  for (const reseller of resellerByPhone.values()) accounts.add(reseller.tvuWalletId);
  for (const booked of bookedPayments.values()) {
    for (const entry of booked.entries) accounts.add(entry.accountId);
  }
  const balances = await lockBalances(client, accounts);
  const { cards, linkedCards, owners } = await lockCards(client, resolved, tools);
  await checkSubscribers(client, subscribers, owners);
  const lines = await loadLines(client, resolved.lineCardIds, cards);
  for (const id of lines.accounts) {
    if (!balances.has(id)) throw new FactsMoved(`Account ${id} paid for a line meanwhile`);
  }
  const held = [...purchases.values()].flatMap((p) => p.parts.map((part) => part.lotId));
  const facts: Facts = {
    subscribers,
    cards,
    cardByNumber: resolved.cardByNumber,
    subscriberByPhone: resolved.subscriberByPhone,
    resellerByPhone,
    phoneByHash: await loadHashedPhones(client, needs.payerHashes),
    orders: await lockOrders(client, foundOrders.ids),
    orderByRef: foundOrders.byRef,
    balances,
    lots: await loadLots(client, balances, [...held, ...lines.lotIds]),
    eventPurchases: purchases,
    eventsBought: await loadEventsBought(client, foundOrders.wantEvents, cards),
    bookedPayments,
    rare: {
      ...rows,
      debts: await loadDebts(client, subscribers),
      lines: lines.bySubscription,
      trials: await loadTrials(client, needs.trialCardIds, cards),
      unitTransfers: await loadUnitTransfers(client, senders(needs, subscribers, resellerByPhone)),
      linkedCards,
      invoices: await loadInvoices(client, needs.documents),
    },
  };
  return facts;
}

/** The accounts of a subscriber that the batch may move. */
function accountsOf(of: SubscriberFacts, { creditAlone }: Needs): bigint[] {
  const credit = of.promoId ? [of.walletId, of.promoId] : [of.walletId];
  if (creditAlone) return credit;
  return [...credit, of.tvuWalletId, of.heldId, ...(of.otherUnits?.values() ?? [])];
}

function senders(
  { sendersOfUnits, resellerPhones }: Needs,
  subscribers: Facts['subscribers'],
  resellers: Facts['resellerByPhone'],
): bigint[] {
  const own = [...sendersOfUnits].flatMap((id) => {
    const subscriber = subscribers.get(id);
    return subscriber ? [subscriber.tvuWalletId, ...(subscriber.otherUnits?.values() ?? [])] : [];
  });
  if (resellerPhones.size === 0) return own;
  return [...own, ...[...resellers.values()].map((reseller) => reseller.tvuWalletId)];
}

/** Who has the money of the payments that are named, and which lines it may have paid for. */
async function resolveOriginals(
  client: ClientBase,
  needs: Needs,
  booked: ReadonlyMap<string, BookedPayment>,
  resolved: Resolved,
): Promise<void> {
  const holders = new Set<bigint>();
  for (const [key, payment] of booked) {
    if (!needs.boughtBy.has(key)) continue;
    for (const { subscriberId, cardId } of payment.places) {
      holders.add(subscriberId);
      if (cardId === null) continue;
      resolved.cardIds.add(cardId);
      resolved.lineCardIds.add(cardId);
    }
    if (payment.move) resolved.cardIds.add(payment.move.toCardId);
  }
  if (holders.size === 0) return;
  for (const id of holders) {
    resolved.subscriberIds.add(id);
    resolved.withCards.add(id);
    resolved.withLines.add(id);
  }
  for (const cardId of await payersCards(client, holders)) {
    resolved.cardIds.add(cardId);
    resolved.lineCardIds.add(cardId);
  }
}

async function findOrders(client: ClientBase, needs: Needs, resolved: Resolved) {
  const ids = new Set<bigint>();
  const byRef = new Map<string, bigint>();
  // A purchase from the wallet says whether it is an event, an order is asked.
  let wantEvents = needs.eventsBought;
  if (needs.orderIds.size + needs.orderRefs.size === 0) return { ids, byRef, wantEvents };
  const { rows } = await client.query({
    name: 'settlement-find-orders',
    text: `SELECT id, ref, purpose FROM payment_order
            WHERE id = ANY($1::bigint[]) OR ref = ANY($2::text[])`,
    values: [[...needs.orderIds], [...needs.orderRefs]],
  });
  for (const row of rows) {
    ids.add(row.id);
    byRef.set(row.ref, row.id);
    if (row.purpose.cardId) resolved.cardIds.add(BigInt(row.purpose.cardId));
    if (row.purpose.subscriberId) resolved.subscriberIds.add(BigInt(row.purpose.subscriberId));
    if (row.purpose.kind === 'event') wantEvents = true;
  }
  return { ids, byRef, wantEvents };
}

async function resolvePhones(client: ClientBase, needs: Needs, resolved: Resolved) {
  if (needs.phones.size === 0) return;
  const { rows } = await client.query({
    name: 'settlement-phones',
    text: `SELECT p.msisdn, p.subscriber_id, c.id AS card_id
             FROM phone p LEFT JOIN card c
               ON c.subscriber_id = p.subscriber_id AND p.msisdn = ANY($2::text[])
              AND c.replaced_by IS NULL
            WHERE p.msisdn = ANY($1::text[]) AND p.subscriber_id IS NOT NULL`,
    values: [[...needs.phones], [...needs.phonesWithCards]],
  });
  for (const row of rows) {
    resolved.subscriberByPhone.set(row.msisdn, row.subscriber_id);
    resolved.subscriberIds.add(row.subscriber_id);
    if (row.card_id !== null) resolved.cardIds.add(row.card_id);
  }
}

async function loadResellers(client: ClientBase, phones: ReadonlySet<string>) {
  const found = new Map<string, ResellerFacts>();
  if (phones.size === 0) return found;
  const { rows } = await client.query({
    name: 'settlement-resellers',
    text: `SELECT id, site_id, name, msisdn, tvu_wallet_id FROM reseller
            WHERE msisdn = ANY($1::text[])`,
    values: [[...phones]],
  });
  for (const row of rows) {
    found.set(row.msisdn, {
      id: row.id,
      siteId: row.site_id,
      name: row.name,
      msisdn: row.msisdn,
      tvuWalletId: row.tvu_wallet_id,
    });
  }
  return found;
}

async function lockBalances(client: ClientBase, accounts: ReadonlySet<bigint>) {
  if (accounts.size === 0) return new Map<bigint, bigint>();
  const { rows } = await client.query({
    name: 'settlement-lock-balances',
    text: `SELECT account_id, amount FROM balance WHERE account_id = ANY($1::bigint[])
            ORDER BY account_id FOR NO KEY UPDATE`,
    values: [[...accounts]],
  });
  return new Map<bigint, bigint>(rows.map((row) => [row.account_id, row.amount]));
}

async function lockOrders(client: ClientBase, ids: ReadonlySet<bigint>) {
  const orders = new Map<bigint, OrderFacts>();
  if (ids.size === 0) return orders;
  const { rows } = await client.query({
    name: 'settlement-lock-orders',
    text: `SELECT id, state, msisdn, asset, amount, purpose FROM payment_order
            WHERE id = ANY($1::bigint[]) ORDER BY id FOR NO KEY UPDATE`,
    values: [[...ids]],
  });
  for (const row of rows) orders.set(row.id, { ...row, purpose: readPurpose(row.purpose) });
  return orders;
}

/** A purpose as stored: ids are digits in JSON. */
export function readPurpose(stored: Record<string, string>): OrderFacts['purpose'] {
  const { kind, cardId, eventId, subscriberId, term, accountId, paymentId } = stored;
  if (kind === 'term') {
    return { kind, cardId: BigInt(cardId ?? 0), term: term as TermName };
  }
  if (kind === 'event') {
    return { kind, cardId: BigInt(cardId ?? 0), eventId: BigInt(eventId ?? 0) };
  }
  if (kind === 'credit') return { kind, cardId: BigInt(cardId ?? 0) };
  if (kind === 'invoice') {
    return { kind, accountId: BigInt(accountId ?? 0), paymentId: BigInt(paymentId ?? 0) };
  }
  return { kind: 'tvu', subscriberId: BigInt(subscriberId ?? 0) };
}

async function loadLots(
  client: ClientBase,
  balances: ReadonlyMap<bigint, bigint>,
  lotIds: readonly bigint[],
) {
  const lots = new Map<bigint, Lot[]>();
  const accounts = [...balances].filter(([, amount]) => amount > 0n).map(([id]) => id);
  if (accounts.length + lotIds.length === 0) return lots;
  const { rows } = await client.query({
    name: 'settlement-lots',
    text: `SELECT id, account_id, journal_id, kind, priority, expires_at, amount, remaining,
                  cost, cost_remaining
             FROM lot
            WHERE (account_id = ANY($1::bigint[]) AND remaining > 0) OR id = ANY($2::bigint[])`,
    values: [accounts, lotIds],
  });
  for (const row of rows) {
    const lot: Lot = {
      id: row.id,
      accountId: row.account_id,
      journalId: row.journal_id,
      kind: row.kind,
      priority: row.priority,
      expiresAt: row.expires_at,
      amount: row.amount,
      remaining: row.remaining,
      cost: row.cost,
      costRemaining: row.cost_remaining,
    };
    const list = lots.get(lot.accountId);
    if (list) list.push(lot);
    else lots.set(lot.accountId, [lot]);
  }
  return lots;
}
