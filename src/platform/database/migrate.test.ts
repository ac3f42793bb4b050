import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { silentLogger } from '../log.ts';
import { createTestDatabase, makeTestFolder, type TestDatabase } from '../test-database.ts';
import { migrate } from './migrate.ts';

const home = makeTestFolder();
let database: TestDatabase;
let owner: pg.Client;
let app: pg.Client;
let folders = 0;

beforeAll(async () => {
  database = await createTestDatabase();
  owner = new pg.Client({ connectionString: database.ownerUrl });
  app = new pg.Client({ connectionString: database.appUrl });
  await Promise.all([owner.connect(), app.connect()]);
});

afterAll(async () => {
  await Promise.all([owner.end(), app.end()]);
  await database.drop();
  rmSync(home, { recursive: true, force: true });
});

beforeEach(async () => {
  await owner.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
});

function folder(migrations: Record<string, string>): string {
  folders += 1;
  const dir = join(home, String(folders), 'migrations');
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'migration_lock.toml'), 'provider = "postgresql"\n');
  for (const [name, sql] of Object.entries(migrations)) {
    mkdirSync(join(dir, name));
    writeFileSync(join(dir, name, 'migration.sql'), sql);
  }
  return dir;
}

function run(migrationsDir: string, appRole?: string): Promise<string[]> {
  const ownerUrl = database.ownerUrl;
  return migrate({ ownerUrl, migrationsDir, logger: silentLogger, ...(appRole && { appRole }) });
}

const FIRST = `CREATE TABLE tariff (id bigint PRIMARY KEY);
CREATE FUNCTION one() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END; $$;`;
const SECOND = `CREATE TABLE entry (id bigserial PRIMARY KEY);
COMMENT ON TABLE entry IS 'Journal lines: append-only';`;

describe('migrating', () => {
  it('applies what is missing, in order, and nothing the second time', async () => {
    expect(await run(folder({ '1_first': FIRST }))).toEqual(['1_first']);
    const both = folder({ '2_second': SECOND, '1_first': FIRST });
    expect(await run(both)).toEqual(['2_second']);
    expect(await run(both)).toEqual([]);
  });

  it('records a migration as prisma does', async () => {
    await run(folder({ '1_first': FIRST }));
    const { rows } = await owner.query('SELECT * FROM _prisma_migrations');
    expect(rows).toEqual([
      {
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        checksum: createHash('sha256').update(FIRST).digest('hex'),
        migration_name: '1_first',
        logs: null,
        rolled_back_at: null,
        started_at: expect.any(Date),
        finished_at: expect.any(Date),
        applied_steps_count: 1,
      },
    ]);
    expect(rows[0].finished_at.getTime()).toBeGreaterThanOrEqual(rows[0].started_at.getTime());
  });

  it('lets two processes that start at once apply each migration once', async () => {
    const dir = folder({ '1_first': FIRST, '2_second': SECOND });
    const applied = await Promise.all([run(dir), run(dir), run(dir)]);
    expect(applied.flat().sort()).toEqual(['1_first', '2_second']);
  });

  it('leaves nothing of a migration that fails, and says where it failed', async () => {
    const dir = folder({ '1_first': FIRST, '2_bad': 'CREATE TABLE half (id int);\nSELEKT 1;' });
    await expect(run(dir)).rejects.toThrow(
      'The migration 2_bad failed at line 2: syntax error at or near "SELEKT".',
    );
    const { rows } = await owner.query(`SELECT to_regclass('half') AS half,
      (SELECT array_agg(migration_name::text) FROM _prisma_migrations) AS applied`);
    expect(rows).toEqual([{ half: null, applied: ['1_first'] }]);
  });

  it.each([
    ['was changed', { '1_first': `${FIRST} ` }, /1_first was changed after/],
    [
      'is unknown',
      { '2_second': SECOND },
      /has the migration 1_first, which this version does not/,
    ],
  ])('refuses a database whose applied migration %s', async (_what, migrations, sentence) => {
    await run(folder({ '1_first': FIRST }));
    await expect(run(folder(migrations))).rejects.toThrow(sentence);
  });

  it('refuses a migration that another tool left unfinished, unless it was resolved', async () => {
    const dir = folder({ '1_first': FIRST });
    await run(folder({}));
    await owner.query(
      `INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ('x', $1, '1_first')`,
      [createHash('sha256').update(FIRST).digest('hex')],
    );
    await expect(run(dir)).rejects.toThrow(/never finished/);
    await owner.query('UPDATE _prisma_migrations SET rolled_back_at = now()');
    expect(await run(dir)).toEqual(['1_first']);
  });
});

describe('the rights of the product', () => {
  const refused = /permission denied/;

  it('are to change ordinary tables, to add to append-only ones, and never to delete', async () => {
    const dir = folder({ '1_first': FIRST, '2_second': SECOND });
    await run(dir, 'vip_app');
    await app.query('INSERT INTO tariff VALUES (1)');
    await app.query('UPDATE tariff SET id = 2');
    await expect(app.query('DELETE FROM tariff')).rejects.toThrow(refused);
    await app.query('INSERT INTO entry DEFAULT VALUES');
    await expect(app.query('UPDATE entry SET id = 2')).rejects.toThrow(refused);
    await expect(app.query('DELETE FROM entry')).rejects.toThrow(refused);
    await expect(app.query('TRUNCATE entry')).rejects.toThrow(refused);
    await expect(app.query('TRUNCATE tariff')).rejects.toThrow(refused);
    await expect(app.query('DROP TABLE tariff')).rejects.toThrow(/must be owner/);
    await expect(app.query('CREATE TABLE mine (id int)')).rejects.toThrow(refused);
    expect((await app.query('SELECT 1 FROM _prisma_migrations')).rowCount).toBe(2);
    await expect(app.query('DELETE FROM _prisma_migrations')).rejects.toThrow(refused);
  });

  it('are taken back where a table became append-only', async () => {
    await run(folder({ '1_first': FIRST }), 'vip_app');
    const closed = "COMMENT ON TABLE tariff IS 'append-only'";
    await run(folder({ '1_first': FIRST, '2_closed': closed }), 'vip_app');
    await expect(app.query('UPDATE tariff SET id = 2')).rejects.toThrow(refused);
  });

  it('are left alone when the product works as the owner; an unknown role is named', async () => {
    await run(folder({ '1_first': FIRST }), 'vip_owner');
    await owner.query('DELETE FROM tariff');
    await expect(run(folder({ '1_first': FIRST }), 'nobody_here')).rejects.toThrow(
      'The database role nobody_here does not exist.',
    );
  });
});
