/** Money and dated prices as written: first the rows, then, with all names known, amounts. */
import { isScalar } from 'yaml';
import { parseAmount } from '../../../platform/money/amount.ts';
import { hintFor, type Path, type Problems, pathText } from './problems.ts';
import {
  byDate,
  choice,
  date,
  optional,
  pairs,
  pattern,
  quotesHint,
  type Reader,
  type ReadOf,
  readFields,
  unknownKey,
} from './reader.ts';
import { CATEGORIES, type Country, type PriceVersion, type SiteTerms } from './types.ts';

/** A decimal in quotes, as it stands; its currency is known later. */
export const written: Reader<{ text: string; path: Path }> = (node, path, problems) => {
  const value = isScalar(node) ? node.value : undefined;
  if (typeof value === 'string') return { text: value, path };
  problems.at(path, "must be an amount in quotes, like '650.00'", quotesHint(node));
  return undefined;
};

const AMOUNT_REASONS = {
  not_plain: 'is not a plain decimal number for',
  excess_decimals: 'has more decimals than',
  too_large: 'is too large for',
} as const;

/** Minor units of a written amount; undefined, with a problem, when it is none. */
export function minorOf(
  { text, path }: { text: string; path: Path },
  currency: string,
  problems: Problems,
): bigint | undefined {
  const parsed = parseAmount(text, currency);
  if (parsed.ok) return parsed.minor;
  // The currency itself is said to be unknown where it stands; any amount will do to go on.
  if (parsed.error === 'unknown_currency') return 1n;
  problems.at(path, `${text} ${AMOUNT_REASONS[parsed.error]} ${currency}`);
  return undefined;
}

const CODE = /^[A-Z0-9_]{2,16}$/;
const ROW_FIELDS = {
  from: date,
  until: optional(date),
  existingFrom: optional(date),
  country: pattern(/^[A-Z]{2}$/, 'a country like KE'),
  site: optional(pattern(CODE, 'the code of a site')),
  category: optional(choice(...CATEGORIES)),
  taxMode: optional(choice('inclusive', 'exclusive')),
};

/** Words of a row that are no amounts; a phase can't be called so. */
export const ROW_WORDS: readonly string[] = Object.keys(ROW_FIELDS);

/** A row of `prices`: for whom, from when, and whatever amounts stand in it. */
export interface PriceRow {
  path: Path;
  fields: ReadOf<typeof ROW_FIELDS>;
  /** By name; null: not sold from here on. */
  amounts: ReadonlyMap<string, unknown>;
}

export const priceRow: Reader<PriceRow> = (node, path, problems) => {
  const entries = pairs(node, path, problems);
  if (!entries) return undefined;
  const fields = readFields(ROW_FIELDS, entries, path, problems);
  if (!fields) return undefined;
  const amounts = new Map([...entries].filter(([key]) => !Object.hasOwn(ROW_FIELDS, key)));
  return { path, fields, amounts };
};

/** Where prices are: what a row may name. */
export interface Places {
  countries: ReadonlyMap<string, Country>;
  sites: ReadonlyMap<string, SiteTerms>;
}

export interface Priced {
  code: string;
  kind: string;
  countries: readonly string[];
  amounts: readonly string[];
}

/** Turns the rows of a product into versions by amount, oldest first, and says what can't be. */
export function versionsOf(
  product: Priced,
  rows: readonly PriceRow[],
  places: Places,
  problems: Problems,
): Map<string, PriceVersion[]> {
  const versions = new Map<string, PriceVersion[]>(product.amounts.map((name) => [name, []]));
  const spots = new Map<string, Path>();
  for (const row of rows) {
    const country = countryOfRow(product, row, places, problems);
    if (!country) continue;
    if (row.amounts.size === 0) problems.at(row.path, 'names no amount', list(product.amounts));
    for (const [name, node] of row.amounts) {
      const ofAmount = versions.get(name);
      if (!ofAmount) {
        unknownKey(name, [...product.amounts, ...ROW_WORDS], row.path, problems);
        continue;
      }
      const version = versionOf(product, { name, node, row, country }, problems);
      if (!version) continue;
      overlap(ofAmount, version, spots, [...row.path, name], problems);
      ofAmount.push(version);
      spots.set(version.id, [...row.path, name]);
    }
  }
  for (const ofAmount of versions.values()) {
    ofAmount.sort(byDate);
  }
  return versions;
}

const list = (names: readonly string[]): string => `known: ${names.join(', ')}`;

function countryOfRow(
  product: Priced,
  { path, fields }: PriceRow,
  { countries, sites }: Places,
  problems: Problems,
): Country | undefined {
  const { country: code, site: siteCode, from, until, existingFrom } = fields;
  const country = countries.get(code);
  if (!country) {
    problems.at(
      [...path, 'country'],
      `there is no country ${code}`,
      hintFor(code, [...countries.keys()]),
    );
  } else if (!product.countries.includes(code)) {
    problems.at(
      [...path, 'country'],
      `${product.code} is not sold in ${code}`,
      list(product.countries),
    );
  }
  if (siteCode !== null) {
    const site = sites.get(siteCode);
    if (!site) {
      problems.at(
        [...path, 'site'],
        `there is no site ${siteCode}`,
        hintFor(siteCode, [...sites.keys()]),
      );
    } else if (site.country !== code) {
      problems.at([...path, 'site'], `${siteCode} is in ${site.country}, not in ${code}`);
    }
  }
  if (until !== null && until <= from) {
    problems.at([...path, 'until'], 'is not after from', 'it is the first day without this price');
  }
  if (existingFrom !== null && product.kind !== 'plan') {
    problems.atKey([...path, 'existingFrom'], 'is for plans', 'a prepaid term keeps its price');
  } else if (existingFrom !== null && existingFrom < from) {
    problems.at([...path, 'existingFrom'], 'is before from');
  }
  return country;
}

/** What is free by nature; anywhere else a price of nothing is a slip. */
const MAY_BE_FREE = /^(deposit|bonus)$/;

function versionOf(
  product: Priced,
  at: { name: string; node: unknown; row: PriceRow; country: Country },
  problems: Problems,
): PriceVersion | undefined {
  const { name, node, row, country } = at;
  const { from, until, existingFrom, site, category } = row.fields;
  const path = [...row.path, name];
  let amount: bigint | null = null;
  if (!(isScalar(node) && node.value === null)) {
    const text = written(node, path, problems);
    const minor = text && minorOf(text, country.currency, problems);
    if (minor === undefined) return undefined;
    const isInHouse = category === 'staff' || category === 'demo';
    if (minor === 0n && product.kind !== 'plan' && !isInHouse && !MAY_BE_FREE.test(name)) {
      problems.at(path, 'costs nothing', 'null ends the sale; freeTime gives time away');
    }
    amount = minor;
  }
  const scope = [country.code, site ?? '', category ?? ''].join('/').replace(/\/+$/, '');
  const id = `${product.code}:${name}:${scope}:${from}`;
  const taxMode = row.fields.taxMode ?? country.taxMode;
  return { id, from, until, existingFrom, country: country.code, site, category, taxMode, amount };
}

const shown = (path: Path, spots: ReadonlyMap<string, Path>, id: string): string =>
  `see ${pathText(spots.get(id) ?? path)}`;

/** Two versions of one scope may follow each other, and an ending one may lie within another. */
function overlap(
  others: readonly PriceVersion[],
  version: PriceVersion,
  spots: ReadonlyMap<string, Path>,
  path: Path,
  problems: Problems,
): void {
  const { country, site, category } = version;
  for (const other of others) {
    if (other.country !== country || other.site !== site || other.category !== category) continue;
    const [first, second] = other.from <= version.from ? [other, version] : [version, other];
    const isCut = first.until !== null && first.until > second.from;
    const isWithin = second.until !== null && first.until !== null && second.until <= first.until;
    if (first.from === second.from) {
      problems.at(path, `a second version from ${version.from}`, shown(path, spots, other.id));
    } else if (isCut && !isWithin) {
      const days = `${first.until} is after ${second.from}`;
      problems.at(path, `overlaps another version: ${days}`, shown(path, spots, other.id));
    }
  }
}
