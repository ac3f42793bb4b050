/** Everything that is sold, of all kinds, and what it costs whom on a day. */
import { z } from 'zod';
import { contentsOn, dateAt, priceOf } from '../../billing/catalogue/file/price.ts';
import { taxLines } from '../../billing/catalogue/file/tax.ts';
import {
  CATEGORIES,
  type Category,
  KINDS,
  type OperatorCatalogue,
  type Product,
  type SiteTerms,
} from '../../billing/catalogue/file/types.ts';
import { midnight, parseLocalDate } from '../../platform/calendar.ts';
import { money, moneyOf, siteCode } from '../api/fields.ts';
import { ok, type Route, route } from '../api/route.ts';
import type { Principal } from '../people/principal.ts';
import { type Desk, siteByCode } from './desk.ts';

const kind = z.enum(KINDS);
const category = z.enum(CATEGORIES);
const date = z.iso.date().refine((text) => /^(19|20|21)/.test(text), 'Out of range');

const product = z
  .strictObject({
    site: siteCode,
    code: z.string(),
    kind,
    name: z.string(),
    /** To whom it is sold; null: to all. */
    categories: z.array(category).nullable(),
    /** Names of its prices: terms, `once`, `deposit`, `value`, `bonus`, phases. */
    amounts: z.array(z.string()),
    channels: z.array(z.string()),
    /** Products of the access system that open them. */
    opens: z.array(z.string()),
    /** On top of what it is sold; empty: by itself. */
    availableWith: z.array(z.string()),
    /** What its kind alone has, like `daysMax` of free time. */
    further: z.array(z.strictObject({ name: z.string(), value: z.string() })),
  })
  .meta({ id: 'Product' });

const price = z
  .strictObject({
    site: siteCode,
    product: z.string(),
    kind,
    /** A term, `once`, `deposit`, `value`, `bonus`, or a phase. */
    amount: z.string(),
    net: money,
    taxes: z.array(z.strictObject({ code: z.string(), amount: money })),
    /** What is paid. */
    gross: money,
    /** The version of the price, which is kept with what is sold. */
    version: z.string(),
  })
  .meta({ id: 'Price' });

const tag = 'Catalogue';
const filters = { site: siteCode.optional(), kind: kind.optional(), date: date.optional() };

/** The routes of products and prices; the file that they stand in is small, so none is paged. */
export const productRoutes = (desk: Desk): Route[] => [
  route({
    ...{ method: 'get', path: '/products', tag, access: 'catalogue.read' },
    summary: 'Everything that is sold, by site, with its contents of today or of a day',
    query: z.strictObject({ ...filters, category: category.optional() }),
    answers: { 200: z.strictObject({ items: z.array(product) }) },
    async handler({ principal, query, now }) {
      const sold = soldAt(desk, principal, query);
      return ok({ items: sold.map((one) => productView(one, atOf(one, query.date, now))) });
    },
  }),
  route({
    ...{ method: 'get', path: '/prices', tag, access: 'catalogue.read' },
    summary: 'What everything costs a category of subscribers, today or on a day',
    query: z.strictObject({ ...filters, category: category.default('residential') }),
    answers: { 200: z.strictObject({ items: z.array(price) }) },
    async handler({ principal, query, now }) {
      const sold = soldAt(desk, principal, query);
      const items = sold.flatMap((one) =>
        pricesOf(one, query.category, atOf(one, query.date, now)),
      );
      return ok({ items });
    },
  }),
];

interface Sold {
  file: OperatorCatalogue;
  site: SiteTerms;
  product: Product;
}

/** The first instant of a day there, or now. */
const atOf = ({ site }: Sold, day: string | undefined, now: Date): Date =>
  day === undefined ? now : midnight(parseLocalDate(day), site.timeZone);

/** What is sold at the sites that the caller sees and asks for. */
function soldAt(
  desk: Desk,
  principal: Principal,
  query: {
    site?: string | undefined;
    kind?: string | undefined;
    category?: Category | undefined;
  },
): Sold[] {
  const file = desk.catalogueFile()?.file;
  if (!file) return [];
  const sites = [...file.sites.values()].filter(
    ({ code }) =>
      (query.site === undefined || query.site === code) && siteByCode(desk, principal, code),
  );
  const wanted = [...file.products.values()].filter(
    ({ kind: of, categories }) =>
      (query.kind === undefined || query.kind === of) &&
      (!query.category || !categories || categories.includes(query.category)),
  );
  return sites.flatMap((site) =>
    wanted
      .filter(({ countries }) => countries.includes(site.country))
      .map((one) => ({ file, site, product: one })),
  );
}

/** What every product has, or what is answered under a name of its own. */
const COMMON = new Set(['code', 'name', 'kind']);

function productView({ site, product: one }: Sold, at: Date): z.output<typeof product> {
  const { code, kind: of, name, categories, amounts } = one;
  const contents =
    'contents' in one ? contentsOn(one.contents, site.country, dateAt(site, at)) : null;
  const further = Object.entries(one).flatMap(([key, value]) => {
    const isPlain = ['string', 'number', 'boolean'].includes(typeof value);
    return COMMON.has(key) || !isPlain ? [] : [{ name: key, value: String(value) }];
  });
  return {
    ...{ site: site.code, code, kind: of, name, amounts: [...amounts] },
    categories: categories && [...categories],
    channels: [...(contents?.channels ?? [])],
    opens: [...(contents?.cas ?? [])],
    availableWith: 'addOn' in one ? [...(one.addOn?.availableWith ?? [])] : [],
    further,
  };
}

function pricesOf({ file, site, product: one }: Sold, buyer: Category, at: Date) {
  return one.amounts.flatMap((amount): z.output<typeof price>[] => {
    const asked = { product: one.code, term: amount, site: site.code, category: buyer, at };
    const answer = priceOf(file, asked);
    if (!answer.ok) return [];
    const { currency, version } = answer;
    const { net, taxes, gross } = taxLines(answer.amount, answer.taxes, answer.taxMode);
    return [
      {
        ...{ site: site.code, product: one.code, kind: one.kind, amount, version },
        net: moneyOf(net, currency),
        taxes: taxes.map((tax) => ({ code: tax.code, amount: moneyOf(tax.amount, currency) })),
        gross: moneyOf(gross, currency),
      },
    ];
  });
}
