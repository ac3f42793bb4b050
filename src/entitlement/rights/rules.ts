/**
 * The rights of a card: a pure function of what billing says. The set is full (whatever is not in
 * it is not granted) and every right has an end, so a lost cancel does no lasting harm.
 */

export interface Right {
  product: string;
  from: Date;
  /** Exclusive. */
  to: Date;
}

export interface RightsFacts {
  /** The running interval of the card's subscription, with the products of its bouquet. */
  subscription: { products: readonly string[]; from: Date; to: Date } | null;
  /** Pay-per-view rights bought for the card. */
  events: readonly Right[];
  at: Date;
}

/**
 * What the conditional-access system must let a card see: rights in date or to come, by product;
 * what has ended is left out.
 */
export function rightsFor({ subscription, events, at }: RightsFacts): Right[] {
  const rights: Right[] = [];
  if (subscription && subscription.to.getTime() > at.getTime()) {
    for (const product of subscription.products) {
      rights.push({ product, from: subscription.from, to: subscription.to });
    }
  }
  for (const event of events) if (event.to.getTime() > at.getTime()) rights.push(event);
  return rights.sort((a, b) => (a.product < b.product ? -1 : a.product > b.product ? 1 : 0));
}
