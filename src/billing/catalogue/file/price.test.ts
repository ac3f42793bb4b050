import { readFileSync } from 'node:fs';
import { contentsOn, type PriceAnswer, type PriceQuestion, priceOf } from './price.ts';
import { readCatalogueFile } from './read.ts';
import { taxLines } from './tax.ts';
import type { OperatorCatalogue } from './types.ts';

const EXAMPLE = readFileSync('config/catalogue.example.yaml', 'utf8');

function catalogueOf(text: string): OperatorCatalogue {
  const read = readCatalogueFile(text);
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  return read.catalogue;
}

const catalogue = catalogueOf(EXAMPLE);

const ask = (question: Partial<PriceQuestion>, of = catalogue): PriceAnswer =>
  priceOf(of, {
    product: 'ESSENTIAL',
    term: 'month',
    site: 'NBO',
    category: 'residential',
    at: new Date('2026-12-15T09:00:00Z'),
    ...question,
  });
const amountOf = (answer: PriceAnswer) => (answer.ok ? answer.amount : answer.error);
const versionOf = (answer: PriceAnswer) => (answer.ok ? answer.version : answer.error);

describe('the price of a product', () => {
  it('is in the currency of the country, with the taxes that it bears', () => {
    const answer = ask({ product: 'PREMIUM', site: 'DLA' });
    expect(answer).toEqual({
      ok: true,
      amount: 10_000n,
      currency: 'XAF',
      taxMode: 'inclusive',
      taxes: [
        { code: 'TVA', ppm: 175_000n, on: ['net'] },
        { code: 'CAC', ppm: 100_000n, on: ['TVA'] },
      ],
      version: 'PREMIUM:month:CM:2026-01-01',
      existingFrom: null,
    });
    if (answer.ok) expect(taxLines(answer.amount, answer.taxes, 'inclusive').net).toBe(8_386n);
  });

  it('changes at the midnight of the site', () => {
    const at = (instant: string) => amountOf(ask({ at: new Date(instant) }));
    expect(at('2026-12-31T20:59:59.999Z')).toBe(650_00n);
    expect(at('2026-12-31T21:00:00Z')).toBe(700_00n);
    const week = ask({ term: 'day', at: new Date('2027-02-01T00:00:00Z') });
    expect(amountOf(week)).toBe(40_00n);
    expect(at('2025-12-31T20:59:59Z')).toBe('not_sold');
  });

  it('of a site is for its time, then that of the country again', () => {
    const at = (instant: string) => versionOf(ask({ site: 'MSA', at: new Date(instant) }));
    expect(at('2026-11-30T12:00:00Z')).toBe('ESSENTIAL:month:KE:2026-01-01');
    expect(at('2026-12-01T12:00:00Z')).toBe('ESSENTIAL:month:KE/MSA:2026-12-01');
    expect(at('2027-02-28T12:00:00Z')).toBe('ESSENTIAL:month:KE/MSA:2026-12-01');
    expect(at('2027-03-01T12:00:00Z')).toBe('ESSENTIAL:month:KE:2027-01-01');
  });

  it('of a while lies within the price it interrupts', () => {
    const row = "- { from: 2026-01-01, country: KE, month: '470.00' }";
    const offer = "- { from: 2026-12-10, until: 2026-12-20, country: KE, month: '399.00' }";
    const offered = catalogueOf(EXAMPLE.replace(row, `${row}\n      ${offer}`));
    const on = (day: string) => {
      const at = new Date(`${day}T12:00:00Z`);
      return amountOf(ask({ product: 'SPORT', at }, offered));
    };
    expect(['2026-12-09', '2026-12-10', '2026-12-19', '2026-12-20'].map(on)).toEqual([
      470_00n,
      399_00n,
      399_00n,
      470_00n,
    ]);
  });

  it('is taken from the category before the site, and from both before either', () => {
    const rows = [
      "{ from: 2026-01-01, country: KE, month: '4.00' }",
      "{ from: 2026-01-02, country: KE, site: NBO, month: '3.00' }",
      "{ from: 2026-01-03, country: KE, category: hotel, month: '2.00' }",
      "{ from: 2026-01-04, country: KE, site: NBO, category: hotel, month: '1.00' }",
    ];
    const precedence = ['4.00', '3.00', '2.00', '1.00'].map((_, i) => {
      const text = EXAMPLE.replace(
        "- { from: 2026-01-01, country: KE, month: '470.00' }",
        rows
          .slice(0, i + 1)
          .map((row) => `- ${row}`)
          .join('\n      '),
      );
      return amountOf(ask({ product: 'SPORT', category: 'hotel' }, catalogueOf(text)));
    });
    expect(precedence).toEqual([4_00n, 3_00n, 2_00n, 1_00n]);
  });

  it('that is null ends the sale to whom it names, whatever the country says', () => {
    expect(amountOf(ask({ product: 'PREMIUM', category: 'hotel' }))).toBe('not_sold');
    const year = ask({ product: 'PREMIUM', category: 'hotel', term: 'year' });
    expect(year.ok && [year.amount, year.taxMode]).toEqual([24_000_00n, 'exclusive']);
  });

  it('of a plan stands by phase, with the day from which who has it pays it too', () => {
    const at = new Date('2027-01-15T00:00:00Z');
    const room = ask({ product: 'HOTEL_ROOMS', term: 'room', category: 'hotel', at });
    expect(room.ok && [room.amount, room.existingFrom]).toEqual([450_00n, '2027-04-01']);
    const start = ask({ product: 'HOTEL_ROOMS', term: 'opening.fixed', category: 'hotel', at });
    expect(amountOf(start)).toBe(1500_00n);
  });

  it('bears no tax where nothing is sold: deposits and scratch cards', () => {
    const taxCodes = (answer: PriceAnswer) => answer.ok && answer.taxes.map(({ code }) => code);
    expect(taxCodes(ask({ product: 'DECODER_RENT', term: 'deposit' }))).toEqual([]);
    expect(taxCodes(ask({ product: 'DECODER_RENT' }))).toEqual(['VAT']);
    expect(taxCodes(ask({ product: 'SC500', term: 'value' }))).toEqual([]);
    expect(taxCodes(ask({}))).toEqual(['EXCISE', 'VAT']);
  });

  it.each<[string, Partial<PriceQuestion>]>([
    ['unknown_site', { site: 'LOS' }],
    ['unknown_product', { product: 'GOLD' }],
    ['unknown_amount', { term: 'quarter' }],
    ['not_sold_to_category', { product: 'CINEMA', term: 'pass24', category: 'hotel' }],
    ['not_sold', { product: 'CINEMA', term: 'pass24', site: 'ABJ' }],
  ])('is refused: %s', (error, question) => {
    expect(ask(question)).toEqual({ ok: false, error });
  });
});

describe('the contents of a product', () => {
  it('are those of the country, else those of all', () => {
    const product = catalogue.products.get('ESSENTIAL');
    if (product?.kind !== 'bouquet') throw new Error('no bouquet');
    const channels = (country: string, date: string) =>
      contentsOn(product.contents, country, date)?.channels.join(' ') ?? null;
    expect(channels('KE', '2026-01-01')).toBe('NEWS1 KIDS1 NOVA1 MUSI1');
    expect(channels('CM', '2026-01-01')).toBe('NEWS1 KIDS1 NOVA1');
    expect(channels('KE', '2025-12-31')).toBeNull();
  });
});
