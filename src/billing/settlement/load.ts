/**
 * Reads and locks what a batch needs. Locks are taken in one order everywhere: balances by account
 * id, cards by id, orders by id, and last (when writing) inbox keys sorted. A card's subscription
 * and owner are guarded by the lock on its rights row, a wallet's lots by the one on its balance.
 */
import type { ClientBase } from 'pg';
import { parseLocalDate } from '../../platform/calendar.ts';
import type { Lot } from '../ledger/rules.ts';
import type { Command, Settled } from './commands.ts';
import type {
  CardFacts,
  Facts,
  OrderFacts,
  ResellerFacts,
  Right,
  SubscriberFacts,
  SubscriptionFacts,
} from './facts.ts';
import {
  loadEventPurchases,
  loadEventsBought,
  loadHashedPhones,
  loadOriginals,
} from './load-rare.ts';
import type { Needs } from './needs.ts';

/** A card changed hands between look-up and lock: the batch is loaded again. */
export class FactsMoved extends Error {}

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

interface Resolved {
  cardIds: Set<bigint>;
  ownerOf: Map<bigint, bigint>;
  cardByNumber: Map<string, bigint>;
  subscriberByPhone: Map<string, bigint>;
  subscriberIds: Set<bigint>;
}

/** Loads the facts of a batch inside its transaction; on return everything mutable is locked. */
export async function loadFacts(client: ClientBase, needs: Needs): Promise<Facts> {
  const resolved: Resolved = {
    cardIds: new Set(needs.cardIds),
    ownerOf: new Map(),
    cardByNumber: new Map(),
    subscriberByPhone: new Map(),
    subscriberIds: new Set(),
  };
  const foundOrders = await findOrders(client, needs, resolved);
  const purchases = await loadEventPurchases(client, needs.purchaseIds);
  for (const purchase of purchases.values()) {
    resolved.cardIds.add(purchase.cardId);
    resolved.subscriberIds.add(purchase.subscriberId);
  }
  await resolvePhones(client, needs, resolved);
  await resolveCards(client, needs, resolved);
  const bookedPayments = await loadOriginals(client, needs.originals);
  const subscribers = await loadSubscribers(client, resolved.subscriberIds);
  const resellerByPhone = await loadResellers(client, needs.resellerPhones);
  const accounts = new Set<bigint>();
  for (const s of subscribers.values()) {
    accounts.add(s.walletId).add(s.tvuWalletId).add(s.heldId);
  }
  for (const reseller of resellerByPhone.values()) accounts.add(reseller.tvuWalletId);
  for (const booked of bookedPayments.values()) {
    for (const entry of booked.entries) accounts.add(entry.accountId);
  }
  const balances = await lockBalances(client, accounts);
  const cards = await lockCards(client, resolved);
  const lotIds = [...purchases.values()].flatMap((p) => p.parts.map((part) => part.lotId));
  return {
    subscribers,
    cards,
    cardByNumber: resolved.cardByNumber,
    subscriberByPhone: resolved.subscriberByPhone,
    resellerByPhone,
    phoneByHash: await loadHashedPhones(client, needs.payerHashes),
    orders: await lockOrders(client, foundOrders.ids),
    orderByRef: foundOrders.byRef,
    balances,
    lots: await loadLots(client, balances, lotIds),
    eventPurchases: purchases,
    eventsBought: await loadEventsBought(client, foundOrders.wantEvents, cards),
    bookedPayments,
  };
}

async function findOrders(client: ClientBase, needs: Needs, resolved: Resolved) {
  const ids = new Set<bigint>();
  const byRef = new Map<string, bigint>();
  // A purchase from the wallet may be an event; an order says itself what it is for.
  let wantEvents = needs.cardIds.size > 0;
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
            WHERE p.msisdn = ANY($1::text[]) AND p.subscriber_id IS NOT NULL`,
    values: [[...needs.phones], [...needs.phonesWithCards]],
  });
  for (const row of rows) {
    resolved.subscriberByPhone.set(row.msisdn, row.subscriber_id);
    resolved.subscriberIds.add(row.subscriber_id);
    if (row.card_id !== null) resolved.cardIds.add(row.card_id);
  }
}

async function resolveCards(client: ClientBase, needs: Needs, resolved: Resolved) {
  if (needs.cardNumbers.size + resolved.cardIds.size === 0) return;
  const { rows } = await client.query({
    name: 'settlement-find-cards',
    text: `SELECT id, number, subscriber_id FROM card
            WHERE number = ANY($1::text[]) OR id = ANY($2::bigint[])`,
    values: [[...needs.cardNumbers], [...resolved.cardIds]],
  });
  for (const row of rows) {
    resolved.cardIds.add(row.id);
    resolved.cardByNumber.set(row.number, row.id);
    resolved.ownerOf.set(row.id, row.subscriber_id);
    resolved.subscriberIds.add(row.subscriber_id);
  }
}

async function loadSubscribers(client: ClientBase, ids: ReadonlySet<bigint>) {
  const found = new Map<bigint, SubscriberFacts>();
  if (ids.size === 0) return found;
  const { rows } = await client.query({
    name: 'settlement-subscribers',
    text: `SELECT id, site_id, full_name, contact_msisdn, language, wallet_id, tvu_wallet_id,
                  held_id
             FROM subscriber WHERE id = ANY($1::bigint[])`,
    values: [[...ids]],
  });
  for (const row of rows) {
    found.set(row.id, {
      id: row.id,
      siteId: row.site_id,
      fullName: row.full_name,
      contactMsisdn: row.contact_msisdn,
      language: row.language,
      walletId: row.wallet_id,
      tvuWalletId: row.tvu_wallet_id,
      heldId: row.held_id,
    });
  }
  return found;
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

async function lockCards(client: ClientBase, resolved: Resolved) {
  const cards = new Map<bigint, CardFacts>();
  if (resolved.cardIds.size === 0) return cards;
  const ids = [...resolved.cardIds];
  const rights = await client.query({
    name: 'settlement-lock-cards',
    text: `SELECT card_id, desired_rev, desired FROM card_rights
            WHERE card_id = ANY($1::bigint[]) ORDER BY card_id FOR NO KEY UPDATE`,
    values: [ids],
  });
  const rightsOf = new Map(rights.rows.map((row) => [row.card_id, row]));
  const { rows } = await client.query({
    name: 'settlement-cards',
    text: `SELECT c.id, c.number, c.site_id, c.subscriber_id, s.id AS subscription_id,
                  s.bouquet_id, s.term, s.auto_renew, s.waiting_term, s.run_from, s.paid_until,
                  s.base_date::text AS base_date, s.anchor_day
             FROM card c LEFT JOIN subscription s ON s.card_id = c.id
            WHERE c.id = ANY($1::bigint[])`,
    values: [ids],
  });
  for (const row of rows) {
    const owner = resolved.ownerOf.get(row.id);
    if (owner !== row.subscriber_id) throw new FactsMoved(`Card ${row.id} changed hands`);
    const right = rightsOf.get(row.id);
    if (!right) throw new Error(`Card ${row.id} has no rights row`);
    cards.set(row.id, {
      id: row.id,
      number: row.number,
      siteId: row.site_id,
      subscriberId: row.subscriber_id,
      subscription: row.subscription_id === null ? null : subscriptionOf(row),
      desiredRev: right.desired_rev,
      desired: readRights(right.desired),
    });
  }
  return cards;
}

// biome-ignore lint/suspicious/noExplicitAny: a row as the driver gives it
function subscriptionOf(row: any): SubscriptionFacts {
  return {
    id: row.subscription_id,
    bouquetId: row.bouquet_id,
    term: row.term,
    autoRenew: row.auto_renew,
    waitingTerm: row.waiting_term,
    runFrom: row.run_from,
    paidUntil: row.paid_until,
    baseDate: row.base_date === null ? null : parseLocalDate(row.base_date),
    anchorDay: row.anchor_day,
  };
}

const readRights = (stored: { product: string; from: string; to: string }[]): Right[] =>
  stored.map(({ product, from, to }) => ({ product, from: new Date(from), to: new Date(to) }));

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
  const { kind, cardId, eventId, subscriberId, term } = stored;
  if (kind === 'term') {
    return { kind, cardId: BigInt(cardId ?? 0), term: term as SubscriptionFacts['term'] };
  }
  if (kind === 'event') {
    return { kind, cardId: BigInt(cardId ?? 0), eventId: BigInt(eventId ?? 0) };
  }
  if (kind === 'credit') return { kind, cardId: BigInt(cardId ?? 0) };
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
