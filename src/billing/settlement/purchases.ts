/** What a wallet buys: terms, days, pay-per-view. Callers check the money before they call. */
import {
  type Bouquet,
  dayRateAt,
  daysFor,
  onSale,
  type PaymentPolicy,
  type PayPerViewEvent,
  priceAt,
  TERMS_LONGEST_FIRST,
  type TermName,
} from '../catalogue/rules.ts';
import { taxInside } from '../ledger/rules.ts';
import { nextTerm, renewedTerm, type TermLength } from '../subscriptions/rules.ts';
import type { Command, RefusalCode } from './commands.ts';
import type { CardFacts, SubscriberFacts, SubscriptionFacts } from './facts.ts';
import type { Workspace } from './workspace.ts';

/** Three years of months: more than this from one payment is a slip, and stays credit. */
const TERMS_PER_ACT_MAX = 36;

export interface Bought {
  paidUntil: Date;
  bouquet: Bouquet;
}

interface Buyer {
  command: Command;
  /** Whose wallet pays. */
  subscriber: SubscriberFacts;
  card: CardFacts;
  /** An automatic renewal: the term begins, and is priced, at the end of the one before. */
  renews?: boolean;
}

const bouquetOf = (w: Workspace, subscription: SubscriptionFacts): Bouquet => {
  const bouquet = w.tools.catalogue.bouquets.get(subscription.bouquetId);
  if (!bouquet) throw new Error(`No such bouquet: ${subscription.bouquetId}`);
  return bouquet;
};

/** Books the price out of the wallet and extends the card's term; any purchase ends a wait. */
function sell(w: Workspace, buyer: Buyer, length: TermLength, price: bigint): Bought {
  const { command, subscriber } = buyer;
  const card = w.card(buyer.card.id);
  if (!card?.subscription) throw new Error(`Card ${buyer.card.id} has no subscription`);
  const { subscription } = card;
  const bouquet = bouquetOf(w, subscription);
  const site = w.site(card.siteId);
  const tax = taxInside(price, bouquet.taxPermyriad);
  const owner = `site:${site.id}`;
  const journalId = w.book(command, 'purchase', [
    { accountId: subscriber.walletId, asset: site.currency, amount: -price },
    {
      accountId: w.account(owner, 'deferred_revenue', site.currency),
      asset: site.currency,
      amount: price - tax,
    },
    {
      accountId: w.account(owner, 'tax_payable', site.currency),
      asset: site.currency,
      amount: tax,
    },
  ]);
  w.takeLots(subscriber.walletId, price);
  const sold = buyer.renews
    ? renewedTerm(subscription, length, site.timeZone)
    : nextTerm(subscription, length, command.at, site.timeZone);
  w.writes.terms.push({
    id: w.tools.ids.next(),
    subscriptionId: subscription.id,
    bouquetId: bouquet.id,
    kind: length.kind,
    days: length.kind === 'days' ? length.days : null,
    from: sold.from,
    to: sold.to,
    asset: site.currency,
    price,
    tax,
    journalId,
  });
  w.setSubscription(card, { ...subscription, ...sold.run, waitingTerm: null });
  return { paidUntil: sold.to, bouquet };
}

/** Buys one named term. */
export function buyTerm(
  w: Workspace,
  buyer: Buyer,
  term: TermName,
): { ok: true; bought: Bought } | { ok: false; error: RefusalCode } {
  const { subscription } = buyer.card;
  if (!subscription) return { ok: false, error: 'unknown_card' };
  const at = (buyer.renews ? subscription.paidUntil : null) ?? buyer.command.at;
  const price = priceAt(bouquetOf(w, subscription), term, at);
  if (price === null) return { ok: false, error: 'term_not_sold' };
  if (w.balance(buyer.subscriber.walletId) < price) {
    return { ok: false, error: 'insufficient_funds' };
  }
  const bought = sell(w, buyer, { kind: term }, price);
  w.raiseRights(buyer.card.id, buyer.command.at);
  return { ok: true, bought };
}

export type Spent =
  | { kind: 'terms'; bought: Bought }
  | { kind: 'days'; days: number; bought: Bought }
  /** Nothing was bought; what the wanted term still needs, null when that is not sold. */
  | { kind: 'credit'; missing: { amount: bigint; term: TermName } | null };

/**
 * The whole wallet buys for one card by the operator's rule: the waiting term, else the
 * subscription's own; what is over and under it as the site's payment policy says.
 */
export function spendByPolicy(w: Workspace, buyer: Buyer): Spent {
  const { subscription } = buyer.card;
  if (!subscription) return { kind: 'credit', missing: null };
  const bouquet = bouquetOf(w, subscription);
  const policy = w.site(buyer.card.siteId).payment;
  const at = buyer.command.at;
  const wanted = subscription.waitingTerm ?? subscription.term;
  const term = sellWholeTerms(w, buyer, termsToTry(policy.over, wanted), policy.over);
  const days = term ? null : sellDays(w, buyer, bouquet, policy);
  if (term || days) w.raiseRights(buyer.card.id, at);
  if (term) return { kind: 'terms', bought: term };
  if (days) return { kind: 'days', ...days };
  const price = priceAt(bouquet, wanted, at);
  const credit = w.balance(buyer.subscriber.walletId);
  const missing = price === null ? null : { amount: price - credit, term: wanted };
  return { kind: 'credit', missing };
}

/** Sells the terms in turn, as often as the policy and the wallet allow; null when none fits. */
function sellWholeTerms(
  w: Workspace,
  buyer: Buyer,
  terms: readonly TermName[],
  over: PaymentPolicy['over'],
): Bought | null {
  const subscription = buyer.card.subscription as SubscriptionFacts;
  let left = over === 'one_term' ? 1 : TERMS_PER_ACT_MAX;
  let bought: Bought | null = null;
  for (const term of terms) {
    const price = priceAt(bouquetOf(w, subscription), term, buyer.command.at);
    if (price === null) continue;
    for (; left > 0 && w.balance(buyer.subscriber.walletId) >= price; left--) {
      bought = sell(w, buyer, { kind: term }, price);
    }
  }
  return bought;
}

function sellDays(
  w: Workspace,
  buyer: Buyer,
  bouquet: Bouquet,
  policy: PaymentPolicy,
): { days: number; bought: Bought } | null {
  if (policy.under !== 'days') return null;
  const rate = dayRateAt(bouquet, policy.dayRate, buyer.command.at);
  const fit = rate && daysFor(w.balance(buyer.subscriber.walletId), rate);
  if (!fit) return null;
  const bought = sell(w, buyer, { kind: 'days', days: fit.days }, fit.cost);
  return { days: fit.days, bought };
}

const termsToTry = (over: PaymentPolicy['over'], wanted: TermName): readonly TermName[] =>
  over === 'longest_terms' ? TERMS_LONGEST_FIRST : [wanted];

/** May this card buy the event now? Null when it may. */
export function eventRefusal(
  w: Workspace,
  event: PayPerViewEvent | undefined,
  card: CardFacts,
  at: Date,
): RefusalCode | null {
  if (!event || event.siteId !== card.siteId || !onSale(event, at)) return 'event_not_on_sale';
  const before = w.facts.eventsBought.has(`${event.id}/${card.id}`);
  const now = w.writes.eventPurchases.some(
    (purchase) => purchase.eventId === event.id && purchase.cardId === card.id,
  );
  return before || now ? 'event_already_bought' : null;
}

/**
 * Holds the price and grants the event's rights at once, from now or its start to its end. The
 * hold is spent when the rights are on air, and goes back to its lots if they never were.
 */
export function buyEvent(
  w: Workspace,
  buyer: Buyer,
  event: PayPerViewEvent,
): { ok: true } | { ok: false; error: RefusalCode } {
  const { command, subscriber, card } = buyer;
  const refusal = eventRefusal(w, event, card, command.at);
  if (refusal) return { ok: false, error: refusal };
  if (w.balance(subscriber.walletId) < event.price) {
    return { ok: false, error: 'insufficient_funds' };
  }
  const asset = w.site(card.siteId).currency;
  const journalId = w.book(command, 'event_hold', [
    { accountId: subscriber.walletId, asset, amount: -event.price },
    { accountId: subscriber.heldId, asset, amount: event.price },
  ]);
  const parts = w.takeLots(subscriber.walletId, event.price);
  const from = event.startsAt.getTime() > command.at.getTime() ? event.startsAt : command.at;
  w.raiseRights(card.id, command.at, { product: event.product, from, to: event.endsAt });
  w.writes.eventPurchases.push({
    id: w.tools.ids.next(),
    eventId: event.id,
    cardId: card.id,
    subscriberId: subscriber.id,
    asset,
    price: event.price,
    tax: taxInside(event.price, event.taxPermyriad),
    state: 'held',
    parts,
    endsAt: event.endsAt,
    rightsRev: w.card(card.id)?.desiredRev ?? 0,
    journalId,
  });
  return { ok: true };
}
