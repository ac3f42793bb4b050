import fc from 'fast-check';
import { type AppliedTax, percentText, taxLines, taxOn } from './tax.ts';

const VAT16: AppliedTax = { code: 'VAT', ppm: 160_000n, on: ['net'] };
/** Cameroon's pair: the council takes a tenth of the VAT. */
const TVA_CAC: AppliedTax[] = [
  { code: 'TVA', ppm: 175_000n, on: ['net'] },
  { code: 'CAC', ppm: 100_000n, on: ['TVA'] },
];

/** Up to five taxes, each on net and any of those before it. */
const taxes = fc
  .array(fc.record({ ppm: fc.bigInt(0n, 1_000_000n), mask: fc.nat(31) }), { maxLength: 5 })
  .map((drawn) =>
    drawn.map(({ ppm, mask }, i): AppliedTax => {
      const before = Array.from({ length: i }, (_, k) => `T${k}`);
      const on = ['net', ...before].filter((_, k) => (mask >> k) & 1);
      return { code: `T${i}`, ppm, on: on.length > 0 ? on : ['net'] };
    }),
  );
const amount = fc.bigInt(0n, 10n ** 15n);
const mode = fc.constantFrom('inclusive' as const, 'exclusive' as const);
const sum = (lines: readonly { amount: bigint }[]) =>
  lines.reduce((total, line) => total + line.amount, 0n);

describe('the taxes of an amount', () => {
  it('are taken out of it, or added to it', () => {
    expect(taxLines(1000_00n, [VAT16], 'inclusive')).toEqual({
      net: 862_07n,
      taxes: [{ code: 'VAT', amount: 137_93n }],
      gross: 1000_00n,
    });
    expect(taxLines(1000_00n, [VAT16], 'exclusive')).toEqual({
      net: 1000_00n,
      taxes: [{ code: 'VAT', amount: 160_00n }],
      gross: 1160_00n,
    });
    expect(taxLines(5n, [], 'inclusive')).toEqual({ net: 5n, taxes: [], gross: 5n });
  });

  it('may be taxes on taxes, in the order that is stated', () => {
    // 19.25 % together; 10 000 holds 1614.255… of it: 1467.505 and 146.7505.
    expect(taxLines(10_000n, TVA_CAC, 'inclusive')).toEqual({
      net: 8_386n,
      taxes: [
        { code: 'TVA', amount: 1_467n },
        { code: 'CAC', amount: 147n },
      ],
      gross: 10_000n,
    });
    const duty = { code: 'EXCISE', ppm: 50_000n, on: ['net'] };
    const vat = { ...VAT16, on: ['net', 'EXCISE'] };
    expect(taxLines(100_00n, [duty, vat], 'exclusive').taxes).toEqual([
      { code: 'EXCISE', amount: 5_00n },
      { code: 'VAT', amount: 16_80n },
    ]);
    expect(() => taxLines(100n, [vat, duty], 'exclusive')).toThrow(/not before it/);
  });

  it('make up the amount together with the net, and none is below nothing', () => {
    fc.assert(
      fc.property(amount, taxes, mode, (of, applied, how) => {
        const lines = taxLines(of, applied, how);
        expect(lines.net + sum(lines.taxes)).toBe(lines.gross);
        expect(how === 'inclusive' ? lines.gross : lines.net).toBe(of);
        expect([lines.net, ...lines.taxes.map((line) => line.amount)].every((n) => n >= 0n)).toBe(
          true,
        );
      }),
    );
  });

  it('are each less than a unit from their exact share, and added ones not above a half', () => {
    fc.assert(
      fc.property(amount, taxes, mode, (of, applied, how) => {
        const shares = sharesByDefinition(applied);
        const all = shares.reduce((total, share) => total + share, 0n);
        const base = how === 'inclusive' ? ONE + all : ONE;
        // In halves of a unit: below two where the amount is split, else at most one.
        const halves = taxLines(of, applied, how).taxes.map((line, i) => {
          const off = line.amount * base - of * (shares[i] ?? 0n);
          return 2n * (off < 0n ? -off : off);
        });
        const limit = how === 'inclusive' ? 2n * base - 1n : base;
        expect(halves.every((distance) => distance <= limit)).toBe(true);
      }),
    );
  });

  it('of one inclusive tax are half-up(amount × rate / (100 + rate))', () => {
    fc.assert(
      fc.property(amount, fc.bigInt(0n, 1_000_000n), (of, ppm) => {
        const [line] = taxLines(of, [{ ...VAT16, ppm }], 'inclusive').taxes;
        const [numerator, denominator] = [of * ppm, 1_000_000n + ppm];
        expect(line?.amount).toBe((2n * numerator + denominator) / (2n * denominator));
      }),
    );
  });

  it('are given back as they were taken', () => {
    fc.assert(
      fc.property(amount, taxes, mode, (of, applied, how) => {
        const [taken, given] = [taxLines(of, applied, how), taxLines(-of, applied, how)];
        expect(taken.net + given.net).toBe(0n);
        expect(sum(taken.taxes) + sum(given.taxes)).toBe(0n);
      }),
    );
  });
});

const ONE = 10n ** 40n;

/** The definition, over 10^40: five rates of six decimals never use more than 30 of them. */
function sharesByDefinition(applied: readonly AppliedTax[]): bigint[] {
  const known = new Map([['net', ONE]]);
  return applied.map(({ code, ppm, on }) => {
    const base = on.reduce((total, name) => total + (known.get(name) ?? 0n), 0n);
    const share = (base * ppm) / 1_000_000n;
    known.set(code, share);
    return share;
  });
}

describe('the rate of a tax', () => {
  const tax = {
    code: 'VAT',
    name: 'VAT',
    on: ['net'],
    appliesTo: ['bouquet'] as const,
    rates: [
      { from: '2026-01-01', ppm: 160_000n },
      { from: '2027-07-01', ppm: 180_000n },
    ],
  };

  it('is that of the day', () => {
    const on = (date: string) => taxOn(tax, date)?.ppm ?? null;
    expect(['2025-12-31', '2026-01-01', '2027-06-30', '2027-07-01'].map(on)).toEqual([
      null,
      160_000n,
      160_000n,
      180_000n,
    ]);
  });

  it('reads as people write it', () => {
    expect([0n, 1n, 160_000n, 192_500n, 1_000_000n].map(percentText)).toEqual([
      '0 %',
      '0.0001 %',
      '16 %',
      '19.25 %',
      '100 %',
    ]);
  });
});
