import { createHouse, type House } from './house.ts';
import { c2b, send } from './paybill.ts';

let house: House;
beforeAll(async () => {
  house = await createHouse();
});
afterAll(() => house.close());
afterEach(() => house.expectSound());

const confirmUrl = () => house.hook('ke-paybill', '/confirm');

/** Sends it, and sees that nothing has moved; the status answered. */
async function nothingMoves(url: string, body: string | undefined, method = 'POST') {
  const before = await house.traces();
  const { status } = await send(url, body, { method });
  expect(await house.traces()).toEqual(before);
  return status;
}

describe('at the wrong door', () => {
  it.each([
    ['with another token', (url: string) => url.replace(/[0-9a-f]{32}/, 'f'.repeat(32)), true],
    [
      'with a part of the token',
      (url: string) => url.replace(/[0-9a-f]{16}\/confirm/, '/confirm'),
      true,
    ],
    ['without a token', (url: string) => url.replace(/[0-9a-f]{32}\//, ''), true],
    [
      'of a channel that is not there',
      (url: string) => url.replace('ke-paybill', 'ug-paybill'),
      false,
    ],
    [
      'of a channel named like a part of every object',
      (url: string) => url.replace('ke-paybill', '__proto__'),
      false,
    ],
  ])('a confirmation %s is a stranger’s', async (_what, change, isKept) => {
    const { card } = await house.customer();
    const kept = await house.refused('wrong_token');
    const body = c2b({ TransID: 'UKN0STRANGE', BillRefNumber: card });
    expect(await nothingMoves(change(confirmUrl()), body)).toBe(404);
    expect(await house.refused('wrong_token')).toBe(kept + (isKept ? 1 : 0));
  });

  it.each(['', '/', '/confirmed', '/push', '/push/', '/confirm/../x', '/report'])(
    'a confirmation at the path %j is kept and not believed',
    async (path) => {
      const { card } = await house.customer();
      const body = c2b({ TransID: 'UKN0WRONGPATH', BillRefNumber: card });
      const status = await nothingMoves(house.hook('ke-paybill', path), body);
      expect([400, 404]).toContain(status);
    },
  );

  it.each(['GET', 'PUT', 'DELETE', 'HEAD'])(
    'a confirmation by %s moves nothing',
    async (method) => {
      const { card } = await house.customer();
      const notice = JSON.parse(c2b({ TransID: `UKN0${method}`, BillRefNumber: card }));
      const query = new URLSearchParams(notice).toString();
      const hasBody = method === 'PUT' || method === 'DELETE';
      const body = hasBody ? JSON.stringify(notice) : undefined;
      const status = await nothingMoves(`${confirmUrl()}?${query}`, body, method);
      expect(status).toBeGreaterThanOrEqual(400);
    },
  );
});

describe('a confirmation that is odd', () => {
  it.each([
    ['no body', ''],
    ['blanks', '   \n'],
    ['a word', 'paid'],
    ['half a body', c2b({ TransID: 'UKN0HALF' }).slice(0, 80)],
    ['a list of nothing', '[]'],
    ['null', 'null'],
    ['a number', '12'],
    ['a body as deep as a well', `${'['.repeat(5_000)}${']'.repeat(5_000)}`],
    ['fields as deep as a well', `{"TransID":${'{"a":'.repeat(500)}1${'}'.repeat(500)}}`],
    ['an array in front', `[[${c2b({ TransID: 'UKN0NESTED' })}]]`],
    ['XML with an entity', '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'],
    ['bytes that are no text', '\u0000\u0001\u0002'],
  ])('of %s is kept, and moves nothing', async (_what, body) => {
    const kept = await house.rows('SELECT count(*)::int AS n FROM refused_notice');
    expect(await nothingMoves(confirmUrl(), body)).toBe(400);
    const now = await house.rows('SELECT count(*)::int AS n FROM refused_notice');
    expect(Number(now[0]?.n)).toBe(Number(kept[0]?.n) + 1);
  });

  const AMOUNTS = ['-650.00', '0', '0.00', '1e3', '6,50', '0x10', 'NaN', '650.001', '', ' ', '٦٥٠'];
  it.each([...AMOUNTS, -650, 0, 0.001, null, true, {}, [], [650]])(
    'with the amount %j is kept, and moves nothing',
    async (TransAmount) => {
      const { card } = await house.customer();
      const body = c2b({ TransID: 'UKN0AMOUNT', BillRefNumber: card, TransAmount });
      expect(await nothingMoves(confirmUrl(), body)).toBe(400);
    },
  );

  it.each([null, true, {}, [], ['UKN0LIST'], '', '   ', '0', 'null'])(
    'with the receipt %j is kept, and moves nothing',
    async (TransID) => {
      const { card } = await house.customer();
      const body = c2b({ TransID: TransID as string, BillRefNumber: card });
      expect(await nothingMoves(confirmUrl(), body)).toBe(400);
    },
  );
});
