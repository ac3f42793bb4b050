/** VIP Control by HTTP: the same objects, one a request. */
import type { JsonObject } from '../../src/entitlement/vip-control/frame.ts';
import { parseServerMessage } from '../../src/entitlement/vip-control/messages.ts';
import { until } from '../../src/entitlement/vip-control/testing.ts';
import type { VipControlServerDeps } from './head-end.ts';
import { closeLater, setUp, tearDown } from './head-end-harness.ts';
import { createHeadEndHttp } from './http.ts';
import { hello, logInTo } from './raw-client.ts';

afterEach(tearDown);

async function openVcp(options: Partial<VipControlServerDeps> = {}) {
  const world = await setUp(options);
  await world.link.close();
  const place = { host: '127.0.0.1', port: 0, clock: world.time.clock };
  const http = await createHeadEndHttp({ headEnd: world.house.headEnd, ...place });
  closeLater(http.stop);
  const url = `http://127.0.0.1:${http.port}/vcp`;
  const send = async (body: string, headers: Record<string, string> = {}, method = 'POST') => {
    const sent = { 'content-type': 'application/json', ...headers };
    const response = await fetch(url, {
      ...{ method, headers: sent, ...(method === 'POST' ? { body } : {}) },
    });
    return { status: response.status, body: (await response.json()) as JsonObject };
  };
  /** A message within a session; its answer is one that our link would read. */
  const say = async (message: object, session?: unknown) => {
    const header = session === undefined ? {} : { 'vcp-session': String(session) };
    const { status, body } = await send(JSON.stringify(message), header);
    expect(status).toBe(200);
    expect(parseServerMessage(body).ok).toBe(true);
    return body;
  };
  const logIn = async () => (await say(hello({ takeover: true }))).sessionId;
  return { ...world, send, say, logIn };
}

const command = (cmdId: string, more: object = {}) => ({
  ...{ t: 'CMD', seq: 1, cmdId, op: 'ENTITLE', target: { kind: 'card', id: '4021' } },
  ...{ epoch: 1, rev: 1, args: { set: [] }, prio: 'SALE' },
  ...{ notAfter: '2026-11-24T13:00:00Z', issuedAt: '2026-11-23T13:00:00Z', ...more },
});
const status = (cmdId: string) => ({ t: 'STATUS', cmdId });
const PING = { t: 'PING' };

describe('a session by HTTP', () => {
  it('logs in, orders, fetches the result, asks and leaves', async () => {
    const { say, logIn } = await openVcp();
    const session = await logIn();
    expect(await say(command('c1'), session)).toEqual({
      ...{ t: 'ACK', seq: 1, cmdId: 'c1', status: 'ACCEPTED' },
    });
    expect(await say(status('c1'), session)).toMatchObject({ t: 'RES', code: 'DONE' });
    const question = { t: 'QUERY', qid: 'q', query: { op: 'DUMP', args: {} } };
    expect(await say(question, session)).toMatchObject({ t: 'ANSWER', answer: { cards: [{}] } });
    expect(await say(PING, session)).toEqual({ t: 'PONG' });
    expect(await say({ t: 'BYE', code: 'CLOSING' }, session)).toEqual({
      t: 'BYE',
      code: 'CLOSING',
    });
    expect(await say(PING, session)).toEqual({ t: 'BYE', code: 'NOT_LOGGED_IN' });
  });

  it('says that there is no result yet, or no such command, and why one is not taken', async () => {
    const { say, logIn, time } = await openVcp({ latencyMs: 5_000 });
    const session = await logIn();
    await say(command('c1'), session);
    expect(await say(status('c1'), session)).toMatchObject({ t: 'ACK', status: 'DUPLICATE' });
    expect(await say(status('c9'), session)).toMatchObject({ t: 'NAK', code: 'UNKNOWN_COMMAND' });
    expect(await say(command('c2', { op: 'DANCE' }), session)).toMatchObject({ code: 'PROTOCOL' });
    time.advance(5_000);
    expect(await say(status('c1'), session)).toMatchObject({ t: 'RES', code: 'DONE' });
    expect(await say(command('c1'), session)).toMatchObject({ t: 'ACK', status: 'DUPLICATE' });
  });

  it('takes commands side by side, whatever their numbers', async () => {
    const { say, logIn } = await openVcp();
    const session = await logIn();
    const numbers = [7, 3, 3, 900];
    const answers = await Promise.all(
      numbers.map((seq, n) => say(command(`c${n}`, { seq, rev: n }), session)),
    );
    expect(answers.map(({ t, seq }) => [t, seq])).toEqual(numbers.map((seq) => ['ACK', seq]));
  });

  it('hears with its PINGs what nobody asked for', async () => {
    const { say, logIn, house } = await openVcp();
    const session = await logIn();
    house.headEnd.setFlow(3);
    house.headEnd.writeByConsole({ card: '1', by: 'ann', why: 'test', suspended: 'test' });
    await until(() => house.headEnd.card('1') !== undefined);
    expect(await say(PING, session)).toEqual({ t: 'FLOW', window: 3 });
    await say({ t: 'QUERY', qid: 'q', query: { op: 'QUERY_CARD', args: { card: '1' } } }, session);
    expect(await say(PING, session)).toMatchObject({ t: 'EVT', kind: 'foreign_write' });
    expect(await say(PING, session)).toEqual({ t: 'PONG' });
  });

  it('is over after 45 s without a request, and its place is free', async () => {
    const { say, logIn, time } = await openVcp();
    const session = await logIn();
    time.advance(44_000);
    expect(await say(PING, session)).toEqual({ t: 'PONG' });
    expect(await say(hello())).toEqual({ t: 'BYE', code: 'SESSION_EXISTS' });
    time.advance(45_000);
    expect(await say(command('c1'), session)).toMatchObject({ t: 'NAK', code: 'NOT_LOGGED_IN' });
    expect(await say(status('c1'), session)).toMatchObject({ t: 'NAK', code: 'NOT_LOGGED_IN' });
    const question = { t: 'QUERY', qid: 'q', query: { op: 'DUMP', args: {} } };
    expect(await say(question)).toMatchObject({ answer: { op: 'REFUSED', code: 'NOT_LOGGED_IN' } });
    expect(await say(hello())).toMatchObject({ t: 'WELCOME' });
  });

  it('that was taken over hears so, whatever it sends, for ten minutes', async () => {
    const { say, logIn, time, house } = await openVcp();
    const session = await logIn();
    await logInTo(house.headEnd.port);
    expect(await say(PING, session)).toEqual({ t: 'BYE', code: 'TAKEN_OVER' });
    time.advance(599_000);
    expect(await say(command('c1'), session)).toEqual({ t: 'BYE', code: 'TAKEN_OVER' });
    time.advance(1_000);
    expect(await say(PING, session)).toEqual({ t: 'BYE', code: 'NOT_LOGGED_IN' });
  });

  it('ends when VIP Control goes down', async () => {
    const { say, logIn, send, house } = await openVcp();
    const session = await logIn();
    await house.headEnd.setLink(false);
    const headers = { 'vcp-session': String(session) };
    expect((await send(JSON.stringify(PING), headers)).status).toBe(503);
    await house.headEnd.setLink(true);
    expect(await say(PING, session)).toEqual({ t: 'BYE', code: 'NOT_LOGGED_IN' });
  });

  it('ends at what is no message', async () => {
    const { say, logIn, send } = await openVcp();
    const session = await logIn();
    const bye = { status: 400, body: { t: 'BYE', code: 'PROTOCOL' } };
    expect(await send('{"t":"SING"}', { 'vcp-session': String(session) })).toEqual(bye);
    expect(await say(PING, session)).toEqual({ t: 'BYE', code: 'NOT_LOGGED_IN' });
    expect(await send('no JSON')).toEqual(bye);
  });

  it('is never begun by a web page, another method or type, or too much', async () => {
    const { send } = await openVcp();
    const text = JSON.stringify(hello());
    expect((await send(text, {}, 'GET')).status).toBe(405);
    expect((await send(text, { 'content-type': 'text/plain' })).status).toBe(415);
    expect((await send(JSON.stringify(hello({ nonce: 'n'.repeat(70_000) })))).status).toBe(413);
  });
});
