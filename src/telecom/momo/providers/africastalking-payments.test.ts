import type { ReadContext } from '../../canonical.ts';
import { africastalkingPayments } from './africastalking-payments.ts';

const CONTEXT: ReadContext = { country: 'KE', currency: 'KES', timeZone: 'Africa/Nairobi' };

function read(message: string, body: object, context: Partial<ReadContext> = {}) {
  const raw = { method: 'POST', path: '/', headers: {}, body: JSON.stringify(body), query: {} };
  return africastalkingPayments.readers[message]?.(raw, { ...CONTEXT, ...context });
}

const notice = (over: object) => ({
  transactionId: 'ATPid_1',
  category: 'MobileCheckout',
  providerRefId: 'qk12',
  sourceType: 'PhoneNumber',
  source: '+254711000111',
  clientAccount: ' 1020304050 ',
  value: 'KES 1000.0000',
  status: 'Success',
  transactionDate: '2016-07-10T15:12:05+03',
  ...over,
});

describe("payments over Africa's Talking", () => {
  it('reads a notice', () => {
    expect(read('money.notice', notice({}))).toMatchObject({
      txnId: 'QK12',
      requestId: 'ATPid_1',
      outcome: 'paid',
      amountMinor: '100000',
      accountRef: '1020304050',
      payerMsisdn: '+254711000111',
      occurredAt: '2016-07-10T12:12:05.000Z',
    });
    const c2b = notice({ category: 'MobileC2B', transactionDate: '22.05.2018 21:03:12' });
    expect(read('money.notice', c2b)).toMatchObject({
      requestId: null,
      occurredAt: '2018-05-22T18:03:12.000Z',
    });
    const payout = notice({ category: 'MobileB2C', sourceType: 'Wallet', source: 'Wallet' });
    expect(read('money.notice', payout)).toMatchObject({ payerMsisdn: null });
  });

  it.each([
    ['Failed', 'Insufficient balance', 'failed', 'insufficient_funds'],
    ['FAILED', 'Request timed out', 'failed', 'payer_timeout'],
    ['Failed', 'Request cancelled by user', 'failed', 'payer_declined'],
    ['Failed', '', 'failed', 'unknown'],
    ['PendingConfirmation', 'Waiting for user input', 'pending', null],
    ['Whatever', 'Insufficient', 'unknown', null],
  ])('reads status %s with "%s" as %s', (status, description, outcome, reason) => {
    const found = read('money.notice', notice({ status, description, providerRefId: 'N/A' }));
    expect(found).toMatchObject({ outcome, reason, txnId: 'ATPID_1' });
  });

  it('quarantines amounts that are not plain, and takes missing ones from our order', () => {
    for (const value of ['KES -5', 'KES 1,000', 'KES', 'KES 10.001', 'KSH 10', {}]) {
      const found = { amountMinor: null, quarantine: true };
      expect(read('money.notice', notice({ value }))).toMatchObject(found);
    }
    const order = { requestId: 'ATPid_1', amountMinor: '700', currency: 'UGX' };
    const found = { amountMinor: '700', currency: 'UGX', quarantine: false };
    expect(read('money.notice', notice({ value: '' }), { order })).toMatchObject(found);
  });

  it('refuses messages it cannot act on', () => {
    const missing = { refused: 'missing_field' };
    expect(read('money.notice', notice({ status: null }))).toEqual(missing);
    const nameless = notice({ transactionId: '', providerRefId: '' });
    expect(read('money.notice', nameless)).toEqual(missing);
    expect(read('money.validate', { value: 'KES 1' })).toEqual(missing);
    expect(read('airtime.notice', { status: 'Success' })).toEqual(missing);
    expect(read('airtime.validate', { amount: '1' })).toEqual(missing);
  });

  it('reads questions before a payment, and airtime in the currency named', () => {
    const question = { phoneNumber: '0720123123', clientAccount: 'A1', value: 'KES 500' };
    const asked = { outcome: 'requested', accountRef: 'A1', payerMsisdn: '+254720123123' };
    expect(read('money.validate', question)).toMatchObject({ ...asked, amountMinor: '50000' });
    const airtime = { transactionId: 'ATXid_1', currencyCode: 'ugx', amount: 9000 };
    const units = { amountMinor: '9000', currency: 'UGX', requestId: 'ATXid_1' };
    expect(read('airtime.validate', airtime)).toMatchObject(units);
    const failed = { requestId: 'ATXid_1', status: 'Failed', value: 'KES 10' };
    expect(read('airtime.notice', failed)).toMatchObject({ outcome: 'failed', reason: 'unknown' });
  });
});
