/**
 * Money that has arrived in a wallet: it repays what is owed, and buys what waits or what the site
 * says that payments buy.
 */
import type { Command } from './commands.ts';
import { countPayment } from './commissions.ts';
import { repayDebts } from './credit.ts';
import type { CardFacts, SubscriberFacts } from './facts.ts';
import { type Spent, spendByPolicy } from './purchases.ts';
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

/** Money for an account, not for a card: every waiting renewal of the account is tried. */
export function spendOnWaiting(w: Workspace, command: Command, subscriber: SubscriberFacts) {
  let last: { spent: Spent; card: CardFacts | null } = {
    spent: { kind: 'credit', missing: null },
    card: null,
  };
  for (const card of cardsOf(w, subscriber.id)) {
    if (!card.subscription?.waitingTerm) continue;
    const spent = spendByPolicy(w, { command, subscriber, card });
    if (spent.kind !== 'credit' || last.spent.kind === 'credit') last = { spent, card };
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
