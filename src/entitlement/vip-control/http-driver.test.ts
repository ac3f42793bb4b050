/** The link over HTTP, against a head-end that answers each request as the test says. */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { silentLogger } from '../../platform/log.ts';
import { type Command, cardTarget } from './command.ts';
import { createHttpDriver } from './http-driver.ts';
import { done } from './link-harness.ts';
import type { ClientMessage, ServerMessage } from './messages.ts';
import { createFakeRandom, createFakeTime, until } from './testing.ts';

type Of<T extends ClientMessage['t']> = Extract<ClientMessage, { t: T }>;
/** A message, an HTTP status, or nothing at all. */
type Reply = ServerMessage | Record<string, unknown> | number | 'cut' | 'silence';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A driver and its head-end, which welcomes and takes all unless `answers` say otherwise. */
async function setUp(answers: (message: ClientMessage, n: number) => Reply | undefined) {
  const time = createFakeTime();
  const received: { message: ClientMessage; session: unknown }[] = [];
  const usual = (message: ClientMessage): Reply => {
    if (message.t === 'HELLO') return welcome(message, time.clock.now());
    if (message.t === 'CMD') return { t: 'ACK', cmdId: message.cmdId, status: 'ACCEPTED' };
    if (message.t === 'STATUS') return { ...done(message.cmdId), dup: true };
    return message.t === 'PING' ? { t: 'PONG' } : { t: 'BYE', code: 'CLOSING' };
  };
  const server = createServer(async (request: IncomingMessage, response) => {
    const message: ClientMessage = JSON.parse(await text(request));
    received.push({ message, session: request.headers['vcp-session'] });
    const n = received.filter((one) => one.message.t === message.t).length;
    const reply = answers(message, n) ?? usual(message);
    if (reply === 'cut') request.socket.destroy();
    else if (typeof reply === 'number') response.writeHead(reply).end('{}');
    else if (reply !== 'silence') response.end(JSON.stringify(reply));
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  cleanups.push(() => {
    server.closeAllConnections();
    return new Promise((closed) => server.close(closed));
  });
  const { port } = server.address() as AddressInfo;
  const driver = createHttpDriver({
    ...{ host: '127.0.0.1', port, path: '/vcp', clientId: 'dispatcher-1', casId: 'main' },
    ...{ epoch: () => 3, clock: time.clock, random: createFakeRandom(), logger: silentLogger },
    timers: time.timers,
  });
  cleanups.push(driver.close);
  const of = <T extends ClientMessage['t']>(type: T) =>
    received.map(({ message }) => message).filter((one): one is Of<T> => one.t === type);
  const connected = () => until(() => driver.state() === 'connected');
  return { time, driver, received, of, connected };
}

function welcome({ nonce }: Of<'HELLO'>, now: Date): Reply {
  const caps = { osdMax: 160, maxWindow: 4, supports: [] };
  return { t: 'WELCOME', sessionId: 's1', nonce, caps, serverTime: now.toISOString(), epoch: 3 };
}

const refresh = (cmdId: string): Command => ({
  ...{ op: 'REFRESH', cmdId, target: cardTarget('4021'), args: {}, prio: 'SALE' },
  notAfter: new Date('2026-11-23T14:00:00Z'),
});

describe('over HTTP', () => {
  it('a command is posted in the session, and its result fetched with growing waits', async () => {
    const { time, driver, received, of, connected } = await setUp((message, n) =>
      message.t === 'STATUS' && n < 3
        ? { t: 'ACK', cmdId: message.cmdId, status: 'ACCEPTED' }
        : undefined,
    );
    await connected();
    let isAccepted = false;
    const outcome = driver.send({
      ...refresh('c1'),
      onAccepted() {
        isAccepted = true;
      },
    });
    await until(() => isAccepted);
    for (const [n, waitMs] of [100, 200, 400].entries()) {
      await until(() => {
        time.advance(0);
        return of('STATUS').length === n;
      });
      time.advance(waitMs - 1);
      expect(of('STATUS')).toHaveLength(n);
      time.advance(1);
      await until(() => of('STATUS').length === n + 1);
      // The answer is worked off before time goes on.
      for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
    }
    expect(await outcome).toMatchObject({ kind: 'done', dup: false });
    expect(received.map(({ session }) => session)).toEqual([undefined, 's1', 's1', 's1', 's1']);
  });

  it.each<[string, Reply]>([
    ['is cut off', 'cut'],
    ['is refused by a proxy', 502],
    ['gets no message for an answer', { t: 'ACK' }],
    ['gets the answer to another', { t: 'NAK', cmdId: 'c2', code: 'BUSY' }],
    ['is no longer logged in', { t: 'NAK', cmdId: 'c1', code: 'NOT_LOGGED_IN' }],
  ])(
    'a request that %s ends the session, and the command is asked about',
    async (_title, reply) => {
      const { time, driver, of, connected } = await setUp((message) =>
        message.t === 'CMD' && of('CMD').length === 1 ? reply : undefined,
      );
      await connected();
      const outcome = driver.send(refresh('c1'));
      await until(() => driver.state() === 'connecting');
      // A broken protocol is waited for patiently.
      time.advance(4_000);
      expect(await outcome).toMatchObject({ kind: 'done' });
      expect(of('HELLO')).toHaveLength(2);
      expect(of('STATUS')).toMatchObject([{ cmdId: 'c1' }]);
      expect(of('CMD')).toHaveLength(1);
    },
  );

  it('what is told unasked comes instead of PONG, until there is no more', async () => {
    const told = ['foreign_write', 'emm_backlog'];
    const { time, driver, of, connected } = await setUp((message, n) => {
      const kind = told[n - 1];
      return message.t === 'PING' && kind ? { t: 'EVT', kind, detail: {} } : undefined;
    });
    const heard: string[] = [];
    driver.onEvent(({ kind }) => void heard.push(kind));
    await connected();
    time.advance(15_000);
    await until(() => of('PING').length === 3);
    expect(heard).toEqual(told);
    expect(driver.state()).toBe('connected');
  });

  it('a question has its answer, or ends a session that is over', async () => {
    const { driver, connected } = await setUp((message, n) => {
      if (message.t !== 'QUERY') return undefined;
      const card = { op: 'QUERY_CARD', card: null } as const;
      const answer = n === 1 ? card : { op: 'REFUSED', code: 'NOT_LOGGED_IN' };
      return { t: 'ANSWER', qid: message.qid, answer };
    });
    await connected();
    const ask = () => driver.ask({ op: 'QUERY_CARD', args: { card: '4021' } });
    expect(await ask()).toEqual({ op: 'QUERY_CARD', card: null });
    expect(await ask()).toEqual({ op: 'REFUSED', code: 'NOT_LOGGED_IN' });
    expect(driver.state()).toBe('connecting');
  });

  it('a head-end that answers nothing is dead after 45 s', async () => {
    const { time, driver, of, connected } = await setUp(({ t }) =>
      t === 'PING' ? 'silence' : undefined,
    );
    await connected();
    time.advance(15_000);
    await until(() => of('PING').length === 1);
    time.advance(29_500);
    expect(driver.state()).toBe('connected');
    time.advance(500);
    expect(driver.state()).toBe('connecting');
  });

  it('a process that was taken over gives way', async () => {
    const { time, driver, of, connected } = await setUp(({ t }) =>
      t === 'PING' ? { t: 'BYE', code: 'TAKEN_OVER' } : undefined,
    );
    await connected();
    time.advance(15_000);
    await until(() => driver.state() === 'connecting');
    time.advance(5_000);
    await connected();
    expect(of('HELLO').map(({ takeover }) => takeover)).toEqual([true, false]);
  });

  it('closing says BYE', async () => {
    const { driver, of, connected } = await setUp(() => undefined);
    await connected();
    await driver.close();
    expect(of('BYE')).toEqual([{ t: 'BYE', code: 'CLOSING' }]);
  });
});
