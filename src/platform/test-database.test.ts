import pg from 'pg';
import { createTestDatabase } from './test-database.ts';

async function ask(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

describe('a test database', () => {
  it('is migrated, apart from any other, and gone after the drop', async () => {
    const [one, two] = await Promise.all([createTestDatabase(), createTestDatabase()]);
    await ask(one.ownerUrl, 'CREATE TABLE only_here (id int)');
    expect(await ask(two.ownerUrl, `SELECT to_regclass('only_here') AS t`)).toEqual([{ t: null }]);
    const applied = 'SELECT count(*)::int > 0 AS migrated FROM _prisma_migrations';
    expect(await ask(two.appUrl, applied)).toEqual([{ migrated: true }]);
    await one.drop();
    await two.drop();
    await expect(ask(one.ownerUrl, 'SELECT 1')).rejects.toThrow(/does not exist/);
  });
});
