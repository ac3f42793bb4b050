import { createHash } from 'node:crypto';
import { dispatcherOf, type TestLink } from '../../../src/entitlement/dispatch/dispatch-harness.ts';
import { followLog } from '../../../src/evidence/air/service.ts';
import { createOffice, type Office } from './office.ts';

/** Goal: reports of the past say what was so then, whatever happened since. */
const MONTH = 65_000n;
const DAY_MS = 86_400_000;

let office: Office;
beforeAll(async () => {
  office = await createOffice();
});
afterAll(() => office.close());

/** A head-end that does at once whatever it is told. */
const link: TestLink = {
  state: () => 'connected',
  capabilities: () => ({ maxWindow: 16, repeats: [] }) as never,
  send: async () => ({ kind: 'done', code: 'DONE', dup: false, firstAirAt: office.now() }),
};

async function putOnAir(): Promise<void> {
  const { pool, now } = office;
  const settlement = { settle: () => Promise.reject(new Error('Nothing is held')) } as never;
  await dispatcherOf({ pool, settlement, now, link }).runUntilIdle();
}

async function learn(): Promise<void> {
  const { pool } = office;
  const { rows } = await pool.query('SELECT house_xid()::text AS xid');
  const past = 'SELECT house_xmin() > $1::xid8 AS is_past';
  while (!(await pool.query(past, [rows[0].xid])).rows[0].is_past);
  await followLog({ pool, clock: { now: office.now } });
}

async function report(name: string, query: Record<string, string> = {}) {
  const { token } = await office.staff(['auditor']);
  const search = new URLSearchParams(query).toString();
  return await office.call('get', `/reports/${name}?${search}`, { token });
}

const rowsOf = async (name: string, at: Date, more: Record<string, string> = {}) =>
  (await report(name, { at: at.toISOString(), ...more })).body.rows;

describe('the reports', () => {
  let paid: { number: string; cardId: bigint }[];
  let first: Date;
  let second: Date;
  beforeAll(async () => {
    paid = [];
    for (let n = 0; n < 3; n++) {
      const customer = await office.customer('NBO');
      await office.pay('NBO', { amount: MONTH, accountRef: customer.number });
      paid.push(customer);
    }
    await office.customer('NBO');
    await putOnAir();
    office.later(DAY_MS);
    first = office.now();
    office.later(DAY_MS);
    const { token } = await office.staff(['customer_care']);
    const suspension = { token, body: { reason: 'dispute', why: 'an order of a court' } };
    const done = await office.call('post', `/cards/${paid[0]?.cardId}/suspensions`, suspension);
    expect(done.status).toBeLessThan(300);
    await putOnAir();
    office.later(40 * DAY_MS);
    second = office.now();
    office.later(DAY_MS);
    await learn();
  });

  it('say how many were registered, active, suspended and deactivated', async () => {
    const counts = async (at: Date) => ({
      registered: await rowsOf('registered', at),
      active: await rowsOf('active', at),
      suspended: await rowsOf('suspended', at),
      deactivated: await rowsOf('deactivated', at),
    });
    expect(await counts(first)).toEqual({
      registered: [[4]],
      active: [
        ['all', 3],
        ['ESS', 3],
      ],
      suspended: [[0]],
      deactivated: [[0]],
    });
    expect(await counts(second)).toEqual({
      registered: [[4]],
      active: [['all', 0]],
      suspended: [[1]],
      deactivated: [[2]],
    });
  });

  it('say who saw which bouquet and channel, and for how long', async () => {
    const audience = await rowsOf('audience', first);
    expect(audience).toContainEqual(['bouquet', 'ESSENTIAL', 'KE', 3]);
    expect(audience).toContainEqual(['channel', 'KIDS1', '', 3]);
    expect(audience).toContainEqual(['channel', 'FOOT1', '', 0]);
    expect(await rowsOf('bouquets', first)).toContainEqual(['ESSENTIAL', 'KE', 'KIDS1']);
    expect(await rowsOf('ageing', first)).toEqual([['ESS', 3, 0, 0, 0, 0, 0]]);
    expect(await rowsOf('blacklisted', first)).toEqual([]);
    const number = paid[0]?.number ?? '';
    expect(await rowsOf('card', first, { card: number })).toEqual([['ESS', expect.any(String)]]);
    expect(await rowsOf('card', second, { card: number })).toEqual([
      ['suspended', expect.any(String)],
    ]);
  });

  it('say what a month had on its four days, and in the mean', async () => {
    const december = await rowsOf('monthly', new Date('2026-12-31T23:59:59Z'));
    expect(december).toContainEqual(['bouquet', 'ESSENTIAL', 'KE', 2, 2, 2, 0, '1.50']);
    expect(december).toContainEqual(['channel', 'FOOT1', '', 0, 0, 0, 0, '0.00']);
    const half = await rowsOf('monthly', new Date('2026-12-15T00:00:00Z'));
    expect(half).toContainEqual(['channel', 'KIDS1', '', 2, 2, '', '', '2.00']);
  });

  it('are the same when they are asked for again, and prove it', async () => {
    const query = { at: first.toISOString(), format: 'csv' };
    const { body } = await report('active', query);
    const { sha256, csv, ...said } = body;
    expect(csv).toBe('product,cards\r\nall,3\r\nESS,3\r\n');
    expect(createHash('sha256').update(JSON.stringify(said)).digest('hex')).toBe(sha256);
    expect((await report('active', query)).body).toEqual(body);
  });

  it('come with the pack that says how each requirement stands', async () => {
    const { token } = await office.staff(['auditor']);
    const { status, body } = await office.call('get', '/compliance-pack', { token });
    expect(status).toBe(200);
    const { sha256, ...said } = body;
    expect(createHash('sha256').update(JSON.stringify(said)).digest('hex')).toBe(sha256);
    const rowOf = (number: string) =>
      body.rows.find((one: { number: string }) => one.number === number);
    expect(rowOf('C-13').reasons).toEqual([]);
    expect(rowOf('C-20').status).toBe('met');
    expect(rowOf('C-11').status).toBe('not met');
    const few = await office.staff(['auditor'], ['NBO']);
    expect((await office.call('get', '/compliance-pack', few)).status).toBe(404);
  });

  it('are refused for what is not known, or not said', async () => {
    const later = { at: new Date(office.now().getTime() + DAY_MS).toISOString() };
    expect((await report('active', later)).body.code).toBe('too_late');
    expect((await report('card')).body.code).toBe('invalid_query');
    expect((await report('everything')).status).toBe(404);
    const { token } = await office.staff(['auditor'], ['NBO']);
    expect((await office.call('get', '/reports/active', { token })).status).toBe(404);
    const all = await office.call('get', '/reports', { token });
    expect(all.body.reports).toHaveLength(10);
  });
});
