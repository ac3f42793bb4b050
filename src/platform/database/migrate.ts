import { createHash, randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import type { Logger } from '../ports.ts';
import { StartError } from '../start-error.ts';

export interface MigrateOptions {
  /** A connection string of the role that owns the tables. */
  ownerUrl: string;
  /** Prisma's folder: one sub-folder a migration, each with a `migration.sql`. */
  migrationsDir: string;
  logger: Logger;
  /** The role the product works as; it is granted what it needs after migrating. */
  appRole?: string;
  /** Only these, as another database had them; one that is unknown or other is refused. */
  only?: readonly { name: string; checksum: string }[];
}

interface Migration {
  name: string;
  sql: string;
  checksum: string;
}

interface AppliedRow {
  migration_name: string;
  checksum: string;
  is_finished: boolean;
}

/** The lock that `prisma migrate deploy` takes too (Prisma Migrate, "Advisory locking"). */
const MIGRATE_LOCK = 72707369;
const LOCK_WAIT_MS = 120_000;
const CONNECT_LIMIT_MS = 10_000;

/** The table as Prisma's schema engine creates it. */
const CREATE_TABLE = `
  CREATE TABLE IF NOT EXISTS _prisma_migrations (
    id                  VARCHAR(36) PRIMARY KEY NOT NULL,
    checksum            VARCHAR(64) NOT NULL,
    finished_at         TIMESTAMPTZ,
    migration_name      VARCHAR(255) NOT NULL,
    logs                TEXT,
    rolled_back_at      TIMESTAMPTZ,
    started_at          TIMESTAMPTZ NOT NULL DEFAULT now(),
    applied_steps_count INTEGER NOT NULL DEFAULT 0
  )`;

/**
 * Brings the database up to date: applies, in the order of their names, the migrations it has not
 * seen yet, each in one transaction, and records them as `prisma migrate deploy` does. Resolves to
 * the names applied now. Two processes that start at once do it one after the other. Throws a
 * StartError when the recorded history and the folder disagree or a migration fails.
 */
export async function migrate(options: MigrateOptions): Promise<string[]> {
  const all = await readMigrations(options.migrationsDir);
  const migrations = options.only ? theSame(all, options.only) : all;
  const client = new pg.Client({
    connectionString: options.ownerUrl,
    application_name: 'vip-migrate',
    connectionTimeoutMillis: CONNECT_LIMIT_MS,
  });
  client.on('error', () => undefined);
  await client.connect();
  try {
    // A session lock, not one of the transaction: each migration has its own transaction.
    await client.query(`SET lock_timeout = ${LOCK_WAIT_MS}`);
    await client.query('SELECT pg_advisory_lock($1)', [MIGRATE_LOCK]);
    await client.query('RESET lock_timeout');
    const pending = await findPending(client, migrations);
    for (const migration of pending) {
      await apply(client, migration);
      options.logger.info('database.migrated', { migration: migration.name });
    }
    if (options.appRole) await grantAppRole(client, options.appRole);
    return pending.map((migration) => migration.name);
  } finally {
    await client.end();
  }
}

async function readMigrations(dir: string): Promise<Migration[]> {
  const entries = await readdir(dir, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return Promise.all(
    names.sort().map(async (name) => {
      const sql = await readFile(join(dir, name, 'migration.sql'), 'utf8');
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    }),
  );
}

function theSame(
  all: readonly Migration[],
  wanted: NonNullable<MigrateOptions['only']>,
): Migration[] {
  const known = new Map(all.map((migration) => [migration.name, migration]));
  return wanted.map(({ name, checksum }) => {
    const migration = known.get(name);
    checkApplied({ migration_name: name, checksum, is_finished: true }, migration);
    if (!migration) throw new Error('an unknown migration was let pass');
    return migration;
  });
}

async function findPending(client: pg.Client, migrations: Migration[]): Promise<Migration[]> {
  await client.query(CREATE_TABLE);
  const { rows } = await client.query<AppliedRow>(
    `SELECT migration_name, checksum, finished_at IS NOT NULL AS is_finished
       FROM _prisma_migrations WHERE rolled_back_at IS NULL ORDER BY started_at`,
  );
  const known = new Map(migrations.map((migration) => [migration.name, migration]));
  for (const row of rows) checkApplied(row, known.get(row.migration_name));
  const applied = new Set(rows.map((row) => row.migration_name));
  return migrations.filter((migration) => !applied.has(migration.name));
}

function checkApplied(row: AppliedRow, migration: Migration | undefined): void {
  const name = row.migration_name;
  if (!migration) {
    throw new StartError(
      `The database has the migration ${name}, which this version does not know; ` +
        'start the version that applied it, or a newer one.',
    );
  }
  if (migration.checksum !== row.checksum) {
    throw new StartError(
      `The migration ${name} was changed after the database applied it; restore its file.`,
    );
  }
  if (!row.is_finished) {
    throw new StartError(
      `The migration ${name} was begun by another tool and never finished; ` +
        'repair the database and mark it with prisma migrate resolve.',
    );
  }
}

/** One simple query holds the whole file, so dollar-quoted bodies stay whole. */
async function apply(client: pg.Client, migration: Migration): Promise<void> {
  try {
    await client.query('BEGIN');
    await client.query(
      `INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at)
       VALUES ($1, $2, $3, clock_timestamp())`,
      [randomUUID(), migration.checksum, migration.name],
    );
    await client.query(migration.sql);
    await client.query(
      `UPDATE _prisma_migrations SET finished_at = clock_timestamp(), applied_steps_count = 1
        WHERE migration_name = $1 AND rolled_back_at IS NULL`,
      [migration.name],
    );
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    const { message, position } = error as pg.DatabaseError;
    const line = migration.sql.slice(0, Number(position ?? 0)).split('\n').length;
    const where = position ? ` at line ${line}` : '';
    throw new StartError(`The migration ${migration.name} failed${where}: ${message}.`);
  }
}

/**
 * Gives the product's role what it works with: SELECT, INSERT, UPDATE on tables (the product never
 * deletes), but only SELECT, INSERT on those whose COMMENT contains the word `append-only`; the
 * sequences; and a look at `_prisma_migrations`. What an earlier version granted beyond that is
 * taken away. Does nothing when the role is the owner itself. Throws a StartError when the role
 * does not exist.
 */
export async function grantAppRole(owner: pg.Client, appRole: string): Promise<void> {
  const { rows } = await owner.query<{ is_owner: boolean; is_known: boolean }>(
    `SELECT current_user = $1 AS is_owner,
            EXISTS (SELECT FROM pg_roles WHERE rolname = $1) AS is_known`,
    [appRole],
  );
  if (rows[0]?.is_owner) return;
  if (!rows[0]?.is_known) throw new StartError(`The database role ${appRole} does not exist.`);
  const role = owner.escapeIdentifier(appRole);
  const tables = await owner.query<{ name: string; is_append_only: boolean; is_ours: boolean }>(
    `SELECT c.oid::regclass::text AS name,
            coalesce(obj_description(c.oid, 'pg_class') ~* '\\mappend-only\\M', false)
              AS is_append_only,
            c.relname <> '_prisma_migrations' AS is_ours
       FROM pg_class c
      WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')
      ORDER BY c.relname`,
  );
  const statements = tables.rows.flatMap(({ name, is_append_only, is_ours }) => {
    const writes = is_append_only ? ', INSERT' : ', INSERT, UPDATE';
    return [
      `REVOKE ALL ON ${name} FROM ${role}`,
      `GRANT SELECT${is_ours ? writes : ''} ON ${name} TO ${role}`,
    ];
  });
  statements.push(
    `GRANT USAGE ON SCHEMA public TO ${role}`,
    `GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO ${role}`,
  );
  await owner.query(['BEGIN', ...statements, 'COMMIT'].join(';\n'));
}
