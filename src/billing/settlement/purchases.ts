/** What a wallet buys: terms, days, pay-per-view. Callers check the money before they call. */
import type { AppliedTax } from '../catalogue/file/tax.ts';
import {
  type Bouquet,
  dayRateAt,
  daysFor,
  onSale,
  type PaymentPolicy,
  type PayPerViewEvent,
  priceAt,
  rulesOf,
  type Site,
  type TermName,
} from '../catalogue/rules.ts';
import { termsLongestFirst } from '../catalogue/terms.ts';
import { type EntryDraft, taxInside } from '../ledger/rules.ts';
import {
  nextTerm,
  renewedTerm,
  type SoldTerm,
  type TermLength,
  type TermRules,
} from '../subscriptions/rules.ts';
import type { Command, RefusalCode } from './commands.ts';
import { creditOf, partEntries, takeCredit } from './credit.ts';
import type { CardFacts, LineFacts, SubscriberFacts, SubscriptionFacts } from './facts.ts';
import { cover, raiseRights } from './rights-of-card.ts';
import { sumOfTaxes, taxEntries, taxesAt, taxesInside } from './taxes.ts';
import type { Workspace } from './workspace.ts';

/** Three years of months: more than this from one payment is a slip, and stays credit. */
const TERMS_PER_ACT_MAX = 36;

export interface Bought {
  paidUntil: Date;
  bouquet: Bouquet;
  lineId: bigint;
}

export interface Buyer {
  command: Command;
  /** Whose wallet pays. */
  subscriber: SubscriberFacts;
  card: CardFacts;
  /** An automatic renewal: the term begins, and is priced, at the end of the one before. */
  renews?: boolean;
}

/** The bouquet of a catalogue id; what is sold is always in the catalogue. */
export function bouquetById(w: Workspace, id: bigint): Bouquet {
  const bouquet = w.tools.catalogue.bouquets.get(id);
  if (!bouquet) throw new Error(`No such bouquet: ${id}`);
  return bouquet;
}

const bouquetOf = (w: Workspace, { bouquetId }: SubscriptionFacts): Bouquet =>
  bouquetById(w, bouquetId);

/** How a site counts terms. */
export function termRules(site: Site): TermRules {
  const { termEnd, monthAnchor, grace } = rulesOf(site);
  return { timeZone: site.timeZone, termEnd, monthAnchor, grace };
}

/** Why nothing can be sold to this card now; null when something can. */
export function saleRefusal(card: CardFacts | null): RefusalCode | null {
  const subscription = card?.subscription;
  if (!subscription || subscription.closedAt) return 'unknown_card';
  if (card.isBlocked) return 'card_blocked';
  return subscription.pause ? 'paused' : null;
}

/** Can the conditional-access system of the card show all of this? */
export const isCarried = (w: Workspace, { casId }: CardFacts, products: readonly string[]) =>
  products.every((product) => w.tools.ports.carries?.(casId, product) ?? true);

/** Why nothing of a plan, its own if none is named, can be sold to this card now; else null. */
export function planRefusal(
  w: Workspace,
  card: CardFacts | null,
  bouquetId = card?.subscription?.bouquetId,
): RefusalCode | null {
  const refusal = saleRefusal(card);
  if (refusal || !card) return refusal ?? 'unknown_card';
  const bouquet = bouquetId === undefined ? undefined : w.tools.catalogue.bouquets.get(bouquetId);
  return bouquet && !isCarried(w, card, bouquet.products) ? 'product_not_on_cas' : null;
}

/** The entries of a sale at this price: what is earned later, and the taxes inside. */
export function saleEntries(
  w: Workspace,
  site: Site,
  { price, taxes }: Pick<LineFacts, 'price' | 'taxes'>,
): EntryDraft[] {
  const asset = site.currency;
  const accountId = w.account(`site:${site.id}`, 'deferred_revenue', asset);
  return [
    { accountId, asset, amount: price - sumOfTaxes(taxes) },
    ...taxEntries(w, site.id, asset, taxes),
  ];
}

/** What a sale came to, and how it was paid. */
type SaleMoney = Pick<LineFacts, 'price' | 'taxes' | 'journalId' | 'parts' | 'paidBy'>;

/** What of a line is not the same for every sale. */
export type LineDraft = SaleMoney & {
  bouquetId: bigint;
  length: TermLength;
  kind?: LineFacts['kind'];
  reference?: string;
};

export const FREE = { price: 0n, taxes: [], journalId: null, parts: [], paidBy: 'nobody' } as const;

/** Adds a term behind those of the card, or from now; any purchase ends a wait. */
export function addTerm(
  w: Workspace,
  { command, cardId, renews }: { command: Command; cardId: bigint; renews?: boolean },
  draft: LineDraft,
): Bought {
  const card = w.card(cardId);
  if (!card?.subscription) throw new Error(`Card ${cardId} has no subscription`);
  const { subscription } = card;
  const rules = termRules(w.site(card.siteId));
  const { length } = draft;
  const sold = renews
    ? renewedTerm(subscription, length, rules)
    : nextTerm(subscription, length, command.at, rules);
  const line = lineOf(w, card, draft, sold);
  const end = subscription.paidUntil;
  // A renewal is as bought in the last instant of the term before.
  const soldAt = renews && end ? new Date(end.getTime() - 1) : command.at;
  const placed = { ...line, soldAt };
  w.addLine(placed);
  const waitingTerm = draft.paidBy === 'nobody' ? subscription.waitingTerm : null;
  const covered = cover(w, card, placed, command.at);
  w.setSubscription(covered, { ...subscription, ...sold.run, waitingTerm });
  return { paidUntil: sold.to, bouquet: bouquetById(w, draft.bouquetId), lineId: placed.id };
}

function lineOf(w: Workspace, card: CardFacts, draft: LineDraft, sold: SoldTerm): LineFacts {
  const { length, kind, reference, ...money } = draft;
  return {
    ...money,
    id: w.tools.ids.next(),
    subscriptionId: card.subscription?.id ?? 0n,
    kind: kind ?? length.kind,
    days: length.kind === 'days' ? length.days : null,
    from: sold.from,
    to: sold.to,
    asset: w.site(card.siteId).currency,
    soldAt: sold.from,
    baseDate: sold.run.baseDate,
    anchorDay: sold.run.anchorDay,
    timeOfDay: sold.run.timeOfDay,
    breaks: [],
    beside: null,
    reference: reference ?? null,
    state: 'sold',
  };
}

/** Books a price, which holds these taxes, out of the wallet. A price of 0 moves nothing. */
export function bookSale(
  w: Workspace,
  { command, subscriber, card }: Buyer,
  price: bigint,
  applied: readonly AppliedTax[],
): SaleMoney {
  const site = w.site(card.siteId);
  const taxes = taxesInside(price, applied);
  if (price === 0n) return { price, taxes, journalId: null, parts: [], paidBy: 'wallet' };
  const parts = takeCredit(w, subscriber, price, command.at);
  const journalId = w.book(command, 'purchase', [
    ...partEntries(parts, site.currency, -1n),
    ...saleEntries(w, site, { price, taxes }),
  ]);
  return { price, taxes, journalId, parts, paidBy: 'wallet' };
}

/** When a sale is priced and taxed: a renewal at the end of the term before. */
const pricedAt = ({ command, card, renews }: Buyer): Date =>
  (renews ? card.subscription?.paidUntil : null) ?? command.at;

/** Books the price out of the wallet and extends the card's term. */
function sell(w: Workspace, buyer: Buyer, length: TermLength, price: bigint): Bought {
  const { command, card, renews } = buyer;
  const subscription = w.card(card.id)?.subscription;
  if (!subscription) throw new Error(`Card ${card.id} has no subscription`);
  const bouquet = bouquetOf(w, subscription);
  const money = bookSale(w, buyer, price, taxesAt(w, bouquet, pricedAt(buyer)));
  const where = { command, cardId: card.id, renews: renews ?? false };
  return addTerm(w, where, { ...money, bouquetId: bouquet.id, length });
}

/** Buys one named term, or several one after another, when the wallet holds all of them. */
export function buyTerm(
  w: Workspace,
  buyer: Buyer,
  term: TermName,
  count = 1,
): { ok: true; bought: Bought } | { ok: false; error: RefusalCode } {
  const { subscription } = buyer.card;
  const refusal = planRefusal(w, buyer.card);
  if (refusal || !subscription) return { ok: false, error: refusal ?? 'unknown_card' };
  const bouquet = bouquetOf(w, subscription);
  const price = priceAt(bouquet, term, pricedAt(buyer), buyer.card.category);
  if (price === null) return { ok: false, error: 'term_not_sold' };
  if (creditOf(w, buyer.subscriber, buyer.command.at) < price * BigInt(count)) {
    return { ok: false, error: 'insufficient_funds' };
  }
  let bought = sell(w, buyer, { kind: term }, price);
  for (let sold = 1; sold < count; sold++) bought = sell(w, buyer, { kind: term }, price);
  raiseRights(w, buyer.card.id, buyer.command.at);
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
  if (!subscription || planRefusal(w, buyer.card)) return { kind: 'credit', missing: null };
  const bouquet = bouquetOf(w, subscription);
  const policy = w.site(buyer.card.siteId).payment;
  const at = buyer.command.at;
  const wanted = subscription.waitingTerm ?? subscription.term;
  const terms =
    policy.over === 'longest_terms' ? termsLongestFirst(bouquet, buyer.card.category) : [wanted];
  const term = sellWholeTerms(w, buyer, terms, policy);
  const days = term ? null : sellDays(w, buyer, bouquet, policy);
  if (term || days) raiseRights(w, buyer.card.id, at);
  if (term) return { kind: 'terms', bought: term };
  if (days) return { kind: 'days', ...days };
  const price = priceAt(bouquet, wanted, at, buyer.card.category);
  const credit = creditOf(w, buyer.subscriber, at);
  const missing = price === null ? null : { amount: price - credit, term: wanted };
  return { kind: 'credit', missing };
}

/** Sells the terms in turn, as often as the policy and the wallet allow; null when none fits. */
function sellWholeTerms(
  w: Workspace,
  buyer: Buyer,
  terms: readonly TermName[],
  { over, termsMax }: PaymentPolicy,
): Bought | null {
  const subscription = buyer.card.subscription as SubscriptionFacts;
  const { at } = buyer.command;
  let left = over === 'one_term' ? 1 : (termsMax ?? TERMS_PER_ACT_MAX);
  let bought: Bought | null = null;
  for (const term of terms) {
    const price = priceAt(bouquetOf(w, subscription), term, at, buyer.card.category);
    // A term for nothing would be bought without end.
    if (price === null || price === 0n) continue;
    for (; left > 0 && creditOf(w, buyer.subscriber, at) >= price; left--) {
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
  const { at } = buyer.command;
  const rate = dayRateAt(bouquet, policy.dayRate, at, buyer.card.category);
  const fit = rate && rate.numerator > 0n && daysFor(creditOf(w, buyer.subscriber, at), rate);
  if (!fit) return null;
  const bought = sell(w, buyer, { kind: 'days', days: fit.days }, fit.cost);
  return { days: fit.days, bought };
}

/** May this card buy the event now? Null when it may. */
export function eventRefusal(
  w: Workspace,
  event: PayPerViewEvent | undefined,
  card: CardFacts,
  at: Date,
): RefusalCode | null {
  if (!event || event.siteId !== card.siteId) return 'event_not_on_sale';
  if (event.saleUntil.getTime() <= at.getTime()) return 'event_sale_over';
  if (!onSale(event, at)) return 'event_not_on_sale';
  if (card.subscription?.pause) return 'paused';
  if (!isCarried(w, card, [event.product])) return 'product_not_on_cas';
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
  if (creditOf(w, subscriber, command.at) < event.price) {
    return { ok: false, error: 'insufficient_funds' };
  }
  const asset = w.site(card.siteId).currency;
  const parts = takeCredit(w, subscriber, event.price, command.at);
  const journalId = w.book(command, 'event_hold', [
    ...partEntries(parts, asset, -1n),
    { accountId: subscriber.heldId, asset, amount: event.price },
  ]);
  const from = event.startsAt.getTime() > command.at.getTime() ? event.startsAt : command.at;
  raiseRights(w, card.id, command.at, { product: event.product, from, to: event.endsAt });
  w.writes.eventPurchases.push({
    id: w.tools.ids.next(),
    eventId: event.id,
    cardId: card.id,
    subscriberId: subscriber.id,
    asset,
    price: event.price,
    tax: taxInside(event.price, event.taxPermyriad),
    state: 'held',
    parts: parts.map(({ lotId, amount }) => ({ lotId, amount })),
    endsAt: event.endsAt,
    rightsRev: w.card(card.id)?.desiredRev ?? 0,
    journalId,
  });
  return { ok: true };
}
