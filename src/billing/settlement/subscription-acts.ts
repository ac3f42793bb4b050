/** Small acts on a subscription: renewal by itself, a renewal asked for, and its close. */

import { priceAt, type TermName } from '../catalogue/rules.ts';
import type { CardAct, Command, SetAutoRenew } from './commands.ts';
import { creditOf } from './credit.ts';
import { type Decision, refused, settled } from './decision.ts';
import type { CardFacts, SubscriberFacts } from './facts.ts';
import { bouquetById, buyTerm, isCarried, planRefusal } from './purchases.ts';
import type { Workspace } from './workspace.ts';

const NOTHING = { paidUntil: null, credit: null, units: null };

/** From now on the subscription renews by itself at the end of each term. */
export function decideAutoRenew(w: Workspace, command: SetAutoRenew): Decision {
  const card = w.card(command.cardId);
  const subscription = card?.subscription;
  if (!card || !subscription || subscription.closedAt) return refused(w, 'unknown_card');
  const { products } = bouquetById(w, subscription.bouquetId);
  if (!isCarried(w, card, products)) return refused(w, 'product_not_on_cas');
  const autoRenewSince = command.at;
  const renewTerm = command.term;
  w.setSubscription(card, { ...subscription, autoRenew: true, renewTerm, autoRenewSince });
  return settled(w, NOTHING);
}

/** From now on nothing renews by itself; a renewal that waits for its money still does. */
export function decideAutoRenewStop(w: Workspace, command: CardAct): Decision {
  const card = w.card(command.cardId);
  const subscription = card?.subscription;
  if (!card || !subscription || subscription.closedAt) return refused(w, 'unknown_card');
  w.setSubscription(card, { ...subscription, autoRenew: false });
  return settled(w, NOTHING);
}

/** Buys the term now, or waits for the money and says so. */
export function decideRenewalRequest(w: Workspace, command: SetAutoRenew): Decision {
  const card = w.card(command.cardId);
  const subscriber = card && w.subscriber(card.subscriberId);
  const refusal = planRefusal(w, card);
  if (!card?.subscription || !subscriber || refusal) return refused(w, refusal ?? 'unknown_card');
  const done = buyTerm(w, { command, subscriber, card }, command.term);
  if (!done.ok && done.error !== 'insufficient_funds') return refused(w, done.error);
  const credit = creditOf(w, subscriber, command.at);
  if (done.ok) return settled(w, { paidUntil: done.bought.paidUntil, credit, units: null });
  w.setSubscription(card, { ...card.subscription, waitingTerm: command.term });
  sayWaiting(w, command, { card, subscriber, term: command.term });
  return settled(w, { paidUntil: null, credit, units: null });
}

/** Says what a waiting renewal still needs. */
export function sayWaiting(
  w: Workspace,
  command: Command,
  { card, subscriber, term }: { card: CardFacts; subscriber: SubscriberFacts; term: TermName },
): void {
  const { subscription } = card;
  const bouquet = subscription && bouquetById(w, subscription.bouquetId);
  const price = bouquet ? priceAt(bouquet, term, command.at, card.category) : null;
  if (price === null || !subscriber.contactMsisdn) return;
  w.say(command, {
    siteId: card.siteId,
    language: subscriber.language,
    to: { kind: 'text', msisdn: subscriber.contactMsisdn },
    message: {
      name: 'renewal_failed',
      cardNumber: card.number,
      missing: price - creditOf(w, subscriber, command.at),
      asset: w.site(card.siteId).currency,
      term,
    },
  });
}

/** No renewal any more; what is paid runs out. */
export function decideClose(w: Workspace, command: CardAct): Decision {
  const card = w.card(command.cardId);
  const subscription = card?.subscription;
  if (!card || !subscription) return refused(w, 'unknown_card');
  const closedAt = subscription.closedAt ?? command.at;
  w.setSubscription(card, { ...subscription, autoRenew: false, waitingTerm: null, closedAt });
  return settled(w, NOTHING);
}
