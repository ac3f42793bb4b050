import type { Pool } from 'pg';
import { createIds } from '../platform/database/ids.ts';
import { createPool } from '../platform/database/pool.ts';
import { silentLogger } from '../platform/log.ts';
import { createTestDatabase, type TestDatabase } from '../platform/test-database.ts';
import { createRefusedNotices, KEPT_BYTES_MAX, KEPT_PER_MINUTE_MAX } from './refused.ts';

let database: TestDatabase;
let pool: Pool;
beforeAll(async () => {
  database = await createTestDatabase();
  pool = createPool({ url: database.appUrl, max: 4, name: 'refused', logger: silentLogger });
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

function notices(of: Pool = pool) {
  const seen = { at: '2026-11-23T11:02:00Z', counted: 0, errors: [] as string[] };
  const kept = createRefusedNotices({
    pool: of,
    ids: createIds(pool),
    clock: { now: () => new Date(seen.at) },
    logger: { ...silentLogger, error: (event) => seen.errors.push(event) },
    onRefused: () => {
      seen.counted += 1;
    },
  });
  const keep = (channelId: string, bytes = Buffer.from('x')) =>
    kept.keep({ channelId, reason: 'wrong_signature', remote: '127.0.0.1', bytes });
  return { keep, seen };
}

const rowsOf = async (channelId: string) =>
  (await pool.query('SELECT * FROM refused_notice WHERE channel_id = $1', [channelId])).rows;

describe('what was refused', () => {
  it('is kept byte for byte, up to a limit, with where it came from and why', async () => {
    const { keep } = notices();
    const bytes = Buffer.from([0, 255, 10]);
    await keep('a', bytes);
    await keep('b', Buffer.alloc(KEPT_BYTES_MAX + 1));
    expect(await rowsOf('a')).toMatchObject([
      { reason: 'wrong_signature', remote: '127.0.0.1', raw: bytes },
    ]);
    expect((await rowsOf('b'))[0].raw).toHaveLength(KEPT_BYTES_MAX);
  });

  it('is kept so many times a minute; more of it is counted only', async () => {
    const { keep, seen } = notices();
    await Promise.all(Array.from({ length: KEPT_PER_MINUTE_MAX + 50 }, () => keep('flood')));
    expect(seen.counted).toBe(KEPT_PER_MINUTE_MAX + 50);
    expect(await rowsOf('flood')).toHaveLength(KEPT_PER_MINUTE_MAX);
    seen.at = '2026-11-23T11:03:00Z';
    await keep('flood');
    expect(await rowsOf('flood')).toHaveLength(KEPT_PER_MINUTE_MAX + 1);
  });

  it('that cannot be kept is logged, and the door goes on', async () => {
    const away = { query: () => Promise.reject(new Error('away')) } as unknown as Pool;
    const { keep, seen } = notices(away);
    await keep('c');
    expect(seen.errors).toEqual(['notice.not_kept']);
  });
});
