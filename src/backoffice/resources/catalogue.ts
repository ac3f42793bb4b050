/** What is sold where, as it stands now. */
import { z } from 'zod';
import { priceAt, type TermName } from '../../billing/catalogue/rules.ts';
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

const bouquet = z
  .strictObject({
    id: idText,
    site: siteCode,
    code: z.string(),
    name: z.string(),
    taxPercent: z.string(),
    products: z.array(z.string()),
    prices: z.array(z.strictObject({ term: z.string(), price: money })),
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

/** 1600n is `16`, 1650n is `16.5`. */
function percentOf(permyriad: bigint): string {
  const digits = permyriad.toString().padStart(3, '0');
  return `${digits.slice(0, -2)}.${digits.slice(-2)}`.replace(/\.?0+$/, '') || '0';
}

function bouquetsOf(desk: Desk, sites: bigint[] | null, now: Date) {
  const { bouquets, sites: all } = desk.catalogue();
  return [...bouquets.values()].flatMap((one) => {
    const asset = all.get(one.siteId)?.currency;
    if (!asset || (sites && !sites.includes(one.siteId))) return [];
    const prices = (Object.keys(one.prices) as TermName[]).flatMap((term) => {
      const price = priceAt(one, term, now);
      return price === null ? [] : [{ term, price: moneyOf(price, asset) }];
    });
    return {
      id: one.id.toString(),
      site: codeOf(desk, one.siteId),
      code: one.code,
      name: one.name,
      taxPercent: percentOf(one.taxPermyriad),
      products: [...one.products],
      prices,
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
