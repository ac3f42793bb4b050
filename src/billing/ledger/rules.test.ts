import fc from 'fast-check';
import { balancedEntries, consumeLots, type Lot, lotOrder, taxInside } from './rules.ts';

const LOT: Lot = {
  id: 1n,
  accountId: 1n,
  journalId: 1n,
  kind: 'paid',
  priority: 20,
  expiresAt: null,
  amount: 100n,
  remaining: 100n,
  cost: 0n,
  costRemaining: 0n,
};
const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((a, b) => a + b, 0n);

describe('lots', () => {
  it('are consumed by priority, then expiry (none is last), then age', () => {
    const on = (day: number) => new Date(Date.UTC(2026, 10, day));
    const lots: Lot[] = [
      { ...LOT, id: 1n },
      { ...LOT, id: 2n, expiresAt: on(30) },
      { ...LOT, id: 3n, priority: 10, expiresAt: on(29) },
      { ...LOT, id: 4n, priority: 10, expiresAt: on(28) },
      { ...LOT, id: 5n, priority: 10, expiresAt: on(28) },
      { ...LOT, id: 6n, priority: 10 },
    ];
    expect(
      [...lots]
        .reverse()
        .sort(lotOrder)
        .map((lot) => lot.id),
    ).toEqual([4n, 5n, 3n, 6n, 2n, 1n]);
    expect(consumeLots(lots, 250n)).toEqual([
      { lotId: 4n, amount: 100n, cost: 0n },
      { lotId: 5n, amount: 100n, cost: 0n },
      { lotId: 3n, amount: 50n, cost: 0n },
    ]);
  });

  it('give nothing when they hold too little, and nothing for nothing', () => {
    expect(consumeLots([LOT], 101n)).toBeNull();
    expect(consumeLots([], 1n)).toBeNull();
    expect(consumeLots([LOT], 0n)).toEqual([]);
  });

  const amount = fc.bigInt({ min: 1n, max: 1_000_000n });
  const lot = fc
    .record({ remaining: amount, used: amount, costRemaining: fc.bigInt({ min: 0n, max: 9_999n }) })
    .map(({ remaining, used, costRemaining }) => ({ ...LOT, remaining, used, costRemaining }));
  const lots = fc
    .array(lot, { maxLength: 6 })
    .map((all) =>
      all.map((one, i) => ({ ...one, id: BigInt(i), amount: one.remaining + one.used })),
    );

  it('give exactly what is asked, and lose or make neither units nor cost', () => {
    fc.assert(
      fc.property(lots, amount, (all, wanted) => {
        const held = sum(all.map((one) => one.remaining));
        const parts = consumeLots(all, wanted);
        if (parts === null) return expect(held).toBeLessThan(wanted);
        expect(sum(parts.map((part) => part.amount))).toBe(wanted);
        for (const part of parts) {
          const from = all[Number(part.lotId)] as Lot;
          const [left, costLeft] = [from.remaining - part.amount, from.costRemaining - part.cost];
          expect(part.amount > 0n && left >= 0n && part.cost >= 0n && costLeft >= 0n).toBe(true);
          if (left === 0n) expect(costLeft).toBe(0n);
        }
      }),
    );
  });

  it('taken bit by bit give up their whole cost', () => {
    fc.assert(
      fc.property(lot, fc.array(amount, { maxLength: 8 }), (start, bits) => {
        let left: Lot = start;
        let cost = 0n;
        for (const bit of [...bits, left.remaining]) {
          const wanted = bit < left.remaining ? bit : left.remaining;
          for (const part of consumeLots([left], wanted) ?? []) {
            cost += part.cost;
            const remaining = left.remaining - part.amount;
            left = { ...left, remaining, costRemaining: left.costRemaining - part.cost };
          }
        }
        const rest = consumeLots([left], left.remaining) ?? [];
        expect(cost + sum(rest.map((part) => part.cost))).toBe(start.costRemaining);
      }),
    );
  });
});

describe('the tax inside a price', () => {
  it.each([
    [100_000n, 1_600n, 13_793n],
    [65_000n, 1_600n, 8_966n],
    [1_500n, 1_800n, 229n],
    [300n, 1_800n, 46n],
    [0n, 1_600n, 0n],
    [100n, 0n, 0n],
    // Exactly a half: 3 × 20 / 120 = 0.5.
    [3n, 2_000n, 1n],
  ])('%d at %d is %d', (price, rate, tax) => {
    expect(taxInside(price, rate)).toBe(tax);
  });

  it('is the exact fraction, rounded half up', () => {
    const price = fc.bigInt({ min: 0n, max: 10n ** 15n });
    fc.assert(
      fc.property(price, fc.bigInt({ min: 0n, max: 9_999n }), (amount, rate) => {
        const tax = taxInside(amount, rate);
        // tax - 1/2 <= amount × rate / (10000 + rate) < tax + 1/2
        const [twice, below] = [2n * amount * rate, 10_000n + rate];
        expect((2n * tax - 1n) * below <= twice && twice < (2n * tax + 1n) * below).toBe(true);
        expect(tax >= 0n && tax <= amount).toBe(true);
      }),
    );
  });
});

describe('the entries of a journal', () => {
  const entry = (amount: bigint, asset = 'KES') => ({ accountId: 1n, asset, amount });

  it('must sum to zero in each asset by itself; lines of zero are dropped', () => {
    const lines = [entry(5n), entry(-5n), entry(0n), entry(2n, 'TVU-KE'), entry(-2n, 'TVU-KE')];
    expect(balancedEntries(lines)).toEqual(lines.filter((line) => line.amount !== 0n));
  });

  it.each([
    ['one-sided', [entry(5n)]],
    ['off by one', [entry(5n), entry(-4n)]],
    ['balanced only across assets', [entry(5n), entry(-5n, 'XOF')]],
    ['nothing but zeros', [entry(0n), entry(0n)]],
    ['empty', []],
  ])('are refused when %s', (_what, lines) => {
    expect(() => balancedEntries(lines)).toThrow(/journal/);
  });
});
