/**
 * The working copy of one batch: facts as they change while its commands are decided one after the
 * other, and the rows that will be written for them. Pure: ids come from a reserved block.
 */
import type { LentIds } from '../../platform/ports.ts';
import type { Catalogue, Site } from '../catalogue/rules.ts';
import { type AccountKind, type AccountName, accountKey, CHART } from '../ledger/chart.ts';
import { balancedEntries, type EntryDraft, type JournalDraft, type Lot } from '../ledger/rules.ts';
import type { Command, OutboundDraft, Saying } from './commands.ts';
import {
  type CardFacts,
  type CommissionFacts,
  type DebtFacts,
  type EventPurchaseFacts,
  type Facts,
  type LineFacts,
  type MoveFacts,
  NO_RARE_FACTS,
  type OrderFacts,
  type PaymentPlace,
  type PromotionFacts,
  type RareFacts,
  type SettlementPorts,
  type SubscriberFacts,
  type SubscriptionFacts,
  type TrialFacts,
  type VoucherFacts,
} from './facts.ts';
import { type LotActs, lotActs } from './lots.ts';

export interface Tools {
  ids: Pick<LentIds, 'next'>;
  catalogue: Catalogue;
  /** System accounts by `accountKey`. */
  accounts: ReadonlyMap<string, bigint>;
  ports: SettlementPorts;
  /** Inbox rows that stand there parked, by `provider|receipt`: a retry keeps their id. */
  parkedIds: ReadonlyMap<string, bigint>;
}

/** A line as it is first written. */
export type TermDraft = LineFacts;

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

/** Money that a postpaid account is to have; exactly one of payment and invoice is said. */
export interface PostpaidReceipt {
  inboxId: bigint;
  accountId: bigint;
  paymentId: bigint | null;
  invoiceId: bigint | null;
  amount: bigint;
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
  rare: RareWrites;
}

/** Rows that few batches have. A map has the last state of a row; `new…` those to be inserted. */
export interface RareWrites {
  /** Accounts opened with their first money; their owner's row names them from then on. */
  accounts: (AccountName & { id: bigint })[];
  /** Subscribers whose `promoId`, `otherUnits` or `owes` changed. */
  subscribers: Map<bigint, SubscriberFacts>;
  /** Lines that were written before this batch and changed (dates, price, tax, parts, state…). */
  changedTerms: Map<bigint, LineFacts>;
  debts: Map<bigint, DebtFacts>;
  newDebts: Set<bigint>;
  moves: Map<bigint, MoveFacts>;
  newMoves: Set<bigint>;
  /** Appended after a claim or a move. The place of a plain payment is its inbox row. */
  places: PaymentPlace[];
  /** Inbox ids of suspense items that were claimed. */
  claimedSuspense: bigint[];
  /** Money for postpaid accounts: of a payment of ours, or for an invoice. */
  postpaidReceipts: PostpaidReceipt[];
  vouchers: Map<string, VoucherFacts>;
  promotions: Map<bigint, PromotionFacts>;
  promotionUses: { promotionId: bigint; cardId: bigint; at: Date }[];
  trials: (TrialFacts & { subscriptionId: bigint })[];
  commissions: Map<bigint, CommissionFacts>;
  newCommissions: Set<bigint>;
  /** Subscriptions whose open commission is kept, because a second payment came. */
  commissionsKept: Set<bigint>;
}

export interface Workspace extends LotActs {
  readonly facts: Facts;
  /** The rare facts, each empty when it was not loaded. */
  readonly rare: RareFacts;
  readonly tools: Tools;
  readonly writes: Writes;
  site(id: bigint): Site;
  account(owner: string, kind: AccountKind, asset: string): bigint;
  balance(accountId: bigint): bigint;
  subscriber(id: bigint): SubscriberFacts | null;
  setSubscriber(subscriber: SubscriberFacts): void;
  /** Opens an account with its first money. Returns its id. */
  openAccount(name: AccountName): bigint;
  card(id: bigint): CardFacts | null;
  order(id: bigint): OrderFacts | null;
  /** Books a balanced journal and moves the exact balances it touches. Returns its id. */
  book(command: Command, kind: string, entries: EntryDraft[], reverses?: bigint): bigint;
  setSubscription(card: CardFacts, subscription: SubscriptionFacts): void;
  setCard(card: CardFacts): void;
  /** All lines of a subscription as they stand now; of older ones only where they were loaded. */
  lines(subscriptionId: bigint): LineFacts[];
  addLine(line: LineFacts): void;
  changeLine(line: LineFacts): void;
  say(command: Command, saying: Saying): void;
  inboxId: bigint;
  /** Whose payment the command is, for its inbox row. */
  payment: PaymentParty | null;
}

/** Whose payment it is; the payer as far as the notice or our own order says it. */
export interface PaymentParty {
  cardId: bigint | null;
  subscriberId: bigint;
  /** E.164. */
  payerMsisdn: string | null;
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
  rare: {
    accounts: [],
    subscribers: new Map(),
    changedTerms: new Map(),
    debts: new Map(),
    newDebts: new Set(),
    moves: new Map(),
    newMoves: new Set(),
    places: [],
    claimedSuspense: [],
    postpaidReceipts: [],
    vouchers: new Map(),
    promotions: new Map(),
    promotionUses: [],
    trials: [],
    commissions: new Map(),
    newCommissions: new Set(),
    commissionsKept: new Set(),
  },
});

/** Starts the working copy of a batch over its facts. */
export function createWorkspace(facts: Facts, tools: Tools): Workspace {
  const writes = emptyWrites();
  const workspace: Workspace = {
    facts,
    rare: { ...NO_RARE_FACTS, ...facts.rare },
    tools,
    writes,
    inboxId: 0n,
    payment: null,
    ...lookups(facts, tools, writes),
    ...lotActs(facts, tools, writes),
    ...lineActs(facts, writes),
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
  return {
    ...accountLookups(facts, tools, writes),
    card: (id: bigint) => writes.cards.get(id) ?? facts.cards.get(id) ?? null,
    subscriber: (id: bigint) =>
      writes.rare.subscribers.get(id) ?? facts.subscribers.get(id) ?? null,
    setSubscriber(subscriber: SubscriberFacts): void {
      writes.rare.subscribers.set(subscriber.id, subscriber);
    },
    order(id: bigint): OrderFacts | null {
      const order = facts.orders.get(id) ?? null;
      return order && writes.paidOrders.has(id) ? { ...order, state: 'paid' } : order;
    },
    setSubscription(of: CardFacts, subscription: SubscriptionFacts): void {
      writes.subscriptions.set(subscription.id, subscription);
      writes.cards.set(of.id, { ...of, subscription });
    },
    setCard(card: CardFacts): void {
      writes.cards.set(card.id, card);
    },
  };
}

function accountLookups(facts: Facts, tools: Tools, writes: Writes) {
  return {
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
    openAccount(name: AccountName): bigint {
      const id = tools.ids.next();
      writes.rare.accounts.push({ ...name, id });
      if (CHART[name.kind] === 'exact') writes.balances.set(id, 0n);
      return id;
    },
  };
}

function lineActs(facts: Facts, writes: Writes) {
  return {
    lines(subscriptionId: bigint): LineFacts[] {
      const known = (facts.rare?.lines?.get(subscriptionId) ?? []).map(
        (line) => writes.rare.changedTerms.get(line.id) ?? line,
      );
      const made = writes.terms.filter((line) => line.subscriptionId === subscriptionId);
      return [...known, ...made].filter((line) => line.state === 'sold');
    },
    addLine(line: LineFacts): void {
      writes.terms.push(line);
    },
    changeLine(line: LineFacts): void {
      const made = writes.terms.findIndex((one) => one.id === line.id);
      if (made >= 0) writes.terms[made] = line;
      else writes.rare.changedTerms.set(line.id, line);
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
    if (!w.facts.balances.has(accountId) && !w.writes.balances.has(accountId)) continue;
    w.writes.balances.set(accountId, w.balance(accountId) + amount);
  }
  return id;
}
