/** Fills an empty database with a backup, and makes it fit to go on from there. */
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { Logger } from '../../ports.ts';
import { StartError } from '../../start-error.ts';
import { migrate } from '../migrate.ts';
import { type BackedUpTable, fileOf, type Manifest, readBackup } from './manifest.ts';
import { CONNECT_LIMIT_MS, readTables } from './tables.ts';

export interface RestoreOptions {
  dir: string;
  /** An empty database, as the role that is to own the tables. */
  ownerUrl: string;
  /** The role the product works as. */
  appRole: string;
  migrationsDir: string;
  logger: Logger;
  /** The instant of the restore. */
  now: Date;
}

/**
 * Blocks of ids (`ID_BLOCK_SIZE` each) left out after a restore: what was numbered after the backup
 * is known elsewhere, to the head-end by the name of a command and to subscribers by a reference.
 */
const ID_BLOCKS_SKIPPED = 10_000n;
/** A backup may be restored twice: ids and epochs begin above what the first life can use. */
const ID_BLOCKS_A_MINUTE = 1_000n;
const COUNTED_FROM_MS = Date.parse('2026-01-01T00:00:00Z');
const MINUTE_MS = 60_000;

/**
 * Restores the backup in `dir`: its migrations, its rows, then the migrations made since. Every
 * reference is checked anew. Revisions of rights begin a new epoch. What ends before this returns
 * has left nothing to go on from: drop the database and begin again. Throws a StartError when the
 * backup is not whole, was made by a newer version, or the database is not empty.
 */
export async function restore(options: RestoreOptions): Promise<Manifest> {
  const { dir, ownerUrl } = options;
  const manifest = await readBackup(dir);
  const client = new pg.Client({
    connectionString: ownerUrl,
    application_name: 'vip-restore',
    connectionTimeoutMillis: CONNECT_LIMIT_MS,
  });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await refuseUsed(client);
    await migrate({ ...options, only: manifest.migrations });
    await client.query('BEGIN');
    await fill(client, dir, manifest);
    await client.query('COMMIT');
    await migrate(options);
    await client.query('BEGIN');
    await beginAnew(client, manifest, options.now);
    await client.query('COMMIT');
  } finally {
    await client.end();
  }
  return manifest;
}

async function refuseUsed(client: pg.Client): Promise<void> {
  const tables = await readTables(client);
  if (tables.length === 0) return;
  throw new StartError('The database to restore into is not empty; make a new one.');
}

async function fill(client: pg.Client, dir: string, manifest: Manifest): Promise<void> {
  const quoted = (name: string) => client.escapeIdentifier(name);
  for (const { name, parent, bound } of manifest.partitions) {
    const made = await client.query('SELECT to_regclass($1) IS NOT NULL AS is_there', [name]);
    if (made.rows[0].is_there) continue;
    await client.query(`CREATE TABLE ${quoted(name)} PARTITION OF ${quoted(parent)} ${bound}`);
  }
  const names = manifest.tables.map(({ name }) => quoted(name));
  const guarded = [...names, ...(await partitionsOf(client)).map(quoted)];
  // Rows are complete and in no order: references are checked when all are there, in one go each.
  const references = await dropReferences(client);
  for (const name of guarded) await client.query(`ALTER TABLE ${name} DISABLE TRIGGER USER`);
  await client.query(`TRUNCATE ${names.join(', ')}`);
  for (const table of manifest.tables) await copyIn(client, table, fileOf(dir, table.name));
  for (const name of guarded) await client.query(`ALTER TABLE ${name} ENABLE TRIGGER USER`);
  for (const sql of references) await client.query(sql);
}

async function partitionsOf(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ relname: string }>(
    `SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r'
        AND relnamespace = 'public'::regnamespace`,
  );
  return rows.map(({ relname }) => relname);
}

/** Takes all foreign keys away; returns the statements that bring them back. */
async function dropReferences(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ table: string; name: string; definition: string }>(`
    SELECT conrelid::regclass::text AS table, quote_ident(conname) AS name,
           pg_get_constraintdef(oid) AS definition
      FROM pg_constraint
     WHERE contype = 'f' AND connamespace = 'public'::regnamespace AND conparentid = 0
     ORDER BY conrelid::regclass::text, conname`);
  for (const { table, name } of rows) {
    await client.query(`ALTER TABLE ${table} DROP CONSTRAINT ${name}`);
  }
  return rows.map((row) => `ALTER TABLE ${row.table} ADD CONSTRAINT ${row.name} ${row.definition}`);
}

async function copyIn(client: pg.Client, table: BackedUpTable, file: string): Promise<void> {
  const columns = table.columns.map((column) => client.escapeIdentifier(column)).join(', ');
  const name = client.escapeIdentifier(table.name);
  const copy = client.query(copyFrom(`COPY ${name} (${columns}) FROM STDIN`));
  await pipeline(createReadStream(file), createGunzip(), copy);
  if (copy.rowCount === table.rows) return;
  throw new StartError(`${file} has ${copy.rowCount} rows instead of ${table.rows}.`);
}

/** What must not go on from where the backup stood. */
async function beginAnew(client: pg.Client, manifest: Manifest, now: Date): Promise<void> {
  const minute = BigInt(Math.max(1, Math.floor((now.getTime() - COUNTED_FROM_MS) / MINUTE_MS)));
  for (const { name, last, isCalled } of manifest.sequences) {
    const next = name === 'id_block' ? leapFrom(BigInt(last), minute) : BigInt(last);
    await client.query('SELECT setval($1::regclass, $2::bigint, $3)', [name, next, isCalled]);
  }
  await goOnCounting(client);
  // The head-end has seen later revisions than these: they are of another epoch from here on.
  await client.query(
    `UPDATE conditional_access
        SET epoch = greatest(epoch + 1, $1), compared_change = NULL, compared_at = NULL`,
    [minute],
  );
}

function leapFrom(last: bigint, minute: bigint): bigint {
  const above = last + ID_BLOCKS_SKIPPED;
  const byTime = minute * ID_BLOCKS_A_MINUTE;
  return byTime > above ? byTime : above;
}

/** What a column of transaction numbers is called or made of. */
const XID_COLUMNS = `
SELECT c.relname AS table, a.attname AS column
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
   AND (a.atttypid = 'xid8'::regtype OR a.attname = 'xid') AND NOT a.attisdropped`;

/**
 * Rows keep the number of the transaction that wrote them, and what is folded or sealed is so up to
 * such a number. This database counts from low on: ours go on above the highest that came with it.
 */
async function goOnCounting(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ table: string; column: string }>(XID_COLUMNS);
  let highest = 0n;
  for (const { table, column } of rows) {
    const [name, from] = [client.escapeIdentifier(column), client.escapeIdentifier(table)];
    const found = await client.query(`SELECT max(${name}::text::bigint)::text AS xid FROM ${from}`);
    const xid = BigInt(found.rows[0].xid ?? 0);
    if (xid > highest) highest = xid;
  }
  if (highest === 0n) return;
  const above = (xid: string) => `(${xid}::text::bigint + ${highest})::text::xid8`;
  await client.query(`
    CREATE OR REPLACE FUNCTION house_xid() RETURNS xid8 LANGUAGE sql STABLE
      RETURN ${above('pg_current_xact_id()')};
    CREATE OR REPLACE FUNCTION house_xmin() RETURNS xid8 LANGUAGE sql STABLE
      RETURN ${above('pg_snapshot_xmin(pg_current_snapshot())')}`);
}
