import type { Pool } from 'pg';
import { silentLogger } from '../log.ts';
import type { Ids } from '../ports.ts';
import { createTestDatabase, type TestDatabase } from '../test-database.ts';
import { createIds, ID_BLOCK_SIZE } from './ids.ts';
import { createPool } from './pool.ts';

let database: TestDatabase;
let pool: Pool;
beforeAll(async () => {
  database = await createTestDatabase();
  pool = createPool({ url: database.appUrl, max: 4, name: 'ids', logger: silentLogger });
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

const BLOCK = Number(ID_BLOCK_SIZE);

async function takeMany(ids: Ids, count: number): Promise<bigint[]> {
  const lent = await ids.lend(count);
  return Array.from({ length: count }, () => lent.next());
}

describe('ids', () => {
  it('are no more than were lent', async () => {
    const lent = await createIds(pool).lend(1);
    lent.next();
    expect(() => lent.next()).toThrow('More ids were used than lent');
  });

  it('rise, across the ends of blocks too', async () => {
    const taken = await takeMany(createIds(pool), 2 * BLOCK + 5);
    expect(taken.every((id, i) => i === 0 || id > (taken[i - 1] ?? id))).toBe(true);
  });

  it('are never those of another process', async () => {
    const processes = [createIds(pool), createIds(pool), createIds(pool)];
    const taken: bigint[] = [];
    for (let round = 0; round < 3; round++) {
      for (const ids of processes) taken.push(...(await takeMany(ids, BLOCK - 1)));
    }
    expect(new Set(taken).size).toBe(taken.length);
  });

  it('are lent once, however many borrow at the same time', async () => {
    const ids = createIds(pool);
    const most = Math.floor(BLOCK * 0.6);
    const borrowed = await Promise.all([
      takeMany(ids, most),
      takeMany(ids, most),
      ...Array.from({ length: 50 }, async () => [await ids.take()]),
    ]);
    const taken = borrowed.flat();
    expect(taken).toHaveLength(2 * most + 50);
    expect(new Set(taken).size).toBe(taken.length);
  });

  it('that were given back are lent again, and those that were used are not', async () => {
    const ids = createIds(pool);
    const lent = await ids.lend(10);
    const used = [lent.next(), lent.next()];
    lent.giveBack();
    expect(() => lent.next()).toThrow();
    const [next] = await takeMany(ids, 1);
    expect(next).toBe((used[1] ?? 0n) + 1n);
  });

  it('are fetched once for all who ask at the same time', async () => {
    let queries = 0;
    const counting = {
      query: (text: string) => {
        queries += 1;
        return pool.query(text);
      },
    };
    const ids = createIds(counting as unknown as Pool);
    await Promise.all(Array.from({ length: 50 }, () => ids.lend(10)));
    expect(queries).toBe(1);
  });

  it('are there again after the database was away', async () => {
    let away = true;
    const broken = {
      query: (text: string) => (away ? Promise.reject(new Error('away')) : pool.query(text)),
    };
    const ids = createIds(broken as unknown as Pool);
    await expect(ids.take()).rejects.toThrow('away');
    away = false;
    expect(await ids.take()).toBeGreaterThan(0n);
  });
});
