/** `npm run backup -- make DIR | restore DIR | drill`: see docs/guides/restore.md. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { proveBooks } from './books.ts';
import { readDatabase } from './platform/config.ts';
import { backUp } from './platform/database/backup/dump.ts';
import { restore } from './platform/database/backup/load.ts';
import type { Manifest } from './platform/database/backup/manifest.ts';
import { startEmbeddedPostgres } from './platform/database/embedded.ts';
import { MIGRATIONS_DIR } from './platform/database/open.ts';
import { createLogger } from './platform/log.ts';
import { StartError } from './platform/start-error.ts';
import { systemClock } from './platform/system.ts';

const USAGE = 'npm run backup -- make DIR | restore DIR | drill';
const logger = createLogger({ level: 'warn', service: 'vip-backup' });
const say = (line: string) => void process.stdout.write(`${line}\n`);

interface Server {
  ownerUrl: string;
  appUrl: string;
  appRole: string;
  close(): Promise<void>;
}

/** The server as it is: nothing is migrated, for it may be empty. */
async function openServer(): Promise<Server> {
  const { database, dataDir } = readDatabase(process.env);
  if (database.kind === 'server') {
    const { appUrl, ownerUrl } = database;
    const appRole = decodeURIComponent(new URL(appUrl).username);
    return { ownerUrl, appUrl, appRole, close: async () => undefined };
  }
  const { ownerUrl, appUrl, stop } = await startEmbeddedPostgres({ dataDir, logger });
  return { ownerUrl, appUrl, appRole: 'vip_app', close: stop };
}

async function make(server: Server, dir: string): Promise<boolean> {
  report('Backed up', await backUp(server.ownerUrl, dir), dir);
  return true;
}

async function fill(server: Server, dir: string): Promise<boolean> {
  const { ownerUrl, appRole } = server;
  const from = {
    dir,
    ownerUrl,
    appRole,
    migrationsDir: MIGRATIONS_DIR,
    logger,
    now: systemClock.now(),
  };
  report('Restored', await restore(from), dir);
  return await prove(server.appUrl);
}

/** Backs up, restores beside it, proves what came out, and leaves nothing behind. */
async function drill(server: Server): Promise<boolean> {
  const home = await mkdtemp(join(tmpdir(), 'vip-drill-'));
  const name = `vip_drill_${randomBytes(4).toString('hex')}`;
  const beside = (url: string) => {
    const changed = new URL(url);
    changed.pathname = `/${name}`;
    return changed.href;
  };
  try {
    const dir = join(home, 'backup');
    await make(server, dir);
    await onServer(server.ownerUrl, `CREATE DATABASE ${name}`);
    const { ownerUrl, appUrl } = server;
    return await fill({ ...server, ownerUrl: beside(ownerUrl), appUrl: beside(appUrl) }, dir);
  } finally {
    await onServer(server.ownerUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    await rm(home, { recursive: true, force: true });
  }
}

async function onServer(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, application_name: 'vip-drill' });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

function report(done: string, { tables, at }: Manifest, dir: string): void {
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  say(`${done}: ${rows} rows of ${tables.length} tables as of ${at}, ${dir}`);
}

async function prove(appUrl: string): Promise<boolean> {
  const checks = await proveBooks(appUrl, logger);
  for (const { what, found } of checks)
    say(`${found === 0 ? 'ok     ' : 'WRONG  '} ${what}: ${found}`);
  const failed = checks.filter(({ found }) => found !== 0).length;
  say(`${checks.length - failed} passed, ${failed} failed`);
  return failed === 0;
}

async function main([act, dir]: readonly string[]): Promise<boolean> {
  if (act !== 'drill' && !(dir && (act === 'make' || act === 'restore'))) {
    throw new StartError(USAGE);
  }
  const server = await openServer();
  try {
    if (act === 'drill') return await drill(server);
    return act === 'make' ? await make(server, dir ?? '') : await fill(server, dir ?? '');
  } finally {
    await server.close();
  }
}

try {
  process.exitCode = (await main(process.argv.slice(2))) ? 0 : 1;
} catch (error) {
  process.stderr.write(`${error instanceof StartError ? error.message : (error as Error).stack}\n`);
  process.exitCode = 2;
}
