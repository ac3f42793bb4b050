import { parseDay } from '../../platform/day.ts';
import { type Book, openBook } from './books.ts';
import { CONFIG } from './config-harness.ts';
import { CATALOGUE } from './database-harness.ts';
import { nextWorkDay } from './due.ts';
import type { PaymentGateway } from './gateway.ts';
import { bookingsOf } from './journals.ts';
import { createPostpaid, type Postpaid } from './postpaid.ts';

/** Goal: every fact is booked once, on the right accounts. Method: the engine on paper. */
const TODAY = parseDay('2026-01-01');

function opened(gateway: PaymentGateway): { engine: Postpaid; book: Book } {
  let last = 0n;
  const ids = {
    next: () => {
      last += 1n;
      return last;
    },
  };
  const engine = createPostpaid({ catalogue: CATALOGUE, config: CONFIG, gateway, ids });
  const money = { timeZone: 'Africa/Abidjan', currency: 'XOF' };
  const settings = { id: ids.next(), billingDay: 1, autoPay: true, autoInvoice: true };
  const book = engine.open(new Map(), { ...money, ...settings }, TODAY);
  return { engine, book };
}

/** As it will be loaded the next time. */
const stored = ({ account, rows }: Book): Book => openBook(account, rows);

/** `debit role amount` in words. */
const words = (book: Book, before: Book): string[] =>
  bookingsOf(book, before.rows).journals.map(({ kind, entries }) =>
    [kind, ...entries.map(({ role, asset, amount }) => `${role} ${amount} ${asset}`)].join(', '),
  );

const SALE = { act: 'create_subscription', ref: 'lobby', plan: 'rooms' } as const;

describe('journals', () => {
  it('book a sale that is paid at once', () => {
    const { engine, book } = opened({ charge: () => ({ outcome: 'approved' }) });
    const before = stored(book);
    engine.act(book, SALE, TODAY);
    expect(words(book, before)).toEqual([
      'invoice, receivable -30000 XOF, deferred_revenue 30000 XOF',
      'payment, external_clearing -30000 XOF, receivable 30000 XOF',
    ]);
  });

  it('book a payment when it is known, and only then', () => {
    const { engine, book } = opened({ charge: () => ({ outcome: 'pending' }) });
    engine.act(book, SALE, TODAY);
    const before = stored(book);
    const paymentId = book.rows.payments[0]?.id ?? 0n;
    const next = stored(book);
    engine.act(next, { act: 'complete_payment', paymentId, result: 'approved' }, TODAY + 1);
    expect(words(next, before)).toEqual([
      'payment, external_clearing -30000 XOF, receivable 30000 XOF',
    ]);
  });

  it('book money of another currency through the exchange', () => {
    const settled = { settledAmount: 5_000n, settledCurrency: 'EUR' };
    const { engine, book } = opened({ charge: () => ({ outcome: 'approved', ...settled }) });
    const before = stored(book);
    engine.act(book, SALE, TODAY);
    expect(words(book, before)[1]).toBe(
      'payment, external_clearing -5000 EUR, exchange 5000 EUR, exchange -30000 XOF, ' +
        'receivable 30000 XOF',
    );
  });

  it('name all that a void takes back', () => {
    const { engine, book } = opened({ charge: () => ({ outcome: 'declined' }) });
    engine.act(book, SALE, TODAY);
    const before = stored(book);
    const next = stored(book);
    const invoiceId = book.rows.invoices[0]?.id ?? 0n;
    engine.act(next, { act: 'void_invoice', invoiceId }, TODAY);
    const line = book.rows.lines[0]?.id;
    expect(bookingsOf(next, before.rows)).toEqual({ journals: [], voided: [invoiceId, line] });
  });

  it('keep money apart that comes in for a void document', () => {
    const { engine, book } = opened({ charge: () => ({ outcome: 'pending' }) });
    engine.act(book, SALE, TODAY);
    const [invoiceId, paymentId] = [book.rows.invoices[0]?.id ?? 0n, book.rows.payments[0]?.id];
    engine.act(book, { act: 'void_invoice', invoiceId }, TODAY);
    const next = stored(book);
    const decided = { paymentId: paymentId ?? 0n, result: 'approved' } as const;
    engine.act(next, { act: 'complete_payment', ...decided }, TODAY + 1);
    expect(words(next, stored(book))).toEqual([
      'payment, external_clearing -30000 XOF, suspense 30000 XOF',
    ]);
  });

  it('put a loss in the place of what is owed, also for what comes in later', () => {
    const { engine, book } = opened({ charge: () => ({ outcome: 'declined' }) });
    engine.act(book, SALE, TODAY);
    const invoiceId = book.rows.invoices[0]?.id ?? 0n;
    const lost = stored(book);
    engine.act(lost, { act: 'write_off', invoiceId }, TODAY);
    expect(words(lost, stored(book))).toEqual([
      'write_off, bad_debt -30000 XOF, receivable 30000 XOF',
    ]);
    const later = stored(lost);
    engine.act(later, { act: 'external_payment', invoiceId, amount: 1_000n }, TODAY + 9);
    expect(words(later, stored(lost))).toEqual([
      'payment, external_clearing -1000 XOF, bad_debt 1000 XOF',
    ]);
  });
});

describe('the next day with work', () => {
  const RULES = { catalogue: CATALOGUE, config: CONFIG };

  it('is the next billing date when nothing is open', () => {
    const { engine, book } = opened({ charge: () => ({ outcome: 'approved' }) });
    engine.act(book, SALE, TODAY);
    expect(nextWorkDay(book, RULES)).toBe(parseDay('2026-02-01'));
    engine.work(book, parseDay('2026-02-01'));
    expect(nextWorkDay(book, RULES)).toBe(parseDay('2026-03-01'));
  });

  it('is tomorrow while money is open', () => {
    const { engine, book } = opened({ charge: () => ({ outcome: 'declined' }) });
    engine.act(book, SALE, TODAY);
    expect(nextWorkDay(book, RULES)).toBe(TODAY + 1);
  });
});
