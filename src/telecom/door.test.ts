import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import { silentLogger } from '../platform/log.ts';
import { readChannels } from './channels.ts';
import { BODY_BYTES_MAX, createDoor, type DoorHandler, type Knock } from './door.ts';

const TOKEN = '0123456789abcdef0123456789abcdef';
const text = { kind: 'text', provider: 'africastalking', site: 'NBO', username: 'u', apiKey: 'k' };
const FILE = {
  channels: [
    { ...text, id: 'ke-text', token: TOKEN },
    { ...text, id: 'guarded', token: TOKEN, allowedAddresses: ['196.201.214.200'] },
  ],
};

interface Options {
  trustedHops?: number;
  handler?: DoorHandler;
}

/** A door on a free port, and what came through it or was refused. */
async function openDoor({ trustedHops = 0, handler }: Options = {}) {
  const read = readChannels(FILE);
  if (!read.ok) throw new Error(read.faults.join());
  const knocks: Knock[] = [];
  const refused: object[] = [];
  const answered: [string, number][] = [];
  const answer: DoorHandler = async (knock) => {
    knocks.push(knock);
    return { status: 200, contentType: 'text/plain', body: 'thanks' };
  };
  const handlers = { text: handler ?? answer, ussd: answer, money: answer, tvu: answer };
  const door = createDoor({
    channels: read.channels,
    handlers,
    refused: {
      async keep({ bytes, ...rest }) {
        refused.push({ ...rest, bytes: bytes.length });
      },
    },
    logger: silentLogger,
    trustedHops,
    onAnswered: (kind, status) => answered.push([kind, status]),
    monotonicMs: () => performance.now(),
  });
  const server: Server = createServer(door);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const knock = (
    path: string,
    body: string | Buffer = '',
    headers: Record<string, string> = {},
  ): Promise<{ status: number | undefined; body: string; connection: string | undefined }> =>
    new Promise((resolve, reject) => {
      const asked = request({ port, path, method: 'POST', headers }, (res: IncomingMessage) => {
        const chunks: Buffer[] = [];
        res.on('data', (chunk: Buffer) => chunks.push(chunk));
        res.on('end', () => {
          const { connection } = res.headers;
          resolve({ status: res.statusCode, body: Buffer.concat(chunks).toString(), connection });
        });
      });
      asked.on('error', reject);
      asked.end(body);
    });
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { knock, knocks, refused, answered, close };
}

type Door = Awaited<ReturnType<typeof openDoor>>;

describe('the door of the providers', () => {
  let door: Door;
  beforeEach(async () => {
    door = await openDoor();
  });
  afterEach(() => door.close());

  it('hands on what came, byte for byte, with what follows the token', async () => {
    const bytes = Buffer.from([0x7b, 0x00, 0xff, 0x7d]);
    const answer = await door.knock(`/hooks/ke-text/${TOKEN}/dlr/7?a=1&b=%20x`, bytes);
    expect(answer).toMatchObject({ status: 200, body: 'thanks' });
    expect(door.knocks).toMatchObject([
      { rest: 'dlr/7', remote: '127.0.0.1', raw: { method: 'POST', query: { a: '1', b: ' x' } } },
    ]);
    expect(door.knocks[0]?.bytes).toEqual(bytes);
    expect(door.answered).toEqual([['text', 200]]);
  });

  it('tells a stranger nothing: a wrong token and no channel look the same', async () => {
    const paths = [
      `/hooks/nobody/${TOKEN}`,
      `/hooks/ke-text/${TOKEN.replace('0', 'f')}`,
      '/hooks/ke-text/',
      '/hooks/ke-text',
      '/hooks/',
    ];
    for (const path of paths) {
      expect(await door.knock(path, 'x')).toMatchObject({ status: 404, body: 'Not found' });
    }
    expect(door.knocks).toEqual([]);
    // What names a channel of ours is kept; the rest is noise.
    expect(door.refused).toEqual(
      Array(3).fill({ channelId: 'ke-text', reason: 'wrong_token', remote: '127.0.0.1', bytes: 1 }),
    );
  });

  it('refuses an address that the channel does not allow, whatever the caller says', async () => {
    const headers = { 'x-forwarded-for': '196.201.214.200' };
    const answer = await door.knock(`/hooks/guarded/${TOKEN}`, 'x', headers);
    expect(answer.status).toBe(403);
    expect(door.refused).toMatchObject([{ reason: 'wrong_address', remote: '127.0.0.1' }]);
  });

  it('takes a body up to its limit, and keeps the beginning of a larger one', async () => {
    const path = `/hooks/ke-text/${TOKEN}`;
    expect((await door.knock(path, Buffer.alloc(BODY_BYTES_MAX))).status).toBe(200);
    const answer = await door.knock(path, Buffer.alloc(BODY_BYTES_MAX + 1));
    expect(answer).toMatchObject({ status: 413, connection: 'close' });
    expect(door.refused).toMatchObject([{ reason: 'too_large', bytes: BODY_BYTES_MAX }]);
    expect(door.knocks).toHaveLength(1);
  });
});

describe('a door behind proxies of ours', () => {
  it.each([
    [1, '196.201.214.200', 200],
    [1, '196.201.214.200, 10.0.0.9', 403],
    [1, '10.0.0.9, 196.201.214.200', 200],
    [2, '196.201.214.200, 10.0.0.9', 200],
    [2, '10.0.0.9, 10.0.0.9, 196.201.214.200', 403],
    [1, '', 403],
  ])(
    'believes as many hops as it has: %d of "%s" is %d',
    async (trustedHops, forwarded, status) => {
      const door = await openDoor({ trustedHops });
      const headers = { 'x-forwarded-for': forwarded };
      expect((await door.knock(`/hooks/guarded/${TOKEN}`, 'x', headers)).status).toBe(status);
      await door.close();
    },
  );
});

describe('a handler that fails', () => {
  it('is answered with 500 and no word of why', async () => {
    const door = await openDoor({ handler: () => Promise.reject(new Error('secret detail')) });
    const answer = await door.knock(`/hooks/ke-text/${TOKEN}`, 'x');
    expect(answer).toMatchObject({ status: 500, body: '' });
    await door.close();
  });
});
