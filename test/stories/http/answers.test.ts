import { createHouse, type House } from './house.ts';
import { type Answer, c2b, send, stk } from './paybill.ts';

let house: House;
beforeAll(async () => {
  house = await createHouse();
});
afterAll(() => house.close());

const JSON_TYPE = 'application/json';
const said = (status: number, body: object, contentType = JSON_TYPE): Answer => ({
  status,
  contentType,
  body: JSON.stringify(body),
});

describe('the answers Safaricom Daraja waits for', () => {
  const validate = (body: string) => send(house.hook('ke-paybill', '/validate'), body);

  it('accept a payment for a card, a phone or an order of ours', async () => {
    const { card, msisdn } = await house.customer();
    for (const BillRefNumber of [card, msisdn.slice(1)]) {
      expect(await validate(c2b({ TransID: 'UKN1', BillRefNumber }))).toEqual(
        said(200, { ResultCode: '0', ResultDesc: 'Accepted' }),
      );
    }
  });

  it.each([
    ['an account nobody knows', { BillRefNumber: 'ACC 12' }, 'C2B00012'],
    ['no account', { BillRefNumber: '' }, 'C2B00012'],
    ['a NUL in the account', { BillRefNumber: '\u0000' }, 'C2B00012'],
    ['no money', { TransAmount: '0' }, 'C2B00013'],
    ['an amount that is none', { TransAmount: 'much' }, 'C2B00013'],
    ['no receipt', { TransID: '' }, 'C2B00016'],
  ])('refuse %s with its code', async (_what, change, ResultCode) => {
    const { card } = await house.customer();
    const body = c2b({ TransID: 'UKN1', BillRefNumber: card, ...change });
    expect(await validate(body)).toEqual(said(200, { ResultCode, ResultDesc: 'Rejected' }));
  });

  it('acknowledge a confirmation, the first time and again', async () => {
    const { card } = await house.customer();
    const body = c2b({ TransID: 'UKN2', BillRefNumber: card });
    const received = said(200, { ResultCode: 0, ResultDesc: 'Success' });
    expect(await send(house.hook('ke-paybill', '/confirm'), body)).toEqual(received);
    expect(await send(house.hook('ke-paybill', '/confirm'), body)).toEqual(received);
  });

  it('acknowledge a callback of a prompt, paid or not', async () => {
    for (const resultCode of [0, 1032]) {
      const { msisdn } = await house.customer();
      house.money.setPhone(msisdn, { behaviour: 'manual' });
      await house.dial(house.phone(msisdn), '*384*100#', '1', '1', '1');
      const told =
        resultCode === 0
          ? await house.payInSilence(msisdn)
          : { ...(await house.toldOf(msisdn)), checkoutRequestId: await house.promptOn(msisdn) };
      expect(await send(told.callbackUrl, stk({ ...told, amount: 650, resultCode }))).toEqual(
        said(200, { ResultCode: 0, ResultDesc: 'Success' }),
      );
    }
  });
});

describe('the answers a USSD gateway waits for', () => {
  const first = { sessionId: 'ATUid_1', serviceCode: '*384*100#', text: '' };

  it('begin with CON while the dialogue goes on, and with END when it is over', async () => {
    const { msisdn: phoneNumber } = await house.customer();
    const menu = await house.hop('ke-ussd', { ...first, phoneNumber });
    expect(menu).toMatchObject({ status: 200, body: expect.stringMatching(/^CON VIP TV\n/) });
    expect(menu.contentType).toMatch(/^text\/plain/);
    for (const text of ['1', '1*1', '1*1*0'])
      await house.hop('ke-ussd', { ...first, phoneNumber, text });
    const end = await house.hop('ke-ussd', { ...first, phoneNumber, text: '1*1*0' });
    expect(end).toMatchObject({ status: 200, body: 'END Cancelled. Nothing was paid.' });
  });

  it('are an END in plain text for what is no request', async () => {
    const answer = await house.hop('ke-ussd', { text: '1' });
    expect(answer).toMatchObject({ status: 400, body: 'END Bad request' });
    expect(answer.contentType).toMatch(/^text\/plain/);
  });

  it('are empty for the event that ends a session', async () => {
    const event = { sessionId: 'ATUid_1', phoneNumber: '+254711000001', status: 'Incomplete' };
    expect(await house.hop('ke-ussd', event, '/end')).toMatchObject({ status: 200, body: '' });
    expect(await house.hop('ke-ussd', {}, '/end')).toMatchObject({ status: 400 });
  });

  it('say the same to a caller whose number is hidden: dial from another phone', async () => {
    const hidden = { ...first, sessionId: 'ATUid_2', phoneNumber: 'anonymous' };
    expect((await house.hop('ke-ussd', hidden)).body).toMatch(/^END Sorry, your phone number/);
  });
});

describe('the answers a text gateway waits for', () => {
  it('are 200 for a report about any text, and 400 for what is none', async () => {
    const report = { id: 'ATXid_unknown', status: 'Success' };
    expect(await house.hop('ke-text', report, '/report')).toMatchObject({ status: 200, body: '' });
    expect(await house.hop('ke-text', { hello: 'you' }, '/report')).toMatchObject({ status: 400 });
    expect(await house.hop('ke-text', report, '/other')).toMatchObject({ status: 404 });
  });
});

describe('the answers an operator of TV units waits for', () => {
  it('are told with our reference', async () => {
    const { msisdn } = await house.customer();
    const answer = await house.tvuNotice({ receipt: 'TU8ANSWER', msisdn, units: 10 });
    expect(answer).toMatchObject({ status: 200, contentType: JSON_TYPE });
    expect(JSON.parse(answer.body)).toEqual({
      status: 'accepted',
      ref: expect.stringMatching(/^[0-9A-Z]{5,}$/),
    });
  });
});
