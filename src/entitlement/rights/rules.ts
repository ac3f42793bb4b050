/**
 * The rights of a card: a pure function of what billing says. The set is full (whatever is not in
 * it is not granted) and every right has an end, so a lost cancel does no lasting harm.
 */
import { EVENT_PRODUCT_PREFIX } from '../vip-control/messages.ts';

export interface Right {
  product: string;
  from: Date;
  /** Exclusive; what was paid for, without the grace. */
  to: Date;
}

export interface RightsFacts {
  /** The last interval of the card's subscription, with the products of its bouquet. */
  subscription: { products: readonly string[]; from: Date; to: Date } | null;
  /** Pay-per-view rights bought for the card. */
  events: readonly Right[];
  at: Date;
}

/**
 * How much longer than paid for a right is on the air, so that neither the clock of a decoder nor a
 * payment of the last minute makes a screen black. Nothing is billed for it.
 */
export const GRACE_MS = 6 * 3_600_000;
/** A pay-per-view right is prolonged by no more than this, whatever the grace. */
export const EVENT_GRACE_MS_MAX = 900_000;

/** When a right leaves the air. */
export function graceEnd({ product, to }: Omit<Right, 'from'>, graceMs = GRACE_MS): Date {
  const isEvent = product.startsWith(EVENT_PRODUCT_PREFIX);
  return new Date(to.getTime() + (isEvent ? Math.min(graceMs, EVENT_GRACE_MS_MAX) : graceMs));
}

/**
 * What the conditional-access system must let a card see: rights in date, to come or in their
 * grace, by product; what has left the air by itself is left out.
 */
export function rightsFor({ subscription, events, at }: RightsFacts): Right[] {
  const rights = [...events];
  if (subscription) {
    const { products, from, to } = subscription;
    rights.push(...products.map((product) => ({ product, from, to })));
  }
  return rights
    .filter((right) => graceEnd(right) > at)
    .sort((a, b) => (a.product < b.product ? -1 : a.product > b.product ? 1 : 0));
}
