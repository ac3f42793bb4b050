import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, realpathSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { isProcessAlive, processesBelow } from './database/embedded/process.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './database/embedded.ts';
import { migrate } from './database/migrate.ts';
import { silentLogger } from './log.ts';
import { sleep } from './timers.ts';

/** A database of one test file's own, migrated and empty. */
export interface TestDatabase {
  /** As the owner of the tables: for what the product itself may not do. */
  ownerUrl: string;
  /** As the product connects. */
  appUrl: string;
  drop(): Promise<void>;
}

/** The one Postgres behind all test databases of a run. */
export interface TestServer {
  stop(): Promise<void>;
}

const FOLDER_PREFIX = 'vip-billing-test-';
/**
 * Linux' file system in memory: a database is cloned there in a tenth of the time, and whoever
 * syncs what it wrote, as the head-end does before each answer, waits for no disk.
 */
const MEMORY_HOME = '/dev/shm';
const MEMORY_FREE_BYTES_MIN = 2 * 1024 ** 3;
const SWEEP_LIMIT_MS = 5_000;
const TEMPLATE = 'vip_template';
/** How the test processes learn of the server that the run's set-up started. */
const OWNER_URL = 'VIP_TEST_OWNER_URL';
const APP_URL = 'VIP_TEST_APP_URL';
/** Of Node: the programs that tests start find there what an earlier one has compiled. */
const COMPILE_CACHE = 'NODE_COMPILE_CACHE';

/**
 * Starts a Postgres in a temporary folder, with a migrated template database, and tells the test
 * processes started from here on. Removes what killed runs left behind. `settings` are Postgres's.
 */
export async function startTestServer(
  migrationsDir: string,
  settings: Record<string, string> = {},
): Promise<TestServer> {
  await sweepAbandoned();
  const dataDir = makeTestFolder();
  let postgres: EmbeddedPostgres | undefined;
  const stop = async () => {
    await postgres?.stop();
    rmSync(dataDir, { recursive: true, force: true });
  };
  try {
    postgres = await startEmbeddedPostgres({
      dataDir,
      logger: silentLogger,
      durable: false,
      settings: {
        ...{ max_connections: '100', shared_buffers: '64MB', autovacuum: 'off' },
        // Who waits in a circle learns it at once.
        deadlock_timeout: '1ms',
        ...settings,
      },
    });
    await onServer(postgres.ownerUrl, `CREATE DATABASE ${TEMPLATE}`);
    const ownerUrl = withDatabase(postgres.ownerUrl, TEMPLATE);
    await migrate({ ownerUrl, migrationsDir, logger: silentLogger, appRole: 'vip_app' });
    process.env[OWNER_URL] = postgres.ownerUrl;
    process.env[APP_URL] = postgres.appUrl;
    process.env[COMPILE_CACHE] ??= join(dataDir, 'compiled');
    return { stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Clones the template, in some 30 ms where there is memory for it; drop it after the last test. */
export const createTestDatabase = (): Promise<TestDatabase> => cloneOf(TEMPLATE);

/** Clones a test database with all that is in it; nobody may be connected to that. */
export const cloneDatabase = ({ ownerUrl }: TestDatabase): Promise<TestDatabase> =>
  cloneOf(new URL(ownerUrl).pathname.slice(1));

async function cloneOf(template: string): Promise<TestDatabase> {
  const ownerUrl = process.env[OWNER_URL];
  const appUrl = process.env[APP_URL];
  if (!ownerUrl || !appUrl) throw new Error('No test server: is the global set-up of jest on?');
  const name = `vip_test_${process.pid}_${randomBytes(4).toString('hex')}`;
  await onServer(ownerUrl, `CREATE DATABASE ${name} TEMPLATE ${template} STRATEGY FILE_COPY`);
  return {
    ownerUrl: withDatabase(ownerUrl, name),
    appUrl: withDatabase(appUrl, name),
    drop: () => onServer(ownerUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
  };
}

/**
 * A temporary folder, in memory where there is room. Remove it after the test; when the run is
 * killed, the next one removes it, together with any Postgres left running in it.
 */
export function makeTestFolder(home = isRoomy(MEMORY_HOME) ? MEMORY_HOME : tmpdir()): string {
  return mkdtempSync(join(realpathSync(home), `${FOLDER_PREFIX}${process.pid}-`));
}

function isRoomy(home: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(home);
    return bavail * bsize >= MEMORY_FREE_BYTES_MIN;
  } catch {
    return false;
  }
}

function withDatabase(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.href;
}

async function onServer(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, application_name: 'vip-test-setup' });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

/** The folder's name tells which run made it; when that process is gone nobody needs it. */
async function sweepAbandoned(): Promise<void> {
  for (const home of [realpathSync(tmpdir()), MEMORY_HOME]) await sweep(home);
}

async function sweep(home: string): Promise<void> {
  for (const name of namesIn(home)) {
    if (!name.startsWith(FOLDER_PREFIX)) continue;
    if (isProcessAlive(Number.parseInt(name.slice(FOLDER_PREFIX.length), 10))) continue;
    const folder = join(home, name);
    try {
      await endProcessesBelow(folder);
      rmSync(folder, { recursive: true, force: true });
    } catch {
      // It belongs to another user, who will remove it.
    }
  }
}

function namesIn(home: string): string[] {
  try {
    return readdirSync(home);
  } catch {
    return [];
  }
}

async function endProcessesBelow(folder: string): Promise<void> {
  const deadline = performance.now() + SWEEP_LIMIT_MS;
  for (const pid of processesBelow(folder)) {
    try {
      process.kill(pid, 'SIGQUIT');
    } catch (error) {
      // Its parent took it along.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
  while (processesBelow(folder).length > 0 && performance.now() < deadline) await sleep(20);
}
