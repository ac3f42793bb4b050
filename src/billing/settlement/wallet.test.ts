import { holds } from './table-harness.ts';

/**
 * Goal: what settlement answers when a wallet buys, holds or renews, on one page.
 * Method: text tables over literal facts (`table-harness.ts`); after each the books must be sound.
 */

describe('a purchase from the wallet', () => {
  it('is refused with the reason, in this order', () => {
    holds(`
      buy nobody A1 month with credit     | refused unknown_phone
      buy amina X9 month with credit      | refused unknown_card
      buy awa A1 month with credit        | refused currency_mismatch
      at 2025-12-31T23:59:59Z
      buy amina A1 month with credit      | refused term_not_sold
      buy amina A1 event with credit      | refused event_not_on_sale
      at 2026-11-23T11:02:00Z
      buy amina A1 month with credit      | refused insufficient_funds
      buy amina A1 event with credit      | refused insufficient_funds
      buy amina A1 month by units         | refused insufficient_units
      buy awa W1 event with credit        | refused event_not_on_sale
      books KES`);
  });

  it('is refused, and money that comes is credit, where the card cannot be shown it', () => {
    holds(`
      pay amina 1500.00                   | settled credit 1500.00
      missing ESS EVT:FIGHT
      buy amina A1 month with credit      | refused product_not_on_cas
      buy amina A1 event with credit      | refused product_not_on_cas
      pay A1 1000.00                      | settled credit 2500.00
      said                                | amina: credit_kept
      books KES                           | provider_clearing -2500.00 wallet_paid 2500.00`);
  });

  it('is refused however the card would come by it, and nobody is given days of it', () => {
    holds(`
      pay amina 1000.00                   | settled credit 1000.00
      buy amina A1 month with credit      | settled to 2026-12-23 credit 0.00 units 0
      compensate A1                       | settled
      A1                                  | 2026-11-23T11:02 to 2026-12-25, ESS
      missing ESS
      compensate A1                       | settled
      A1                                  | 2026-11-23T11:02 to 2026-12-25, ESS
      try A1                              | refused product_not_on_cas
      lend A1                             | refused product_not_on_cas
      ask A1                              | refused product_not_on_cas
      enlist A1                           | refused product_not_on_cas
      books KES                           | deferred_revenue 862.07 provider_clearing -1000.00 \
                                            tax_payable 137.93`);
  });

  it('takes the price out of the caller’s wallet, for any card of the site', () => {
    holds(`
      pay amina 1500.00                   | settled credit 1500.00
      buy amina A1 month with credit      | settled to 2026-12-23 credit 500.00 units 0
      said                                | amina: term_paid, A1: term_paid
      buy amina J1 week with credit       | settled to 2026-11-30 credit 200.00 units 0
      buy amina J1 day with credit        | settled to 2026-12-01 credit 150.00 units 0
      buy amina A1 month with credit      | refused insufficient_funds
      books KES                           | deferred_revenue 1163.79 provider_clearing -1500.00 \
                                            tax_payable 186.21 wallet_paid 150.00`);
  });

  it('by units converts just enough of them, and the credit is left alone', () => {
    holds(`
      // 1000.00 / 0.35 = 2857.1: 2858 units give 1000.30.
      notice amina 2858                   | settled units 2858
      buy amina A1 month by units         | settled to 2026-12-23 credit 0.30 units 0
      notice amina 100                    | settled units 100
      pay amina 7.00                      | settled credit 7.30
      buy amina A1 month by units         | refused insufficient_units
      // 5000 / 35 = 142.86: 143 units give 50.05.
      notice amina 43                     | settled units 143
      buy amina A1 day by units           | settled to 2026-12-24 credit 7.35 units 0`);
  });
});

describe('a pay-per-view event', () => {
  it('is held when bought, and spent once it is on air', () => {
    holds(`
      pay amina 700.00                    | settled credit 700.00
      at 2026-11-28T17:40:00Z
      buy amina A1 event with credit      | settled credit 400.00 units 0
      said                                | amina: event_bought, A1: event_bought
      A1                                  | never paid, EVT:FIGHT
      amina                               | 400.00 held 300.00 units 0
      buy amina A1 event with credit      | refused event_already_bought
      capture A1                          | settled credit 400.00
      capture A1                          | refused no_hold
      release A1                          | refused no_hold
      amina                               | 400.00 held 0.00 units 0
      books KES                           | earned_revenue 258.62 provider_clearing -700.00 \
                                            tax_payable 41.38 wallet_paid 400.00
      at 2026-11-28T18:30:00Z
      buy amina J1 event with credit      | refused event_sale_over`);
  });

  it('that was never on air goes back to the lots it came from', () => {
    holds(`
      pay amina 100.00                    | settled credit 100.00
      pay amina 250.00                    | settled credit 350.00
      buy amina A1 event with credit      | settled credit 50.00 units 0
      at 2026-11-28T20:00:00Z
      release A1                          | settled credit 350.00
      + capture A1                        | refused no_hold
      said                                | amina: event_refunded
      A1                                  | never paid, dark
      books KES                           | provider_clearing -350.00 wallet_paid 350.00
      capture J1                          | refused no_hold`);
  });

  it('keeps its right beside the bouquet’s when either is bought', () => {
    holds(`
      pay amina 1600.00                   | settled credit 1600.00
      buy amina A1 event with credit      | settled credit 1300.00 units 0
      buy amina A1 month with credit      | settled to 2026-12-23 credit 300.00 units 0
      A1                                  | 2026-11-23T11:02 to 2026-12-23, ESS EVT:FIGHT
      at 2026-11-28T20:00:00Z
      release A1                          | settled credit 600.00
      A1                                  | 2026-11-23T11:02 to 2026-12-23, ESS`);
  });

  it('cannot be bought twice for a card in one batch', () => {
    holds(`
      pay amina 700.00                    | settled credit 700.00
      buy amina A1 event with credit      | settled credit 400.00 units 0
      + buy amina A1 event with credit    | refused event_already_bought`);
  });
});

describe('a renewal', () => {
  it('goes on without a gap from the end of the term', () => {
    holds(`
      pay A2 700.00                       | settled credit 700.00
      buy amina A2 week with credit       | settled to 2026-11-30 credit 400.00 units 0
      renew A2                            | refused term_not_sold
      at 2026-11-30T22:00:00Z
      renew A2                            | settled to 2026-12-07 credit 100.00
      A2                                  | 2026-11-23T11:02 to 2026-12-07, ESS
      renew A2                            | refused term_not_sold`);
  });

  it('noticed more than an hour late starts when it is noticed', () => {
    holds(`
      pay A2 700.00                       | settled credit 700.00
      buy amina A2 week with credit       | settled to 2026-11-30 credit 400.00 units 0
      at 2026-12-01T11:00:00Z
      renew A2                            | settled to 2026-12-08 credit 100.00
      A2                                  | 2026-12-01T11:00 to 2026-12-08, ESS`);
  });

  it('without the money waits, says so once, and fires with the next top-up', () => {
    holds(`
      pay A2 400.00                       | settled credit 400.00
      buy amina A2 week with credit       | settled to 2026-11-30 credit 100.00 units 0
      at 2026-11-30T21:00:00Z
      renew A2                            | refused insufficient_funds
      said                                | amina: renewal_failed missing 200.00
      A2                                  | 2026-11-23T11:02 to 2026-11-30, waits for a week, ESS
      pay A2 150.00                       | settled credit 250.00
      said                                | amina: credit_kept missing 50.00
      at 2026-12-02T08:00:00Z
      pay amina 50.00                     | settled to 2026-12-09 credit 0.00
      said                                | A2: term_paid, amina: term_paid
      A2                                  | 2026-12-02T08:00 to 2026-12-09, ESS`);
  });

  it('that waits fires with converted units, and ends with any purchase', () => {
    holds(`
      notice amina 1000                   | settled units 1000
      buy amina A2 day by units           | settled to 2026-11-24 credit 0.05 units 857
      at 2026-11-25T00:00:00Z
      renew A2                            | refused insufficient_funds
      convert amina 856                   | settled credit 299.65 units 1
      pay amina 0.35                      | settled to 2026-12-02 credit 0.00
      at 2026-12-10T00:00:00Z
      renew A2                            | refused insufficient_funds
      notice amina 857                    | settled units 858
      convert amina 858                   | settled to 2026-12-17 credit 0.30 units 0
      at 2027-01-10T00:00:00Z
      renew A2                            | refused insufficient_funds
      pay juma 50.00                      | settled credit 50.00
      buy juma A2 day with credit         | settled to 2027-01-11 credit 0.00 units 0
      A2                                  | 2027-01-10T00:00 to 2027-01-11, ESS`);
  });

  it('of a card that does not renew, has not ended or is not known is refused', () => {
    holds(`
      renew A1                            | refused term_not_sold
      renew X9                            | refused unknown_card`);
  });
});
