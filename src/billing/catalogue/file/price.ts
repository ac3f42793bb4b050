/** What a product costs: which version of a price holds for whom, where and when. */
import { formatLocalDate, localDate } from '../../../platform/calendar.ts';
import { type AppliedTax, taxOn } from './tax.ts';
import {
  type Category,
  type Contents,
  type OperatorCatalogue,
  type PriceVersion,
  type Product,
  type SiteTerms,
  TAXED_KINDS,
  type TaxMode,
} from './types.ts';

export type PriceError =
  | 'unknown_site'
  | 'unknown_product'
  | 'unknown_amount'
  | 'not_sold_to_category'
  | 'not_sold'
  | 'tax_without_rate';

export type PriceAnswer =
  | {
      ok: true;
      /** Minor units of `currency`; with or without taxes as `taxMode` says. */
      amount: bigint;
      currency: string;
      taxMode: TaxMode;
      taxes: AppliedTax[];
      /** What was sold keeps this: the version of the price, to be stored with the line. */
      version: string;
      existingFrom: string | null;
    }
  | { ok: false; error: PriceError };

export interface PriceQuestion {
  product: string;
  /** A term (`month`, `10d`), `once`, `deposit`, `value`, `bonus`, or the amount of a phase. */
  term: string;
  site: string;
  category: Category;
  at: Date;
}

/** The local date of a site at an instant. */
export const dateAt = ({ timeZone }: Pick<SiteTerms, 'timeZone'>, at: Date): string =>
  formatLocalDate(localDate(at, timeZone));

/**
 * The price of a product at an instant. Precedence, the first that has a price for the term wins:
 * (1) this category at this site, (2) this category in the country, (3) this site, (4) the country.
 * Within one of them the version with the latest `from` that has begun and not ended. A version
 * that says `null` takes the product off sale there; nothing further down is looked at.
 */
export function priceOf(catalogue: OperatorCatalogue, question: PriceQuestion): PriceAnswer {
  const site = catalogue.sites.get(question.site);
  const country = catalogue.countries.get(site?.country ?? '');
  if (!site || !country) return { ok: false, error: 'unknown_site' };
  const product = catalogue.products.get(question.product);
  if (!product) return { ok: false, error: 'unknown_product' };
  const versions = product.prices.get(question.term);
  if (!versions) return { ok: false, error: 'unknown_amount' };
  if (product.categories && !product.categories.includes(question.category)) {
    return { ok: false, error: 'not_sold_to_category' };
  }
  const date = dateAt(site, question.at);
  const version = versionOn(versions, { site, category: question.category, date });
  if (!version || version.amount === null) return { ok: false, error: 'not_sold' };
  const taxes = taxesOf(country.taxes, product, question.term).map((tax) => taxOn(tax, date));
  const known = taxes.filter((tax) => tax !== null);
  if (known.length < taxes.length) return { ok: false, error: 'tax_without_rate' };
  const { amount, taxMode, id, existingFrom } = version;
  const { currency } = country;
  return { ok: true, amount, currency, taxMode, taxes: known, version: id, existingFrom };
}

export interface Buyer {
  site: Pick<SiteTerms, 'code' | 'country'>;
  /** Null: whoever has no price for a category of their own. */
  category: Category | null;
  date: string;
}

/** The version that holds for a buyer on a local date; versions stand oldest first. */
export function versionOn(versions: readonly PriceVersion[], buyer: Buyer): PriceVersion | null {
  const { site, category, date } = buyer;
  const running = versions.filter(
    ({ from, until, country }) =>
      country === site.country && from <= date && (until === null || date < until),
  );
  const scopes = [
    { site: site.code, category },
    { site: null, category },
    { site: site.code, category: null },
    { site: null, category: null },
  ];
  for (const scope of scopes) {
    const version = running.findLast(
      (one) => one.site === scope.site && one.category === scope.category,
    );
    if (version) return version;
  }
  return null;
}

/** A deposit is given back and a bonus is given: neither is a sale. */
const UNTAXED_AMOUNTS = new Set(['deposit', 'value', 'bonus']);

/** The taxes that an amount of a product bears. */
export function taxesOf<T extends { appliesTo: readonly string[] }>(
  taxes: readonly T[],
  { kind }: Pick<Product, 'kind'>,
  amount: string,
): T[] {
  const isTaxed = TAXED_KINDS.some((taxed) => taxed === kind) && !UNTAXED_AMOUNTS.has(amount);
  return isTaxed ? taxes.filter(({ appliesTo }) => appliesTo.includes(kind)) : [];
}

/** Channels and access products of a product in a country on a local date; null: none yet. */
export function contentsOn(
  contents: readonly Contents[],
  country: string,
  date: string,
): Contents | null {
  const begun = contents.filter(({ from }) => from <= date);
  return (
    begun.findLast((one) => one.country === country) ??
    begun.findLast((one) => one.country === null) ??
    null
  );
}
