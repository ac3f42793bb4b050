import { plain, type SimulatorServer, serve } from '../mobile-money/http.ts';
import { seededRandom } from '../mobile-money/merchant.fixture.ts';
import { shapeOf } from '../mobile-money/published.fixture.ts';
import { createTextSimulator, type TextSimulator } from './server.ts';

interface SmsPackage {
  send(text: { to: string[]; message: string; from?: string }): Promise<typeof RECORDED>;
  fetchMessages(from: { lastReceivedId: number }): Promise<unknown>;
}
// The package brings no types.
const AfricasTalking =
  jest.requireActual<(account: { apiKey: string; username: string }) => { SMS: SmsPackage }>(
    'africastalking',
  );
const packageUrls = jest.requireActual<{ SMS_URL: string }>('africastalking/lib/common');

const AMINA = '+254722000001';
const BARAKA = '+254722000002';

/** Recorded from the gateway's sandbox on 2023-11-21. */
const RECORDED = {
  SMSMessageData: {
    Message: 'Sent to 1/1 Total Cost: USD 0.0079 Message parts: 1',
    Recipients: [
      {
        cost: 'KES 0.8000',
        messageId: 'ATXid_a9aece16db3a68dfbd50003ae524d4fa',
        number: '+254700072929',
        status: 'Success',
        statusCode: 102,
      },
    ],
  },
};

let texts: TextSimulator;
let product: SimulatorServer;
let posted: URLSearchParams[];

beforeEach(async () => {
  posted = [];
  const take = (request: { body: string }) => {
    posted.push(new URLSearchParams(request.body));
    return plain(200, '');
  };
  product = await serve({ 'POST /report': take, 'POST /incoming': take }, 0);
  texts = await createTextSimulator({
    clock: { now: () => new Date('2026-11-23T09:00:00.000Z') },
    random: seededRandom(),
    username: 'vip',
    apiKey: 'key',
    senderIds: ['VIPTV'],
    deliveryReportUrl: `${product.url}/report`,
    incomingUrl: `${product.url}/incoming`,
    reportDelayMs: 0,
  });
});

afterEach(async () => {
  await texts.stop();
  await product.stop();
});

function send(form: Record<string, string>, apiKey = 'key'): Promise<Response> {
  return fetch(`${texts.url}/version1/messaging`, {
    method: 'POST',
    headers: { apiKey, accept: 'application/json' },
    body: new URLSearchParams({ username: 'vip', to: AMINA, message: 'Hello', ...form }),
    signal: AbortSignal.timeout(300),
  });
}

const control = (path: string, body: object) =>
  fetch(`${texts.url}/control/${path}`, { method: 'POST', body: JSON.stringify(body) });

describe('sending', () => {
  it('answers 201 in the recorded shape and delivers to the inbox', async () => {
    const response = await send({ from: 'VIPTV' });
    const body = (await response.json()) as typeof RECORDED;
    expect([response.status, shapeOf(body)]).toEqual([201, shapeOf(RECORDED)]);
    expect(body.SMSMessageData.Message).toBe('Sent to 1/1 Total Cost: KES 0.8000 Message parts: 1');
    const inbox = await fetch(`${texts.url}/inbox/${AMINA}`).then((answer) => answer.json());
    expect(inbox).toEqual({
      texts: [
        {
          id: body.SMSMessageData.Recipients[0]?.messageId,
          at: '2026-11-23T09:00:00.000Z',
          from: 'VIPTV',
          to: AMINA,
          text: 'Hello',
        },
      ],
    });
  });

  it('refuses a wrong key with 401 in plain text', async () => {
    const response = await send({}, 'guess');
    expect([response.status, await response.text()]).toEqual([
      401,
      'The supplied authentication is invalid',
    ]);
    expect(response.headers.get('content-type')).toBe('text/plain; charset=UTF-8');
    expect(response.headers.get('www-authenticate')).toBe('Basic realm="api",charset=UTF-8');
  });

  it('answers an unknown sender id with 201 and nobody', async () => {
    const response = await send({ from: 'OTHER' });
    expect(response.status).toBe(201);
    expect(await response.json()).toEqual({
      SMSMessageData: { Message: 'InvalidSenderId', Recipients: [] },
    });
    expect(texts.allTexts()).toEqual([]);
  });

  it('answers each recipient by itself', async () => {
    await control('recipient', { msisdn: BARAKA, code: 406 });
    const response = await send({ to: `${AMINA},${BARAKA},0722` });
    const body = (await response.json()) as typeof RECORDED;
    const rows = body.SMSMessageData.Recipients.map(({ status, statusCode }) => [
      status,
      statusCode,
    ]);
    expect(rows).toEqual([
      ['Success', 102],
      ['UserInBlacklist', 406],
      ['InvalidPhoneNumber', 403],
    ]);
    expect(texts.allTexts().map(({ to }) => to)).toEqual([AMINA]);
  });

  it('refuses a request without recipients or without a message', async () => {
    expect((await send({ to: '' })).status).toBe(400);
    const form = new URLSearchParams({ username: 'vip', to: AMINA });
    const url = `${texts.url}/version1/messaging`;
    const response = await fetch(url, { method: 'POST', headers: { apiKey: 'key' }, body: form });
    expect(response.status).toBe(400);
  });
});

describe('faults', () => {
  it('status_500 takes nothing', async () => {
    await control('fault', { fault: 'status_500' });
    expect((await send({})).status).toBe(500);
    expect(texts.allTexts()).toEqual([]);
  });

  it.each([
    ['hang', 0],
    ['deliver_then_hang', 1],
  ] as const)('%s never answers', async (fault, delivered) => {
    texts.setFault(fault);
    await expect(send({})).rejects.toThrow(/timeout/i);
    expect(texts.allTexts()).toHaveLength(delivered);
  });

  it('status_200 delivers and answers 200', async () => {
    texts.setFault('status_200');
    expect((await send({})).status).toBe(200);
    expect((await control('fault', { fault: 'rain' })).status).toBe(400);
  });
});

describe('delivery reports', () => {
  const reported = () => posted.map((form) => form.get('status'));

  it('come interim first, with the fields of the gateway', async () => {
    await send({});
    await texts.idle();
    expect(reported()).toEqual(['Submitted', 'Success']);
    expect(Object.fromEntries(posted[1] ?? [])).toEqual({
      id: texts.inbox(AMINA)[0]?.id,
      status: 'Success',
      phoneNumber: AMINA,
      networkCode: '63902',
      retryCount: '0',
    });
  });

  it('overtake each other and fail when told so', async () => {
    const rules = { order: 'final_first', finalStatus: 'Failed', failureReason: 'UserInBlackList' };
    await control('reports', rules);
    await send({});
    await texts.idle();
    expect(reported()).toEqual(['Failed', 'Submitted']);
    expect(posted[0]?.get('failureReason')).toBe('UserInBlackList');
  });

  it('are not sent without an address', async () => {
    texts.setDeliveryReportUrl(null);
    await send({});
    await texts.idle();
    expect(posted).toEqual([]);
  });
});

describe('texts from telephones', () => {
  it('are posted, and fetched with a number for an id', async () => {
    const told = await control('incoming', { from: AMINA, to: '28901', text: 'BAL' });
    expect(await told.json()).toEqual({ status: 200 });
    expect(Object.fromEntries(posted[0] ?? [])).toMatchObject({
      from: AMINA,
      to: '28901',
      text: 'BAL',
      id: '15071',
      date: '2026-11-23T09:00:00.000Z',
    });
    const fetched = (lastReceivedId: number) =>
      fetch(`${texts.url}/version1/messaging?username=vip&lastReceivedId=${lastReceivedId}`, {
        headers: { apiKey: 'key' },
      }).then((response) => response.json());
    expect(await fetched(0)).toMatchObject({
      SMSMessageData: { Messages: [{ id: 15071, text: 'BAL', from: AMINA }] },
    });
    expect(await fetched(15071)).toEqual({ SMSMessageData: { Messages: [] } });
  });
});

describe('the africastalking package', () => {
  it('sends and fetches through the simulator', async () => {
    packageUrls.SMS_URL = `${texts.url}/version1/messaging`;
    const { SMS } = AfricasTalking({ apiKey: 'key', username: 'vip' });
    const answer = await SMS.send({ to: [AMINA, BARAKA], message: 'Hello', from: 'VIPTV' });
    expect(answer.SMSMessageData.Recipients).toMatchObject([
      { number: AMINA, status: 'Success' },
      { number: BARAKA, status: 'Success' },
    ]);
    expect(texts.inbox(BARAKA)).toMatchObject([{ text: 'Hello', from: 'VIPTV' }]);
    await texts.sendFromPhone({ from: AMINA, to: '28901', text: 'BAL' });
    expect(await SMS.fetchMessages({ lastReceivedId: 0 })).toMatchObject({
      SMSMessageData: { Messages: [{ text: 'BAL' }] },
    });
  });

  it('rejects a wrong key and a 200', async () => {
    packageUrls.SMS_URL = `${texts.url}/version1/messaging`;
    const message = { to: [AMINA], message: 'Hello' };
    const wrong = AfricasTalking({ apiKey: 'guess', username: 'vip' }).SMS;
    await expect(wrong.send(message)).rejects.toThrow('401');
    texts.setFault('status_200');
    const right = AfricasTalking({ apiKey: 'key', username: 'vip' }).SMS;
    await expect(right.send(message)).rejects.toMatchObject({ SMSMessageData: {} });
  });
});
