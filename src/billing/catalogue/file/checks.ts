/** What no single line shows: prices that are missing, taxes without rate, add-ons without base. */
import { checkAddOns } from './check-add-ons.ts';
import { checkDayRates, checkKind, checkPromotions } from './check-kinds.ts';
import { taxesOf } from './price.ts';
import type { Path, Problems } from './problems.ts';
import { pathOf } from './products.ts';
import { taxOn } from './tax.ts';
import {
  CATEGORIES,
  type Category,
  type Contents,
  type Country,
  type OperatorCatalogue,
  type PriceVersion,
  type Product,
  type Tax,
} from './types.ts';

/** Adds to `problems` whatever does not fit together. Names that are unknown are said elsewhere. */
export function checkCatalogue(catalogue: OperatorCatalogue, problems: Problems): void {
  checkTaxOrder(catalogue, problems);
  checkChannels(catalogue, problems);
  for (const product of catalogue.products.values()) {
    checkPrices(catalogue, product, problems);
    checkTaxRates(catalogue, product, problems);
    checkContents(catalogue, product, problems);
    checkKind(product, problems);
  }
  checkAddOns(catalogue, problems);
  checkPromotions(catalogue, problems);
  checkDayRates(catalogue, problems);
}

function checkTaxOrder({ countries }: OperatorCatalogue, problems: Problems): void {
  for (const { code, taxes } of countries.values()) {
    const before = ['net'];
    for (const [i, tax] of taxes.entries()) {
      const path = ['countries', code, 'taxes', i];
      if (before.includes(tax.code)) problems.at([...path, 'code'], `${tax.code} is there twice`);
      checkBases(tax, { path: [...path, 'on'], before, taxes }, problems);
      before.push(tax.code);
    }
  }
}

function checkBases(
  tax: Tax,
  at: { path: Path; before: readonly string[]; taxes: readonly Tax[] },
  problems: Problems,
): void {
  for (const [i, base] of tax.on.entries()) {
    if (at.before.includes(base)) continue;
    const isLater = at.taxes.some((other) => other.code === base);
    const reason = isLater
      ? `${base} does not stand before ${tax.code}`
      : `there is no tax ${base}`;
    problems.at([...at.path, i], reason, `known here: ${at.before.join(', ')}`);
  }
}

function checkChannels({ channels }: OperatorCatalogue, problems: Problems): void {
  for (const { code, freeToAir, cas } of channels.values()) {
    if (freeToAir || cas.length > 0 || problems.has(['channels', code])) continue;
    problems.at(['channels', code], 'is opened by no product', 'cas: […], or freeToAir: true');
  }
}

/** Every amount has a price in every country, at every site, for all to whom it is sold. */
function checkPrices({ sites }: OperatorCatalogue, product: Product, problems: Problems): void {
  const path = [...pathOf(product), 'prices'];
  // A row that can't be read may be the very one that would be missed.
  if (problems.has(path)) return;
  for (const country of product.countries) {
    const places = [...sites.values()].filter((site) => site.country === country);
    const codes = places.length > 0 ? places.map(({ code }) => code) : [null];
    for (const amount of product.amounts) {
      const versions = (product.prices.get(amount) ?? []).filter(
        (version) => version.country === country && version.amount !== null,
      );
      const missing = uncovered(versions, codes, product.categories ?? CATEGORIES);
      if (missing === null) continue;
      const hint = missing === '' ? null : 'or name the categories it is sold to';
      problems.atKey(path, `no price for ${amount} in ${country}${missing}`, hint);
    }
  }
}

/** For whom and where no version holds, in words; null when nobody is left out. */
function uncovered(
  versions: readonly PriceVersion[],
  sites: readonly (string | null)[],
  categories: readonly Category[],
): string | null {
  if (versions.length === 0) return '';
  const isCovered = (site: string | null, category: Category) =>
    versions.some(
      (version) =>
        (version.site === null || version.site === site) &&
        (version.category === null || version.category === category),
    );
  const gaps = sites.flatMap((site) => {
    const without = categories.filter((category) => !isCovered(site, category));
    if (without.length === 0) return [];
    const who = without.length === categories.length ? '' : ` for ${without.join(', ')}`;
    return [`${site === null ? '' : ` at ${site}`}${who}`];
  });
  return gaps.length === 0 ? null : gaps.join(' and');
}

/** Each tax has a rate whenever a product that bears it begins to be sold at a price. */
function checkTaxRates(
  { countries }: OperatorCatalogue,
  product: Product,
  problems: Problems,
): void {
  for (const [amount, versions] of product.prices) {
    for (const { country: code, from, amount: minor } of versions) {
      const country = countries.get(code);
      if (!country || minor === null) continue;
      const sold = `${from}, when ${product.code} is sold for ${amount}`;
      for (const tax of taxesOf(country.taxes, product, amount)) {
        if (!taxOn(tax, from)) noRate(country, tax, sold, problems);
      }
    }
  }
}

/** Said once a tax: the rest follows from the same rate. */
function noRate({ code, taxes }: Country, tax: Tax, sold: string, problems: Problems): void {
  const path = ['countries', code, 'taxes', taxes.indexOf(tax), 'rates'];
  if (problems.has(path)) return;
  const hint = "a tax that begins later has percent '0' until then";
  problems.at(path, `${tax.code} has no rate on ${sold}`, hint);
}

/** Products that open every channel, and something to see as soon as there is a price. */
function checkContents(catalogue: OperatorCatalogue, product: Product, problems: Problems): void {
  if (!('contents' in product)) return;
  const path = [...pathOf(product), 'contents'];
  for (const version of product.contents) checkOpened(catalogue, version, path, problems);
  if (problems.has(path)) return;
  const sales = [...product.prices.values()].flat();
  for (const country of product.countries) {
    const first = sales
      .filter((version) => version.country === country)
      .reduce<string | null>((least, { from }) => (least && least < from ? least : from), null);
    const isThere = ({ country: of, from }: { country: string | null; from: string }) =>
      (of === null || of === country) && first !== null && from <= first;
    if (first === null || product.contents.some(isThere)) continue;
    problems.at(path, `it is sold in ${country} from ${first}, but holds nothing then`);
  }
}

function checkOpened(
  { channels, cas: known }: OperatorCatalogue,
  { from, channels: listed, cas }: Contents,
  path: Path,
  problems: Problems,
): void {
  if (!cas.every((product) => known.has(product))) return;
  for (const code of listed) {
    const channel = channels.get(code);
    if (!channel || channel.freeToAir || channel.cas.length === 0) continue;
    if (cas.some((product) => channel.cas.includes(product))) continue;
    const reason = `none of ${cas.join(', ')} opens ${code} (from ${from})`;
    problems.at(path, reason, `it is opened by ${channel.cas.join(', ')}`);
  }
}
