/**
 * The rights of a card: a pure function of what billing says. The set is full (whatever is not in
 * it is not granted) and every right has an end, so a lost cancel does no lasting harm.
 */
import { EVENT_PRODUCT_PREFIX } from '../vip-control/messages.ts';

export interface Right {
  product: string;
  from: Date;
  /** Exclusive; what was sold, without the margin of the air. */
  to: Date;
}

export interface RightsFacts {
  /** When which product is paid or given for the card; touching intervals are merged. */
  own: readonly Right[];
  /** The same of the card it hangs on; null when it hangs on none. */
  main: readonly Right[] | null;
  /** How much longer the last interval is good for, by the operator's rule. */
  graceHours: number;
  /** Pay-per-view rights bought for the card. */
  events: readonly Right[];
  at: Date;
}

const HOUR_MS = 3_600_000;

/**
 * The margin of the air: how much longer than sold a right is broadcast, so that neither the clock
 * of a decoder nor a payment of the last minute makes a screen black. Nothing is billed for it.
 */
export const AIR_MARGIN_MS = 6 * HOUR_MS;
/** A pay-per-view right is prolonged by no more than this, whatever the margin. */
export const EVENT_AIR_MARGIN_MS_MAX = 900_000;

/** When a right leaves the air. */
export function offAirAt({ product, to }: Omit<Right, 'from'>, airMarginMs = AIR_MARGIN_MS): Date {
  const isEvent = product.startsWith(EVENT_PRODUCT_PREFIX);
  return new Date(
    to.getTime() + (isEvent ? Math.min(airMarginMs, EVENT_AIR_MARGIN_MS_MAX) : airMarginMs),
  );
}

/**
 * What the conditional-access system must let a card see: rights in date, to come or in the margin
 * of the air, by product; what has left the air is left out. A card that hangs on another has only
 * what both share.
 */
export function rightsFor({ own, main, graceHours, events, at }: RightsFacts): Right[] {
  const terms = withGrace(own, graceHours);
  const shared = main === null ? terms : sharedBy(terms, withGrace(main, graceHours));
  return [...shared, ...events]
    .filter((right) => offAirAt(right) > at)
    .sort((a, b) => compare(a.product, b.product) || a.from.getTime() - b.from.getTime());
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The terms that end last are good for some hours more. */
function withGrace(rights: readonly Right[], hours: number): readonly Right[] {
  if (hours === 0) return rights;
  const last = Math.max(...rights.map((right) => right.to.getTime()));
  return rights.map((right) =>
    right.to.getTime() === last ? { ...right, to: new Date(last + hours * HOUR_MS) } : right,
  );
}

function sharedBy(some: readonly Right[], others: readonly Right[]): Right[] {
  return some.flatMap((one) =>
    others.flatMap((other) => {
      if (one.product !== other.product) return [];
      const from = one.from.getTime() > other.from.getTime() ? one.from : other.from;
      const to = one.to.getTime() < other.to.getTime() ? one.to : other.to;
      return from.getTime() < to.getTime() ? [{ product: one.product, from, to }] : [];
    }),
  );
}
