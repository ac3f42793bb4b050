import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Body, readBody } from './body.ts';

const LIMIT = { limitBytes: 10, timeoutMs: 5_000 };
const servers: Server[] = [];

afterAll(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

/** A server that reads one body; `sent` does the sending, `body` is what was read. */
async function exchange(
  send: (socket: ReturnType<typeof request>) => void,
  options = LIMIT,
  early = (_req: IncomingMessage) => Promise.resolve(),
): Promise<Body> {
  const read = Promise.withResolvers<Body>();
  const server = createServer(async (req, res) => {
    await early(req);
    read.resolve(await readBody(req, options));
    res.setHeader('Connection', 'close').end();
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const sent = request({ host: '127.0.0.1', port, method: 'POST' });
  sent.on('error', () => undefined).on('response', (res) => res.resume());
  send(sent);
  return read.promise;
}

describe('reading a body', () => {
  it('gives exactly the bytes that were sent, in one piece or several', async () => {
    const odd = Buffer.from([0, 255, 13, 10, 128]);
    expect(await exchange((req) => req.end(odd))).toEqual({ ok: true, bytes: odd });
    const pieces = await exchange((req) => {
      req.write('abc');
      setImmediate(() => req.write('def'));
      setTimeout(() => req.end('ghij'), 5);
    });
    expect(pieces).toEqual({ ok: true, bytes: Buffer.from('abcdefghij') });
    expect(await exchange((req) => req.end())).toEqual({ ok: true, bytes: Buffer.alloc(0) });
  });

  it('stops at the limit and keeps what fits', async () => {
    const body = await exchange((req) => req.end('0123456789a'));
    expect(body).toEqual({ ok: false, error: 'too_large', head: Buffer.from('0123456789') });
    expect(await exchange((req) => req.end('0123456789'))).toMatchObject({ ok: true });
  });

  it('does not wait for ever for the rest', async () => {
    const options = { limitBytes: 10, timeoutMs: 30 };
    const body = await exchange((req) => void req.write('abc'), options);
    expect(body).toEqual({ ok: false, error: 'timeout', head: Buffer.from('abc') });
  });

  it('tells when the sender went away, before or while reading', async () => {
    const during = await exchange((req) => {
      req.write('abc', () => setTimeout(() => req.destroy(), 5));
    });
    expect(during).toEqual({ ok: false, error: 'aborted', head: Buffer.from('abc') });
    const before = await exchange(
      (req) => {
        req.write('abc', () => req.destroy());
      },
      LIMIT,
      (req) => new Promise((resolve) => req.once('close', () => resolve())),
    );
    expect(before).toMatchObject({ ok: false, error: 'aborted' });
  });
});
