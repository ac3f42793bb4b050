/** The tables of docs/demo.md, from the files that the demo itself loads. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { type OperatorFile, readOperatorFile } from '../../src/billing/catalogue/operator-file.ts';
import { withLuhnDigit } from '../../src/platform/luhn.ts';
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
  const read = readOperatorFile(readFileSync('prisma/demo/operator.yaml', 'utf8'));
  if (!read.ok) throw new Error(read.faults.join('; '));
  const people: People = parse(readFileSync('prisma/demo/people.yaml', 'utf8'));
  return {
    sites: siteTable(read.file),
    prices: priceTable(read.file),
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

function siteTable(file: OperatorFile): string {
  const rows = file.sites.map((site) => {
    const { payment, tvu } = site;
    return [
      site.code,
      `${site.name}, ${site.country}`,
      site.currency,
      site.language,
      `${tvu.price}; ${tvu.valueUnits} give ${tvu.valueAmount} of credit`,
      `under: ${payment.under}, over: ${payment.over}`,
    ];
  });
  return table(['site', 'where', 'currency', 'language', 'a TV unit costs', 'payments'], rows);
}

function priceTable(file: OperatorFile): string {
  const rows = file.sites.flatMap((site) =>
    site.bouquets.map((bouquet) => {
      const price = bouquet.prices.at(-1);
      return [
        site.code,
        bouquet.name,
        price?.month ?? '',
        price?.week ?? '',
        price?.day ?? '',
        `${bouquet.taxPercent} %`,
        bouquet.channels.join(' '),
      ];
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
