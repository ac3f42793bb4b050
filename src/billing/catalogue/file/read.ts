/** Reads an operator's catalogue file (YAML 1.2) and says everything that is wrong with it. */
import { IANAZone } from 'luxon';
import { type Document, isMap, LineCounter, parseDocument } from 'yaml';
import { currencyExponent } from '../../../platform/money/amount.ts';
import { minorOf } from './amounts.ts';
import { checkCatalogue } from './checks.ts';
import { createProblems, hintFor, keyText, type Problem, type Problems } from './problems.ts';
import { productsOf } from './products.ts';
import { dunningOf, legalEntitiesOf } from './read-billing.ts';
import { readSections, type WrittenFile } from './sections.ts';
import { readPayment, readPostpaid, readRules } from './site-rules.ts';
import type {
  Country,
  OperatorCatalogue,
  PromotionTerms,
  SiteTerms,
  UnitTariffs,
} from './types.ts';

/** Far above any operator's; a file beyond it is not read at all. */
const TEXT_CHARS_MAX = 4_000_000;

export type CatalogueRead =
  | { ok: true; catalogue: OperatorCatalogue }
  | { ok: false; problems: Problem[] };

/**
 * The catalogue that a text holds, or all that is wrong with it, in the order of its lines. Only
 * where the text is no YAML at all the problems of its contents stay unsaid.
 */
export function readCatalogueFile(text: string): CatalogueRead {
  const lines = new LineCounter();
  if (text.length > TEXT_CHARS_MAX) {
    return refused(`is longer than ${TEXT_CHARS_MAX} characters`);
  }
  let document: Document;
  try {
    document = parseDocument(text, { lineCounter: lines, prettyErrors: false, version: '1.2' });
  } catch (error) {
    // Nesting deeper than the parser's stack.
    return refused(error instanceof Error ? error.message : String(error));
  }
  const problems = createProblems(document, lines);
  for (const { pos, message } of [...document.errors, ...document.warnings]) {
    problems.atOffset(pos[0], message);
  }
  const isReadable = document.errors.every(({ code }) => code === 'DUPLICATE_KEY');
  const file = isReadable ? readSections(document.contents, [], problems) : undefined;
  judgeReferences(document, problems);
  const catalogue = file && catalogueOf(file, problems);
  if (catalogue) checkCatalogue(catalogue, problems);
  const found = problems.list();
  if (!catalogue || found.length > 0) return { ok: false, problems: found };
  return { ok: true, catalogue };
}

/** Names count as known where they stand, also if what stands there can't be read. */
function judgeReferences(document: Document, problems: Problems): void {
  const names = new Map<string, string[]>();
  const namesIn = (section: string): string[] => {
    const node = isMap(document.contents) ? document.contents.get(section) : null;
    const known = names.get(section) ?? (isMap(node) ? node.items.map((p) => keyText(p.key)) : []);
    names.set(section, known);
    return known;
  };
  for (const { path, name, sections } of problems.references()) {
    const known = sections.flatMap(namesIn);
    if (known.includes(name)) continue;
    problems.at(path, `there is no ${name} in ${sections.join(', ')}`, hintFor(name, known));
  }
}

const refused = (reason: string): CatalogueRead => ({
  ok: false,
  problems: [{ line: 1, column: 1, path: '', reason, hint: null }],
});

function catalogueOf(file: WrittenFile, problems: Problems): OperatorCatalogue {
  const countries = countriesOf(file, problems);
  const sites = sitesOf(file, countries, problems);
  const places = { countries, sites };
  return {
    operator: file.operator,
    ...places,
    cas: file.cas,
    channels: new Map([...file.channels].map(([code, channel]) => [code, { code, ...channel }])),
    products: productsOf(file, places, problems),
    promotions: promotionsOf(file, countries, problems),
    units: unitsOf(file, countries, problems),
    legalEntities: legalEntitiesOf(file, problems),
    dunning: dunningOf(file, places, problems),
  };
}

function countriesOf(file: WrittenFile, problems: Problems): Map<string, Country> {
  const countries = new Map<string, Country>();
  for (const [code, { taxes, ...country }] of file.countries) {
    const path = ['countries', code];
    if (country.currency !== '' && !currencyExponent(country.currency).ok) {
      problems.at([...path, 'currency'], `${country.currency} is not in ISO 4217`, 'like KES');
    }
    checkZone(country.timeZone, [...path, 'timeZone'], problems);
    const sorted = taxes.map(({ rates, ...tax }) => ({
      ...tax,
      rates: rates.map(({ from, percent: ppm }) => ({ from, ppm })),
    }));
    countries.set(code, { code, ...country, taxes: sorted });
  }
  return countries;
}

function checkZone(zone: string, path: string[], problems: Problems): void {
  if (zone !== '' && !IANAZone.isValidZone(zone)) {
    problems.at(path, `${zone} is not in the IANA database`, 'like Africa/Nairobi');
  }
}

/** Stands in for rules that can't be read; the file is refused in that case. */
const UNREAD_PAYMENT = { buys: 'credit', under: 'credit', over: 'one_term' } as const;

function sitesOf(
  file: WrittenFile,
  countries: ReadonlyMap<string, Country>,
  problems: Problems,
): Map<string, SiteTerms> {
  const sites = new Map<string, SiteTerms>();
  for (const [code, { payment, rules, postpaid, ...site }] of file.sites) {
    const path = ['sites', code];
    const country = countries.get(site.country);
    if (site.timeZone !== null) checkZone(site.timeZone, [...path, 'timeZone'], problems);
    const at = { path: [...path, 'rules'], currency: country?.currency ?? '' };
    sites.set(code, {
      code,
      ...site,
      timeZone: site.timeZone ?? country?.timeZone ?? '',
      payment:
        (payment === null ? null : readPayment(payment, [...path, 'payment'], problems)) ??
        ({ ...UNREAD_PAYMENT, dayRate: 'month/30' } as const),
      rules: (rules === null ? null : readRules(rules, at, problems)) ?? {},
      postpaid: readPostpaid(postpaid, [...path, 'postpaid'], problems),
    });
  }
  return sites;
}

function promotionsOf(
  file: WrittenFile,
  countries: ReadonlyMap<string, Country>,
  problems: Problems,
): Map<string, PromotionTerms> {
  const promotions = new Map<string, PromotionTerms>();
  for (const [code, { budget, ...promotion }] of file.promotions) {
    const amounts = new Map<string, bigint>();
    for (const [name, written] of budget) {
      const country = countryAt(name, written.path, countries, problems);
      const minor = country && minorOf(written, country.currency, problems);
      if (minor !== undefined) amounts.set(name, minor);
    }
    promotions.set(code, { code, ...promotion, budget: amounts });
  }
  return promotions;
}

function unitsOf(
  file: WrittenFile,
  countries: ReadonlyMap<string, Country>,
  problems: Problems,
): Map<string, UnitTariffs> {
  const units = new Map<string, UnitTariffs>();
  for (const [code, { operators, credit }] of file.tvu) {
    const country = countryAt(code, ['tvu', code], countries, problems);
    if (!country) continue;
    const money = (written: Parameters<typeof minorOf>[0]): bigint => {
      const minor = minorOf(written, country.currency, problems);
      if (minor === 0n) problems.at(written.path, 'must be more than nothing');
      return minor ?? 1n;
    };
    units.set(code, {
      country: code,
      operators: new Map(
        [...operators].map(([name, rows]) => [
          name,
          rows.map(({ from, price }) => ({ from, price: money(price) })),
        ]),
      ),
      credit: credit.map((row) => ({ ...row, value: money(row.value) })),
    });
  }
  return units;
}

function countryAt(
  code: string,
  path: Parameters<Problems['atKey']>[0],
  countries: ReadonlyMap<string, Country>,
  problems: Problems,
): Country | undefined {
  const country = countries.get(code);
  if (country) return country;
  problems.atKey(path, `there is no country ${code}`, hintFor(code, [...countries.keys()]));
  return undefined;
}
