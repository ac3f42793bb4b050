import { createOperator } from './operator-harness.ts';
import { holds, linesOf, play } from './table-harness.ts';

/**
 * Goal: what settlement answers to TV units, on one page.
 * Method: text tables over literal facts (`table-harness.ts`); after each the books must be sound.
 */

describe('units', () => {
  it('that an operator sold are of the phone; unknown ones wait in suspense', () => {
    holds(`
      notice amina 25                     | settled units 25
      said                                | amina: tvu_received
      notice mama 100                     | settled units 100
      notice nobody 7                     | suspense unknown_phone
      books TVU-KE                        | suspense 7 tvu_issued -132 tvu_wallet 125
      books KES                           | provider_clearing -52.80 tvu_liability 52.80
      at 2025-06-01T00:00:00Z
      convert amina 1                     | refused no_tariff
      buy amina A1 day by units           | refused term_not_sold`);
  });

  it('become credit rounded down, by the fewest units; the others stay', () => {
    holds(`
      notice awa 11                       | settled units 11
      // 10 × 25 / 3 = 83.3: 83 for which 10 are needed; 1 gives 8.
      convert awa 10                      | settled credit 83 units 1
      said                                | awa: tvu_converted
      convert awa 1                       | settled credit 91 units 0
      convert awa 1                       | refused insufficient_units
      convert nobody 1                    | refused unknown_phone
      convert amina 0                     | refused too_few_units
      convert amina -5                    | refused too_few_units
      books XOF                           | provider_clearing -110 tariff_gain_loss 19 \
                                            wallet_paid 91
      books TVU-CI                        | tvu_conversion 11 tvu_issued -11`);
  });

  it('go from a reseller to a phone with what they were issued for', () => {
    holds(`
      send juma amina 1                   | refused not_a_reseller
      send mama nobody 1                  | refused unknown_phone
      send mama awa 1                     | refused unknown_phone
      send mama amina 1                   | refused insufficient_units
      notice mama 100                     | settled units 100
      send mama amina 101                 | refused insufficient_units
      send mama amina 0                   | refused insufficient_units
      send mama amina -1                  | refused insufficient_units
      send mama amina 40                  | settled units 60
      said                                | amina: tvu_received, mama: tvu_sent
      mama                                | units 60
      convert amina 40                    | settled credit 14.00 units 0
      // 40 units cost 16.00 and gave 14.00.
      books KES                           | provider_clearing -40.00 tariff_gain_loss 2.00 \
                                            tvu_liability 24.00 wallet_paid 14.00`);
  });

  it('are worth the tariff of the day, first bought first used', () => {
    const tariff = (from: string, price: bigint, valueAmount: bigint) => ({
      from: new Date(from),
      price,
      valueUnits: 1n,
      valueAmount,
    });
    const tariffs = [
      tariff('2026-01-01T00:00:00Z', 100n, 98n),
      tariff('2026-11-21T00:00:00Z', 96n, 98n),
      tariff('2026-12-01T00:00:00Z', 96n, 105n),
    ];
    const table = `
      at 2026-11-20T10:00:00Z
      order O1 awa tvu 4050
      pay awa 4050 order O1               | settled credit 50 units 40
      at 2026-11-21T10:00:00Z
      order O2 awa tvu 1920
      pay awa 1920 order O2               | settled credit 50 units 60
      at 2026-11-30T23:59:59Z
      convert awa 30                      | settled credit 2990 units 30
      books XOF                           | provider_clearing -5970 tariff_gain_loss 60 \
                                            tvu_liability 2920 wallet_paid 2990
      at 2026-12-01T00:00:00Z
      convert awa 20                      | settled credit 5090 units 10
      books XOF                           | provider_clearing -5970 tariff_gain_loss -80 \
                                            tvu_liability 960 wallet_paid 5090
      convert awa 11                      | refused insufficient_units
      // Part of the first purchase is used: it can't be taken back whole. The second can't either.
      reverse R1                          | refused not_reversible
      reverse R2                          | refused not_reversible`;
    const paper = createOperator({ tariffs: new Map([[2n, tariffs]]) });
    expect(play(paper, table)).toEqual(linesOf(table));
  });

  it('taken back by the operator are those of that payment, at their own price', () => {
    const tariff = (from: string, price: bigint) => ({
      from: new Date(from),
      price,
      valueUnits: 1n,
      valueAmount: 35n,
    });
    const tariffs = [tariff('2026-01-01T00:00:00Z', 40n), tariff('2026-11-24T00:00:00Z', 50n)];
    const table = `
      notice amina 10                     | settled units 10
      at 2026-11-24T10:00:00Z
      order O1 amina tvu 5.00
      pay amina 5.00 order O1             | settled credit 0.00 units 20
      reverse R2                          | settled
      amina                               | 0.00 held 0.00 units 10
      books KES                           | provider_clearing -4.00 tvu_liability 4.00
      // Once some of those are used, the others are no substitute.
      order O2 amina tvu 5.00
      pay amina 5.00 order O2             | settled credit 0.00 units 20
      convert amina 11                    | settled credit 3.85 units 9
      notice amina 11                     | settled units 20
      reverse R4                          | refused not_reversible`;
    const paper = createOperator({ tariffs: new Map([[1n, tariffs]]) });
    expect(play(paper, table)).toEqual(linesOf(table));
  });
});
