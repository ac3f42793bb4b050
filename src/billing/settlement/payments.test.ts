import { holds } from './table-harness.ts';

/**
 * Goal: what settlement answers to money that came in or was taken back, on one page.
 * Method: text tables over literal facts (`table-harness.ts`); after each the books must be sound.
 */
const BUYS = { buys: 'terms' } as const;

describe('a payment', () => {
  it('stays credit where the operator sells nothing by itself', () => {
    holds(`
      pay A1 1000.00               | settled credit 1000.00
      said                         | amina: credit_kept
      A1                           | never paid, dark
      pay amina 50.00              | settled credit 1050.00
      books KES                    | provider_clearing -1050.00 wallet_paid 1050.00`);
  });

  it('buys one term and keeps the rest; the whole wallet counts the next time', () => {
    holds(
      `
      pay A1 2500.00               | settled to 2026-12-23 credit 1500.00
      A1                           | 2026-11-23T11:02 to 2026-12-23, ESS
      pay A1 10.00                 | settled to 2027-01-23 credit 510.00
      pay A1 480.00                | settled credit 990.00
      said                         | amina: credit_kept missing 10.00
      pay A2 0.01                  | settled to 2026-11-30 credit 690.01`,
      BUYS,
    );
  });

  it('buys as many whole terms as fit', () => {
    holds(
      `
      pay A1 2500.00               | settled to 2027-01-23 credit 500.00
      pay A1 499.99                | settled credit 999.99`,
      { ...BUYS, over: 'whole_terms' },
    );
  });

  it('buys the longest terms that fit in turn, also when only a shorter one fits', () => {
    holds(
      `
      pay W1 6900                  | settled to 2026-12-31 credit 100
      pay W1 250                   | settled to 2027-01-01 credit 50`,
      { ...BUYS, over: 'longest_terms' },
    );
  });

  it('buys days where it is too little for a term, their cost rounded up', () => {
    holds(
      `
      pay A1 350.00                | settled to 2026-12-03 credit 16.66
      at 2026-11-30T06:00:00Z
      pay A1 350.00                | settled to 2026-12-13 credit 33.32
      at 2026-12-20T06:00:00Z
      pay A1 0.01                  | settled credit 33.33
      said                         | amina: credit_kept missing 966.67
      pay A1 0.01                  | settled to 2026-12-21 credit 0.00`,
      { ...BUYS, under: 'days' },
    );
  });

  it('buys days at the price of the day term', () => {
    holds(
      `
      at 2026-11-23T23:59:59Z
      pay W1 1000                  | settled to 2026-11-26 credit 100
      pay W1 199                   | settled credit 299`,
      { ...BUYS, under: 'days', dayRate: 'day_term' },
    );
  });

  it('is one tax line for each term, tax rounded half up', () => {
    holds(
      `
      pay W1 6900                  | settled to 2026-12-31 credit 100
      books XOF                    | deferred_revenue 5762 provider_clearing -6900 \
                                     tax_payable 1038 wallet_paid 100`,
      { ...BUYS, over: 'longest_terms' },
    );
  });

  it('buys no more than three years at once, whatever the policy', () => {
    for (const over of ['whole_terms', 'longest_terms'] as const) {
      holds(
        `
        pay A1 50000.00            | settled to 2029-11-23 credit 14000.00
        pay A1 0.01                | settled to 2031-01-23 credit 0.01`,
        { ...BUYS, over },
      );
    }
  });

  it('belongs to the account of the card, whoever pays, and both are told', () => {
    holds(
      `
      pay A1 1100.00 by juma       | settled to 2026-12-23 credit 100.00
      said                         | A1: term_paid, amina: paid_for_other, juma: paid_for_other
      juma                         | 0.00 held 0.00 units 0
      pay A1 1.00 by juma          | settled credit 101.00
      said                         | amina: credit_kept missing 899.00, \
                                     juma: credit_kept missing 899.00
      pay A1 999.00 by amina       | settled to 2027-01-23 credit 100.00
      said                         | A1: term_paid, amina: term_paid`,
      BUYS,
    );
  });

  it('that names a phone is credit of its owner', () => {
    holds(
      `
      pay juma 1500.00             | settled credit 1500.00
      J1                           | never paid, dark
      said                         | juma: credit_kept`,
      BUYS,
    );
  });

  it('for nobody we know waits in suspense', () => {
    holds(
      `
      pay 40210099990 1000.00 by nobody   | suspense unknown_account
      said                                | nobody: in_suspense
      pay - 20.00                         | suspense unknown_account
      said
      pay nobody 5.00                     | suspense unknown_account
      books KES                           | provider_clearing -1025.00 suspense 1025.00`,
      BUYS,
    );
  });

  it('in the currency of another country waits in suspense', () => {
    holds(
      `
      pay W1 1000.00 over 1        | suspense wrong_currency
      pay A1 5000 over 2           | suspense wrong_currency
      A1                           | never paid, dark
      books KES                    | provider_clearing -1000.00 suspense 1000.00
      books XOF                    | provider_clearing -5000 suspense 5000`,
      BUYS,
    );
  });

  it('in a currency that its channel has no account for is a fault, and so is parked', () => {
    holds(`
      pay A1 10.00 in USD          | throws No such account: channel:pay-1 provider_clearing USD
      pay A1 0.00                  | throws A journal has no entries`);
  });

  it('sees what the payment before it in the batch has left', () => {
    holds(
      `
      pay A1 400.00                | settled credit 400.00
      + pay A1 400.00              | settled credit 800.00
      + pay A1 400.00              | settled to 2026-12-23 credit 200.00
      + pay A1 800.00              | settled to 2027-01-23 credit 0.00
      + reverse R1                 | refused not_reversible`,
      BUYS,
    );
  });
});

describe('an order of ours', () => {
  it('buys what it was for, whatever the policy', () => {
    holds(`
      order O1 A1 week 300.00
      pay - 300.00 order O1 by amina      | settled to 2026-11-30 credit 0.00
      said                                | A1: term_paid, amina: term_paid
      order O2 A1 event 300.00
      pay - 300.00 order O2 by amina      | settled credit 0.00
      said                                | A1: event_bought, amina: event_bought
      amina                               | 0.00 held 300.00 units 0
      order O3 A1 nothing 75.00
      pay - 75.00 order O3                | settled credit 75.00`);
  });

  it('for units gives whole units at the price in force, the rest is credit', () => {
    holds(`
      order O1 amina tvu 20.30
      pay - 20.30 order O1 by amina       | settled credit 0.30 units 50
      said                                | amina: tvu_bought
      books TVU-KE                        | tvu_issued -50 tvu_wallet 50
      books KES                           | provider_clearing -20.30 tvu_liability 20.00 \
                                            wallet_paid 0.30
      order O2 amina tvu 0.39
      pay - 0.39 order O2                 | settled credit 0.69 units 50`);
  });

  it('paid twice is credit of the same card the second time', () => {
    holds(`
      order O1 A1 week 300.00
      pay - 300.00 order O1               | settled to 2026-11-30 credit 0.00
      pay - 300.00 order O1               | settled credit 300.00
      order O2 juma tvu 4.00
      pay - 4.00 order O2                 | settled credit 0.00 units 10
      + pay - 4.00 order O2               | settled credit 4.00
      juma                                | 4.00 held 0.00 units 10`);
  });

  it('paid with another amount is credit of its card, and the order stays open', () => {
    holds(`
      order O1 A1 week 300.00
      pay - 299.00 order O1               | settled credit 299.00
      pay - 300.00 order O1               | settled to 2026-11-30 credit 299.00`);
  });

  it('for something that is not to be had any more is credit', () => {
    holds(`
      order O1 A1 event 300.00
      at 2026-11-28T18:30:00Z
      pay - 300.00 order O1               | settled credit 300.00
      said                                | amina: credit_kept`);
  });

  it('that is not known falls back on the reference', () => {
    holds(`
      pay J1 10.00 order O9               | settled credit 10.00
      pay - 10.00 order O9                | suspense unknown_account`);
  });
});

describe('a reversal', () => {
  it('takes back credit that is still there, once', () => {
    holds(`
      pay A1 250.00                       | settled credit 250.00
      pay A1 90.00                        | settled credit 340.00
      reverse R1                          | settled
      amina                               | 90.00 held 0.00 units 0
      reverse R1                          | refused not_reversible
      reverse R99                         | refused not_reversible
      books KES                           | provider_clearing -90.00 wallet_paid 90.00`);
  });

  it('of money that was spent is refused, and nothing moves', () => {
    holds(
      `
      pay A1 1200.00                      | settled to 2026-12-23 credit 200.00
      reverse R1                          | refused not_reversible
      amina                               | 200.00 held 0.00 units 0`,
      BUYS,
    );
  });

  it('of money in suspense gives it back', () => {
    holds(`
      pay - 250.00                        | suspense unknown_account
      reverse R1                          | settled
      reverse R1                          | refused not_reversible
      books KES`);
  });

  it('asked for twice in one batch acts once', () => {
    holds(`
      pay A1 250.00                       | settled credit 250.00
      pay A1 250.00                       | settled credit 500.00
      reverse R1                          | settled
      + reverse R1                        | refused not_reversible
      amina                               | 250.00 held 0.00 units 0`);
  });

  it('of bought units takes those units, at what they were issued for', () => {
    holds(`
      order O1 amina tvu 4.00
      pay - 4.00 order O1                 | settled credit 0.00 units 10
      notice amina 10                     | settled units 20
      reverse R1                          | settled
      amina                               | 0.00 held 0.00 units 10
      books KES                           | provider_clearing -4.00 tvu_liability 4.00`);
  });
});
