import fc from 'fast-check';
import { midnight, parseLocalDate } from '../../platform/calendar.ts';
import { bouquetKey, compileCatalogue, isBouquet } from './compile.ts';
import { EXAMPLE } from './file/example-harness.ts';
import { type PriceQuestion, priceOf } from './file/price.ts';
import { readCatalogueFile } from './file/read.ts';
import { taxLines } from './file/tax.ts';
import { CATEGORIES, type OperatorCatalogue } from './file/types.ts';
import { type Bouquet, type Catalogue, priceAt, type TermName, versionAt } from './rules.ts';

/**
 * Goal: what a payment looks at says the same as the file. Method: the example, compiled, against
 * `priceOf`, which reads the file as it stands, for all that is sold and the days around changes.
 */
function read(text: string): OperatorCatalogue {
  const done = readCatalogueFile(text);
  if (!done.ok) throw new Error(JSON.stringify(done.problems));
  return done.catalogue;
}

const NOW = new Date('2026-11-23T11:00:00Z');
const SITES = ['NBO', 'MSA', 'ABJ', 'DLA'];

function compiled(file: OperatorCatalogue, at = NOW): Omit<Catalogue, 'events'> {
  const sites = new Map(SITES.map((code, i) => [code, BigInt(i + 1)]));
  const codes = [...file.products.keys()];
  const bouquets = [...sites.values()].flatMap((siteId) =>
    codes.map((code, i): [string, bigint] => [bouquetKey(siteId, code), siteId * 100n + BigInt(i)]),
  );
  return compileCatalogue(file, { sites, bouquets: new Map(bouquets) }, at);
}

const file = read(EXAMPLE);
const catalogue = compiled(file);

function bouquetOf(code: string, site: string, of = catalogue): Bouquet {
  const found = [...of.bouquets.values()].find(
    (one) => one.code === code && of.sites.get(one.siteId)?.code === site,
  );
  if (!found) throw new Error(`No ${code} at ${site}`);
  return found;
}

/** What the file says that it costs, with the taxes. */
function grossOf(code: string, term: string, where: Omit<PriceQuestion, 'product' | 'term'>) {
  const answer = priceOf(file, { product: code, term, ...where });
  if (!answer.ok) return null;
  const { amount, taxMode, taxes } = answer;
  return taxMode === 'inclusive' ? amount : taxLines(amount, taxes, 'exclusive').gross;
}

const products = [...file.products.values()].filter(isBouquet);
const sold = products.flatMap((product) =>
  [...file.sites.values()]
    .filter(({ country }) => product.countries.includes(country))
    .flatMap(({ code: site }) => product.amounts.map((term) => ({ product, site, term }))),
);
const days = ['2025-12-31', '2026-01-01', '2026-11-30', '2026-12-01', '2026-12-31', '2027-01-01'];
const later = ['2027-02-28', '2027-03-01', '2027-06-30', '2027-07-01', '2028-02-29'];

describe('a compiled price', () => {
  it('is what the file says, for everybody, everywhere, on every day', () => {
    const anything = fc.record({
      what: fc.constantFrom(...sold),
      category: fc.constantFrom(...CATEGORIES),
      date: fc.constantFrom(...days, ...later),
      shiftMs: fc.constantFrom(-1, 0, 1, 43_200_000),
    });
    fc.assert(
      fc.property(anything, ({ what: { product, site, term }, category, date, shiftMs }) => {
        const timeZone = file.sites.get(site)?.timeZone ?? '';
        const at = new Date(midnight(parseLocalDate(date), timeZone).getTime() + shiftMs);
        const said = grossOf(product.code, term, { site, category, at });
        const bouquet = bouquetOf(product.code, site);
        expect(priceAt(bouquet, term as TermName, at, category)).toBe(said);
      }),
      { numRuns: 2_000 },
    );
  });

  it('has the taxes added where the file has it without, by the rates of the day', () => {
    const premium = bouquetOf('PREMIUM', 'NBO');
    const hotel = premium.categoryPrices.get('hotel')?.year;
    // 24,000.00 and 16 %; from July 2027 on with a duty of 5 % below the VAT.
    expect(hotel).toEqual([
      { from: new Date('2025-12-31T21:00:00Z'), amount: 2_784_000n },
      { from: new Date('2027-06-30T21:00:00Z'), amount: 2_923_200n },
    ]);
    expect(premium.taxes.map(({ code }) => code)).toEqual(['EXCISE', 'VAT']);
  });

  it('is none for those to whom it is not sold', () => {
    const cinema = bouquetOf('CINEMA', 'NBO');
    expect(cinema.kind).toBe('channel');
    expect(priceAt(cinema, '10d', NOW, 'residential')).toBe(25_000n);
    expect(priceAt(cinema, '10d', NOW, 'hotel')).toBeNull();
  });
});

describe('a compiled catalogue', () => {
  it('has a bouquet only where it is sold, with the products of its country and day', () => {
    const codesAt = (site: string) =>
      [...catalogue.bouquets.values()]
        .filter(({ siteId }) => catalogue.sites.get(siteId)?.code === site)
        .map(({ code }) => code);
    expect(codesAt('NBO')).toEqual(['ESSENTIAL', 'PREMIUM', 'CINEMA', 'SPORT', 'SPORT_HD']);
    expect(codesAt('DLA')).toEqual(['ESSENTIAL', 'PREMIUM']);
    expect(bouquetOf('PREMIUM', 'DLA').products).toEqual(['ESS', 'PREM']);
    expect(bouquetOf('SPORT_HD', 'NBO').addOn).toEqual({
      ...{ availableWith: ['SPORT'], maxPerSubscription: 1, alignedTo: 'self' },
    });
    const row = '- { from: 2026-01-01, channels: [FOOT1, FOOT2], cas: [SPORT] }';
    const next = '- { from: 2027-01-01, channels: [FOOT2, DOCU1], cas: [SPORT, PREM] }';
    const changing = read(EXAMPLE.replace(row, `${row}\n      ${next}`));
    const on = (at: string) => bouquetOf('SPORT', 'NBO', compiled(changing, new Date(at))).products;
    expect(on('2025-01-01T00:00:00Z')).toEqual(['SPORT']);
    expect(on('2026-12-31T20:59:59Z')).toEqual(['SPORT']);
    expect(on('2026-12-31T21:00:00Z')).toEqual(['PREM', 'SPORT']);
  });

  it('has the rules of its sites, and tariffs of TV units by operator', () => {
    const [nbo] = catalogue.sites.values();
    expect(nbo).toMatchObject({ code: 'NBO', currency: 'KES', tvuAsset: 'TVU-KE' });
    expect(nbo?.rules?.loan).toEqual({ term: 'week', fee: 1_000n, cap: 25_000n });
    const market = catalogue.units?.get('TVU-CI');
    const at = new Date('2026-12-01T00:00:00Z');
    expect(versionAt(market?.buy.get('mtn'), at)?.amount).toBe(97n);
    expect(versionAt(market?.credit, at)).toMatchObject({ units: 3n, value: 295n });
    // Where nobody says the operator, the first of the file's.
    const [tariff] = catalogue.tariffs.get(3n) ?? [];
    expect(tariff).toMatchObject({ price: 100n, valueUnits: 3n, valueAmount: 295n });
  });

  it('leaves out what has no row yet', () => {
    const none = compileCatalogue(file, { sites: new Map(), bouquets: new Map() }, NOW);
    expect([none.sites.size, none.bouquets.size]).toEqual([0, 0]);
  });
});
