import fc from 'fast-check';
import {
  type Bouquet,
  dayRateAt,
  daysFor,
  onSale,
  type PayPerViewEvent,
  priceAt,
  type TvuTariff,
  unitsForCredit,
  unitsToCredit,
  versionAt,
} from './rules.ts';

const at = (iso: string) => new Date(iso);
const BOUQUET: Bouquet = {
  id: 1n,
  siteId: 1n,
  code: 'ESSENTIAL',
  name: 'ESSENTIAL',
  kind: 'bouquet',
  categoryPrices: new Map(),
  taxes: [],
  addOn: null,
  products: ['ESS'],
  prices: {
    month: [
      { from: at('2026-01-01T00:00:00Z'), amount: 100_000n },
      { from: at('2026-12-14T21:00:00Z'), amount: 120_000n },
    ],
    day: [{ from: at('2026-06-01T00:00:00Z'), amount: 5_000n }],
  },
};

describe('a price', () => {
  it.each([
    ['2025-12-31T23:59:59.999Z', null],
    ['2026-01-01T00:00:00.000Z', 100_000n],
    ['2026-12-14T20:59:59.999Z', 100_000n],
    ['2026-12-14T21:00:00.000Z', 120_000n],
    ['2031-01-01T00:00:00.000Z', 120_000n],
  ])('of a month at %s is %s', (iso, amount) => {
    expect(priceAt(BOUQUET, 'month', at(iso))).toBe(amount);
  });

  it('is none for a term that is not sold', () => {
    expect(priceAt(BOUQUET, 'week', at('2026-11-23T00:00:00Z'))).toBeNull();
    expect(versionAt(undefined, at('2026-11-23T00:00:00Z'))).toBeNull();
    expect(versionAt([], at('2026-11-23T00:00:00Z'))).toBeNull();
  });

  it('of a day sold by amount is a thirtieth of a month, or that of the day term', () => {
    const now = at('2026-11-23T00:00:00Z');
    expect(dayRateAt(BOUQUET, 'month/30', now)).toEqual({ numerator: 100_000n, denominator: 30n });
    expect(dayRateAt(BOUQUET, 'day_term', now)).toEqual({ numerator: 5_000n, denominator: 1n });
    expect(dayRateAt(BOUQUET, 'day_term', at('2026-05-31T00:00:00Z'))).toBeNull();
  });
});

describe('days sold by amount', () => {
  it.each([
    [35_000n, 10, 33_334n],
    [36_666n, 10, 33_334n],
    [3_334n, 1, 3_334n],
    [100_000n, 30, 100_000n],
  ])('%d of a month of 1000.00 buys %d for %d', (amount, days, cost) => {
    expect(daysFor(amount, { numerator: 100_000n, denominator: 30n })).toEqual({ days, cost });
  });

  it('are as many as fit, and cost no more than the amount', () => {
    const rate = fc.record({
      numerator: fc.bigInt({ min: 1n, max: 10n ** 9n }),
      denominator: fc.constantFrom(1n, 30n),
    });
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 12n }), rate, (amount, dayRate) => {
        const { numerator, denominator } = dayRate;
        const fit = daysFor(amount, dayRate);
        if (fit === null) return expect(amount * denominator).toBeLessThan(numerator);
        const exact = BigInt(fit.days) * numerator;
        expect(fit.cost <= amount).toBe(true);
        expect(
          exact <= fit.cost * denominator && fit.cost * denominator < exact + denominator,
        ).toBe(true);
        expect(exact + numerator > amount * denominator).toBe(true);
      }),
    );
  });
});

describe('TV units', () => {
  const tariff: fc.Arbitrary<TvuTariff> = fc.record({
    from: fc.constant(at('2026-01-01T00:00:00Z')),
    price: fc.bigInt({ min: 1n, max: 1_000n }),
    valueUnits: fc.bigInt({ min: 1n, max: 50n }),
    valueAmount: fc.bigInt({ min: 1n, max: 5_000n }),
  });
  const amount = fc.bigInt({ min: 1n, max: 10n ** 9n });

  it('give credit rounded down, and take the fewest units for it', () => {
    fc.assert(
      fc.property(amount, tariff, (units, t) => {
        const worth = unitsToCredit(units, t);
        if (worth === null) return expect(units * t.valueAmount).toBeLessThan(t.valueUnits);
        const { credit, used } = worth;
        expect(credit * t.valueUnits <= units * t.valueAmount).toBe(true);
        expect((credit + 1n) * t.valueUnits > units * t.valueAmount).toBe(true);
        expect(used > 0n && used <= units).toBe(true);
        expect(used * t.valueAmount >= credit * t.valueUnits).toBe(true);
        expect((used - 1n) * t.valueAmount < credit * t.valueUnits).toBe(true);
      }),
    );
  });

  it('that are not used stay, and give less than one step more', () => {
    fc.assert(
      fc.property(amount, tariff, (units, t) => {
        const first = unitsToCredit(units, t);
        if (!first) return;
        const again = unitsToCredit(units - first.used, t);
        // What is left over is never worth more than was lost by rounding down.
        const whole = (units * t.valueAmount) / t.valueUnits;
        expect(first.credit + (again?.credit ?? 0n) <= whole).toBe(true);
      }),
    );
  });

  it('for a price are the fewest that cover it, and are all used', () => {
    fc.assert(
      fc.property(amount, tariff, (price, t) => {
        const units = unitsForCredit(price, t);
        const worth = unitsToCredit(units, t);
        expect(worth !== null && worth.credit >= price && worth.used === units).toBe(true);
        expect(((units - 1n) * t.valueAmount) / t.valueUnits < price).toBe(true);
      }),
    );
  });

  it('come out as in the tariff of three for 25', () => {
    const t = { from: at('2026-01-01T00:00:00Z'), price: 10n, valueUnits: 3n, valueAmount: 25n };
    expect(unitsToCredit(10n, t)).toEqual({ credit: 83n, used: 10n });
    expect(unitsToCredit(1n, t)).toEqual({ credit: 8n, used: 1n });
    expect(unitsToCredit(0n, t)).toBeNull();
    expect(unitsForCredit(5_000n, t)).toBe(600n);
  });
});

describe('an event', () => {
  const event = {
    saleFrom: at('2026-11-20T05:00:00Z'),
    saleUntil: at('2026-11-28T18:30:00Z'),
  } as PayPerViewEvent;

  it.each([
    ['2026-11-20T04:59:59Z', false],
    ['2026-11-20T05:00:00Z', true],
    ['2026-11-28T18:29:59Z', true],
    ['2026-11-28T18:30:00Z', false],
  ])('at %s on sale: %s', (iso, expected) => {
    expect(onSale(event, at(iso))).toBe(expected);
  });
});
