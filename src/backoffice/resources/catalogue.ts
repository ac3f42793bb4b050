/** What is sold where, as it stands now. */
import { z } from 'zod';
import { percentOf, taxOn } from '../../billing/catalogue/file/tax.ts';
import type { Category } from '../../billing/catalogue/file/types.ts';
import { type Bouquet, priceAt, pricesFor, type TermName } from '../../billing/catalogue/rules.ts';
import { formatLocalDate, localDate } from '../../platform/calendar.ts';
import { idText, instant, language, money, moneyOf, siteCode } from '../api/fields.ts';
import { ok, type Route, route } from '../api/route.ts';
import { seesSite } from '../people/principal.ts';
import { codeOf, type Desk, sitesOf } from './desk.ts';

const site = z
  .strictObject({
    code: siteCode,
    name: z.string(),
    country: z.string(),
    currency: z.string(),
    tvuAsset: z.string(),
    timeZone: z.string(),
    language,
  })
  .meta({ id: 'Site' });

const price = z.strictObject({ term: z.string(), price: money });

const bouquet = z
  .strictObject({
    id: idText,
    site: siteCode,
    code: z.string(),
    name: z.string(),
    /** Today's rates, in the order in which they are applied. */
    taxes: z.array(z.strictObject({ code: z.string(), name: z.string(), percent: z.string() })),
    products: z.array(z.string()),
    kind: z.enum(['bouquet', 'channel', 'add_on']),
    prices: z.array(price),
    /** Whole lists of categories that do not buy at `prices`. */
    categoryPrices: z.array(z.strictObject({ category: z.string(), prices: z.array(price) })),
  })
  .meta({ id: 'Bouquet' });

const event = z
  .strictObject({
    id: idText,
    site: siteCode,
    code: z.string(),
    title: z.string(),
    startsAt: instant,
    endsAt: instant,
    saleFrom: instant,
    saleUntil: instant,
    price: money,
  })
  .meta({ id: 'Event' });

const tag = 'Catalogue';
const ofSite = z.strictObject({ site: siteCode.optional() });

/** The routes of the catalogue; all of it is small, so nothing is paged. */
export const catalogueRoutes = (desk: Desk): Route[] => [
  route({
    ...{ method: 'get', path: '/sites', tag, access: 'catalogue.read' },
    summary: 'The sites you see',
    answers: { 200: z.strictObject({ items: z.array(site) }) },
    async handler({ principal }) {
      const seen = [...desk.catalogue().sites.values()].filter((s) => seesSite(principal, s.id));
      const items = seen.map(({ code, name, country, currency, tvuAsset, timeZone, ...rest }) => {
        return { code, name, country, currency, tvuAsset, timeZone, language: rest.language };
      });
      return ok({ items });
    },
  }),
  route({
    ...{ method: 'get', path: '/bouquets', tag, access: 'catalogue.read', query: ofSite },
    summary: 'Bouquets with today’s prices, tax included',
    answers: { 200: z.strictObject({ items: z.array(bouquet) }) },
    async handler({ principal, query, now }) {
      return ok({ items: bouquetsOf(desk, sitesOf(desk, principal, query.site), now) });
    },
  }),
  route({
    ...{ method: 'get', path: '/events', tag, access: 'catalogue.read', query: ofSite },
    summary: 'Pay-per-view events that are not over',
    answers: { 200: z.strictObject({ items: z.array(event) }) },
    async handler({ principal, query, now }) {
      return ok({ items: eventsOf(desk, sitesOf(desk, principal, query.site), now) });
    },
  }),
];

function taxesOf(desk: Desk, { siteId, taxes }: Bouquet, now: Date) {
  const timeZone = desk.catalogue().sites.get(siteId)?.timeZone ?? 'UTC';
  const today = formatLocalDate(localDate(now, timeZone));
  return taxes.flatMap((tax) => {
    const applied = taxOn(tax, today);
    if (!applied) return [];
    return [{ code: tax.code, name: tax.name, percent: percentOf(applied.ppm) }];
  });
}

function bouquetsOf(desk: Desk, sites: bigint[] | null, now: Date) {
  const { bouquets, sites: all } = desk.catalogue();
  return [...bouquets.values()].flatMap((one) => {
    const asset = all.get(one.siteId)?.currency;
    if (!asset || (sites && !sites.includes(one.siteId))) return [];
    const pricesTo = (category?: Category) =>
      (Object.keys(pricesFor(one, category)) as TermName[]).flatMap((term) => {
        const price = priceAt(one, term, now, category);
        return price === null ? [] : [{ term, price: moneyOf(price, asset) }];
      });
    return {
      id: one.id.toString(),
      site: codeOf(desk, one.siteId),
      code: one.code,
      name: one.name,
      taxes: taxesOf(desk, one, now),
      products: [...one.products],
      kind: one.kind,
      prices: pricesTo(),
      categoryPrices: [...one.categoryPrices.keys()].map((category) => ({
        category,
        prices: pricesTo(category),
      })),
    };
  });
}

function eventsOf(desk: Desk, sites: bigint[] | null, now: Date) {
  const { events, sites: all } = desk.catalogue();
  return [...events.values()].flatMap((one) => {
    const asset = all.get(one.siteId)?.currency;
    const isOver = one.endsAt.getTime() <= now.getTime();
    if (!asset || isOver || (sites && !sites.includes(one.siteId))) return [];
    return {
      id: one.id.toString(),
      site: codeOf(desk, one.siteId),
      code: one.code,
      title: one.title,
      startsAt: one.startsAt.toISOString(),
      endsAt: one.endsAt.toISOString(),
      saleFrom: one.saleFrom.toISOString(),
      saleUntil: one.saleUntil.toISOString(),
      price: moneyOf(one.price, asset),
    };
  });
}
