/** What the operator's catalogue is to one market: plans with gross prices, rules, taxes. Pure. */
import { type Day, formatDay, type Length, parseDay } from '../../platform/day.ts';
import { contentsOn, taxesOf, versionOn } from '../catalogue/file/price.ts';
import { type AppliedTax, taxLines, taxOn } from '../catalogue/file/tax.ts';
import type {
  Category,
  Country,
  Phase as FilePhase,
  PriceVersion as FileVersion,
  OperatorCatalogue,
  Product,
  SiteTerms,
} from '../catalogue/file/types.ts';
import { OPEN } from './intervals.ts';
import type { Catalogue, Phase, Plan, PostpaidConfig, PriceVersion } from './plans.ts';

/** Codes, as the operator's catalogue has them. */
export interface Buyers {
  site: string;
  category: Category;
}

/** By what accounts of a market are billed. */
export interface MarketTerms {
  catalogue: Catalogue;
  config: PostpaidConfig;
  /** Days from an invoice to the day on which it is due. */
  dueDays: number;
  /** The taxes that a line of this tax code bears when its first day is `day`. */
  taxesOn(taxCode: string, day: Day): readonly AppliedTax[];
}

/** The kind of product that a plan is; a line says it as its tax code. */
const PLAN_KIND = 'plan';
const SECONDS_A_MINUTE = 60;

/** What no site decides for itself. Being late is followed by dunning, not by the engine. */
export const HOUSE_RULES: Omit<PostpaidConfig, 'alignment' | 'monthDays' | 'retryDays'> = {
  rounding: 'exact',
  bridge: 'new_cycle',
  gatewayDown: { startSeconds: 5 * SECONDS_A_MINUTE, multiplier: 2, attemptsMax: 8 },
  overdue: [],
};

interface Place {
  site: SiteTerms;
  country: Country;
  category: Category;
}

/** Throws when the catalogue does not know the site. */
function placeOf(operator: OperatorCatalogue, { site: code, category }: Buyers): Place {
  const site = operator.sites.get(code);
  const country = operator.countries.get(site?.country ?? '');
  if (!site || !country) throw new Error(`The catalogue has no site ${code}`);
  return { site, country, category };
}

/** Compiles the terms of a market. Throws when the catalogue does not know the site. */
export function marketTermsOf(operator: OperatorCatalogue, buyers: Buyers): MarketTerms {
  const { country, site } = placeOf(operator, buyers);
  const { dueDays, ...rules } = site.postpaid;
  return {
    catalogue: planCatalogueOf(operator, buyers),
    config: { ...HOUSE_RULES, ...rules },
    dueDays,
    taxesOn: (taxCode, day) =>
      country.taxes
        .filter(({ appliesTo }) => appliesTo.some((kind) => kind === taxCode))
        .flatMap((tax) => taxOn(tax, formatDay(day)) ?? []),
  };
}

/**
 * All plans of the catalogue with the prices of a market. A plan that is not sold there (any more)
 * is in it too, because contracts may name it; `onSale` says when it can be sold.
 */
export function planCatalogueOf(operator: OperatorCatalogue, buyers: Buyers): Catalogue {
  const place = placeOf(operator, buyers);
  const plans = [...operator.products.values()].flatMap((product) =>
    product.kind === 'plan' ? [planOf(place, product)] : [],
  );
  return new Map(plans.map((plan) => [plan.code, plan]));
}

type PlanProduct = Extract<Product, { kind: 'plan' }>;

function planOf(place: Place, product: PlanProduct): Plan {
  const { code, billing, isPerUnit, phasesOnChange, addOn, categories } = product;
  const isForThem = categories === null || categories.includes(place.category);
  return {
    code,
    billing,
    perUnit: isPerUnit,
    phasesOnChange,
    phases: product.phases.map((phase) => phaseOf(place, product, phase)),
    priceVersions: [],
    addOn: addOn && {
      availableWith: addOn.availableWith,
      maxPerBundle: addOn.maxPerSubscription,
      phasesFrom: addOn.alignedTo === 'base' ? 'bundle_start' : 'subscription_start',
    },
    taxCode: PLAN_KIND,
    onSale: isForThem ? daysOnSale(place, product) : [],
    contents: contentsOf(place, product),
  };
}

function contentsOf({ country }: Place, { contents }: PlanProduct): NonNullable<Plan['contents']> {
  const isHere = (one: { country: string | null }): boolean =>
    one.country === null || one.country === country.code;
  const dates = new Set(contents.filter(isHere).map(({ from }) => from));
  return [...dates].sort().map((date) => ({
    from: parseDay(date),
    products: contentsOn(contents, country.code, date)?.cas ?? [],
  }));
}

function phaseOf(place: Place, product: PlanProduct, phase: FilePhase): Phase {
  const { name, type, length, period, isFixed } = phase;
  const prices = (amount: string) => grossVersions(place, product, amount);
  return {
    type,
    length: length && lengthOf(length),
    fixed: isFixed ? 0n : null,
    price: null,
    period,
    ...(period === null ? {} : { versions: prices(name) }),
    ...(isFixed ? { fixedVersions: prices(`${name}.fixed`) } : {}),
  };
}

const lengthOf = (length: NonNullable<FilePhase['length']>): Length => ({ ...length });

const buyerOf = ({ site, category }: Place, date: string) => ({ site, category, date });

const datesOf = (versions: readonly FileVersion[], { site }: Place): string[] =>
  versions
    .filter(({ country }) => country === site.country)
    .flatMap(({ from, until }) => (until === null ? [from] : [from, until]));

/** Days on which each amount of a plan has a price. */
function daysOnSale(place: Place, product: PlanProduct): { from: Day; to: Day }[] {
  const amounts = product.phases.flatMap(({ name, period, isFixed }) => [
    ...(period === null ? [] : [name]),
    ...(isFixed ? [`${name}.fixed`] : []),
  ]);
  const lists = amounts.map((amount) => product.prices.get(amount) ?? []);
  const dates = [...new Set(lists.flatMap((list) => datesOf(list, place)))].sort();
  const isSold = (date: string): boolean =>
    lists.every((list) => (versionOn(list, buyerOf(place, date))?.amount ?? null) !== null);
  return dates
    .map((date, at) => ({ date, to: dates[at + 1] }))
    .filter(({ date }) => isSold(date))
    .map(({ date, to }) => ({ from: parseDay(date), to: to === undefined ? OPEN : parseDay(to) }));
}

/**
 * The versions of an amount as a market sees them, all taxes included: one where another version
 * of the catalogue begins to hold, and one for each version that somebody may have agreed to where
 * a rate of tax changes and the price is without taxes.
 */
function grossVersions(place: Place, product: Product, amount: string): PriceVersion[] {
  const list = product.prices.get(amount) ?? [];
  const taxes = taxesOf(place.country.taxes, product, amount);
  const changes = new Set(taxes.flatMap(({ rates }) => rates.map(({ from }) => from)));
  const dates = [...new Set([...datesOf(list, place), ...changes])].sort();
  const gross = (version: FileVersion, date: string): bigint => {
    const applied = taxes.flatMap((tax) => taxOn(tax, date) ?? []);
    const { amount: price, taxMode } = version;
    return taxLines(price ?? 0n, taxMode === 'exclusive' ? applied : [], taxMode).gross;
  };
  const versions: PriceVersion[] = [];
  const agreed = new Map<string, FileVersion>();
  let before: FileVersion | null = null;
  for (const date of dates) {
    const now = versionOn(list, buyerOf(place, date));
    const at = { from: parseDay(date) };
    const held = changes.has(date)
      ? [...agreed.values()].filter(({ taxMode }) => taxMode === 'exclusive')
      : [];
    // The one that is sold comes last of its day.
    const [others, sold] = [held.filter((one) => one !== now), held.filter((one) => one === now)];
    for (const one of [...others, ...sold]) {
      versions.push({
        ...at,
        price: gross(one, date),
        existingFrom: at.from,
        agreed: one.id,
        isSameAgreed: true,
        isClosed: one !== now,
      });
    }
    if (now && now.amount !== null && now.id !== before?.id) {
      if (sold.length === 0) versions.push(begun(now, before, { date, price: gross(now, date) }));
      agreed.set(now.id, now);
    }
    before = now;
  }
  return versions;
}

/** A version that begins to hold; one that returns reaches those whom the one before it reached. */
function begun(
  version: FileVersion,
  before: FileVersion | null,
  { date, price }: { date: string; price: bigint },
): PriceVersion {
  const returns = version.from !== date;
  const reaches = returns && before?.existingFrom ? date : version.existingFrom;
  return {
    from: parseDay(date),
    price,
    existingFrom: reaches === null || (returns && !before?.existingFrom) ? null : parseDay(reaches),
    agreed: version.id,
  };
}

/** The terms of markets, compiled once for each catalogue and market. */
export function createMarkets(operator: () => OperatorCatalogue): (buyers: Buyers) => MarketTerms {
  const compiled = new WeakMap<OperatorCatalogue, Map<string, MarketTerms>>();
  return (buyers) => {
    const current = operator();
    const known = compiled.get(current) ?? new Map<string, MarketTerms>();
    compiled.set(current, known);
    const key = `${buyers.site}|${buyers.category}`;
    const terms = known.get(key) ?? marketTermsOf(current, buyers);
    known.set(key, terms);
    return terms;
  };
}
