import type { Bouquet, PriceList, TermName } from './rules.ts';
import { daysNamed, isTermName, termsLongestFirst } from './terms.ts';

const VERSIONS = [{ from: new Date('2026-01-01T00:00:00Z'), amount: 1n }];
const listOf = (...terms: TermName[]): PriceList =>
  Object.fromEntries(terms.map((term) => [term, VERSIONS]));

describe('the name of a term', () => {
  it.each(['day', 'week', 'month', 'quarter', 'year', 'pass24', '2d', '10d', '999d'])(
    'may be %s',
    (name) => expect(isTermName(name)).toBe(true),
  );

  it.each(['1d', '0d', '02d', '1000d', 'd', '10', '-2d', '10D', 'days', 'months', ''])(
    'is never %j',
    (name) => expect(isTermName(name)).toBe(false),
  );

  it('says how many days it has, where it is named by them', () => {
    expect(daysNamed('45d')).toBe(45);
    expect(daysNamed('week')).toBeNull();
    expect(daysNamed('pass24')).toBeNull();
  });
});

describe('the terms of a bouquet', () => {
  const bouquet: Pick<Bouquet, 'prices' | 'categoryPrices'> = {
    prices: listOf('day', '31d', 'pass24', 'year', '7d', 'week', 'month', '100d', '30d', 'quarter'),
    categoryPrices: new Map([['hotel', listOf('month', 'year')]]),
  };

  it('stand by their length, without passes', () => {
    const sorted = termsLongestFirst(bouquet);
    expect([...sorted.slice(0, 6), sorted.at(-1)]).toEqual([
      ...['year', '100d', 'quarter', '31d', 'month', '30d'],
      'day',
    ]);
    expect(sorted).toHaveLength(9);
  });

  it('are those of the list of a category that has one', () => {
    expect(termsLongestFirst(bouquet, 'hotel')).toEqual(['year', 'month']);
    expect(termsLongestFirst(bouquet, 'staff')).toEqual(termsLongestFirst(bouquet));
  });
});
