import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { silentLogger } from '../../../platform/log.ts';
import { StartError } from '../../../platform/start-error.ts';
import { createAfricastalkingTexts } from './africastalking-sender.ts';

const CONTEXT = { country: 'KE', currency: 'KES', timeZone: 'Africa/Nairobi' };
const TO = '+254711000111';

/** A gateway that answers whatever it is told, or breaks the connection. */
let script: { status: number; body: string; headers?: Record<string, string> } | 'break';
let asked: string[] = [];
let baseUrl = '';
const gateway = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    asked.push(`${request.url} ${Buffer.concat(chunks)}`);
    if (script === 'break') return void request.socket.destroy();
    response.writeHead(script.status, script.headers);
    response.end(script.body);
  });
});

beforeAll(async () => {
  await new Promise<void>((resolve) => void gateway.listen(0, '127.0.0.1', resolve));
  baseUrl = `http://127.0.0.1:${(gateway.address() as AddressInfo).port}`;
});
beforeEach(() => {
  asked = [];
});
afterAll(() => {
  gateway.closeAllConnections();
  gateway.close();
});

const texts = (options: object = {}) =>
  createAfricastalkingTexts({
    ...{ username: 'viptv', apiKey: 'key-of-ours', baseUrl, context: CONTEXT },
    ...{ logger: silentLogger, ...options },
  });

const recipient = (statusCode: number, status = 'x') =>
  JSON.stringify({ SMSMessageData: { Message: '', Recipients: [{ statusCode, status }] } });

describe('an answer of the gateway', () => {
  it.each([
    [401, 'permanent', 'rejected'],
    [402, 'permanent', 'invalid_sender'],
    [403, 'permanent', 'invalid_recipient'],
    [404, 'permanent', 'invalid_recipient'],
    [405, 'retry', 'insufficient_balance'],
    [406, 'permanent', 'blocked'],
    [407, 'permanent', 'rejected'],
    [500, 'retry', 'provider_error'],
    [501, 'retry', 'provider_error'],
    [502, 'permanent', 'rejected'],
    [599, 'unknown', 'unknown'],
  ])('with the recipient code %i is %s: %s', async (code, kind, word) => {
    script = { status: 201, body: recipient(code) };
    expect(await texts().send({ to: TO, body: 'x' })).toEqual({ ok: false, kind, code: word });
  });

  it.each([
    [400, 'permanent', 'rejected'],
    [429, 'retry', 'too_many_requests'],
    [502, 'retry', 'provider_error'],
    [503, 'retry', 'provider_error'],
    [504, 'unknown', 'timeout'],
    [200, 'unknown', 'unknown'],
  ])('with the status %i and a page is %s: %s', async (status, kind, code) => {
    script = { status, body: '<html>' };
    expect(await texts().send({ to: TO, body: 'x' })).toEqual({ ok: false, kind, code });
  });

  it('without a message id is a success without delivery report', async () => {
    script = { status: 201, body: recipient(101) };
    expect(await texts().send({ to: TO, body: 'x' })).toEqual({ ok: true, providerId: null });
  });

  it('that never comes, because the connection breaks, leaves the text unknown', async () => {
    script = 'break';
    const lost = { ok: false, kind: 'unknown', code: 'connection_lost' };
    expect(await texts().send({ to: TO, body: 'x' })).toEqual(lost);
  });

  it('that redirects is not followed: the key stays with its host', async () => {
    script = { status: 307, body: '', headers: { location: `${baseUrl}/elsewhere` } };
    const result = await texts().send({ to: TO, body: 'x' });
    expect(result).toEqual({ ok: false, kind: 'permanent', code: 'rejected' });
    expect(asked).toHaveLength(1);
  });

  it('that has no end is cut off', async () => {
    script = { status: 201, body: 'x'.repeat(100_000) };
    expect(await texts().send({ to: TO, body: 'x' })).toMatchObject({ kind: 'unknown' });
  });
});

describe('a request to the gateway', () => {
  it('carries user, number, text and, when there is one, the sender', async () => {
    script = { status: 201, body: recipient(101) };
    await texts().send({ to: TO, body: 'Paid & done' });
    await texts({ senderId: 'VIPTV' }).send({ to: TO, body: 'x' });
    const common = '/version1/messaging username=viptv&to=%2B254711000111&message=';
    expect(asked).toEqual([
      `${common}Paid+%26+done&bulkSMSMode=1`,
      `${common}x&from=VIPTV&bulkSMSMode=1`,
    ]);
  });

  it('is not made for a number that cannot exist', async () => {
    const result = await texts().send({ to: '+2547', body: 'x' });
    expect(result).toEqual({ ok: false, kind: 'permanent', code: 'invalid_recipient' });
    expect(asked).toEqual([]);
  });
});

describe('the address of the gateway', () => {
  it('is one for the whole process: another one is refused in a sentence', () => {
    texts();
    expect(() => texts({ baseUrl: 'http://127.0.0.1:9' })).toThrow(StartError);
    expect(() => texts({ baseUrl: undefined, username: 'sandbox' })).toThrow(
      /one Africa's Talking address only, but both http:.* and https:\/\/api\.sandbox\./,
    );
  });

  it('stays ours when the user is that of the sandbox', async () => {
    script = { status: 201, body: recipient(101) };
    await texts({ username: 'sandbox' }).send({ to: TO, body: 'x' });
    expect(asked).toHaveLength(1);
  });

  it('stays where it was after a refused one', async () => {
    script = { status: 201, body: recipient(101) };
    const provider = texts();
    expect(() => texts({ baseUrl: undefined, username: 'sandbox' })).toThrow(StartError);
    await provider.send({ to: TO, body: 'x' });
    expect(asked).toHaveLength(1);
  });
});
