/** What a new catalogue says otherwise of days that have come. */
import { type Timeline, timelineChanges } from './diff-timeline.ts';
import { priceTimelines, taxTimelines, unitTimelines } from './diff-versions.ts';
import type { Country, OperatorCatalogue, Product, UnitTariffs } from './types.ts';

/**
 * Prices, tax rates and tariffs that would be others on a date that is not after `today`, in
 * sentences. What is new altogether (a product, a term, a country, an operator) changes nothing,
 * whenever it begins, and neither does a tax of nothing.
 */
export function pastPriceChanges(
  before: OperatorCatalogue,
  after: OperatorCatalogue,
  today: string,
): string[] {
  const known = { ...after, ...whatWasThere(before, after) };
  const old = { ...before, ...whatWasThere(after, before) };
  const untaxed = { ...old, countries: withNewTaxes(old.countries, known.countries) };
  const timelines: Timeline[] = [
    ...priceTimelines(old, known),
    ...taxTimelines(untaxed, known),
    ...unitTimelines(old, known),
  ];
  return timelines
    .flatMap((timeline) => timelineChanges(timeline))
    .filter(({ from }) => from <= today)
    .map(({ from, sentence }) => `From ${from}: ${sentence}`);
}

/** Of `whole` that which `other` has as well. */
function whatWasThere(
  other: OperatorCatalogue,
  whole: OperatorCatalogue,
): Pick<OperatorCatalogue, 'products' | 'units' | 'countries'> {
  return {
    products: shared(other.products, whole.products, sharedPrices),
    units: shared(other.units, whole.units, sharedOperators),
    countries: shared(other.countries, whole.countries, (_other, country) => country),
  };
}

const shared = <T>(
  others: ReadonlyMap<string, T>,
  all: ReadonlyMap<string, T>,
  part: (other: T, one: T) => T,
): Map<string, T> =>
  new Map(
    [...all].flatMap(([code, one]): [string, T][] => {
      const other = others.get(code);
      return other === undefined ? [] : [[code, part(other, one)]];
    }),
  );

function sharedPrices(other: Product, product: Product): Product {
  const prices = shared(other.prices, product.prices, (_theirs, rows) =>
    rows.filter(({ country }) => other.countries.includes(country)),
  );
  return { ...product, prices };
}

const sharedOperators = (other: UnitTariffs, units: UnitTariffs): UnitTariffs => ({
  ...units,
  operators: shared(other.operators, units.operators, (_theirs, rows) => rows),
});

/** A tax that was not there was one of nothing. */
const withNewTaxes = (
  countries: ReadonlyMap<string, Country>,
  after: ReadonlyMap<string, Country>,
): Map<string, Country> =>
  shared(after, countries, (later, country) => {
    const codes = new Set(country.taxes.map(({ code }) => code));
    const added = later.taxes.filter(({ code }) => !codes.has(code));
    const free = added.map((tax) => ({
      ...tax,
      rates: tax.rates.slice(0, 1).map(({ from }) => ({ from, ppm: 0n })),
    }));
    return { ...country, taxes: [...country.taxes, ...free] };
  });
