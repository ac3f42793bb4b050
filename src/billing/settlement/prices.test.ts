import fc from 'fast-check';
import { taxLines } from '../catalogue/file/tax.ts';
import { TAXED_KINDS, type Tax } from '../catalogue/file/types.ts';
import type { Bouquet, OwnRules, PaymentPolicy } from '../catalogue/rules.ts';
import { taxOwner } from '../ledger/chart.ts';
import type { Command } from './commands.ts';
import type { LineFacts } from './facts.ts';
import { faultsOf } from './faults-harness.ts';
import { createOperator, SOLD_TO_ALL } from './operator-harness.ts';
import { channelOf, type Paper } from './paper-harness.ts';
import { linesOf, play } from './table-harness.ts';
import { sumOfTaxes } from './taxes.ts';

/**
 * Goal: who pays what for which term, and which taxes are owed of it, also after it is given back.
 * Method: an operator on paper in Nairobi with a duty of 5 %, and a VAT on price and duty that
 * rises from 16 to 18 % with the year; after each act the books must be sound.
 */
const SINCE = new Date('2026-01-01T00:00:00Z');
const price = (amount: bigint) => [{ from: SINCE, amount }];
const tax = (code: string, on: string[], ...rates: [from: string, ppm: bigint][]): Tax => ({
  ...{ code, name: code, on, appliesTo: TAXED_KINDS },
  rates: rates.map(([from, ppm]) => ({ from, ppm })),
});
const TAXES = [
  tax('EXCISE', ['net'], ['2026-01-01', 50_000n]),
  tax('VAT', ['net', 'EXCISE'], ['2026-01-01', 160_000n], ['2027-01-01', 180_000n]),
];
const sold = (id: bigint, code: string, own: Partial<Bouquet>): Bouquet => ({
  ...SOLD_TO_ALL,
  ...{ id, siteId: 1n, code, name: code, products: [code], prices: {}, taxes: TAXES },
  ...own,
});
const addOn = (id: bigint, code: string, own: Partial<Bouquet>) =>
  sold(id, code, { kind: 'add_on', ...own });
const [ESSENTIAL, PREMIUM, SPORT, KIDS] = [11n, 13n, 14n, 15n];
const ACCESS = sold(12n, 'ACCESS', { siteId: 2n, prices: { month: price(5_000n) } });
const BOUQUETS: readonly Bouquet[] = [
  sold(ESSENTIAL, 'ESSENTIAL', {
    prices: {
      ...{ year: price(1_000_000n), month: price(100_000n), '10d': price(40_000n) },
      ...{ day: price(5_000n), pass24: price(6_000n) },
    },
    categoryPrices: new Map([['hotel', { month: price(250_000n) }]]),
  }),
  sold(PREMIUM, 'PREMIUM', { prices: { month: price(200_000n) } }),
  addOn(SPORT, 'SPORT', {
    prices: { month: price(30_000n) },
    addOn: { availableWith: ['ESSENTIAL'], maxPerSubscription: 1, alignedTo: 'base' },
  }),
  addOn(KIDS, 'KIDS', {
    prices: { month: price(10_000n), '10d': price(4_000n) },
    addOn: { availableWith: ['SPORT'], maxPerSubscription: 2, alignedTo: 'self' },
  }),
  ACCESS,
];

interface Options {
  policy?: Partial<PaymentPolicy>;
  rules?: OwnRules;
  bouquets?: readonly Bouquet[];
}

const operator = ({ policy = {}, rules = {}, bouquets = BOUQUETS }: Options = {}): Paper =>
  createOperator({ policy, rules, bouquets });

function holds(table: string, paper = operator()): void {
  expect(play(paper, table)).toEqual(linesOf(table));
}

let serial = 0;
type Own<C> = C extends Command
  ? Omit<C, 'provider' | 'receipt' | 'channelId' | 'siteId' | 'at' | 'raw'>
  : never;

/** One act in Nairobi at an instant, and the answer to it. */
function act(paper: Paper, at: string, own: Own<Command>) {
  serial += 1;
  const base = { provider: 'test', receipt: `P${serial}`, channelId: channelOf(1n), siteId: 1n };
  const command = { ...base, at: new Date(at), raw: Buffer.alloc(0), ...own } as Command;
  const [answer] = paper.settle([command]);
  expect(faultsOf(paper)).toEqual([]);
  return answer;
}

const owed = (paper: Paper, code: string): bigint =>
  paper.booked({ owner: taxOwner(1n, code), kind: 'tax_payable', asset: 'KES' });
const linesIn = (paper: Paper): LineFacts[] => [...paper.terms.values()];

describe('a term', () => {
  it('may be a year or a number of days, and others are not sold', () => {
    holds(`
      pay amina 20000.00                  | settled credit 20000.00
      buy amina A1 10d with credit        | settled to 2026-12-03 credit 19600.00 units 0
      buy amina A1 year with credit       | settled to 2027-12-03 credit 9600.00 units 0
      buy amina A1 month with credit      | settled to 2028-01-03 credit 8600.00 units 0
      buy amina A1 11d with credit        | refused term_not_sold
      buy amina A1 quarter with credit    | refused term_not_sold`);
  });

  it('is the longest that fits, whatever its name, and never a pass', () => {
    const policy = { buys: 'terms', over: 'longest_terms' } as const;
    // A year to 23/11/2027, a month to 23/12, ten days twice to 12/01/2028, and a day:
    // 10000 + 1000 + 2 × 400 + 50.
    holds('pay A1 11860.00 | settled to 2028-01-13 credit 10.00', operator({ policy }));
  });

  it('of a year keeps the last day of February', () => {
    holds(`
      at 2028-02-29T09:00:00Z
      pay amina 20000.00                  | settled credit 20000.00
      buy amina A1 year with credit       | settled to 2029-02-28 credit 10000.00 units 0
      buy amina A1 month with credit      | settled to 2029-03-29 credit 9000.00 units 0`);
  });

  it('may be lent', () => {
    const rules: OwnRules = { loan: { term: '10d', fee: 0n, cap: 50_000n } };
    const paper = operator({ rules });
    const cardId = paper.card('A1').id;
    const answer = act(paper, '2026-11-23T11:02:00Z', { kind: 'take_loan', cardId });
    expect(answer).toMatchObject({ state: 'settled', paidUntil: '2026-12-03T21:00:00.000Z' });
    expect(linesIn(paper)[0]).toMatchObject({ kind: '10d', price: 40_000n, paidBy: 'loan' });
  });
});

describe('a category with a list of its own', () => {
  const hotel = (options: Options = {}): Paper => {
    const paper = operator(options);
    const card = paper.card('J1');
    paper.cards.set(card.id, { ...card, category: 'hotel' });
    return paper;
  };

  it('pays by it, whoever pays, and buys nothing that it does not name', () => {
    holds(
      `
      pay amina 6000.00                   | settled credit 6000.00
      buy amina J1 month with credit      | settled to 2026-12-23 credit 3500.00 units 0
      buy amina A1 month with credit      | settled to 2026-12-23 credit 2500.00 units 0
      buy amina J1 10d with credit        | refused term_not_sold`,
      hotel(),
    );
  });

  it('is what decides which terms a payment buys, and what is missing', () => {
    const policy = { buys: 'terms', over: 'longest_terms', under: 'days' } as const;
    // 60.00 is less than a thirtieth of the hotel's month; 1060.00 is twelve of them.
    holds(
      `
      pay J1 2560.00                      | settled to 2026-12-23 credit 60.00
      pay J1 1000.00                      | settled to 2027-01-04 credit 60.00`,
      hotel({ policy }),
    );
    holds('pay J1 2000.00 | settled credit 2000.00', hotel({ policy: { buys: 'terms' } }));
  });

  it('without one buys from the list for all', () => {
    const paper = operator();
    const card = paper.card('J1');
    paper.cards.set(card.id, { ...card, category: 'institution' });
    holds(
      `
      pay juma 1000.00                    | settled credit 1000.00
      buy juma J1 month with credit       | settled to 2026-12-23 credit 0.00 units 0`,
      paper,
    );
  });
});

describe('taxes inside a price', () => {
  const buyMonth = (paper: Paper, at: string) =>
    play(paper, `at ${at}\npay amina 3000.00\nbuy amina A1 month with credit`);

  it('are owed each on its own account, by the rates of the local date', () => {
    const before = operator();
    buyMonth(before, '2026-12-31T20:59:00Z');
    // 1000.00 / 1.218 = 821.02 net; 41.05 of duty; 137.93 of VAT.
    expect([owed(before, 'EXCISE'), owed(before, 'VAT')]).toEqual([4_105n, 13_793n]);
    const after = operator();
    buyMonth(after, '2026-12-31T21:00:00Z');
    // 1000.00 / 1.239 = 807.10 net; 40.36 of duty (40.355 up); 152.54 of VAT.
    expect([owed(after, 'EXCISE'), owed(after, 'VAT')]).toEqual([4_036n, 15_254n]);
  });

  it('are given back at the rates of the sale, and the new sale is taxed by its date', () => {
    const paper = operator();
    buyMonth(paper, '2026-12-20T09:00:00Z');
    const { id: cardId } = paper.card('A1');
    const at = '2027-01-04T09:00:00Z';
    act(paper, at, { kind: 'change_plan', cardId, bouquetId: PREMIUM, policy: 'immediate' });
    const [month, days] = linesIn(paper);
    // Used: 15 of 31 days, so 48387 of 100000 is kept; 51613 buys 7 days of 200000/30.
    expect(month).toMatchObject({ price: 48_387n });
    expect(days).toMatchObject({ days: 7, price: 46_667n });
    expect(month?.taxes.map(({ ppm }) => ppm)).toEqual([50_000n, 160_000n]);
    expect(days?.taxes.map(({ ppm }) => ppm)).toEqual([50_000n, 180_000n]);
    for (const code of ['EXCISE', 'VAT']) {
      const parts = linesIn(paper).flatMap((line) => line.taxes);
      expect(owed(paper, code)).toBe(sumOfTaxes(parts.filter((part) => part.code === code)));
    }
  });

  /** Up to three taxes, each on the net amount and any of those before it. */
  const taxes = fc
    .array(fc.record({ ppm: fc.bigInt({ min: 0n, max: 400_000n }), on: fc.array(fc.nat(3)) }), {
      maxLength: 3,
    })
    .map((drawn) =>
      drawn.map(({ ppm, on }, i) => {
        const before = [...new Set(on)].filter((k) => k < i).map((k) => `T${k}`);
        return tax(`T${i}`, ['net', ...before], ['2026-01-01', ppm]);
      }),
    );

  it('make up the price with the net amount, and leave nothing when all is given back', () => {
    const days = fc.integer({ min: 0, max: 40 });
    const amounts = fc.bigInt({ min: 1n, max: 500_000n });
    fc.assert(
      fc.property(taxes, amounts, days, (borne, amount, after) => {
        const month = { month: price(amount) };
        const bouquets = [sold(ESSENTIAL, 'ESSENTIAL', { prices: month, taxes: borne }), ACCESS];
        const policy = { buys: 'terms' } as const;
        const rules: OwnRules = { reversal: { rights: 'withdraw' } };
        const paper = operator({ policy, rules, bouquets });
        const text = `${amount / 100n}.${String(amount % 100n).padStart(2, '0')}`;
        play(paper, `pay A1 ${text}`);
        const [line] = linesIn(paper);
        const { net } = taxLines(amount, line?.taxes ?? [], 'inclusive');
        expect(net + sumOfTaxes(line?.taxes ?? [])).toBe(amount);
        const at = new Date(Date.parse('2026-11-23T11:02:00Z') + after * 86_400_000);
        const original = { provider: 'paper', receipt: 'R1' };
        act(paper, at.toISOString(), { kind: 'reverse_payment', original });
        const [kept] = linesIn(paper);
        for (const { code } of borne) {
          const part = kept?.taxes.find((one) => one.code === code)?.amount ?? 0n;
          expect(owed(paper, code)).toBe(part);
          if (after === 0) expect(part).toBe(0n);
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('an add-on', () => {
  const AT = '2026-12-03T09:00:00Z';
  const buy = (paper: Paper, bouquetId: bigint, at = AT) => {
    const cardId = paper.card('A1').id;
    return act(paper, at, { kind: 'buy_addon', cardId, bouquetId });
  };
  const watching = (): Paper => {
    const paper = operator();
    play(paper, 'pay amina 9000.00\nbuy amina A1 month with credit');
    return paper;
  };

  it('ends with its base, costs the days left, and is sold as often as it may', () => {
    const paper = watching();
    // 20 of 30 days of 300.00.
    expect(buy(paper, SPORT)).toMatchObject({
      paidUntil: '2026-12-23T21:00:00.000Z',
      credit: '780000',
    });
    expect(buy(paper, SPORT)).toMatchObject({ state: 'refused', code: 'addon_limit' });
  });

  it('is sold again once it has ended', () => {
    const paper = watching();
    buy(paper, SPORT);
    play(paper, 'at 2026-12-10T09:00:00Z\nbuy amina A1 month with credit');
    expect(buy(paper, SPORT, '2026-12-23T20:59:00Z')).toMatchObject({ code: 'addon_limit' });
    expect(buy(paper, SPORT, '2026-12-23T21:00:00Z')).toMatchObject({ state: 'settled' });
  });

  it('is sold with what it goes with alone', () => {
    const paper = watching();
    expect(buy(paper, KIDS)).toMatchObject({ state: 'refused', code: 'addon_not_available' });
    buy(paper, SPORT);
    expect(buy(paper, KIDS)).toMatchObject({ state: 'settled' });
  });

  it('with terms of its own has its whole price and its own end', () => {
    const paper = watching();
    buy(paper, SPORT);
    expect(buy(paper, KIDS)).toMatchObject({
      paidUntil: '2027-01-03T21:00:00.000Z',
      credit: '770000',
    });
    const own = { kind: 'buy_addon', cardId: paper.card('A1').id, bouquetId: KIDS } as const;
    expect(act(paper, AT, { ...own, term: '10d' })).toMatchObject({
      paidUntil: '2026-12-13T21:00:00.000Z',
      credit: '766000',
    });
    expect(act(paper, AT, { ...own, term: 'year' })).toMatchObject({ code: 'addon_limit' });
    expect(act(paper, '2026-12-14T09:00:00Z', { ...own, term: 'year' })).toMatchObject({
      code: 'term_not_sold',
    });
  });

  it('is no plan that a subscription may change to', () => {
    const paper = watching();
    const cardId = paper.card('A1').id;
    const to = { kind: 'change_plan', cardId, bouquetId: SPORT, policy: 'end_of_term' } as const;
    expect(act(paper, AT, to)).toMatchObject({ state: 'refused', code: 'term_not_sold' });
  });
});
