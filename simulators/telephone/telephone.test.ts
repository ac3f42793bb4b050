import { json, plain } from '../mobile-money/http.ts';
import { seededRandom } from '../mobile-money/merchant.fixture.ts';
import { type Gateway, openGateway } from './gateway.fixture.ts';
import { createTelephone, type Telephone, type UssdChannel } from './telephone.ts';

let gateway: Gateway;
let now: number;

beforeEach(async () => {
  gateway = await openGateway();
  now = Date.parse('2026-11-23T09:00:00.000Z');
});

afterEach(() => gateway.stop());

/** Long enough for a busy machine. */
const ANSWER_MS = 5_000;

function telephone(
  change: Partial<UssdChannel> = {},
  answerTimeoutMs: number = ANSWER_MS,
): Telephone {
  return createTelephone({
    channel: {
      channel: 'ke-ussd',
      provider: 'africastalking',
      country: 'KE',
      serviceCode: '*384*100#',
      networkCode: '63902',
      url: `${gateway.url}/ussd`,
      endUrl: `${gateway.url}/end`,
      ...change,
    },
    msisdn: '+254700000001',
    clock: { now: () => new Date(now) },
    random: seededRandom(),
    answerTimeoutMs,
  });
}

const said = (name: string) => gateway.heard.map(({ fields }) => fields[name]);

describe('a session in the format of Africa’s Talking', () => {
  it('sends all inputs so far under one session id', async () => {
    const phone = telephone();
    await phone.dial('*384*100#');
    await phone.send('1');
    const hop = await phone.send('2 a');
    expect(hop).toEqual({ ok: true, screen: 'You typed: 1*2 a', ended: false });
    expect(said('text')).toEqual(['', '1', '1*2 a']);
    expect(new Set(said('sessionId'))).toEqual(new Set([phone.sessionId()]));
    expect(gateway.heard[0]?.fields).toEqual({
      sessionId: expect.stringMatching(/^ATUid_[0-9a-f]{32}$/),
      serviceCode: '*384*100#',
      phoneNumber: '+254700000001',
      networkCode: '63902',
      text: '',
    });
  });

  it('carries what is dialled behind the code as the first text', async () => {
    const phone = telephone();
    await phone.dial('*384*100*1*2#');
    await phone.send('3');
    expect(said('text')).toEqual(['1*2', '1*2*3']);
    expect(await phone.dial('*384*10#')).toMatchObject({ ok: false, error: 'wrong_code' });
  });

  it('repeats the very same request', async () => {
    const phone = telephone();
    await phone.dial('*384*100#');
    await phone.send('1');
    await phone.repeat();
    expect(gateway.heard[2]).toEqual(gateway.heard[1]);
  });

  it('tells the end with its status, hops, input and last answer', async () => {
    const phone = telephone();
    await phone.dial('*384*100#');
    now += 12_345;
    expect(await phone.send('9')).toEqual({ ok: true, screen: 'Bye', ended: true });
    expect(gateway.heard.at(-1)).toEqual({
      path: '/end',
      fields: {
        date: '2026-11-23 09:00:12',
        sessionId: phone.sessionId(),
        serviceCode: '*384*100#',
        networkCode: '63902',
        phoneNumber: '+254700000001',
        status: 'Success',
        cost: 'KES 0.10',
        durationInMillis: '12345',
        hopsCount: '2',
        input: '9',
        lastAppResponse: 'END Bye',
      },
    });
    expect([phone.ended(), phone.screen()]).toEqual([true, 'Bye']);
    expect(await phone.send('1')).toMatchObject({ ok: false, error: 'no_session' });
  });

  it('tells a hang-up as Incomplete, once', async () => {
    const phone = telephone();
    await phone.dial('*384*100#');
    expect([await phone.abort(), await phone.abort()]).toEqual([true, false]);
    expect(said('status').filter(Boolean)).toEqual(['Incomplete']);
  });

  it('ends after 180 seconds', async () => {
    const phone = telephone();
    await phone.dial('*384*100#');
    now += 180_001;
    expect(await phone.send('1')).toMatchObject({ ok: false, error: 'session_expired' });
    expect(said('status').filter(Boolean)).toEqual(['Incomplete']);
  });

  it('begins a new session when dialling in the middle of one', async () => {
    const phone = telephone();
    await phone.dial('*384*100#');
    await phone.dial('*384*100#');
    expect(new Set(said('sessionId')).size).toBe(2);
    expect(said('status')).toEqual([undefined, 'Incomplete', undefined]);
  });
});

describe('a network refuses', () => {
  it.each([
    ['an answer without CON or END', plain(200, 'Hello'), 'bad_answer'],
    ['JSON', json(200, 'CON Hello'), 'bad_answer'],
    ['another status than 200', plain(201, 'CON Hello'), 'bad_answer'],
    ['183 septets', plain(200, `CON ${'a'.repeat(183)}`), 'too_long'],
    ['92 extended characters', plain(200, `END ${'€'.repeat(92)}`), 'too_long'],
    ['71 characters outside GSM-7', plain(200, `CON ${'ê'.repeat(71)}`), 'too_long'],
  ])('%s, and tells the end as Failed', async (_what, answer, error) => {
    gateway.answerWith(() => answer);
    const phone = telephone();
    expect(await phone.dial('*384*100#')).toMatchObject({ ok: false, error });
    expect(phone.ended()).toBe(true);
    expect(gateway.heard.at(-1)?.fields).toMatchObject({
      status: 'Failed',
      errorMessage: expect.stringMatching(/./),
    });
  });

  it('silence', async () => {
    gateway.answerWith(() => 'hang');
    expect(await telephone({}, 100).dial('*384*100#')).toMatchObject({
      ok: false,
      error: 'no_answer',
    });
  });

  it('but takes 182 septets and 70 characters outside GSM-7', async () => {
    for (const screen of ['a'.repeat(182), 'ê'.repeat(70)]) {
      gateway.answerWith(() => plain(200, `CON ${screen}`));
      expect(await telephone().dial('*384*100#')).toMatchObject({ ok: true, screen });
    }
  });
});

describe('a session in the format of Safaricom', () => {
  it('sends GET with cumulative parameters and no end event', async () => {
    const phone = telephone({
      provider: 'safaricom',
      serviceCode: '*167#',
      url: `${gateway.url}/direct`,
    });
    await phone.dial('*167*7#');
    await phone.send('3');
    await phone.send('9');
    const ids = { ORIG: '254700000001', DEST: '167', SESSION_ID: phone.sessionId() };
    expect(gateway.heard).toEqual([
      { path: '/direct', fields: { ...ids, USSD_PARAMS: '7' } },
      { path: '/direct', fields: { ...ids, USSD_PARAMS: '7*3' } },
      { path: '/direct', fields: { ...ids, USSD_PARAMS: '7*3*9' } },
    ]);
    expect(phone.ended()).toBe(true);
  });
});
