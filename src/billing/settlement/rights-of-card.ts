/** What lines and events come to for the air: coverage of a card, and its desired rights. */
import { type Catalogue, type PayPerViewEvent, rulesOf } from '../catalogue/rules.ts';
import type { CardFacts, LineFacts, Right, SubscriptionFacts } from './facts.ts';
import { coverageOf, mergeRights, runOf } from './lines.ts';
import type { Workspace } from './workspace.ts';

const productsOf =
  (w: Workspace) =>
  (bouquetId: bigint): readonly string[] =>
    w.tools.catalogue.bouquets.get(bouquetId)?.products ?? [];

/** When which product is paid or given; before any was kept, the running term says it. */
export function coverage(w: Workspace, card: CardFacts): readonly Right[] {
  if (card.coverage) return card.coverage;
  const { subscription } = card;
  if (!subscription?.runFrom || !subscription.paidUntil) return [];
  const { runFrom: from, paidUntil: to } = subscription;
  return productsOf(w)(subscription.bouquetId).map((product) => ({ product, from, to }));
}

/** Adds a new line to what is covered; what ended before the grace began is let go. */
export function cover(w: Workspace, card: CardFacts, line: LineFacts, at: Date): CardFacts {
  const graceMs = rulesOf(w.site(card.siteId)).grace.hours * 3_600_000;
  const { from, to } = line;
  // A line that ends as it begins covers nothing, here as when all lines are looked at.
  const products = from.getTime() < to.getTime() ? productsOf(w)(line.bouquetId) : [];
  const all = mergeRights([
    ...coverage(w, card),
    ...products.map((product) => ({ product, from, to })),
  ]);
  return { ...card, coverage: all.filter((right) => right.to.getTime() + graceMs > at.getTime()) };
}

/** After lines have changed: the run and the coverage of their card, made anew from all of them. */
export function rebuild(w: Workspace, cardId: bigint, subscription: SubscriptionFacts): void {
  const card = w.card(cardId);
  if (!card) throw new Error(`No such card: ${cardId}`);
  const lines = w.lines(subscription.id);
  const present = coverageOf(lines, productsOf(w), subscription.pause?.from ?? null);
  const own = mergeRights([...(card.older ?? []), ...present]);
  w.setSubscription({ ...card, coverage: own }, { ...subscription, ...runOf(lines) });
}

/** Raises the card's desired revision, and those of the cards that hang on it. */
export function raiseRights(w: Workspace, cardId: bigint, at: Date, event?: Right): void {
  const card = w.card(cardId);
  if (!card) throw new Error(`No such card: ${cardId}`);
  const events = card.desired.filter((right) => isEventRight(w, right));
  raise(w, card, event ? [...events, event] : events, at);
  for (const linked of linkedTo(w, card)) raiseRights(w, linked, at);
}

/** The event is over or was never on air: its right leaves the set. */
export function dropEventRight(
  w: Workspace,
  cardId: bigint,
  { product, endsAt }: Pick<PayPerViewEvent, 'product' | 'endsAt'>,
  at: Date,
): void {
  const card = w.card(cardId);
  if (!card) throw new Error(`No such card: ${cardId}`);
  const ofEvent = (right: Right): boolean =>
    right.product === product && (hasOwnProduct(right) || right.to.getTime() === endsAt.getTime());
  const events = card.desired.filter((right) => isEventRight(w, right) && !ofEvent(right));
  raise(w, card, events, at);
}

function raise(w: Workspace, card: CardFacts, events: readonly Right[], at: Date): void {
  const { subscription } = card;
  const mainId = subscription?.mainCardId ?? null;
  const main = mainId === null ? null : w.card(mainId);
  const { hours } = rulesOf(w.site(card.siteId)).grace;
  const desired = w.tools.ports.rightsFor({
    own: coverage(w, card),
    main: mainId === null ? null : main ? coverage(w, main) : [],
    // A pause is no grace: nothing is good for longer while it lasts.
    graceHours: subscription?.pause || main?.subscription?.pause ? 0 : hours,
    events,
    at,
  });
  w.setCard({ ...card, desired, desiredRev: card.desiredRev + 1, raisedBy: w.inboxId });
}

const linkedTo = (w: Workspace, { id, subscription }: CardFacts): readonly bigint[] =>
  subscription?.isMain ? (w.rare.linkedCards.get(id) ?? []) : [];

/** Products of events and when these end, by catalogue: every payment asks. */
const eventEnds = new WeakMap<Catalogue, ReadonlySet<string>>();

const endOf = (product: string, end: Date): string => `${product}|${end.getTime()}`;

/** A product that is one event's and nothing else's. */
const hasOwnProduct = ({ product }: Right): boolean => product.startsWith('EVT:');

/**
 * The others are of products that plans may hold too, and other events: what tells them is that
 * they end with their event.
 */
function isEventRight({ tools }: Workspace, right: Right): boolean {
  if (hasOwnProduct(right)) return true;
  let known = eventEnds.get(tools.catalogue);
  if (!known) {
    const events = [...tools.catalogue.events.values()];
    known = new Set(events.map(({ product, endsAt }) => endOf(product, endsAt)));
    eventEnds.set(tools.catalogue, known);
  }
  return known.has(endOf(right.product, right.to));
}
