/** Add-ons: another plan beside the running one, for the days left of it or a term of its own. */
import { daysBetween } from '../../platform/calendar.ts';
import { type Bouquet, halfUp, priceAt } from '../catalogue/rules.ts';
import { nextTerm } from '../subscriptions/rules.ts';
import type { BuyAddon, RefusalCode } from './commands.ts';
import { creditOf } from './credit.ts';
import { type Decision, refused, settled } from './decision.ts';
import type { CardFacts, LineFacts } from './facts.ts';
import { nextDate, runningAt, runOf } from './lines.ts';
import { bookSale, bouquetById, planRefusal, saleRefusal, termRules } from './purchases.ts';
import { cover, raiseRights } from './rights-of-card.ts';
import { taxesAt } from './taxes.ts';
import type { Workspace } from './workspace.ts';

const MONTH_DAYS = 30n;

/** From now to the present end of the base, or for a term of its own, as the add-on is aligned. */
export function decideAddon(w: Workspace, command: BuyAddon): Decision {
  const { at } = command;
  const card = w.card(command.cardId);
  const subscription = card?.subscription;
  const subscriber = card && w.subscriber(card.subscriberId);
  const refusal = saleRefusal(card);
  if (!card || !subscription || !subscriber || refusal) {
    return refused(w, refusal ?? 'unknown_card');
  }
  const base = runningAt(w.lines(subscription.id), at);
  if (!base) return refused(w, 'not_running');
  const bouquet = w.tools.catalogue.bouquets.get(command.bouquetId);
  if (bouquet?.siteId !== card.siteId) return refused(w, 'term_not_sold');
  const missing = planRefusal(w, card, bouquet.id);
  if (missing) return refused(w, missing);
  const limit = addOnRefusal(w, bouquet, { subscriptionId: subscription.id, base, at });
  if (limit) return refused(w, limit);
  const offer = offerOf(w, command, card, bouquet);
  if (!offer) return refused(w, 'term_not_sold');
  if (creditOf(w, subscriber, at) < offer.price) return refused(w, 'insufficient_funds');
  const line: LineFacts = {
    ...base,
    ...offer,
    ...bookSale(w, { command, subscriber, card }, offer.price, taxesAt(w, bouquet, at)),
    id: w.tools.ids.next(),
    bouquetId: bouquet.id,
    kind: 'addon',
    days: null,
    from: at,
    soldAt: at,
    breaks: [],
    beside: base.id,
    reference: null,
  };
  w.addLine(line);
  const covered = cover(w, card, line, at);
  const waitingTerm = null;
  w.setSubscription(covered, { ...subscription, waitingTerm });
  raiseRights(w, card.id, at);
  return settled(w, { paidUntil: line.to, credit: creditOf(w, subscriber, at), units: null });
}

/** Whether the add-on goes with what the subscription has, and not more often than it may. */
function addOnRefusal(
  w: Workspace,
  { id, addOn }: Bouquet,
  { subscriptionId, base, at }: { subscriptionId: bigint; base: LineFacts; at: Date },
): RefusalCode | null {
  if (!addOn) return null;
  const beside = w
    .lines(subscriptionId)
    .filter((line) => line.beside !== null && line.from <= at && at < line.to);
  const has = new Set([base, ...beside].map((line) => bouquetById(w, line.bouquetId).code));
  if (!addOn.availableWith.some((code) => has.has(code))) return 'addon_not_available';
  const same = beside.filter((line) => line.kind === 'addon' && line.bouquetId === id);
  return same.length < addOn.maxPerSubscription ? null : 'addon_limit';
}

/** Where the add-on ends and what it costs; what is left out it has in common with its base. */
type Offer = Pick<LineFacts, 'price' | 'to'> &
  Partial<Pick<LineFacts, 'baseDate' | 'anchorDay' | 'timeOfDay'>>;

/**
 * The whole price of its own term (a month, unless another is named), or half-up(month price ×
 * days left / 30) to the present end of the base. Null: not sold so.
 */
function offerOf(
  w: Workspace,
  { at, term = 'month' }: BuyAddon,
  { siteId, category, subscription }: CardFacts,
  bouquet: Bouquet,
): Offer | null {
  const price = priceAt(bouquet, term, at, category);
  if (price === null) return null;
  const rules = termRules(w.site(siteId));
  if (bouquet.addOn?.alignedTo === 'self') {
    const { to, run } = nextTerm(runOf([]), { kind: term }, at, rules);
    const { baseDate, anchorDay, timeOfDay } = run;
    return { price, to, baseDate, anchorDay, timeOfDay };
  }
  const to = subscription?.paidUntil;
  if (!to || term !== 'month') return null;
  const days = daysBetween(nextDate(at, rules.timeZone), nextDate(to, rules.timeZone));
  return { price: halfUp(price * BigInt(days), MONTH_DAYS), to };
}
