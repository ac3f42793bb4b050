import type { RawMessage, ReadContext } from '../../canonical.ts';
import { mpesa } from './mpesa.ts';

const CONTEXT: ReadContext = { country: 'KE', currency: 'KES', timeZone: 'Africa/Nairobi' };
const ORDER = { requestId: 'ws_CO_1', amountMinor: '5000', currency: 'KES' };

function read(message: string, body: string | object, context: Partial<ReadContext> = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const raw: RawMessage = { method: 'POST', path: '/', headers: {}, body: text, query: {} };
  return mpesa.readers[message]?.(raw, { ...CONTEXT, ...context });
}

const c2b = (over: object) => ({
  TransactionType: 'Pay Bill',
  TransID: 'rkl51zdr4f',
  TransTime: '20231121121325',
  TransAmount: '5.00',
  BillRefNumber: ' 0012 34 ',
  MSISDN: '254708374149',
  ...over,
});

const push = (over: object) => ({
  Body: { stkCallback: { MerchantRequestID: 'm', CheckoutRequestID: 'ws_CO_1', ...over } },
});

const items = (...Item: object[]) => ({ ResultCode: 0, CallbackMetadata: { Item } });

const result = (over: object, parameters: object[] = []) => ({
  Result: {
    ResultType: 0,
    ResultCode: 0,
    OriginatorConversationID: 'o-1',
    TransactionID: 'SG632NMUAB',
    ResultParameters: { ResultParameter: parameters },
    ...over,
  },
});

describe('customer payments', () => {
  it('reads a confirmation', () => {
    expect(read('money.notice', c2b({}))).toEqual({
      type: 'money',
      style: 'notice',
      txnId: 'RKL51ZDR4F',
      requestId: null,
      outcome: 'paid',
      amountMinor: '500',
      currency: 'KES',
      quarantine: false,
      accountRef: '0012 34',
      payerMsisdn: '+254708374149',
      payerHash: null,
      occurredAt: '2023-11-21T09:13:25.000Z',
      reason: null,
    });
    expect(read('money.validate', c2b({}))).toMatchObject({
      style: 'validate',
      outcome: 'requested',
    });
  });

  it('reads amounts as text and as numbers, and quarantines what is no plain amount', () => {
    for (const [written, amountMinor] of [
      ['"10"', '1000'],
      ['10', '1000'],
      ['1.0', '100'],
      ['"1000.0000"', '100000'],
      ['9007199254740993.10', '900719925474099310'],
    ]) {
      const body = `{"TransID":"A1","TransAmount":${written}}`;
      expect(read('money.notice', body)).toMatchObject({ amountMinor, quarantine: false });
    }
    for (const written of ['"-5.00"', '-5', '1e2', '"1,053.00"', '"10.555"', '{}', 'true', '[1]']) {
      const body = `{"TransID":"A1","TransAmount":${written},"BillRefNumber":"X"}`;
      const quarantined = { amountMinor: null, quarantine: true, accountRef: 'X', txnId: 'A1' };
      expect(read('money.notice', body)).toMatchObject(quarantined);
    }
    const absent = { amountMinor: null, quarantine: false };
    expect(read('money.notice', c2b({ TransAmount: null }))).toMatchObject(absent);
  });

  it('knows the payer by whole number or whole hash only', () => {
    const hash = '94C392C311D522DA950619227B3361752A42042DB7E1E699B26E628305C68A88';
    for (const [MSISDN, payerMsisdn, payerHash] of [
      [254708374149, '+254708374149', null],
      ['25470****149', null, null],
      ['2547 ***** 126', null, null],
      ['ec59ead ***** 134b8', null, null],
      [hash, null, hash.toLowerCase()],
      [undefined, null, null],
    ]) {
      expect(read('money.notice', c2b({ MSISDN }))).toMatchObject({ payerMsisdn, payerHash });
    }
  });

  it('refuses a payment without receipt, and nothing for a date or a reference', () => {
    const refused = { refused: 'missing_field' };
    for (const TransID of [undefined, null, '', ' ', '0000000000', {}]) {
      expect(read('money.notice', c2b({ TransID }))).toEqual(refused);
    }
    expect(read('money.notice', '')).toEqual(refused);
    expect(read('money.notice', 'not json')).toEqual(refused);
    const bare = { accountRef: null, occurredAt: null, outcome: 'paid' };
    const body = c2b({ BillRefNumber: ' ', TransTime: '2023112' });
    expect(read('money.notice', body)).toMatchObject(bare);
  });

  it('matches keys trimmed and in any case, and unwraps lists and strings', () => {
    const found = { txnId: 'A1', amountMinor: '1000' };
    const body = { ' transid ': 'a1', TRANSAMOUNT: '10' };
    expect(read('money.notice', body)).toMatchObject(found);
    expect(read('money.notice', [body])).toMatchObject(found);
    expect(read('money.notice', JSON.stringify(JSON.stringify(body)))).toMatchObject(found);
    const two = { type: 'money', payments: [found, { txnId: 'B2' }] };
    expect(read('money.notice', [body, { TransID: 'b2' }])).toMatchObject(two);
  });
});

describe('push prompts', () => {
  it('reads a paid one, with items in any order and some without value', () => {
    const body = push(
      items(
        { Name: 'Balance' },
        { Name: 'PhoneNumber', Value: 254708374149 },
        { Name: 'TransactionDate', Value: 20191219102115 },
        { Name: 'MpesaReceiptNumber', Value: 'nlj7rt61sv' },
        { Name: 'Amount', Value: 1.5 },
      ),
    );
    expect(read('money.notice', body)).toMatchObject({
      txnId: 'NLJ7RT61SV',
      requestId: 'ws_CO_1',
      outcome: 'paid',
      amountMinor: '150',
      payerMsisdn: '+254708374149',
      occurredAt: '2019-12-19T07:21:15.000Z',
      reason: null,
    });
  });

  it.each([
    [1, 'insufficient_funds'],
    ['1', 'insufficient_funds'],
    [17, 'duplicate'],
    [1019, 'payer_timeout'],
    [1025, 'provider_error'],
    [1032, 'payer_declined'],
    ['1037', 'payer_timeout'],
    [2001, 'wrong_pin'],
    [8006, 'payer_account_blocked'],
    [424242, 'unknown'],
    ['toString', 'unknown'],
  ])('reads result code %s as failed for %s', (ResultCode, reason) => {
    const failed = { outcome: 'failed', reason, txnId: null, amountMinor: null };
    expect(read('money.notice', push({ ResultCode }))).toMatchObject(failed);
  });

  it('takes the amount of our order where the message has none, and of no other order', () => {
    const declined = push({ ResultCode: 1032 });
    const ours = { amountMinor: '5000', currency: 'KES' };
    expect(read('money.notice', declined, { order: ORDER })).toMatchObject(ours);
    const other = { order: { ...ORDER, requestId: 'ws_CO_2' } };
    expect(read('money.notice', declined, other)).toMatchObject({ amountMinor: null });
  });

  it('refuses a callback without request id or result code', () => {
    const refused = { refused: 'missing_field' };
    expect(read('money.notice', push({ CheckoutRequestID: '', ResultCode: 0 }))).toEqual(refused);
    expect(read('money.notice', push({}))).toEqual(refused);
    expect(read('money.notice', { Body: { stkCallback: null } })).toEqual(refused);
  });

  it('reads the answer of a query: ended, still on the phone, or the query failed', () => {
    const query = { ResponseCode: '0', CheckoutRequestID: 'ws_CO_1' };
    const paid = { style: 'status', outcome: 'paid', requestId: 'ws_CO_1', amountMinor: '5000' };
    expect(read('money.status', { ...query, ResultCode: '0' }, { order: ORDER })).toMatchObject(
      paid,
    );
    expect(read('money.status', { ...query, ResultCode: '1032' })).toMatchObject({
      outcome: 'failed',
      reason: 'payer_declined',
    });
    expect(read('money.status', { ...query, ResultCode: '4999' })).toMatchObject({
      outcome: 'pending',
      reason: null,
    });
    const error = { requestId: 'x', errorCode: '500.001.1001' };
    const errorMessage = 'The transaction is being processed';
    expect(read('money.status', { ...error, errorMessage })).toMatchObject({ outcome: 'pending' });
    expect(read('money.status', { ...error, errorMessage: 'Spike arrest' })).toMatchObject({
      outcome: 'unknown',
      requestId: null,
    });
  });
});

describe('results', () => {
  it('reads payouts', () => {
    const amount = { Key: 'TransactionAmount', Value: 10 };
    const paid = { style: 'payout', outcome: 'paid', amountMinor: '1000', requestId: 'o-1' };
    expect(read('money.payout', result({}, [amount]))).toMatchObject(paid);
    const failure = result({ ResultCode: '2001', TransactionID: '0000000000' });
    expect(read('money.payout', failure)).toMatchObject({ outcome: 'failed', txnId: null });
    expect(read('money.payout', result({ ResultCode: null }))).toEqual({
      refused: 'missing_field',
    });
    expect(read('money.payout', {})).toEqual({ refused: 'missing_field' });
  });

  it('reads reversals under their own receipt, also failed ones with codes in letters', () => {
    const original = { Key: 'OriginalTransactionID', Value: 'SKC82PACB8' };
    const reversed = { style: 'reversal', outcome: 'reversed', txnId: 'SG632NMUAB' };
    expect(read('money.reversal', result({}, [original]))).toMatchObject(reversed);
    expect(read('money.reversal', result({ ResultCode: 'R000001' }))).toMatchObject({
      outcome: 'failed',
      reason: 'duplicate',
    });
    expect(read('money.reversal', result({ ResultCode: 'R000002' }))).toMatchObject({
      outcome: 'failed',
      reason: 'unknown',
    });
  });

  it('reads a status under the receipt asked about, with repeated and empty keys', () => {
    const parameters = [
      { Key: 'DebitPartyName', Value: '600310 - Safaricom333' },
      { Key: 'TransactionReason' },
      { Key: 'DebitPartyName', Value: '254708374149 - John Doe' },
      { Key: 'FinalisedTime', Value: 20180223054112 },
      { Key: 'Amount', Value: 300 },
      { Key: 'ReceiptNo', Value: 'lgr919g2av' },
      { Key: 'TransactionStatus', Value: 'Completed' },
    ];
    expect(read('money.status', result({ ResultCode: '0' }, parameters))).toMatchObject({
      style: 'status',
      txnId: 'LGR919G2AV',
      outcome: 'paid',
      amountMinor: '30000',
      payerMsisdn: '+254708374149',
      occurredAt: '2018-02-23T02:41:12.000Z',
    });
    const failed = result({ ResultCode: 2001 });
    expect(read('money.status', failed)).toMatchObject({ outcome: 'unknown' });
  });
});

describe('lesser senders', () => {
  it('reads standing orders in both casings; none of them moves money', () => {
    const data = (name: string, value: string) => (key: string, text: string) => ({
      [name]: key,
      [value]: text,
    });
    const pascal = data('Name', 'Value');
    const body = {
      ResponseHeader: { responseRefID: '4dd9', requestRefID: 'c8c2', responseCode: '1037' },
      ResponseBody: {
        ResponseData: [
          pascal('TransactionID', '0000000000'),
          pascal('responseCode', '1037'),
          pascal('Msisdn', '*********149'),
        ],
      },
    };
    expect(read('money.notice', body)).toMatchObject({
      ...{ txnId: null, requestId: 'c8c2', outcome: 'failed', reason: 'payer_timeout' },
      ...{ payerMsisdn: null, amountMinor: null },
    });
    const camel = data('name', 'value');
    const accepted = {
      responseHeader: { responseRefID: '0acc', responseCode: '0' },
      responseBody: { responseData: [camel('TransactionID', 'SC8F2IQMH5')] },
    };
    expect(read('money.notice', accepted)).toMatchObject({
      ...{ txnId: 'SC8F2IQMH5', requestId: '0acc', outcome: 'pending', reason: null },
    });
  });

  it('reads payments of Bill Manager', () => {
    const body = { transactionId: 'RJB53MYR1N', paidAmount: '50', accountReference: '' };
    const paid = { outcome: 'paid', amountMinor: '5000', accountRef: null, quarantine: false };
    expect(read('money.notice', body)).toMatchObject(paid);
  });

  it('reads pull answers of one, of several and of no payment', () => {
    const row = { transactionId: 'lhg31aa5tx', trxDate: '2020-08-05T10:13:00Z', amount: '233.8' };
    const answer = (Response: unknown) => ({ ResponseCode: '1000', Response });
    expect(read('money.status', answer([[row]]))).toMatchObject({ amountMinor: '23380' });
    expect(read('money.status', answer([[row, row]]))).toMatchObject({
      payments: [{ txnId: 'LHG31AA5TX' }, { txnId: 'LHG31AA5TX' }],
    });
    expect(read('money.status', answer(JSON.stringify([[row]])))).toMatchObject({
      txnId: 'LHG31AA5TX',
      occurredAt: '2020-08-05T10:13:00.000Z',
    });
    const empty = { ResponseRefID: 'x', ResponseCode: '1001', Response: '[[]]' };
    expect(read('money.status', empty)).toEqual({ type: 'money', payments: [] });
  });
});
