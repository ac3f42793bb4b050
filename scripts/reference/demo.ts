/** The tables of docs/demo.md, from the files that the demo itself loads. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { isBouquet } from '../../src/billing/catalogue/compile.ts';
import { readCatalogueFile } from '../../src/billing/catalogue/file/read.ts';
import { percentText } from '../../src/billing/catalogue/file/tax.ts';
import type { OperatorCatalogue } from '../../src/billing/catalogue/file/types.ts';
import { withLuhnDigit } from '../../src/platform/luhn.ts';
import { formatMinor } from '../../src/platform/money/amount.ts';
import { table } from './table.ts';

const PATH = 'docs/demo.md';

/** Checked by the demo when it loads the file (simulators/demo/people.ts). */
interface People {
  customers: {
    site: string;
    name: string;
    msisdn: string | null;
    note: string;
    cards: { number: string; bouquet: string; term?: string; autoRenew?: boolean }[];
  }[];
  resellers: { site: string; name: string; msisdn: string; units: number }[];
  events: { site: string; code: string; title: string; price: string }[];
}

/** The page's path, and its text as it must be: hand-written, with its tables made anew. */
export function demoPage(): [path: string, text: string] {
  const page = readFileSync(PATH, 'utf8');
  const text = Object.entries(tables()).reduce(
    (soFar, [name, made]) => replaceTable(soFar, name, made),
    page,
  );
  return [PATH, text];
}

/** Throws when the page has no such place: a table that nobody sees is a mistake. */
function replaceTable(page: string, name: string, made: string): string {
  const start = `<!-- made by npm run reference: ${name} -->\n`;
  const end = '\n<!-- end -->';
  const from = page.indexOf(start);
  const to = page.indexOf(end, from);
  if (from < 0 || to < 0) throw new Error(`${PATH} has no place for the table ${name}`);
  return `${page.slice(0, from + start.length)}\n${made}\n${page.slice(to)}`;
}

function tables(): Record<string, string> {
  const read = readCatalogueFile(readFileSync('prisma/demo/catalogue.yaml', 'utf8'));
  if (!read.ok) throw new Error(read.problems.map(({ reason }) => reason).join('; '));
  const people: People = parse(readFileSync('prisma/demo/people.yaml', 'utf8'));
  return {
    sites: siteTable(read.catalogue),
    prices: priceTable(read.catalogue),
    people: peopleTable(people),
    resellers: table(
      ['phone', 'reseller', 'site', 'TV units'],
      people.resellers.map(({ msisdn, name, site, units }) => [msisdn, name, site, units]),
    ),
    events: table(
      ['site', 'code', 'title', 'price'],
      people.events.map(({ site, code, title, price }) => [site, code, title, price]),
    ),
  };
}

function siteTable({ sites, countries, units }: OperatorCatalogue): string {
  const rows = [...sites.values()].map((site) => {
    const { payment, country } = site;
    const currency = countries.get(country)?.currency ?? '';
    const tariff = units.get(country);
    const price = [...(tariff?.operators.values() ?? [])][0]?.at(-1)?.price ?? 0n;
    const credit = tariff?.credit.at(-1);
    const gives = formatMinor(credit?.value ?? 0n, currency);
    return [
      site.code,
      `${site.name}, ${country}`,
      currency,
      site.language,
      `${formatMinor(price, currency)}; ${credit?.units} give ${gives} of credit`,
      `under: ${payment.under}, over: ${payment.over}`,
    ];
  });
  return table(['site', 'where', 'currency', 'language', 'a TV unit costs', 'payments'], rows);
}

function priceTable({ sites, countries, products }: OperatorCatalogue): string {
  const bouquets = [...products.values()].filter(isBouquet);
  const rows = [...sites.values()].flatMap((site) =>
    bouquets.flatMap(({ name, kind, countries: soldIn, contents, prices }) => {
      const country = countries.get(site.country);
      if (!country || !soldIn.includes(site.country)) return [];
      const priceOf = (term: string): string => {
        const amount = prices.get(term)?.at(-1)?.amount ?? null;
        return amount === null ? '' : formatMinor(amount, country.currency);
      };
      const taxes = country.taxes.filter(({ appliesTo }) => appliesTo.includes(kind));
      const rates = taxes.map(({ rates: own }) => percentText(own.at(-1)?.ppm ?? 0n));
      const terms = [priceOf('month'), priceOf('week'), priceOf('day')];
      const channels = contents.at(-1)?.channels.join(' ') ?? '';
      return [[site.code, name, ...terms, rates.join(' + '), channels]];
    }),
  );
  return table(['site', 'bouquet', 'month', 'week', 'day', 'tax inside', 'channels'], rows);
}

function peopleTable({ customers }: People): string {
  const rows = customers.map(({ msisdn, name, cards, note }) => [
    msisdn ?? 'none',
    name,
    cards.map(({ number, bouquet }) => `${withLuhnDigit(number)} ${bouquet}`).join('<br>'),
    note,
  ]);
  return table(['phone', 'name', 'cards', 'what is special'], rows);
}
