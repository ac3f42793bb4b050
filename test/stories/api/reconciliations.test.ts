import { createHash } from 'node:crypto';
import type { RoleName } from '../../../src/backoffice/people/permissions.ts';
import { endRun } from '../../../src/entitlement/reconciliation/run-store.ts';
import { furnish, type Named } from './fixtures.ts';
import { createOffice, type Office, type SiteCode } from './office.ts';

/**
 * Goal: who may starts a comparison, and what it found can be read, filtered, and taken along as a
 * file. Method: the API over runs as the comparison writes them; no head-end is there.
 */
let office: Office;
let named: Named;
beforeAll(async () => {
  office = await createOffice();
  named = await furnish(office, 'NBO');
});
afterAll(() => office.close());

const as = async (role: RoleName, sites: SiteCode[] | 'all' = 'all') =>
  (await office.staff([role], sites)).token;
const get = async (path: string, token?: string) =>
  await office.call('get', path, { token: token ?? (await as('auditor')) });
const start = async (body: object, token: string) =>
  await office.call('post', '/reconciliations', { token, body: { reason: 'an outage', ...body } });

describe('a comparison', () => {
  it('is started by operations, of a system that there is, and once at a time', async () => {
    const token = await as('operations');
    expect((await start({ cas: 'nobody' }, token)).body.code).toBe('not_found');
    const { status, body } = await start({ cas: 'vip-control', heal: false }, token);
    expect([status, body.state, body.heal, body.variancePpm]).toEqual([
      ...[201, 'waiting', false, null],
    ]);
    expect((await start({ cas: 'vip-control' }, token)).body.code).toBe('reconciliation_waiting');
    expect((await get(`/reconciliations/${body.id}/file`)).body.code).toBe(
      'reconciliation_waiting',
    );
    expect((await start({ cas: 'vip-control' }, await as('auditor'))).status).toBe(403);
    const log = { lines: 0, foreign: 0, mark: null, error: 'no_key' };
    const at = office.now();
    await endRun(office.pool, BigInt(body.id), {
      ...{ startedAt: at, endedAt: at, error: 'AWAY', cards: 0, active: new Map(), log },
    });
    const { items } = (await get('/reconciliations?cas=vip-control')).body;
    expect(items.map(({ state }: { state: string }) => state)).toEqual(['failed', 'done']);
  });

  it('does not exist for who sees one site, but for the cards there', async () => {
    const token = await as('operations', ['ABJ']);
    expect((await start({ cas: 'vip-control' }, token)).body.code).toBe('not_found');
    expect((await get('/reconciliations', token)).body.items).toEqual([]);
    expect((await get('/reconciliation-differences', token)).body.items).toEqual([]);
    const inside = await as('operations', ['NBO']);
    expect((await get('/reconciliation-differences', inside)).body.items).toHaveLength(1);
  });

  it('says by class and product how many differ, and what that is worth', async () => {
    const { body } = await get(`/reconciliations/${named.reconciliationId}`);
    expect(body.totals).toEqual([
      {
        ...{ class: 'A', product: 'PREM', cards: 1, open: 1, seconds: '60' },
        value: { amount: '0.05', currency: 'KES' },
      },
    ]);
    expect(body).toMatchObject({ state: 'done', isAboveLimit: true, log: { foreign: 1 } });
    expect(body.products).toMatchObject({ '*': { differing: 1 } });
    const lines = await get(`/reconciliations/${named.reconciliationId}/foreign-commands`);
    expect(lines.body.items).toMatchObject([{ op: 'CONSOLE', cmdId: null, by: 'console' }]);
  });

  it('gives its differences by filter', async () => {
    const found = async (filter: string) =>
      (await get(`/reconciliation-differences?${filter}`)).body.items.length;
    expect(await found(`reconciliationId=${named.reconciliationId}`)).toBe(1);
    expect(await found('class=A&open=true&product=PREM&site=NBO')).toBe(1);
    expect(await found('class=B')).toBe(0);
    expect(await found('open=false')).toBe(0);
    expect(await found('product=ESS')).toBe(0);
  });

  it('is a file that is the same each time, with its digest', async () => {
    const path = `/reconciliations/${named.reconciliationId}/file`;
    const { body } = await get(path);
    expect(body.sha256).toBe(createHash('sha256').update(body.csv).digest('hex'));
    expect(body).toMatchObject({ rows: 1, isWhole: true });
    expect(body.csv.split('\r\n')[1]).toMatch(/^\d+,A,\d{11},NBO,PREM,2026-[^,]+,60,0\.05,KES,/);
    expect((await get(path)).body).toEqual(body);
  });
});
