import { dayOf } from '../../platform/day.ts';
import type { Action, Answer } from './actions.ts';
import { faultOf } from './allowed.ts';
import type { Book } from './books.ts';
import { CONFIG } from './config-harness.ts';
import { CATALOGUE } from './database-harness.ts';
import { createPostpaid, type Postpaid } from './postpaid.ts';

const TODAY = dayOf(2026, 11, 23);

/** An account with one invoice of 30,000 for a month of one room. */
function account(outcome: 'approved' | 'pending' = 'approved') {
  let last = 0n;
  const ids = { next: () => (last += 1n) };
  const gateway = { charge: () => ({ outcome }) };
  const postpaid: Postpaid = createPostpaid({ catalogue: CATALOGUE, config: CONFIG, ids, gateway });
  const money = { timeZone: 'Africa/Abidjan', currency: 'XOF', autoPay: false, autoInvoice: true };
  const book: Book = postpaid.open(new Map(), { id: 1n, billingDay: 23, ...money }, TODAY);
  const act = (action: Action): Extract<Answer, { ok: true }> => {
    const answer = postpaid.act(book, action, TODAY);
    if (!answer.ok) throw new Error(answer.error);
    return answer;
  };
  const { documentId } = act({ act: 'create_subscription', ref: 'room', plan: 'rooms' });
  const invoiceId = documentId ?? 0n;
  const lineId = book.rows.lines[0]?.id ?? 0n;
  return { book, act, invoiceId, lineId };
}

const paying = (invoiceId: bigint, amount: bigint | 'balance' = 'balance') =>
  ({ act: 'external_payment', invoiceId, amount }) as const;

describe('a desk', () => {
  it('takes no more for an invoice than is open, and nothing when nothing is', () => {
    const { book, act, invoiceId } = account();
    expect(faultOf(book, paying(invoiceId, 30_001n))).toBe('more_than_open');
    expect(faultOf(book, paying(invoiceId))).toBeNull();
    act(paying(invoiceId));
    expect(faultOf(book, paying(invoiceId))).toBe('invoice_not_open');
    expect(faultOf(book, { act: 'write_off', invoiceId })).toBe('invoice_not_open');
  });

  it('does not ask a gateway twice, but takes what is handed over meanwhile', () => {
    const { book, act, invoiceId } = account('pending');
    const asked = { act: 'pay_invoice', invoiceId, amount: 'balance' } as const;
    act(asked);
    expect(faultOf(book, asked)).toBe('payment_pending');
    expect(faultOf(book, paying(invoiceId))).toBeNull();
  });

  it('lowers charges of standing invoices, with a refund those of the paid one', () => {
    const { book, act, invoiceId, lineId } = account();
    const { paymentId } = act(paying(invoiceId, 10n));
    const charge = { act: 'external_charge', amount: 500n, from: TODAY, to: null } as const;
    const draft = act({ ...charge, draft: true }).documentId ?? 0n;
    const lineOf = (id: bigint) => book.rows.lines.find((row) => row.invoiceId === id)?.id ?? 0n;
    const adjust = (id: bigint) => ({ act: 'adjust_item', lineId: id, amount: 1n }) as const;
    const refund = (id: bigint) =>
      faultOf(book, {
        ...{ act: 'refund', paymentId: paymentId ?? 0n, amount: 1n },
        adjustments: [{ lineId: id, amount: 1n }],
      });
    expect(faultOf(book, adjust(lineId))).toBeNull();
    expect(faultOf(book, adjust(lineOf(draft)))).toBe('line_not_adjustable');
    expect(faultOf(book, adjust(9_999n))).toBe('line_not_adjustable');
    expect(refund(lineId)).toBeNull();
    act({ act: 'commit_invoice', invoiceId: draft });
    expect(faultOf(book, adjust(lineOf(draft)))).toBeNull();
    expect(refund(lineOf(draft))).toBe('line_not_adjustable');
  });

  it('takes away credit that was granted, once, and never money', () => {
    const { book, act } = account();
    const remove = (invoiceId: bigint | null) =>
      ({ act: 'delete_credit', invoiceId: invoiceId ?? 0n }) as const;
    const granted = remove(act({ act: 'grant_credit', amount: 100n }).documentId);
    const paid = remove(act({ act: 'top_up', amount: 100n, key: 'till' }).documentId);
    expect(faultOf(book, granted)).toBeNull();
    act(granted);
    expect(faultOf(book, granted)).toBe('credit_not_granted');
    expect(faultOf(book, paid)).toBe('credit_not_granted');
  });

  it('knows nothing of what other accounts have', () => {
    const { book } = account();
    const acts: Action[] = [
      { act: 'pause', ref: 'suite', effective: TODAY },
      { act: 'create_subscription', ref: 'tv', plan: 'suites', bundle: 'suite' },
      { act: 'void_invoice', invoiceId: 9_999n },
      { act: 'chargeback', paymentId: 9_999n, amount: 1n },
    ];
    expect(acts.map((action) => faultOf(book, action))).toEqual(acts.map(() => 'not_found'));
  });
});
