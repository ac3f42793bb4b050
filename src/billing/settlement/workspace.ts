/**
 * The working copy of one batch: facts as they change while its commands are decided one after the
 * other, and the rows that will be written for them. Pure: ids come from a reserved block.
 */
import type { LentIds } from '../../platform/ports.ts';
import type { Catalogue, Site } from '../catalogue/rules.ts';
import { type AccountKind, accountKey } from '../ledger/chart.ts';
import {
  balancedEntries,
  consumeLots,
  type EntryDraft,
  type JournalDraft,
  type Lot,
  type LotPart,
  PAID_PRIORITY,
} from '../ledger/rules.ts';
import type { Command, OutboundDraft, Saying } from './commands.ts';
import type {
  CardFacts,
  EventPurchaseFacts,
  Facts,
  OrderFacts,
  Right,
  SettlementPorts,
  SubscriptionFacts,
} from './facts.ts';

export interface Tools {
  ids: Pick<LentIds, 'next'>;
  catalogue: Catalogue;
  /** System accounts by `accountKey`. */
  accounts: ReadonlyMap<string, bigint>;
  ports: SettlementPorts;
  /** Inbox rows that stand there parked, by `provider|receipt`: a retry keeps their id. */
  parkedIds: ReadonlyMap<string, bigint>;
}

export interface TermDraft {
  id: bigint;
  subscriptionId: bigint;
  bouquetId: bigint;
  kind: string;
  days: number | null;
  from: Date;
  to: Date;
  asset: string;
  price: bigint;
  tax: bigint;
  journalId: bigint;
}

export interface SuspenseDraft {
  inboxId: bigint;
  siteId: bigint;
  asset: string;
  amount: bigint;
  reason: string;
  accountRef: string | null;
  payerMsisdn: string | null;
  payerHash: string | null;
  at: Date;
}

export interface EventPurchaseDraft extends EventPurchaseFacts {
  endsAt: Date;
  rightsRev: number;
  journalId: bigint;
}

/** The rows of a batch, ready to be written set by set. */
export interface Writes {
  journals: (JournalDraft & { inboxId: bigint })[];
  lots: Map<bigint, Lot>;
  newLots: Set<bigint>;
  balances: Map<bigint, bigint>;
  subscriptions: Map<bigint, SubscriptionFacts>;
  terms: TermDraft[];
  cards: Map<bigint, CardFacts>;
  outbound: (OutboundDraft & { id: bigint; siteId: bigint; at: Date; inboxId: bigint })[];
  paidOrders: Map<bigint, bigint>;
  suspense: SuspenseDraft[];
  returnedSuspense: bigint[];
  eventPurchases: EventPurchaseDraft[];
  eventStates: { id: bigint; state: 'captured' | 'released' }[];
}

export interface Workspace {
  readonly facts: Facts;
  readonly tools: Tools;
  readonly writes: Writes;
  site(id: bigint): Site;
  account(owner: string, kind: AccountKind, asset: string): bigint;
  balance(accountId: bigint): bigint;
  card(id: bigint): CardFacts | null;
  order(id: bigint): OrderFacts | null;
  /** Books a balanced journal and moves the exact balances it touches. Returns its id. */
  book(command: Command, kind: string, entries: EntryDraft[], reverses?: bigint): bigint;
  addLot(accountId: bigint, journalId: bigint, amount: bigint, cost?: bigint): void;
  /** Takes from the lots of a wallet; the caller has checked the balance. */
  takeLots(accountId: bigint, amount: bigint): LotPart[];
  /** The same, but first from the lot that this journal made: money taken back. */
  takeBack(accountId: bigint, amount: bigint, journalId: bigint): LotPart[];
  /** What is left of what a journal brought to an account. */
  leftOf(accountId: bigint, journalId: bigint): bigint;
  returnLots(parts: readonly { lotId: bigint; amount: bigint }[]): void;
  setSubscription(card: CardFacts, subscription: SubscriptionFacts): void;
  /** Raises the card's desired revision when the set has changed. */
  raiseRights(cardId: bigint, at: Date, event?: Right): void;
  /** The event is over or was never on air: its right leaves the set. */
  dropEventRight(cardId: bigint, product: string, at: Date): void;
  say(command: Command, saying: Saying): void;
  inboxId: bigint;
}

const emptyWrites = (): Writes => ({
  journals: [],
  lots: new Map(),
  newLots: new Set(),
  balances: new Map(),
  subscriptions: new Map(),
  terms: [],
  cards: new Map(),
  outbound: [],
  paidOrders: new Map(),
  suspense: [],
  returnedSuspense: [],
  eventPurchases: [],
  eventStates: [],
});

/** Starts the working copy of a batch over its facts. */
export function createWorkspace(facts: Facts, tools: Tools): Workspace {
  const writes = emptyWrites();
  const workspace: Workspace = {
    facts,
    tools,
    writes,
    inboxId: 0n,
    ...lookups(facts, tools, writes),
    ...lotActs(facts, tools, writes),
    ...rightsActs(facts, tools, writes),
    book: (command, kind, entries, reverses) =>
      book(workspace, { command, kind, entries, reverses: reverses ?? null }),
    say(command, saying) {
      const draft = tools.ports.messagesFor(saying, command.at);
      if (!draft) return;
      writes.outbound.push({
        ...draft,
        id: tools.ids.next(),
        siteId: saying.siteId,
        at: command.at,
        inboxId: workspace.inboxId,
      });
    },
  };
  return workspace;
}

function lookups(facts: Facts, tools: Tools, writes: Writes) {
  const card = (id: bigint) => writes.cards.get(id) ?? facts.cards.get(id) ?? null;
  return {
    card,
    site(id: bigint): Site {
      const site = tools.catalogue.sites.get(id);
      if (!site) throw new Error(`No such site: ${id}`);
      return site;
    },
    account(owner: string, kind: AccountKind, asset: string): bigint {
      const id = tools.accounts.get(accountKey({ owner, kind, asset }));
      if (id === undefined) throw new Error(`No such account: ${owner} ${kind} ${asset}`);
      return id;
    },
    balance: (accountId: bigint) =>
      writes.balances.get(accountId) ?? facts.balances.get(accountId) ?? 0n,
    order(id: bigint): OrderFacts | null {
      const order = facts.orders.get(id) ?? null;
      return order && writes.paidOrders.has(id) ? { ...order, state: 'paid' } : order;
    },
    setSubscription(of: CardFacts, subscription: SubscriptionFacts): void {
      writes.subscriptions.set(subscription.id, subscription);
      writes.cards.set(of.id, { ...of, subscription });
    },
  };
}

interface Booking {
  command: Command;
  kind: string;
  entries: EntryDraft[];
  reverses: bigint | null;
}

function book(w: Workspace, { command, kind, entries, reverses }: Booking): bigint {
  const kept = balancedEntries(entries);
  const id = w.tools.ids.next();
  w.writes.journals.push({
    id,
    kind,
    siteId: command.siteId,
    effectiveAt: command.at,
    reverses,
    entries: kept,
    inboxId: w.inboxId,
  });
  for (const { accountId, amount } of kept) {
    // Only exact accounts are among the facts; folded ones are never read here.
    if (!w.facts.balances.has(accountId)) continue;
    w.writes.balances.set(accountId, w.balance(accountId) + amount);
  }
  return id;
}

function lotActs(facts: Facts, tools: Tools, writes: Writes) {
  const lotsOf = (accountId: bigint): Lot[] => {
    const known = (facts.lots.get(accountId) ?? []).map((lot) => writes.lots.get(lot.id) ?? lot);
    const made = [...writes.newLots]
      .map((id) => writes.lots.get(id))
      .filter((lot) => lot !== undefined && lot.accountId === accountId);
    return [...known, ...(made as Lot[])];
  };
  const change = (lotId: bigint, amount: bigint, cost: bigint): void => {
    const lot = writes.lots.get(lotId) ?? findLot(facts, lotId);
    writes.lots.set(lotId, {
      ...lot,
      remaining: lot.remaining + amount,
      costRemaining: lot.costRemaining + cost,
    });
  };
  const take = (lots: readonly Lot[], amount: bigint): LotPart[] => {
    const parts = consumeLots(lots, amount);
    if (!parts) throw new Error(`Lots hold less than ${amount}: ${lots.map((lot) => lot.id)}`);
    for (const part of parts) change(part.lotId, -part.amount, -part.cost);
    return parts;
  };
  const madeBy = (accountId: bigint, journalId: bigint): Lot[] =>
    lotsOf(accountId).filter((lot) => lot.journalId === journalId);
  const leftOf = (accountId: bigint, journalId: bigint): bigint =>
    madeBy(accountId, journalId).reduce((sum, lot) => sum + lot.remaining, 0n);
  return {
    leftOf,
    addLot(accountId: bigint, journalId: bigint, amount: bigint, cost = 0n): void {
      if (amount === 0n) return;
      const id = tools.ids.next();
      writes.newLots.add(id);
      writes.lots.set(id, {
        id,
        accountId,
        journalId,
        kind: 'paid',
        priority: PAID_PRIORITY,
        expiresAt: null,
        amount,
        remaining: amount,
        cost,
        costRemaining: cost,
      });
    },
    takeLots: (accountId: bigint, amount: bigint) => take(lotsOf(accountId), amount),
    takeBack(accountId: bigint, amount: bigint, journalId: bigint): LotPart[] {
      const left = leftOf(accountId, journalId);
      const own = left < amount ? left : amount;
      const first = take(madeBy(accountId, journalId), own);
      return [...first, ...take(lotsOf(accountId), amount - own)];
    },
    returnLots(parts: readonly { lotId: bigint; amount: bigint }[]): void {
      for (const part of parts) change(part.lotId, part.amount, 0n);
    },
  };
}

function findLot(facts: Facts, lotId: bigint): Lot {
  for (const lots of facts.lots.values()) {
    for (const lot of lots) if (lot.id === lotId) return lot;
  }
  throw new Error(`No such lot: ${lotId}`);
}

function rightsActs(facts: Facts, tools: Tools, writes: Writes) {
  const current = (cardId: bigint): CardFacts => {
    const card = writes.cards.get(cardId) ?? facts.cards.get(cardId);
    if (!card) throw new Error(`No such card: ${cardId}`);
    return card;
  };
  const raise = (cardId: bigint, at: Date, events: readonly Right[]): void => {
    const card = current(cardId);
    const subscription = card.subscription;
    const bouquet = subscription && tools.catalogue.bouquets.get(subscription.bouquetId);
    const desired = tools.ports.rightsFor({
      subscription:
        subscription?.runFrom && subscription.paidUntil && bouquet
          ? { products: bouquet.products, from: subscription.runFrom, to: subscription.paidUntil }
          : null,
      events,
      at,
    });
    writes.cards.set(cardId, { ...card, desired, desiredRev: card.desiredRev + 1 });
  };
  return {
    raiseRights(cardId: bigint, at: Date, event?: Right): void {
      const events = current(cardId).desired.filter(isEventRight);
      raise(cardId, at, event ? [...events, event] : events);
    },
    dropEventRight(cardId: bigint, product: string, at: Date): void {
      const events = current(cardId).desired.filter(isEventRight);
      raise(
        cardId,
        at,
        events.filter((right) => right.product !== product),
      );
    },
  };
}

/** Pay-per-view rights live in a namespace of their own (`EVT:…`); the catalogue checks it. */
const isEventRight = (right: Right): boolean => right.product.startsWith('EVT:');
