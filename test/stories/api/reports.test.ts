import { createHash } from 'node:crypto';
import { dispatcherOf, type TestLink } from '../../../src/entitlement/dispatch/dispatch-harness.ts';
import { followLog } from '../../../src/evidence/air/service.ts';
import { REQUIREMENTS } from '../../../src/evidence/compliance/requirements.ts';
import { linesOfPage, readPdf } from '../../../src/evidence/print/pdf-harness.ts';
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

/** A file from this path, read; its bytes are what its headers say. */
async function pdfOf(path: string) {
  const { token } = await office.staff(['auditor']);
  const { status, headers, body } = await office
    .call('get', path, { token })
    .buffer(true)
    .parse((res, done) => {
      const chunks: Buffer[] = [];
      res.on('data', (chunk: Buffer) => chunks.push(chunk));
      res.on('end', () => done(null, Buffer.concat(chunks)));
    });
  const digest = createHash('sha256').update(body).digest('base64');
  expect([status, headers['content-type']]).toEqual([200, 'application/pdf']);
  expect(headers['repr-digest']).toBe(`sha-256=:${digest}:`);
  const lines = readPdf(body).pages.flatMap(linesOfPage);
  return { lines, digest, name: headers['content-disposition'] };
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

  it('can be had as a file that is the same again, with the hash of the report', async () => {
    const path = `/reports/active?at=${first.toISOString()}&format=pdf`;
    const { lines, digest, name } = await pdfOf(path);
    const { body } = await report('active', { at: first.toISOString() });
    expect(lines[0]).toEqual(['VIP Billing', 'Demo TV']);
    expect(lines).toContainEqual(['Query version', String(body.version)]);
    expect(lines).toContainEqual(['As of', `${first.toISOString()} (UTC)`]);
    expect(lines).toContainEqual(['all', '3']);
    expect(lines).toContainEqual(['ESS', '3']);
    expect(lines.at(-1)).toEqual(['SHA-256', body.sha256, 'page 1 of 1']);
    expect(name).toBe('attachment; filename="active-20261124T110200000Z.pdf"');
    office.later(DAY_MS);
    await learn();
    expect((await pdfOf(path)).digest).toBe(digest);
    const wrong = await report('active', { at: first.toISOString(), format: 'docx' });
    expect([wrong.status, wrong.body.code]).toEqual([400, 'invalid_query']);
    const none = await report('card', { format: 'pdf' });
    expect([none.status, none.type]).toEqual([400, 'application/problem+json']);
  });

  it('come with the pack as a file', async () => {
    const { lines, name } = await pdfOf('/compliance-pack?format=pdf');
    expect(lines[1]).toEqual(['Compliance pack']);
    const summary = lines.filter(([number = '', status = '', ...rest]) => {
      return rest.length === 1 && /^[A-Z]+-\d+$/.test(number) && /^(not )?[a-z]+$/.test(status);
    });
    expect(summary.map(([number]) => number)).toEqual(REQUIREMENTS.map(({ number }) => number));
    expect(lines).toContainEqual(['C-20  Who is switched off sees nothing that is paid for']);
    expect(lines.at(-1)?.[1]).toMatch(/^[0-9a-f]{64}$/);
    expect(name).toMatch(/^attachment; filename="compliance-pack-\d{8}T\d{9}Z\.pdf"$/);
    const { token } = await office.staff(['auditor'], ['NBO']);
    const few = await office.call('get', '/compliance-pack?format=pdf', { token });
    expect(few.status).toBe(404);
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
