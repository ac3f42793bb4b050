import {
  AMINA,
  type Merchant,
  type Operator,
  openMerchant,
  openOperator,
  pushRequest,
  queryRequest,
  registerRequest,
} from './merchant.fixture.ts';
import {
  C2B_MASKED,
  ERROR,
  HASHED_MSISDN,
  PULL_ANSWER,
  PUSH_ANSWER,
  PUSH_CANCELLED,
  PUSH_PAID,
  REGISTER_ANSWER,
  shapeOf,
} from './published.fixture.ts';

const PUSH = '/mpesa/stkpush/v1/processrequest';
const QUERY = '/mpesa/stkpushquery/v1/query';
const REGISTER = '/mpesa/c2b/v2/registerurl';
const PULL = '/pulltransactions/v1/query';

let merchant: Merchant;
let operator: Operator;

beforeEach(async () => {
  merchant = await openMerchant();
  operator = await openOperator({ validationTimeoutMs: 100 });
});

afterEach(async () => {
  await operator.stop();
  await merchant.stop();
});

describe('the token', () => {
  const generate = (authorization: string, grant = 'client_credentials') =>
    fetch(`${operator.url}/oauth/v1/generate?grant_type=${grant}`, { headers: { authorization } });

  it('is given for key and secret, with its seconds as text', async () => {
    const answer = await generate(`Basic ${btoa('key:secret')}`);
    expect(await answer.json()).toEqual({
      access_token: expect.stringMatching(/^\w{20,}$/),
      expires_in: '3599',
    });
  });

  it('is refused for a wrong secret and for another grant', async () => {
    expect((await generate(`Basic ${btoa('key:guess')}`)).status).toBe(400);
    expect((await generate(`Basic ${btoa('key:secret')}`, 'password')).status).toBe(400);
  });

  it('is needed for every call and ends after 3599 seconds', async () => {
    const without = await fetch(`${operator.url}${PUSH}`, { method: 'POST', body: '{}' });
    expect(without.status).toBe(404);
    expect(await without.json()).toMatchObject({ errorCode: '404.001.03' });
    operator.setClock('2026-11-23T10:00:00.000Z');
    expect((await operator.call(PULL, {})).body).toMatchObject({ errorCode: '404.001.03' });
  });
});

describe('a push', () => {
  it('is answered and called back in the published shapes', async () => {
    const { status, body } = await operator.call(PUSH, pushRequest(merchant));
    expect([status, shapeOf(body)]).toEqual([200, shapeOf(PUSH_ANSWER)]);
    await operator.idle();
    expect(merchant.heard.map(({ body: told }) => shapeOf(told))).toEqual([shapeOf(PUSH_PAID)]);
    expect(merchant.heard[0]?.text).toContain('"Value":650.00}');
    expect(operator.books()).toMatchObject([
      { msisdn: AMINA, amountMinor: 65_000n, kind: 'push', confirmed: true },
    ]);
  });

  it('is called back with the receipt of the books and the local time', async () => {
    await operator.call(PUSH, pushRequest(merchant));
    await operator.idle();
    const receipt = operator.books()[0]?.receipt;
    expect(receipt).toMatch(/^UKN[0-9A-Z]{7}$/);
    expect(merchant.heard[0]?.text).toContain(`"Value":"${receipt}"`);
    expect(merchant.heard[0]?.text).toContain('"Value":20261123120000');
  });

  it.each([
    ['cancel', 1032],
    ['wrong_pin', 2001],
  ] as const)(
    'to a phone that does %s moves nothing and is told without metadata',
    async (how, code) => {
      operator.setPhone(AMINA, { behaviour: how });
      await operator.call(PUSH, pushRequest(merchant));
      await operator.idle();
      expect(shapeOf(merchant.heard[0]?.body)).toEqual(shapeOf(PUSH_CANCELLED));
      expect(merchant.heard[0]?.text).toContain(`"ResultCode":${code}`);
      expect(operator.books()).toEqual([]);
    },
  );

  it('beyond the balance ends with result 1', async () => {
    operator.setPhone(`+${AMINA}`, { balanceMinor: 64_999n });
    await operator.call(PUSH, pushRequest(merchant));
    await operator.idle();
    expect(merchant.heard[0]?.text).toContain('"ResultCode":1,');
  });

  it('that nobody answers runs out with result 1037', async () => {
    await operator.stop();
    operator = await openOperator({ promptTimeoutMs: 0 });
    operator.setPhone(AMINA, { behaviour: 'no_answer' });
    const told = new Promise<void>((resolve) =>
      merchant.answerWith(() => {
        resolve();
        return { status: 200, headers: {}, body: '' };
      }),
    );
    await operator.call(PUSH, pushRequest(merchant));
    await told;
    expect(merchant.heard[0]?.text).toContain('"ResultCode":1037');
  });

  it.each([
    ['BusinessShortCode', { BusinessShortCode: '1' }],
    ['Amount', { Amount: 650.5 }],
    ['Amount', { Amount: 0 }],
    ['PhoneNumber', { PhoneNumber: '+254700000001' }],
    ['AccountReference', { AccountReference: '1234567890123' }],
    ['TransactionDesc', { TransactionDesc: '12345678901234' }],
    ['TransactionType', { TransactionType: 'CustomerBuyGoodsOnline' }],
    ['CallBackURL', { CallBackURL: 'nowhere' }],
  ])('with a wrong %s is refused in the published error shape', async (name, change) => {
    const { status, body } = await operator.call(PUSH, pushRequest(merchant, change));
    expect([status, shapeOf(body)]).toEqual([400, shapeOf(ERROR)]);
    expect(body.errorMessage).toBe(`Bad Request - Invalid ${name}`);
  });

  it('with a password of another timestamp is refused', async () => {
    const { body } = await operator.call(
      PUSH,
      pushRequest(merchant, { Timestamp: '20261123120001' }),
    );
    expect(body).toMatchObject({ errorCode: '500.001.1001', errorMessage: 'Wrong credentials' });
  });

  it('to a phone that shows one already is refused', async () => {
    operator.setPhone(AMINA, { behaviour: 'manual' });
    await operator.call(PUSH, pushRequest(merchant));
    const { status, body } = await operator.call(PUSH, pushRequest(merchant));
    expect([status, body.errorCode]).toEqual([500, '500.001.1001']);
  });
});

describe('the query for a push', () => {
  it('says "being processed" until the customer answers, then the result as text', async () => {
    operator.setPhone(AMINA, { behaviour: 'manual' });
    const { CheckoutRequestID } = (await operator.call(PUSH, pushRequest(merchant))).body;
    const before = await operator.call(QUERY, queryRequest(CheckoutRequestID));
    expect(before.status).toBe(500);
    expect(before.body.errorMessage).toBe('The transaction is being processed');
    await operator.answerPrompt(String(CheckoutRequestID), { answer: 'accept', pin: '1234' });
    const after = await operator.call(QUERY, queryRequest(CheckoutRequestID));
    expect(after.body).toMatchObject({ ResponseCode: '0', ResultCode: '0', CheckoutRequestID });
  });

  it('refuses an id that was never given out', async () => {
    const { status, body } = await operator.call(QUERY, queryRequest('ws_CO_unknown'));
    expect([status, shapeOf(body)]).toEqual([400, shapeOf(ERROR)]);
  });
});

describe('registered addresses', () => {
  it('are taken down with the misspelt answer of the original', async () => {
    const { body } = await operator.call(REGISTER, registerRequest(merchant));
    expect(shapeOf(body)).toEqual(shapeOf(REGISTER_ANSWER));
  });

  it.each([
    { ConfirmationURL: 'https://billing.example/mpesa/confirm' },
    { ValidationURL: 'https://billing.example/hooks/ke/Query' },
    { ValidationURL: 'https://billing.example/hooks/mySQLtoken' },
    { ResponseType: 'completed' },
    { ShortCode: '600101' },
  ])('are refused with %j', async (change) => {
    const { status } = await operator.call(REGISTER, registerRequest(merchant, change));
    expect(status).toBe(400);
  });
});

describe('a pay-bill payment', () => {
  const payment = { msisdn: `+${AMINA}`, accountReference: '40210000017', amountMinor: 65_050n };

  it('is validated, moved and confirmed in the published shapes', async () => {
    await operator.call(REGISTER, registerRequest(merchant));
    operator.setPhone(AMINA, { name: 'AMINA WANJIKU ACHIENG DIALLO' });
    merchant.answerWith(({ path }) => ({
      status: 200,
      headers: {},
      body: path === '/validate' ? '{"ResultCode":"0","ThirdPartyTransID":"ours-1"}' : '{}',
    }));
    const paid = await operator.payBill(payment);
    await operator.idle();
    const [validation, confirmation] = merchant.heard.map(({ body }) => body);
    expect([shapeOf(validation), shapeOf(confirmation)]).toEqual([
      shapeOf(C2B_MASKED),
      shapeOf(C2B_MASKED),
    ]);
    expect(validation).toMatchObject({ OrgAccountBalance: '', ThirdPartyTransID: '' });
    expect(confirmation).toMatchObject({
      TransID: paid.ok && paid.receipt,
      TransTime: '20261123120000',
      TransAmount: '650.50',
      OrgAccountBalance: '650.50',
      ThirdPartyTransID: 'ours-1',
      FirstName: 'AMINA',
      MiddleName: 'WANJIKU ACHIENG',
      LastName: 'DIALLO',
    });
    expect(operator.books()).toMatchObject([{ kind: 'pay_bill', confirmed: true }]);
  });

  it('that the merchant refuses moves nothing', async () => {
    await operator.call(REGISTER, registerRequest(merchant));
    const body = '{"ResultCode":"C2B00012","ResultDesc":"Rejected"}';
    merchant.answerWith(() => ({ status: 200, headers: {}, body }));
    expect(await operator.payBill(payment)).toEqual({
      ok: false,
      error: 'refused',
      resultCode: 'C2B00012',
    });
    expect(operator.books()).toEqual([]);
  });

  it.each([
    ['Completed', true],
    ['Cancelled', false],
  ])('goes by the ResponseType %s when the validation does not answer', async (type, moved) => {
    await operator.call(REGISTER, registerRequest(merchant, { ResponseType: type }));
    merchant.answerWith(({ path }) =>
      path === '/validate' ? 'hang' : { status: 200, headers: {}, body: '' },
    );
    expect((await operator.payBill(payment)).ok).toBe(moved);
    await operator.idle();
    expect(operator.books()).toHaveLength(moved ? 1 : 0);
  });

  it.each([
    ['hashed', HASHED_MSISDN],
    ['plain', '254705912645'],
    ['masked', '2547 ***** 645'],
  ] as const)('names the payer in the form %s', async (msisdnForm, told) => {
    await operator.call(REGISTER, registerRequest(merchant));
    operator.setSettings({ msisdnForm });
    await operator.payBill({ ...payment, msisdn: '254705912645' });
    await operator.idle();
    expect(merchant.heard[1]?.body.MSISDN).toBe(told);
  });

  it('can be started through the sandbox simulation', async () => {
    await operator.call(REGISTER, registerRequest(merchant));
    const { body } = await operator.call('/mpesa/c2b/v2/simulate', {
      ShortCode: '600100',
      CommandID: 'CustomerPayBillOnline',
      Amount: '5',
      Msisdn: AMINA,
      BillRefNumber: 'X1',
    });
    expect(body.ResponseCode).toBe('0');
    await operator.idle();
    expect(operator.books()).toMatchObject([{ amountMinor: 500n, accountReference: 'X1' }]);
  });
});

describe('the pull API', () => {
  const window = {
    ShortCode: '600100',
    StartDate: '2026-11-21 12:00:00',
    EndDate: '2026-11-23 12:00:00',
    OffSetValue: '0',
  };

  it('shows what moved in the window in the published shape', async () => {
    await operator.payBill({ msisdn: AMINA, accountReference: 'BC001', amountMinor: 23_380n });
    const { body } = await operator.call(PULL, window);
    expect(shapeOf(body)).toEqual(shapeOf(PULL_ANSWER));
    expect(JSON.stringify(body)).toContain('"trxDate":"2026-11-23T09:00:00Z"');
    const further = await operator.call(PULL, { ...window, OffSetValue: '1' });
    expect(further.body).toMatchObject({ ResponseCode: '1001', Response: '[[]]' });
  });

  it('shows nothing older than 48 hours', async () => {
    await operator.payBill({ msisdn: AMINA, accountReference: 'BC001', amountMinor: 23_380n });
    await operator.stop();
    operator = await openOperator();
    expect((await operator.call(PULL, window)).body.ResponseCode).toBe('1001');
  });
});
