/**
 * Free time after a fault of the operator's: for which cards, how many days, at what cost and on
 * whose word. The act itself (the free days behind what a card has) is settlement's `incident`.
 */
import type { LocalDate } from '../../platform/calendar.ts';
import { halfUp } from '../catalogue/rules.ts';

/** Who is to have free days. An outage is of products at sites, from `from` up to `to`. */
export type IncidentScope =
  | { kind: 'subscriber'; subscriberId: bigint }
  | { kind: 'card'; cardId: bigint }
  | { kind: 'site'; siteId: bigint }
  | {
      kind: 'outage';
      siteIds: readonly bigint[];
      /** Products that were dark; null: all. */
      products: readonly string[] | null;
      from: Date;
      to: Date;
    };

export interface IncidentAsk {
  /** Names the incident: a card has free days for it once. */
  incident: string;
  reason: string;
  scope: IncidentScope;
  days: number;
  /** The member of staff who gives. */
  by: string;
  /** Local date of the act. */
  on: LocalDate;
}

/** A card of those that the scope may reach, as it is at the moment of the act. */
export interface IncidentCard {
  cardId: bigint;
  subscriberId: bigint;
  siteId: bigint;
  /** The term that runs; null: expired, in grace or never paid. */
  running: { isFree: boolean } | null;
  isPaused: boolean;
  /** Incidents for which it has had free days already. */
  had: readonly string[];
  /** When which product was paid. */
  paid: readonly { product: string; from: Date; to: Date }[];
  /** List price of its plan for a month, in minor units; null: none is sold. */
  monthPrice: bigint | null;
}

/** Free days given before. */
export interface Given {
  cardId: bigint;
  subscriberId: bigint;
  by: string;
  on: LocalDate;
  days: number;
  cost: bigint;
}

/** Each limit is null where there is none. Months are calendar months of the site. */
export interface IncidentLimits {
  daysPerIncident: number | null;
  daysPerCardAndMonth: number | null;
  /** All cards of one subscriber together. */
  daysPerSubscriberAndMonth: number | null;
  /** What one member of staff may give away in a month, at list price. */
  costPerGiverAndMonth: bigint | null;
  /** Above either of these a second person decides. */
  secondPerson: { days: number | null; cost: bigint | null };
}

export type LeftOut =
  | 'not_in_scope'
  | 'not_affected'
  | 'not_running'
  | 'free_time'
  | 'paused'
  | 'already_given'
  | 'card_month_limit'
  | 'subscriber_month_limit';

export type IncidentRefusal = 'bad_days' | 'incident_limit' | 'nobody' | 'giver_month_limit';

export interface IncidentPreview {
  cards: readonly { cardId: bigint; cost: bigint }[];
  leftOut: readonly { cardId: bigint; why: LeftOut }[];
  /** At list price, in minor units of the site's currency. */
  cost: bigint;
  decision:
    | { kind: 'allowed' }
    | { kind: 'second_person'; because: readonly ('days' | 'cost')[] }
    | { kind: 'refused'; error: IncidentRefusal };
}

/**
 * What an incident would give and cost, and whether it may: the same answer before the act and in
 * it. `given`: what was given in the month of the act, to these cards and by this giver.
 */
export function previewIncident(
  ask: IncidentAsk,
  {
    cards,
    given,
    limits,
  }: {
    cards: readonly IncidentCard[];
    given: readonly Given[];
    limits: IncidentLimits;
  },
): IncidentPreview {
  const thisMonth = given.filter(({ on }) => isSameMonth(on, ask.on));
  const used = { card: daysBy(thisMonth, 'cardId'), subscriber: daysBy(thisMonth, 'subscriberId') };
  const chosen: { cardId: bigint; cost: bigint }[] = [];
  const leftOut: { cardId: bigint; why: LeftOut }[] = [];
  for (const card of uniqueInOrder(cards)) {
    const why = ineligible(ask, card) ?? overLimit(ask.days, card, { used, limits });
    if (why !== null) {
      leftOut.push({ cardId: card.cardId, why });
      continue;
    }
    add(used.card, card.cardId, ask.days);
    add(used.subscriber, card.subscriberId, ask.days);
    chosen.push({ cardId: card.cardId, cost: costOf(card.monthPrice, ask.days) });
  }
  const cost = chosen.reduce((sum, one) => sum + one.cost, 0n);
  const givenBefore = thisMonth.reduce(
    (sum, one) => (one.by === ask.by ? sum + one.cost : sum),
    0n,
  );
  const decision = decide(ask.days, { cost, givenBefore, count: chosen.length, limits });
  return { cards: chosen, leftOut, cost, decision };
}

/** Days at list price: days x month price / 30, half-up to a minor unit. */
export const costOf = (monthPrice: bigint | null, days: number): bigint =>
  monthPrice === null ? 0n : halfUp(monthPrice * BigInt(days), 30n);

/** Why a card gets nothing, in the terms of the card itself; null: it does. */
function ineligible({ incident, scope }: IncidentAsk, card: IncidentCard): LeftOut | null {
  if (!isInScope(scope, card)) return 'not_in_scope';
  if (card.isPaused) return 'paused';
  if (card.running === null) return 'not_running';
  if (card.running.isFree) return 'free_time';
  if (scope.kind === 'outage' && !isAffected(scope, card)) return 'not_affected';
  return card.had.includes(incident) ? 'already_given' : null;
}

function isInScope(scope: IncidentScope, card: IncidentCard): boolean {
  switch (scope.kind) {
    case 'subscriber':
      return card.subscriberId === scope.subscriberId;
    case 'card':
      return card.cardId === scope.cardId;
    case 'site':
      return card.siteId === scope.siteId;
    case 'outage':
      return scope.siteIds.includes(card.siteId);
  }
}

/** Somebody who had paid for none of the dark products at that time has lost nothing. */
function isAffected(
  { products, from, to }: Extract<IncidentScope, { kind: 'outage' }>,
  { paid }: IncidentCard,
): boolean {
  return paid.some(
    (right) =>
      (products === null || products.includes(right.product)) && right.from < to && from < right.to,
  );
}

interface Used {
  card: Map<bigint, number>;
  subscriber: Map<bigint, number>;
}

function overLimit(
  days: number,
  { cardId, subscriberId }: IncidentCard,
  { used, limits }: { used: Used; limits: IncidentLimits },
): LeftOut | null {
  const isOver = (had: number | undefined, limit: number | null): boolean =>
    limit !== null && (had ?? 0) + days > limit;
  if (isOver(used.card.get(cardId), limits.daysPerCardAndMonth)) return 'card_month_limit';
  return isOver(used.subscriber.get(subscriberId), limits.daysPerSubscriberAndMonth)
    ? 'subscriber_month_limit'
    : null;
}

function decide(
  days: number,
  {
    cost,
    givenBefore,
    count,
    limits,
  }: {
    cost: bigint;
    givenBefore: bigint;
    count: number;
    limits: IncidentLimits;
  },
): IncidentPreview['decision'] {
  const refused = (error: IncidentRefusal) => ({ kind: 'refused', error }) as const;
  if (!Number.isInteger(days) || days < 1) return refused('bad_days');
  const { daysPerIncident, costPerGiverAndMonth, secondPerson } = limits;
  if (daysPerIncident !== null && days > daysPerIncident) return refused('incident_limit');
  if (count === 0) return refused('nobody');
  if (costPerGiverAndMonth !== null && givenBefore + cost > costPerGiverAndMonth) {
    return refused('giver_month_limit');
  }
  const because: ('days' | 'cost')[] = [];
  if (secondPerson.days !== null && days > secondPerson.days) because.push('days');
  if (secondPerson.cost !== null && cost > secondPerson.cost) because.push('cost');
  return because.length === 0 ? { kind: 'allowed' } : { kind: 'second_person', because };
}

export interface OutageRule {
  /** An outage shorter than this gives nothing. */
  minutesMin: number;
  /** Each started 24 hours of it give so many days. */
  daysPerStartedDay: number;
}

/** Days that an outage gives by itself, before any limit. */
export function outageDays({ from, to }: { from: Date; to: Date }, rule: OutageRule): number {
  const ms = to.getTime() - from.getTime();
  if (ms <= 0 || ms < rule.minutesMin * 60_000) return 0;
  return Math.ceil(ms / 86_400_000) * rule.daysPerStartedDay;
}

const isSameMonth = (a: LocalDate, b: LocalDate): boolean =>
  a.year === b.year && a.month === b.month;

function daysBy(given: readonly Given[], key: 'cardId' | 'subscriberId'): Map<bigint, number> {
  const days = new Map<bigint, number>();
  for (const one of given) add(days, one[key], one.days);
  return days;
}

const add = (days: Map<bigint, number>, id: bigint, more: number): void =>
  void days.set(id, (days.get(id) ?? 0) + more);

/** Each card once, by id: what a limit leaves out does not depend on how cards were listed. */
function uniqueInOrder(cards: readonly IncidentCard[]): IncidentCard[] {
  const byId = new Map(cards.map((card) => [card.cardId, card]));
  return [...byId.values()].sort((a, b) => (a.cardId < b.cardId ? -1 : 1));
}
