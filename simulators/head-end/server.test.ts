/** The head-end against a client that does not keep to the rules, which our link never breaks. */
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFakeTime, until } from '../../src/entitlement/vip-control/testing.ts';
import { silentLogger } from '../../src/platform/log.ts';
import { dial, hello } from './raw-client.ts';
import { createVipControlServer } from './server.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function setUp() {
  const folder = await mkdtemp(join(tmpdir(), 'head-end-'));
  cleanups.push(() => rm(folder, { recursive: true }));
  const deps = {
    port: 0,
    host: '127.0.0.1',
    dataFile: join(folder, 'journal.jsonl'),
    clock: createFakeTime().clock,
    logger: silentLogger,
    casId: 'main',
    latencyMs: 60_000,
    maxWindow: 1,
  };
  const headEnd = await createVipControlServer(deps);
  cleanups.push(() => headEnd.stop());
  return { deps, port: headEnd.port, call: () => dial(headEnd.port) };
}

const refresh = (seq: number, cmdId: string) => ({
  t: 'CMD',
  seq,
  cmdId,
  op: 'REFRESH',
  target: { kind: 'card', id: '4021' },
  args: {},
  prio: 'REFRESH',
  notAfter: '2026-11-23T14:00:00Z',
  issuedAt: '2026-11-23T13:00:00Z',
});

describe('log-in', () => {
  it.each([
    ['PROTOCOL', hello({ v: 2 })],
    ['NOT_ALLOWED', hello({ casId: 'other' })],
    ['PROTOCOL', { t: 'HELLO' }],
    ['PROTOCOL', { t: 'DANCE' }],
  ])('is refused with %s', async (code, message) => {
    const client = (await setUp()).call();
    client.say(message);
    expect(await client.answer(1)).toEqual({ t: 'BYE', code });
    await until(client.isClosed);
  });

  it('is refused while the client has a session, unless it takes that over', async () => {
    const { call } = await setUp();
    const [first, second, third] = [call(), call(), call()];
    first.say(hello());
    expect(await first.answer(1)).toMatchObject({ t: 'WELCOME', caps: { maxWindow: 1 } });
    second.say(hello());
    expect(await second.answer(1)).toEqual({ t: 'BYE', code: 'SESSION_EXISTS' });
    third.say(hello({ takeover: true }));
    expect(await third.answer(1)).toMatchObject({ t: 'WELCOME' });
    expect(await first.answer(2)).toEqual({ t: 'BYE', code: 'TAKEN_OVER' });
  });

  it('must come before commands', async () => {
    const client = (await setUp()).call();
    client.say(refresh(1, 'c1'), { t: 'STATUS', cmdId: 'c1' });
    expect(await client.answer(1)).toEqual({ t: 'NAK', cmdId: 'c1', code: 'NOT_LOGGED_IN' });
    expect(await client.answer(2)).toEqual({ t: 'NAK', cmdId: 'c1', code: 'NOT_LOGGED_IN' });
  });
});

describe('a session', () => {
  it('answers PING, and STATUS of a command that nobody sent', async () => {
    const client = (await setUp()).call();
    client.say(hello(), { t: 'PING' }, { t: 'STATUS', cmdId: 'c1' });
    expect(await client.answer(2)).toEqual({ t: 'PONG' });
    expect(await client.answer(3)).toEqual({ t: 'NAK', cmdId: 'c1', code: 'UNKNOWN_COMMAND' });
  });

  it('holds the client to its sequence and its window', async () => {
    const client = (await setUp()).call();
    client.say(hello(), refresh(2, 'c2'), refresh(1, 'c1'));
    expect(await client.answer(2)).toMatchObject({ t: 'NAK', cmdId: 'c2', code: 'SEQ_GAP' });
    expect(await client.answer(3)).toEqual({ t: 'ACK', seq: 1, cmdId: 'c1', status: 'ACCEPTED' });
    client.say(refresh(1, 'c3'), refresh(2, 'c4'), refresh(3, 'c1'));
    expect(await client.answer(4)).toMatchObject({ t: 'NAK', cmdId: 'c3', code: 'SEQ_DUP' });
    expect(await client.answer(5)).toMatchObject({ t: 'NAK', cmdId: 'c4', code: 'WINDOW_FULL' });
    expect(await client.answer(6)).toEqual({ t: 'ACK', seq: 3, cmdId: 'c1', status: 'DUPLICATE' });
  });

  it('ends with BYE PROTOCOL on bytes that are no frame', async () => {
    const client = (await setUp()).call();
    client.say(hello());
    await client.answer(1);
    client.sayBytes(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
    expect(await client.answer(2)).toEqual({ t: 'BYE', code: 'PROTOCOL' });
    await until(client.isClosed);
  });
});

describe('a second head-end started by mistake', () => {
  it('does not touch the file of the first', async () => {
    const { deps, port } = await setUp();
    const inode = async () => (await stat(deps.dataFile)).ino;
    const before = await inode();
    await expect(createVipControlServer({ ...deps, port })).rejects.toThrow('EADDRINUSE');
    expect(await inode()).toBe(before);
  });
});
