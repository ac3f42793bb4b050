import pg from 'pg';
import { silentLogger } from '../log.ts';
import { createTestDatabase, type TestDatabase } from '../test-database.ts';
import { createPool, isConnectionLost, isRetryable, transaction } from './pool.ts';
import { createPrisma } from './prisma.ts';

let database: TestDatabase;
let pool: pg.Pool;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = createPool({ url: database.ownerUrl, max: 4, name: 'test', logger: silentLogger });
  await pool.query('CREATE TABLE drawer (id bigint PRIMARY KEY, coins bigint NOT NULL)');
});

afterAll(async () => {
  await pool.end();
  await database.drop();
});

async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe('a pool', () => {
  it('reads int8 as bigint, in arrays too, without changing other users of pg', async () => {
    const sql = `SELECT 9007199254740993::int8 AS n, ARRAY[9007199254740993, NULL]::int8[] AS list`;
    const { rows } = await pool.query(sql);
    expect(rows).toEqual([{ n: 9007199254740993n, list: [9007199254740993n, null] }]);
    const other = new pg.Client({ connectionString: database.ownerUrl });
    await other.connect();
    expect((await other.query('SELECT 1::int8 AS n')).rows).toEqual([{ n: '1' }]);
    await other.end();
  });

  it('gives a statement up after its time', async () => {
    const hasty = createPool({
      url: database.appUrl,
      max: 1,
      name: 'hasty',
      logger: silentLogger,
      statementTimeoutMs: 50,
    });
    await expect(hasty.query('SELECT pg_sleep(10)')).rejects.toThrow(/statement timeout/);
    expect((await hasty.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    await hasty.end();
  });

  it('lets nobody wait for ever for a free connection', async () => {
    const options = { url: database.appUrl, max: 1, name: 'narrow', logger: silentLogger };
    const narrow = createPool({ ...options, connectTimeoutMs: 50 });
    const busy = await narrow.connect();
    const error = await errorOf(narrow.query('SELECT 1'));
    expect(isConnectionLost(error)).toBe(true);
    busy.release();
    await narrow.end();
  });

  it('logs an idle connection that breaks, and hands out a new one', async () => {
    const events: string[] = [];
    const logger = { ...silentLogger, warn: (event: string) => void events.push(event) };
    const watched = createPool({ url: database.appUrl, max: 1, name: 'watched', logger });
    await watched.query('SELECT 1');
    const broken = new Promise((resolve) => watched.once('error', resolve));
    await pool.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                       WHERE application_name = 'watched' AND datname = current_database()`);
    expect(isConnectionLost(await broken)).toBe(true);
    expect(events).toEqual(['database.connection_lost']);
    expect((await watched.query('SELECT 1')).rowCount).toBe(1);
    await watched.end();
  });
});

describe('a transaction', () => {
  it('keeps all or nothing, and gives its connection back', async () => {
    const put = (id: number) => async (client: pg.PoolClient) => {
      await client.query('INSERT INTO drawer VALUES ($1, 1)', [id]);
      return id;
    };
    expect(await transaction(pool, put(1))).toBe(1);
    const failing = transaction(pool, async (client) => {
      await put(2)(client);
      throw new Error('changed my mind');
    });
    await expect(failing).rejects.toThrow('changed my mind');
    expect((await pool.query('SELECT id FROM drawer')).rows).toEqual([{ id: 1n }]);
    expect(pool.idleCount).toBe(pool.totalCount);
  });

  it('does not pass for committed when a statement of it failed quietly', async () => {
    const quiet = transaction(pool, async (client) => {
      await client.query('INSERT INTO drawer VALUES (3, 1)');
      await client.query('SELECT 1/0').catch(() => undefined);
    });
    await expect(quiet).rejects.toThrow('rolled back by the server');
  });

  it('throws away a connection that broke inside it', async () => {
    const error = await errorOf(
      transaction(pool, async (client) => {
        client.on('error', () => undefined);
        const { rows } = await client.query('SELECT pg_backend_pid() AS pid');
        await pool.query('SELECT pg_terminate_backend($1)', [rows[0].pid]);
        await client.query('SELECT 1');
      }),
    );
    expect(isConnectionLost(error)).toBe(true);
    expect((await pool.query('SELECT 1')).rowCount).toBe(1);
  });
});

describe('errors of the database', () => {
  it('are retryable when two transactions lock each other out', async () => {
    await pool.query('INSERT INTO drawer VALUES (10, 0), (11, 0)');
    const take = (first: number, second: number, ready: () => void, go: Promise<unknown>) =>
      transaction(pool, async (client) => {
        await client.query('UPDATE drawer SET coins = 1 WHERE id = $1', [first]);
        ready();
        await go;
        await client.query('UPDATE drawer SET coins = 1 WHERE id = $1', [second]);
      });
    const one = Promise.withResolvers<void>();
    const two = Promise.withResolvers<void>();
    const go = Promise.all([one.promise, two.promise]);
    const results = await Promise.all([
      errorOf(take(10, 11, one.resolve, go)),
      errorOf(take(11, 10, two.resolve, go)),
    ]);
    const failed = results.filter((error) => error !== undefined);
    expect(failed).toHaveLength(1);
    expect(failed.map((error) => [isRetryable(error), isConnectionLost(error)])).toEqual([
      [true, false],
    ]);
  });

  it('mean a lost connection when nobody listens, and neither when a rule was broken', async () => {
    const away = createPool({
      url: 'postgres://nobody@127.0.0.1:1/none',
      max: 1,
      name: 'away',
      logger: silentLogger,
    });
    expect(isConnectionLost(await errorOf(away.query('SELECT 1')))).toBe(true);
    await away.end();
    await pool.query('INSERT INTO drawer VALUES (20, 0)');
    const twice = await errorOf(pool.query('INSERT INTO drawer VALUES (20, 0)'));
    expect([isRetryable(twice), isConnectionLost(twice)]).toEqual([false, false]);
    expect([isRetryable(undefined), isConnectionLost(null)]).toEqual([false, false]);
  });
});

describe('prisma', () => {
  it('reads the same database', async () => {
    const prisma = createPrisma({ url: database.appUrl, max: 2, logger: silentLogger });
    expect(await prisma.site.count()).toBe(0);
    await prisma.$disconnect();
  });
});
