/** Writes everything the database has, as of one instant, into a folder of files. */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { StartError } from '../../start-error.ts';
import { type BackedUpTable, fileOf, MANIFEST, type Manifest } from './manifest.ts';
import { CONNECT_LIMIT_MS, readTables, type Table } from './tables.ts';

const PRIVATE_FILE = 0o600;
const PRIVATE_FOLDER = 0o700;

/**
 * Backs up the database of `ownerUrl` (a role that may read all tables) into `dir`, which must not
 * exist. Nobody who works meanwhile waits, and what they write is in it as of one instant. The
 * manifest is written last: a folder without it is no backup. Throws a StartError when `dir` is
 * there already.
 */
export async function backUp(ownerUrl: string, dir: string): Promise<Manifest> {
  await mkdir(dir, { mode: PRIVATE_FOLDER }).catch((error: { code?: string }) => {
    if (error.code === 'EEXIST') throw new StartError(`${dir} exists already.`);
    throw error;
  });
  const client = new pg.Client({
    connectionString: ownerUrl,
    application_name: 'vip-backup',
    connectionTimeoutMillis: CONNECT_LIMIT_MS,
  });
  await client.connect();
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const manifest = await describe(client);
    for (const table of await readTables(client)) {
      manifest.tables.push(await copyOut(client, table, fileOf(dir, table.name)));
    }
    const file = join(dir, MANIFEST);
    await writeFile(`${file}.part`, `${JSON.stringify(manifest, null, 2)}\n`, {
      mode: PRIVATE_FILE,
    });
    await rename(`${file}.part`, file);
    return manifest;
  } finally {
    await client.end();
  }
}

async function describe(client: pg.Client): Promise<Manifest> {
  const { rows } = await client.query<Omit<Manifest, 'format' | 'tables' | 'at'> & { at: Date }>(`
    SELECT transaction_timestamp() AS at,
           (SELECT coalesce(json_agg(json_build_object('name', migration_name,
                     'checksum', checksum) ORDER BY started_at), '[]')
              FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL
           ) AS migrations,
           (SELECT coalesce(json_agg(json_build_object('name', c.relname, 'parent', p.relname,
                     'bound', pg_get_expr(c.relpartbound, c.oid)) ORDER BY c.relname), '[]')
              FROM pg_class c JOIN pg_inherits i ON i.inhrelid = c.oid
              JOIN pg_class p ON p.oid = i.inhparent
             WHERE c.relispartition AND c.relkind = 'r'
               AND c.relnamespace = 'public'::regnamespace) AS partitions,
           (SELECT coalesce(json_agg(json_build_object('name', sequencename,
                     'last', coalesce(last_value, start_value)::text,
                     'isCalled', last_value IS NOT NULL) ORDER BY sequencename), '[]')
              FROM pg_sequences WHERE schemaname = 'public') AS sequences`);
  const [row] = rows;
  if (!row) throw new Error('A SELECT without FROM gives a row');
  return { format: 1, ...row, at: row.at.toISOString(), tables: [] };
}

async function copyOut(client: pg.Client, table: Table, file: string): Promise<BackedUpTable> {
  const { name, columns } = table;
  const list = columns.map((column) => client.escapeIdentifier(column)).join(', ');
  const from = `(SELECT ${list} FROM ${client.escapeIdentifier(name)})`;
  const copy = client.query(copyTo(`COPY ${from} TO STDOUT`));
  const hash = createHash('sha256');
  const hashed = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  const kept = createWriteStream(file, { mode: PRIVATE_FILE, flags: 'wx', flush: true });
  await pipeline(copy, createGzip(), hashed, kept);
  return { name, columns, rows: copy.rowCount, sha256: hash.digest('hex') };
}
