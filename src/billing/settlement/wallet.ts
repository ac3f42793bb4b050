/** What a wallet does by itself or when its owner says so: buy, renew, spend or free a hold. */
import { priceAt, unitsForCredit, unitsToCredit } from '../catalogue/rules.ts';
import type { Buy, RefusalCode, Renew, SettleEvent } from './commands.ts';
import { creditOf, partOf, returnParts } from './credit.ts';
import { type Decision, refused, settled } from './decision.ts';
import type { CardFacts, EventPurchaseFacts, SubscriberFacts } from './facts.ts';
import { applyPromotion, promotionOffer } from './promotions.ts';
import { type Bought, buyEvent, buyTerm, eventRefusal, planRefusal } from './purchases.ts';
import { dropEventRight } from './rights-of-card.ts';
import { sayWaiting } from './subscription-acts.ts';
import { convert, subscriberOf, tariffOf } from './units.ts';
import type { Workspace } from './workspace.ts';

interface Offer {
  price: bigint;
  buy(
    subscriber: SubscriberFacts,
  ): { ok: true; bought?: Bought } | { ok: false; error: RefusalCode };
  /** Title and start of an event; null for a term. */
  event: { title: string; start: Date } | null;
}

/** A wallet buys for a card, its owner's or another's; `tvu` converts just enough first. */
export function decideBuy(w: Workspace, command: Buy): Decision {
  const card = w.card(command.purpose.cardId);
  const { msisdn } = command;
  const subscriber =
    msisdn === null ? w.subscriber(card?.subscriberId ?? 0n) : subscriberOf(w, msisdn);
  if (!subscriber) return refused(w, msisdn === null ? 'unknown_card' : 'unknown_phone');
  if (!card?.subscription) return refused(w, 'unknown_card');
  if (subscriber.siteId !== card.siteId) return refused(w, 'currency_mismatch');
  const offer = findOffer(w, command, card);
  if (typeof offer === 'string') return refused(w, offer);
  const short = coverPrice(w, command, subscriber, offer.price);
  if (short) return refused(w, short);
  const done = offer.buy(subscriber);
  // The price was covered and the offer checked: a refusal now would be a bug, and would leave a
  // conversion behind that nobody asked for.
  if (!done.ok) throw new Error(`A checked purchase was refused: ${done.error}`);
  const decision = settled(w, {
    paidUntil: done.bought?.paidUntil ?? null,
    credit: creditOf(w, subscriber, command.at),
    units: w.balance(subscriber.tvuWalletId),
  });
  sayBought(w, command, { card, offer, bought: done.bought ?? null, ref: decision.ref });
  return decision;
}

function findOffer(w: Workspace, command: Buy, card: CardFacts): Offer | RefusalCode {
  const { purpose, at } = command;
  if (purpose.kind === 'event') {
    const event = w.tools.catalogue.events.get(purpose.eventId);
    const refusal = eventRefusal(w, event, card, at);
    if (refusal || !event) return refusal ?? 'event_not_on_sale';
    return {
      price: event.price,
      buy: (subscriber) => buyEvent(w, { command, subscriber, card }, event),
      event: { title: event.title, start: event.startsAt },
    };
  }
  return termOffer(w, command, card, purpose);
}

/** One or several terms, with the bonus days of a code behind them. */
function termOffer(
  w: Workspace,
  command: Buy,
  card: CardFacts,
  { term, count = 1, code }: Extract<Buy['purpose'], { kind: 'term' }>,
): Offer | RefusalCode {
  const refusal = planRefusal(w, card);
  if (refusal) return refusal;
  const bouquetId = card.subscription?.bouquetId;
  const bouquet = bouquetId === undefined ? undefined : w.tools.catalogue.bouquets.get(bouquetId);
  const price = bouquet ? priceAt(bouquet, term, command.at, card.category) : null;
  if (price === null) return 'term_not_sold';
  const promotion =
    code === undefined ? null : promotionOffer(w, card, { code, term, at: command.at });
  if (promotion && !promotion.ok) return promotion.error;
  return {
    price: price * BigInt(count),
    buy(subscriber) {
      const done = buyTerm(w, { command, subscriber, card }, term, count);
      if (!done.ok || !promotion) return done;
      const paidUntil = applyPromotion(w, command, card.id, promotion.offer);
      return { ok: true, bought: { ...done.bought, paidUntil } };
    },
    event: null,
  };
}

/** Makes sure that the wallet holds the price; null when it does now. */
function coverPrice(
  w: Workspace,
  command: Buy,
  subscriber: SubscriberFacts,
  price: bigint,
): RefusalCode | null {
  if (command.means === 'credit') {
    return creditOf(w, subscriber, command.at) < price ? 'insufficient_funds' : null;
  }
  const tariff = tariffOf(w, subscriber.siteId, command.at);
  if (!tariff) return 'no_tariff';
  const units = unitsForCredit(price, tariff);
  const worth = unitsToCredit(units, tariff);
  if (!worth || w.balance(subscriber.tvuWalletId) < units) return 'insufficient_units';
  convert(w, command, subscriber, { used: units, credit: worth.credit });
  return null;
}

interface Sold {
  card: CardFacts;
  offer: Offer;
  bought: Bought | null;
  ref: string;
}

function sayBought(w: Workspace, command: Buy, { card, offer, bought, ref }: Sold): void {
  const site = w.site(card.siteId);
  const common = { amount: offer.price, asset: site.currency, ref };
  const message = bought
    ? ({
        name: 'term_paid',
        ...common,
        bouquet: bought.bouquet.name,
        cardNumber: card.number,
        until: bought.paidUntil,
        days: null,
      } as const)
    : offer.event
      ? ({ name: 'event_bought', ...common, ...offer.event, cardNumber: card.number } as const)
      : null;
  if (!message) return;
  const owner = w.subscriber(card.subscriberId);
  const language = owner?.language ?? site.language;
  const say = { siteId: site.id, language, message };
  const msisdn = command.msisdn ?? owner?.contactMsisdn;
  if (msisdn) w.say(command, { ...say, to: { kind: 'text', msisdn } });
  w.say(command, { ...say, to: { kind: 'osd', cardNumber: card.number } });
}

/** Noticed later than this, a renewal starts when it is noticed: dark time is not charged. */
const RENEWAL_LATE_MS_MAX = 60 * 60_000;

/** At the end of a term: buys the next one without a gap, or waits for money and says so. */
export function decideRenewal(w: Workspace, command: Renew): Decision {
  const card = w.card(command.cardId);
  const subscription = card?.subscription;
  const subscriber = card && w.subscriber(card.subscriberId);
  if (!card || !subscription || !subscriber) return refused(w, 'unknown_card');
  const lateMs = subscription.paidUntil && command.at.getTime() - subscription.paidUntil.getTime();
  if (!subscription.autoRenew || lateMs === null || lateMs < 0) return refused(w, 'term_not_sold');
  const renews = lateMs <= RENEWAL_LATE_MS_MAX;
  const term = subscription.renewTerm ?? subscription.term;
  const done = buyTerm(w, { command, subscriber, card, renews }, term);
  if (done.ok) {
    return settled(w, {
      paidUntil: done.bought.paidUntil,
      credit: creditOf(w, subscriber, command.at),
      units: null,
    });
  }
  // What was sold may come to end there once more; it was tried, and waits or is over.
  const autoRenewSince = subscription.paidUntil;
  w.setSubscription(card, { ...subscription, waitingTerm: term, autoRenewSince });
  sayWaiting(w, command, { card, subscriber, term });
  return refused(w, done.error);
}

/** A pay-per-view hold is spent (its rights are on air) or goes back to the lots it came from. */
export function decideEvent(w: Workspace, command: SettleEvent): Decision {
  const purchase = w.facts.eventPurchases.get(command.purchaseId);
  const done = w.writes.eventStates.some((state) => state.id === command.purchaseId);
  const subscriber = purchase && w.subscriber(purchase.subscriberId);
  if (!purchase || !subscriber || done || purchase.state !== 'held') return refused(w, 'no_hold');
  const state = command.kind === 'capture_event' ? 'captured' : 'released';
  w.writes.eventStates.push({ id: purchase.id, state });
  if (state === 'captured') capture(w, command, purchase, subscriber);
  else release(w, command, purchase, subscriber);
  return settled(w, {
    paidUntil: null,
    credit: creditOf(w, subscriber, command.at),
    units: null,
  });
}

function capture(
  w: Workspace,
  command: SettleEvent,
  purchase: EventPurchaseFacts,
  subscriber: SubscriberFacts,
): void {
  const { asset, price, tax } = purchase;
  const owner = `site:${subscriber.siteId}`;
  w.book(command, 'event_capture', [
    { accountId: subscriber.heldId, asset, amount: -price },
    { accountId: w.account(owner, 'earned_revenue', asset), asset, amount: price - tax },
    { accountId: w.account(owner, 'tax_payable', asset), asset, amount: tax },
  ]);
}

function release(
  w: Workspace,
  command: SettleEvent,
  purchase: EventPurchaseFacts,
  subscriber: SubscriberFacts,
): void {
  const { asset, price } = purchase;
  const { siteId } = subscriber;
  const parts = purchase.parts.map(({ lotId, amount }) => partOf(w, lotId, amount));
  w.book(command, 'event_release', [
    { accountId: subscriber.heldId, asset, amount: -price },
    ...returnParts(w, parts, { siteId, asset, at: command.at }),
  ]);
  const event = w.tools.catalogue.events.get(purchase.eventId);
  if (event) dropEventRight(w, purchase.cardId, event, command.at);
  if (!event || !subscriber.contactMsisdn) return;
  w.say(command, {
    siteId: subscriber.siteId,
    language: subscriber.language,
    to: { kind: 'text', msisdn: subscriber.contactMsisdn },
    message: {
      name: 'event_refunded',
      amount: price,
      asset,
      title: event.title,
      ref: settled(w, { paidUntil: null, credit: null, units: null }).ref,
    },
  });
}
