/** The database comes back from a backup of yesterday; the head-end remembers today. */
import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { backUp } from '../../src/platform/database/backup/dump.ts';
import { restore } from '../../src/platform/database/backup/load.ts';
import { MIGRATIONS_DIR } from '../../src/platform/database/open.ts';
import { silentLogger } from '../../src/platform/log.ts';
import { makeTestFolder, type TestDatabase } from '../../src/platform/test-database.ts';
import { type Compared, createCompared, createRestored, DAY_MS } from './reconciliation.ts';

describe('reconciliation after a restore', () => {
  let house: Compared;
  let restored: Compared | null = null;
  let folder: string;
  beforeAll(async () => {
    house = await createCompared();
    folder = makeTestFolder();
  });
  afterAll(async () => {
    await restored?.close();
    await house.close();
    await rm(folder, { recursive: true, force: true });
  });

  const onServer = async (sql: string) => {
    const client = new pg.Client({ connectionString: house.world.database.ownerUrl });
    await client.connect();
    await client.query(sql);
    await client.end();
  };
  /** The backup in a database of its own. */
  const restoredFrom = async (dir: string): Promise<TestDatabase> => {
    const name = `vip_restored_${randomBytes(4).toString('hex')}`;
    const beside = (url: string) => Object.assign(new URL(url), { pathname: `/${name}` }).href;
    const { ownerUrl, appUrl } = house.world.database;
    await onServer(`CREATE DATABASE ${name}`);
    const into = { ownerUrl: beside(ownerUrl), appRole: 'vip_app', migrationsDir: MIGRATIONS_DIR };
    await restore({ ...into, dir, logger: silentLogger, now: house.world.now() });
    const drop = () => onServer(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    return { ownerUrl: beside(ownerUrl), appUrl: beside(appUrl), drop };
  };

  const epochOf = async ({ appUrl }: TestDatabase): Promise<number> => {
    const client = new pg.Client({ connectionString: appUrl });
    await client.connect();
    const { rows } = await client.query('SELECT epoch FROM conditional_access');
    await client.end();
    return rows[0].epoch;
  };

  it('puts everything right in one run', async () => {
    const [same = '', longer = ''] = await house.onAir(2);
    const { number: late } = await house.world.customer();
    const dir = join(folder, 'backup');
    await backUp(house.world.database.ownerUrl, dir);
    // What the backup does not know of: a second month, and a first one.
    await house.world.pay({ amount: 65_000n, accountRef: longer });
    await house.world.pay({ amount: 65_000n, accountRef: late });
    await house.send();
    house.later(DAY_MS);

    const database = await restoredFrom(dir);
    const epoch = await epochOf(database);
    expect(epoch).toBeGreaterThan(1);
    restored = await createRestored(house, database, epoch);
    const { found, end } = await restored.reconcile();
    expect(end).toMatchObject({ error: null });
    expect(found.map(({ card, class: kind }) => [card, kind])).toEqual(
      [
        [longer, 'C'],
        [late, 'A'],
      ].sort(),
    );
    await restored.send();
    restored.later(DAY_MS);
    expect((await restored.reconcile()).found).toEqual([]);
    const held = (number: string) => house.air.headEnd().card(number)?.set;
    expect(held(late)).toEqual([]);
    expect(held(longer)).toEqual(held(same));
    expect(await restored.openOf(late)).toEqual([]);
  });
});
