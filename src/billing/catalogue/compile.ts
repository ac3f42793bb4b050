/** From the catalogue file to what a payment looks at: ids, instants, and gross amounts only. */
import { midnight, parseLocalDate } from '../../platform/calendar.ts';
import { contentsOn, dateAt, taxesOf, versionOn } from './file/price.ts';
import { taxLines, taxOn } from './file/tax.ts';
import {
  CATEGORIES,
  type Category,
  type OperatorCatalogue,
  type PriceVersion as PriceRow,
  type Product,
  type SiteTerms,
  type Tax,
  type UnitTariffs,
} from './file/types.ts';
import type {
  Bouquet,
  Catalogue,
  PriceList,
  PriceVersion,
  Site,
  TermName,
  TvuTariff,
  UnitMarket,
} from './rules.ts';

/** The ids of rows that others point at. */
export interface CatalogueIds {
  /** By code. */
  sites: ReadonlyMap<string, bigint>;
  /** By `bouquetKey`. */
  bouquets: ReadonlyMap<string, bigint>;
}

export const bouquetKey = (siteId: bigint, code: string): string => `${siteId} ${code}`;

type Sold = Extract<Product, { kind: 'bouquet' | 'channel' | 'add_on' }>;

/** Is it sold by the term, with rights on a card? */
export const isBouquet = (product: Product): product is Sold =>
  product.kind === 'bouquet' || product.kind === 'channel' || product.kind === 'add_on';

/** The unit of a country's TV units. */
export const unitAsset = (country: string): string => `TVU-${country}`;

/**
 * What is sold at every site that has an id. Contents are those of `at`: compiled again from time
 * to time. A price that taxes are added to has them added, by the rates of each day.
 */
export function compileCatalogue(
  file: OperatorCatalogue,
  ids: CatalogueIds,
  at: Date,
): Omit<Catalogue, 'events'> {
  const sites = new Map<bigint, Site>();
  const bouquets = new Map<bigint, Bouquet>();
  const tariffs = new Map<bigint, TvuTariff[]>();
  for (const terms of file.sites.values()) {
    const siteId = ids.sites.get(terms.code);
    if (siteId === undefined) continue;
    sites.set(siteId, siteOf(file, terms, siteId));
    const units = file.units.get(terms.country);
    if (units) tariffs.set(siteId, tariffsOf(units, terms.timeZone));
    for (const product of file.products.values()) {
      const id = ids.bouquets.get(bouquetKey(siteId, product.code));
      if (id === undefined || !isBouquet(product)) continue;
      if (!product.countries.includes(terms.country)) continue;
      bouquets.set(id, bouquetOf(file, product, { id, siteId, terms, at }));
    }
  }
  const units = new Map(
    [...file.units.values()].map((one): [string, UnitMarket] => {
      const market = marketOf(file, one);
      return [market.asset, market];
    }),
  );
  return { sites, bouquets, tariffs, units };
}

function siteOf({ countries }: OperatorCatalogue, terms: SiteTerms, id: bigint): Site {
  const { code, name, country, timeZone, language, payment, rules } = terms;
  const currency = countries.get(country)?.currency ?? '';
  const tvuAsset = unitAsset(country);
  return { id, code, name, country, currency, tvuAsset, timeZone, language, payment, rules };
}

interface Place {
  id: bigint;
  siteId: bigint;
  terms: SiteTerms;
  at: Date;
}

function bouquetOf(
  { countries }: OperatorCatalogue,
  product: Sold,
  { id, siteId, terms, at }: Place,
): Bouquet {
  const { code, name, kind } = product;
  const taxes = countries.get(terms.country)?.taxes ?? [];
  const listOf = (category: Category | null) => priceList(product, { terms, taxes, category });
  const own = CATEGORIES.flatMap((category): [Category, PriceList][] => {
    if (product.categories && !product.categories.includes(category)) return [[category, {}]];
    const isNamed = [...product.prices.values()].flat().some((row) => row.category === category);
    return isNamed ? [[category, listOf(category)]] : [];
  });
  return {
    ...{ id, siteId, code, name, kind },
    products: [...productsOn(product, terms.country, dateAt(terms, at))].sort(),
    prices: listOf(null),
    categoryPrices: new Map(own),
    taxes: taxes.filter(({ appliesTo }) => appliesTo.includes(kind)),
    addOn: product.kind === 'add_on' ? product.addOn : null,
  };
}

/** Before its contents begin, those with which it will begin. */
function productsOn({ contents }: Sold, country: string, date: string): readonly string[] {
  const own = contents.filter((one) => one.country === null || one.country === country);
  return (contentsOn(contents, country, date) ?? own[0])?.cas ?? [];
}

interface Asker {
  terms: SiteTerms;
  taxes: readonly Tax[];
  /** Null: nobody in particular. */
  category: Category | null;
}

/** By term, the gross amounts with the midnights from which they hold. */
function priceList(product: Sold, asker: Asker): PriceList {
  const terms = product.amounts.map((term): [TermName, PriceVersion[]] => [
    term as TermName,
    versionsOf(product, product.prices.get(term) ?? [], asker),
  ]);
  return Object.fromEntries(terms.filter(([, versions]) => versions.length > 0));
}

function versionsOf(
  product: Sold,
  rows: readonly PriceRow[],
  { terms, taxes: all, category }: Asker,
): PriceVersion[] {
  const here = rows.filter(({ country }) => country === terms.country);
  const taxes = taxesOf(all, product, '');
  const days = here.flatMap(({ from, until }) => (until === null ? [from] : [from, until]));
  const rateDays = taxes.flatMap(({ rates }) => rates.map(({ from }) => from));
  const versions: PriceVersion[] = [];
  for (const date of [...new Set([...days, ...rateDays])].sort()) {
    const row = versionOn(here, { site: terms, category, date });
    const amount = row && grossOf(row, taxes, date);
    if (amount === (versions.at(-1)?.amount ?? null)) continue;
    versions.push({ from: midnight(parseLocalDate(date), terms.timeZone), amount });
  }
  return versions;
}

function grossOf({ amount, taxMode }: PriceRow, taxes: readonly Tax[], date: string) {
  if (amount === null || taxMode === 'inclusive') return amount;
  const applied = taxes.flatMap((tax) => taxOn(tax, date) ?? []);
  return taxLines(amount, applied, 'exclusive').gross;
}

/**
 * Units whose operator nobody says cost what the operator that stands first in the file takes. A
 * tariff begins when both the price and the credit are known.
 */
function tariffsOf({ operators, credit }: UnitTariffs, timeZone: string): TvuTariff[] {
  const prices = [...operators.values()][0] ?? [];
  const dates = [...new Set([...prices, ...credit].map(({ from }) => from))].sort();
  return dates.flatMap((date): TvuTariff[] => {
    const price = prices.findLast(({ from }) => from <= date)?.price;
    const worth = credit.findLast(({ from }) => from <= date);
    if (price === undefined || !worth) return [];
    const from = midnight(parseLocalDate(date), timeZone);
    return [{ from, price, valueUnits: BigInt(worth.units), valueAmount: worth.value }];
  });
}

function marketOf({ countries }: OperatorCatalogue, units: UnitTariffs): UnitMarket {
  const country = countries.get(units.country);
  const startOf = (date: string) => midnight(parseLocalDate(date), country?.timeZone ?? 'UTC');
  const buy = [...units.operators].map(([operator, rows]): [string, PriceVersion[]] => [
    operator,
    rows.map(({ from, price }) => ({ from: startOf(from), amount: price })),
  ]);
  const credit = units.credit.map(({ from, units: count, value }) => {
    return { from: startOf(from), units: BigInt(count), value };
  });
  const asset = unitAsset(units.country);
  return { asset, currency: country?.currency ?? '', buy: new Map(buy), credit };
}
