import type { Pool } from 'pg';
import { createPool } from '../../platform/database/pool.ts';
import { silentLogger } from '../../platform/log.ts';
import { createTestDatabase, type TestDatabase } from '../../platform/test-database.ts';
import {
  type Air,
  CAS_ID,
  createAir,
  listenIn,
  outletOf,
  type TestLink,
} from '../dispatch/dispatch-harness.ts';
import { createFakeRandom } from '../vip-control/testing.ts';
import { claimOutbound, finishOutbound, type OutboundResult } from './outbound-store.ts';
import { createOsdSender } from './service.ts';

const START = new Date('2026-11-23T13:00:00Z');

let database: TestDatabase;
let pool: Pool;
let air: Air;
let now: Date;
let knownCard: (card: string) => boolean;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = createPool({ url: database.appUrl, max: 3, name: 'osd-test', logger: silentLogger });
  await pool.query(`INSERT INTO site (id, code, name, country, currency, tvu_asset, time_zone,
    language) VALUES (1, 'NBO', 'Nairobi', 'KE', 'KES', 'TVU-KE', 'Africa/Nairobi', 'en')`);
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});
beforeEach(async () => {
  now = START;
  knownCard = () => true;
  air = await createAir(() => now, { knownCard: (card) => knownCard(card), osdMax: 40 });
});
afterEach(async () => {
  await air.close();
  // The product may not delete; what is left of a test is put out of the way.
  await pool.query("UPDATE outbound SET kind = 'text', next_at = NULL, provider_id = NULL");
});

const later = (seconds: number) => {
  now = new Date(now.getTime() + seconds * 1000);
};
let serial = 0;
interface Written {
  kind?: string;
  template?: string;
  body?: string;
  validSeconds?: number;
}
const written = async (fields: Written = {}) => {
  serial += 1;
  const { kind = 'osd', body = 'Paid to 23/12', validSeconds = 600 } = fields;
  const { template = 'term_paid' } = fields;
  const notAfter = new Date(now.getTime() + validSeconds * 1000);
  await pool.query(
    `INSERT INTO outbound (id, kind, template, site_id, target, body, state, created_at, not_after,
                           next_at)
     VALUES ($1, $2, $6, 1, '40210000017', $3, 'queued', $4, $5, $4)`,
    [serial, kind, body, now, notAfter, template],
  );
  return BigInt(serial);
};
const row = async (id: bigint) => {
  const { rows } = await pool.query(
    `SELECT state, next_at, attempts, lease_until, provider_id, failure
       FROM outbound WHERE id = $1`,
    [id],
  );
  return rows[0];
};
const shown = () =>
  air
    .headEnd()
    .commands()
    .map(({ cmdId, card, text }) => ({ cmdId, card, text }));
const sender = (link: TestLink) =>
  createOsdSender({
    pool,
    casId: CAS_ID,
    outlet: outletOf(link, () => now),
    clock: { now: () => now },
    random: createFakeRandom(),
    logger: silentLogger,
  });

describe('an on-screen message', () => {
  it('is shown once', async () => {
    const osd = sender(await air.link('dispatcher-1'));
    const id = await written();
    await osd.runUntilIdle();
    await osd.runUntilIdle();
    expect(shown()).toEqual([{ cmdId: `osd.${id}`, card: '40210000017', text: 'Paid to 23/12' }]);
    expect(await row(id)).toMatchObject({ state: 'sent', next_at: null, lease_until: null });
  });

  it('is shown once though the process died before it wrote so', async () => {
    const first = await air.link('dispatcher-1');
    const answered = Promise.withResolvers<void>();
    const dying: TestLink = {
      ...first,
      async send(command) {
        await first.send(command);
        answered.resolve();
        return new Promise<never>(() => undefined);
      },
    };
    const id = await written();
    void sender(dying).runUntilIdle();
    await answered.promise;
    const second = listenIn(await air.link('dispatcher-2'));
    await sender(second).runUntilIdle();
    expect(second.sent).toEqual([]);
    later(61);
    await sender(second).runUntilIdle();
    expect(second.sent).toMatchObject([{ outcome: { kind: 'done', dup: true } }]);
    expect(shown()).toHaveLength(1);
    expect(await row(id)).toMatchObject({ state: 'sent', attempts: 2 });
  });

  it('covers the picture if it is a wall, and only then', async () => {
    const link = listenIn(await air.link('dispatcher-1'));
    const osd = sender(link);
    await written();
    await written({ template: 'osd.dunning.wall.ended' });
    await osd.runUntilIdle();
    expect(link.sent.map(({ command }) => command)).toMatchObject([
      { op: 'OSD', args: { forced: false, durationSeconds: 30 } },
      { op: 'OSD', args: { forced: true, durationSeconds: 60 } },
    ]);
  });

  it('is not shown when its time has passed', async () => {
    const osd = sender(await air.link('dispatcher-1'));
    await air.goDown();
    const id = await written({ validSeconds: 60 });
    await osd.runUntilIdle();
    expect(await row(id)).toMatchObject({ state: 'queued', attempts: 0 });
    later(60);
    await air.comeBack();
    await osd.runUntilIdle();
    expect(shown()).toEqual([]);
    expect(await row(id)).toMatchObject({ state: 'expired', next_at: null });
  });

  it('that the head-end refuses has failed for good', async () => {
    const osd = sender(await air.link('dispatcher-1'));
    const id = await written({ body: 'x'.repeat(41) });
    await osd.runUntilIdle();
    expect(await row(id)).toMatchObject({ state: 'failed', failure: 'TEXT_TOO_LONG' });
  });

  it('that was too late at the head-end ends when its time has passed', async () => {
    const link = await air.link('dispatcher-1');
    const osd = sender({
      ...link,
      send: async () => ({ kind: 'rejected', code: 'EXPIRED', class: 'state' }),
    });
    const id = await written({ validSeconds: 60 });
    await osd.runUntilIdle();
    const endsAt = new Date(START.getTime() + 60_000);
    expect(await row(id)).toMatchObject({ state: 'queued', failure: 'EXPIRED', next_at: endsAt });
    later(60);
    await osd.runUntilIdle();
    expect(await row(id)).toMatchObject({ state: 'expired', next_at: null });
  });

  it('is tried again while the head-end is busy', async () => {
    const link = await air.link('dispatcher-1');
    let busy = true;
    const osd = sender({
      ...link,
      send: async (command) => (busy ? { kind: 'retry', code: 'BUSY' } : link.send(command)),
    });
    const id = await written();
    await osd.runUntilIdle();
    expect(await row(id)).toMatchObject({
      state: 'queued',
      failure: 'BUSY',
      next_at: new Date(START.getTime() + 1_000),
      lease_until: null,
    });
    busy = false;
    later(1);
    await osd.runUntilIdle();
    expect(await row(id)).toMatchObject({ state: 'sent', failure: null });
  });

  it('is sent when the sender is woken', async () => {
    const link = await air.link('dispatcher-1');
    const sent = Promise.withResolvers<void>();
    const osd = sender({
      ...link,
      async send(command) {
        const outcome = await link.send(command);
        sent.resolve();
        return outcome;
      },
    });
    osd.start();
    const id = await written();
    osd.wake();
    await sent.promise;
    await osd.stop();
    expect(await row(id)).toMatchObject({ state: 'sent' });
  });
});

describe('the rows that go out', () => {
  const claim = (limit = 10) => claimOutbound(pool, { kind: 'text', now, limit, leaseMs: 60_000 });
  const finish = (id: bigint, result: OutboundResult, attempts?: number) =>
    finishOutbound(pool, [attempts === undefined ? { id, result } : { id, attempts, result }]);

  it('are claimed by kind, the oldest first, whole, and by one claim only', async () => {
    await written();
    const first = await written({ kind: 'text' });
    later(1);
    const second = await written({ kind: 'text' });
    expect(await claim(1)).toEqual([
      {
        id: first,
        template: 'term_paid',
        siteId: 1n,
        target: '40210000017',
        body: 'Paid to 23/12',
        notAfter: new Date(START.getTime() + 600_000),
        attempts: 1,
      },
    ]);
    expect((await claim()).map(({ id }) => id)).toEqual([second]);
    expect(await claim()).toEqual([]);
  });

  it('are shared by claims at the same time without doubles', async () => {
    await Promise.all(Array.from({ length: 60 }, () => written({ kind: 'text' })));
    const claims = await Promise.all(Array.from({ length: 6 }, () => claim(20)));
    const ids = claims.flat().map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const rest = await claim(60);
    expect(ids.length + rest.length).toBe(60);
  });

  it('keep what the provider calls them', async () => {
    const id = await written({ kind: 'text' });
    await claim();
    await finish(id, { state: 'sent', providerId: 'ATXid_1' });
    expect(await row(id)).toMatchObject({ state: 'sent', provider_id: 'ATXid_1', next_at: null });
  });

  it('stay with the later claim when an earlier one failed late', async () => {
    const id = await written({ kind: 'text' });
    await claim();
    later(61);
    await claim();
    await finish(id, { state: 'failed', failure: 'REFUSED' }, 1);
    expect(await row(id)).toMatchObject({ state: 'queued', attempts: 2, failure: null });
    await finish(id, { state: 'sent', providerId: null }, 1);
    await finish(id, { state: 'failed', failure: 'REFUSED' }, 2);
    expect(await row(id)).toMatchObject({ state: 'sent', failure: null });
  });
});
