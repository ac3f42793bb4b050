import { type Day, formatDay, parseDay } from '../../platform/day.ts';
import { EXAMPLE } from '../catalogue/file/example-harness.ts';
import { readCatalogueFile } from '../catalogue/file/read.ts';
import type { OperatorCatalogue } from '../catalogue/file/types.ts';
import type { Book } from './books.ts';
import { type Buyers, createMarkets, marketTermsOf } from './markets.ts';
import { createPostpaid, type Postpaid } from './postpaid.ts';

/**
 * Goal: accounts are billed by what the catalogue file says to their market, all taxes included.
 * Method: the example file, and its changes; contracts live on paper.
 */
function catalogueOf(...changes: [string, string][]): OperatorCatalogue {
  const text = changes.reduce((all, [was, is]) => {
    if (!all.includes(was)) throw new Error(`The example has no ${was}`);
    return all.replace(was, is);
  }, EXAMPLE);
  const read = readCatalogueFile(text);
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  return read.catalogue;
}

const HOTEL: Buyers = { site: 'NBO', category: 'hotel' };
const example = catalogueOf();

interface Told {
  engine: Postpaid;
  book: Book;
  /** Works to a day; the lines of the last invoice of the room, `from: amount`. */
  until(day: string): string[];
}

function tell(on: string, catalogue = example, buyers = HOTEL): Told {
  let last = 0n;
  const ids = { next: () => ++last };
  const { config, catalogue: plans } = marketTermsOf(catalogue, buyers);
  const gateway = { charge: () => ({ outcome: 'approved' as const }) };
  const engine = createPostpaid({ catalogue: plans, config, ids, gateway });
  const opening = { id: ids.next(), timeZone: 'Africa/Nairobi', currency: 'KES', billingDay: 1 };
  const book = engine.open(new Map(), { ...opening, autoPay: true, autoInvoice: true }, day(on));
  return {
    engine,
    book,
    until(end) {
      for (let at = book.account.workedThrough + 1; at <= day(end); at += 1) engine.work(book, at);
      const invoice = book.rows.invoices.at(-1)?.id;
      return book.rows.lines
        .filter(({ invoiceId }) => invoiceId === invoice)
        .map(({ from, amount }) => `${formatDay(from)}: ${amount}`);
    },
  };
}

const day = (text: string): Day => parseDay(text);
const sale = { act: 'create_subscription', ref: 'lobby', plan: 'HOTEL_ROOMS' } as const;

describe('a market of the catalogue', () => {
  it('sells only what has a price there, to whom and when it has', () => {
    const sold = (on: string, buyers: Buyers): unknown => {
      const { engine, book } = tell(on, example, buyers);
      return engine.act(book, sale, day(on));
    };
    expect(sold('2026-12-01', HOTEL)).toMatchObject({ ok: true });
    const refused = { ok: false, error: 'plan_not_sold' };
    expect(sold('2025-12-31', HOTEL)).toEqual(refused);
    expect(sold('2026-12-01', { ...HOTEL, category: 'residential' })).toEqual(refused);
    expect(sold('2026-12-01', { ...HOTEL, site: 'DLA' })).toEqual(refused);
  });

  it('has phases, one-off prices, and taxes on top of what is sold without them', () => {
    const { engine, book, until } = tell('2026-12-01');
    engine.act(book, { ...sale, quantity: 2 }, day('2026-12-01'));
    expect(book.rows.lines).toEqual([]);
    // After 14 days of trial 1500.00 a room and 16 % on it; 16 days of 30 of 348.00, in arrears.
    expect(until('2026-12-15')).toEqual(['2026-12-15: 348000']);
    expect(until('2027-01-01')).toEqual(['2026-12-15: 37120']);
    expect(until('2027-02-01')).toEqual(['2027-01-01: 69600']);
  });

  it('moves running contracts to a new price where it says so, to a new tax always', () => {
    const { engine, book, until } = tell('2026-03-01');
    engine.act(book, sale, day('2026-03-01'));
    const old = 48_720n; // 420.00 and 16 %
    expect(until('2027-04-01')).toEqual([`2027-03-01: ${old}`]);
    expect(until('2027-05-01')).toEqual(['2027-04-01: 52200']);
    expect(until('2027-07-01')).toEqual(['2027-06-01: 52200']);
    // 450.00, 5 % duty, 16 % on both.
    expect(until('2027-08-01')).toEqual(['2027-07-01: 54810']);
  });

  it('lets contracts keep an agreed price, with the tax of the day on it', () => {
    const kept = catalogueOf(['        existingFrom: 2027-04-01\n', '']);
    const { engine, book, until } = tell('2026-03-01', kept);
    engine.act(book, sale, day('2026-03-01'));
    expect(until('2027-07-01')).toEqual(['2027-06-01: 48720']);
    // 420.00, 5 % duty, 16 % on both; not what is sold by then.
    expect(until('2027-08-01')).toEqual(['2027-07-01: 51156']);
    engine.act(book, { ...sale, ref: 'annexe' }, day('2027-08-01'));
    expect(until('2028-04-01')).toEqual(['2028-03-01: 51156', '2028-03-01: 54810']);
  });

  it('says the taxes of a day, when it is due, and how the site bills', () => {
    const terms = marketTermsOf(example, HOTEL);
    expect(terms.taxesOn('plan', day('2027-07-01'))).toEqual([
      { code: 'EXCISE', ppm: 50_000n, on: ['net'] },
      { code: 'VAT', ppm: 160_000n, on: ['net', 'EXCISE'] },
    ]);
    expect(terms.taxesOn('service', day('2027-07-01')).map(({ code }) => code)).toEqual(['VAT']);
    expect(terms.dueDays).toBe(14);
    expect(terms.config).toMatchObject({ monthDays: 30, retryDays: [3, 5, 7], overdue: [] });
  });

  it('is compiled once for each catalogue', () => {
    let current = example;
    const markets = createMarkets(() => current);
    const first = markets(HOTEL);
    expect(markets({ ...HOTEL })).toBe(first);
    expect(markets({ ...HOTEL, category: 'institution' })).not.toBe(first);
    current = catalogueOf();
    expect(markets(HOTEL)).not.toBe(first);
  });
});
