/**
 * Money that has arrived in a wallet: it repays what is owed, and buys what waits or what the site
 * says that payments buy.
 */
import type { Command } from './commands.ts';
import { countPayment } from './commissions.ts';
import { repayDebts } from './credit.ts';
import type { CardFacts, SubscriberFacts } from './facts.ts';
import { type Spent, spendByPolicy } from './purchases.ts';
import { type Paid, sayPaid } from './receipts.ts';
import type { Workspace } from './workspace.ts';

/** Money for a card, like a payment: what a claim, a move and a scratch card bring too. */
export interface Arrival {
  command: Command;
  subscriber: SubscriberFacts;
  card: CardFacts;
  /** The journal that brought it. */
  journalId: bigint;
  /** What counts for a reseller. */
  amount: bigint;
}

/** Repays debts from the money, then lets the wallet buy for the card. */
export function arrive(w: Workspace, arrival: Arrival): Spent {
  const { command, subscriber, card, journalId, amount } = arrival;
  countPayment(w, command, card.id, amount);
  repayDebts(w, command, subscriber, journalId);
  return spendOnCard(w, command, subscriber, w.card(card.id) ?? card);
}

/** Buys for one card if the site says that payments do, or if its renewal waits. */
export function spendOnCard(
  w: Workspace,
  command: Command,
  subscriber: SubscriberFacts,
  card: CardFacts,
): Spent {
  const buys = w.site(card.siteId).payment.buys === 'terms' || card.subscription?.waitingTerm;
  if (!buys) return { kind: 'credit', missing: null };
  return spendByPolicy(w, { command, subscriber, card });
}

/** What a waiting renewal came to; no card: none waited. */
export interface Tried {
  spent: Spent;
  card: CardFacts | null;
}

/**
 * Money for an account, not for a card: every waiting renewal of the account is tried. Returns the
 * last that was bought, else the last tried; what the others still need is said here.
 */
export function spendOnWaiting(w: Workspace, paid: Paid, subscriber: SubscriberFacts): Tried {
  const { command } = paid;
  let last: Tried = { spent: { kind: 'credit', missing: null }, card: null };
  const short: Tried[] = [];
  for (const card of cardsOf(w, subscriber.id)) {
    if (!card.subscription?.waitingTerm) continue;
    const spent = spendByPolicy(w, { command, subscriber, card });
    const tried = { spent, card };
    if (spent.kind === 'credit') short.push(tried);
    if (spent.kind !== 'credit' || last.spent.kind === 'credit') last = tried;
  }
  for (const { spent, card } of short.filter((tried) => tried !== last)) {
    sayPaid(w, paid, { subscriber, card }, { spent, event: null, paidUntil: null });
  }
  return last;
}

/** The same for units that became credit: what still waits is told what it needs. */
export function spendConverted(w: Workspace, paid: Paid, subscriber: SubscriberFacts): Tried {
  const last = spendOnWaiting(w, paid, subscriber);
  if (last.card && last.spent.kind === 'credit') {
    sayPaid(w, paid, { subscriber, card: last.card }, { ...last, event: null, paidUntil: null });
  }
  return last;
}

/** The subscriber's cards among the facts, oldest first, as they stand now in the batch. */
export function cardsOf(w: Workspace, subscriberId: bigint): CardFacts[] {
  const cards: CardFacts[] = [];
  for (const id of w.facts.cards.keys()) {
    const card = w.card(id);
    if (card?.subscriberId === subscriberId) cards.push(card);
  }
  return cards.sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** The card whose subscription has this id, when it is among the facts. */
export function cardOfSubscription(w: Workspace, subscriptionId: bigint): CardFacts | null {
  for (const id of w.facts.cards.keys()) {
    const card = w.card(id);
    if (card?.subscription?.id === subscriptionId) return card;
  }
  return null;
}
