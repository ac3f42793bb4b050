import { randomBytes } from 'node:crypto';
import { appendFile, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { foldAccounts } from '../../src/billing/ledger/store.ts';
import { proveBooks } from '../../src/books.ts';
import { backUp } from '../../src/platform/database/backup/dump.ts';
import { restore } from '../../src/platform/database/backup/load.ts';
import { MIGRATIONS_DIR } from '../../src/platform/database/open.ts';
import { silentLogger } from '../../src/platform/log.ts';
import { makeTestFolder, type TestDatabase } from '../../src/platform/test-database.ts';
import { createWorld, type World } from './world.ts';

const START = '2026-11-23T11:02:00Z';
const ZERO = { found: 0 };

describe('a backup', () => {
  let world: World;
  let home: string;
  const dropLater: TestDatabase[] = [];
  const dropFirst: World[] = [];
  beforeAll(async () => {
    world = await createWorld(START);
    home = makeTestFolder();
    await world.rows('UPDATE conditional_access SET epoch = 4');
  });
  afterAll(async () => {
    for (const other of dropFirst) await other.close();
    for (const database of dropLater) await database.drop();
    await world.close();
    await rm(home, { recursive: true, force: true });
  });

  let backups = 0;
  const made = async () => {
    backups += 1;
    const dir = join(home, `backup-${backups}`);
    return { dir, manifest: await backUp(world.database.ownerUrl, dir) };
  };
  const restored = async (dir: string, into?: TestDatabase, now = new Date(START)) => {
    const database = into ?? (await emptyDatabase());
    const { ownerUrl } = database;
    const from = { dir, ownerUrl, appRole: 'vip_app', migrationsDir: MIGRATIONS_DIR };
    await restore({ ...from, logger: silentLogger, now });
    return database;
  };
  const emptyDatabase = async (): Promise<TestDatabase> => {
    const { ownerUrl, appUrl } = world.database;
    const name = `vip_restored_${randomBytes(4).toString('hex')}`;
    const beside = (url: string) => Object.assign(new URL(url), { pathname: `/${name}` }).href;
    await onServer(ownerUrl, `CREATE DATABASE ${name}`);
    const drop = async () =>
      void (await onServer(ownerUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
    const database = { ownerUrl: beside(ownerUrl), appUrl: beside(appUrl), drop };
    dropLater.push(database);
    return database;
  };

  it('brings back every row, and the books are sound', async () => {
    const { number } = await world.customer();
    await world.pay({ amount: 65_000n, accountRef: number, receipt: 'BEFORE' });
    await foldAccounts(world.pool);
    const { dir, manifest } = await made();
    const database = await restored(dir);
    const counted = await countRows(database.ownerUrl);
    expect(counted).toEqual(Object.fromEntries(manifest.tables.map((t) => [t.name, t.rows])));
    expect(counted).toMatchObject({ inbox: 1, subscription: 1 });
    const proofs = await proveBooks(database.appUrl, silentLogger);
    expect(proofs.length).toBeGreaterThan(20);
    expect(proofs).toEqual(proofs.map(({ what }) => ({ what, ...ZERO })));
  });

  it('goes on from there: a receipt counts once, ids and revisions are new', async () => {
    const { number } = await world.customer();
    const receipt = 'KNOWN1';
    await world.pay({ amount: 65_000n, accountRef: number, receipt });
    const lastId = Number((await world.rows('SELECT max(id) AS id FROM outbound'))[0]?.id);
    const { dir } = await made();
    const again = await createWorld(START, await restored(dir));
    try {
      const repeated = await again.pay({ amount: 65_000n, accountRef: number, receipt });
      expect(repeated).toMatchObject({ kind: 'done', first: false });
      const next = { amount: 65_000n, accountRef: number, receipt: 'AFTER1' };
      expect(await again.pay(next)).toMatchObject({ kind: 'done', first: true });
      await foldAccounts(again.pool);
      expect(await again.check()).toMatchObject({ wrongFolds: 0, wrongBalances: 0, wrongLots: 0 });
      const [ids] = await again.rows('SELECT max(id) AS id FROM outbound');
      expect(Number(ids?.id) - lastId).toBeGreaterThan(50_000_000);
      const epochOf = 'SELECT epoch FROM conditional_access';
      const [{ epoch } = {}] = await again.rows(epochOf);
      expect(Number(epoch)).toBeGreaterThan(4);
      // The same backup once more, ten minutes later: above all that this life has used.
      const later = new Date(Date.parse(START) + 600_000);
      const third = await createWorld(START, await restored(dir, undefined, later));
      dropFirst.push(third);
      expect(Number((await third.rows(epochOf))[0]?.epoch)).toBeGreaterThan(Number(epoch));
      await third.pay({ amount: 65_000n, accountRef: number, receipt: 'AFTER1' });
      const [thirdIds] = await third.rows('SELECT min(id) AS id FROM journal WHERE id > $1', [
        ...[lastId],
      ]);
      const [secondIds] = await again.rows('SELECT max(id) AS id FROM journal');
      expect(Number(thirdIds?.id)).toBeGreaterThan(Number(secondIds?.id));
    } finally {
      await again.close();
    }
  });

  it('is of one instant: what is paid meanwhile is in it whole, or not at all', async () => {
    const { number } = await world.customer();
    const paying = Array.from({ length: 40 }, (_, n) =>
      world.pay({ amount: 65_000n, accountRef: number, receipt: `WHILE${n}` }),
    );
    const [{ dir }] = await Promise.all([made(), ...paying]);
    const database = await restored(dir);
    const wrong = (await proveBooks(database.appUrl, silentLogger)).filter(({ found }) => found);
    expect(wrong).toEqual([]);
  });

  it('keeps what nobody may change unchangeable, also for the owner', async () => {
    const { dir } = await made();
    const { ownerUrl } = await restored(dir);
    await expect(onServer(ownerUrl, 'UPDATE entry SET amount = amount + 1')).rejects.toThrow(
      'append-only',
    );
  });

  it('is refused where a file is damaged or missing, or it was never finished', async () => {
    const { dir } = await made();
    const manifest = await readFile(join(dir, 'manifest.json'), 'utf8');
    await appendFile(join(dir, 'journal.copy.gz'), 'x');
    await expect(restored(dir)).rejects.toThrow('journal.copy.gz is not what was backed up');
    await rm(join(dir, 'journal.copy.gz'));
    await expect(restored(dir)).rejects.toThrow('journal.copy.gz is missing');
    await writeFile(join(dir, 'manifest.json'), manifest.slice(0, 100));
    await expect(restored(dir)).rejects.toThrow('manifest.json is damaged');
    await rm(join(dir, 'manifest.json'));
    await expect(restored(dir)).rejects.toThrow('no backup, or not a finished one');
  });

  it('never goes over another, and never into a database that is in use', async () => {
    const { dir } = await made();
    await expect(backUp(world.database.ownerUrl, dir)).rejects.toThrow('exists already');
    const used = { ...world.database, drop: async () => undefined };
    await expect(restored(dir, used)).rejects.toThrow('not empty');
  });

  it('of a newer version is refused before anything is written', async () => {
    const { dir } = await made();
    const file = join(dir, 'manifest.json');
    const manifest = JSON.parse(await readFile(file, 'utf8'));
    manifest.migrations.push({ name: '20991231000000_later', checksum: '0'.repeat(64) });
    await writeFile(file, JSON.stringify(manifest));
    const database = await emptyDatabase();
    await expect(restored(dir, database)).rejects.toThrow('this version does not know');
    expect(await countRows(database.ownerUrl)).toEqual({});
  });

  it('can be read by nobody else on the machine', async () => {
    const { dir } = await made();
    const modes = await Promise.all(
      (await readdir(dir)).map(async (name) => (await stat(join(dir, name))).mode & 0o77),
    );
    expect(new Set(modes)).toEqual(new Set([0]));
  });
});

async function onServer(url: string, sql: string): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await client.query(sql);
  } finally {
    await client.end();
  }
}

/** How many rows each table of the product has. */
async function countRows(url: string): Promise<Record<string, number>> {
  const tables = await onServer(
    url,
    `SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace
        AND relkind IN ('r', 'p') AND NOT relispartition AND relname <> '_prisma_migrations'`,
  );
  const counts: Record<string, number> = {};
  for (const { relname } of tables.rows) {
    const { rows } = await onServer(url, `SELECT count(*)::int AS n FROM ${relname}`);
    counts[relname] = rows[0].n;
  }
  return counts;
}
