/** What time of a product is worth: the list price of its days. Pure. */
import {
  type Catalogue,
  halfUp,
  type PriceVersion,
  priceAt,
} from '../../billing/catalogue/rules.ts';
import { EVENT_PRODUCT_PREFIX } from '../vip-control/messages.ts';
import { type Span, within } from './spans.ts';

export interface Worth {
  /** Minor units. */
  amount: bigint;
  currency: string;
}

/** A price for a month is one for so many days. */
const MONTH_MS = 30n * 86_400_000n;

/**
 * Stretches of a product at a site's list price of each instant, half-up to a minor unit: of the
 * cheapest bouquet that holds it, a month being 30 days; an event costs its price once. Without a
 * site: the first one that sells it. Null: nobody sells it.
 */
export function worthOf(
  { sites, bouquets, events }: Pick<Catalogue, 'sites' | 'bouquets' | 'events'>,
  product: string,
  { siteId, spans }: { siteId: bigint | null; spans: readonly Span[] },
): Worth | null {
  const ofSite = <T extends { siteId: bigint }>(all: Iterable<T>): T[] => {
    const some = [...all].sort((a, b) => (a.siteId < b.siteId ? -1 : 1));
    const chosen = siteId ?? some[0]?.siteId;
    return some.filter((one) => one.siteId === chosen);
  };
  const currencyOf = (site: bigint) => sites.get(site)?.currency;
  if (product.startsWith(EVENT_PRODUCT_PREFIX)) {
    const [event] = ofSite([...events.values()].filter((one) => one.product === product));
    const currency = event && currencyOf(event.siteId);
    if (!currency) return null;
    return { amount: spans.length > 0 ? event.price : 0n, currency };
  }
  const holding = ofSite(
    [...bouquets.values()].filter(({ products }) => products.includes(product)),
  );
  const currency = holding[0] && currencyOf(holding[0].siteId);
  if (!currency) return null;
  const versions = holding.flatMap(({ prices }): readonly PriceVersion[] => prices.month ?? []);
  const changes = [...new Set(versions.map(({ from }) => from.getTime()))].sort((a, b) => a - b);
  let sum = 0n;
  for (const [n, fromMs] of changes.entries()) {
    const months = holding.flatMap((one) => priceAt(one, 'month', new Date(fromMs)) ?? []);
    const cheapest = months.reduce<bigint | null>((a, b) => (a === null || b < a ? b : a), null);
    for (const span of within(spans, fromMs, changes[n + 1] ?? Number.MAX_SAFE_INTEGER)) {
      sum += (cheapest ?? 0n) * BigInt(span.toMs - span.fromMs);
    }
  }
  return changes.length === 0 ? null : { amount: halfUp(sum, MONTH_MS), currency };
}

/** How long they last together, in whole seconds. */
export const secondsOf = (spans: readonly Span[]): bigint =>
  BigInt(Math.floor(spans.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0) / 1000));
