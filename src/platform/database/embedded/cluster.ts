import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  access,
  chown,
  link,
  mkdir,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { StartError } from '../../start-error.ts';
import type { Binaries } from './binaries.ts';
import { chooseLaunchUser, type LaunchUser } from './launch-user.ts';
import { isProcessAlive } from './process.ts';

/** What one data folder holds of Postgres. */
export interface Cluster {
  /** Postgres' own folder, `DATA/postgres`. */
  dir: string;
  logFile: string;
  portFile: string;
  passwords: Passwords;
  user: LaunchUser;
}

export interface Passwords {
  superuser: string;
  owner: string;
  app: string;
}

/** A clean environment: no PG* variable, locale or time zone of the terminal reaches Postgres. */
export const POSTGRES_ENV = { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' };

const INIT_PREFIX = 'postgres.init-';
const PASSWORD_BYTES = 24;

/** The cluster that stands in `dataDir`; null: none. Throws a StartError without its passwords. */
export async function findCluster(
  dataDir: string,
): Promise<Pick<Cluster, 'dir' | 'passwords'> | null> {
  const home = await realpath(dataDir).catch(() => null);
  if (home === null) return null;
  const dir = join(home, 'postgres');
  const hasCluster = await access(dir).then(
    () => true,
    () => false,
  );
  return hasCluster ? { dir, passwords: await readPasswords(home, true) } : null;
}

/** Opens the cluster in `dataDir`, and makes it first when there is none. Throws a StartError. */
export async function openCluster(
  dataDir: string,
  binaries: Binaries,
  isDurable: boolean,
): Promise<Cluster> {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    await access(dataDir, 7);
  } catch (error) {
    throw new StartError(`The data folder ${dataDir} cannot be written: ${messageOf(error)}.`);
  }
  const home = await realpath(dataDir);
  const dir = join(home, 'postgres');
  const user = chooseLaunchUser(dir);
  const hasCluster = await access(dir).then(
    () => true,
    () => false,
  );
  const passwords = await readPasswords(home, hasCluster);
  if (!hasCluster) {
    await removeAbandonedInits(home);
    await initCluster({ home, dir, binaries, user, password: passwords.superuser, isDurable });
  }
  const logFile = join(home, 'postgres.log');
  return { dir, logFile, portFile: join(home, 'postgres-port'), passwords, user };
}

/**
 * The passwords of this folder's cluster. The file appears whole or not at all, so of two
 * processes that start at once both use the same passwords.
 */
async function readPasswords(home: string, hasCluster: boolean): Promise<Passwords> {
  const file = join(home, 'postgres-password.json');
  if (!hasCluster) {
    const fresh = JSON.stringify({ superuser: secret(), owner: secret(), app: secret() });
    const draft = `${file}.${process.pid}`;
    await writeFile(draft, fresh, { mode: 0o600 });
    try {
      await link(draft, file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    } finally {
      await rm(draft, { force: true });
    }
  }
  try {
    const { superuser, owner, app } = JSON.parse(await readFile(file, 'utf8')) as Passwords;
    return { superuser, owner, app };
  } catch (error) {
    throw new StartError(
      `The password file ${file} of the embedded Postgres cannot be read: ${messageOf(error)}.`,
    );
  }
}

function secret(): string {
  return randomBytes(PASSWORD_BYTES).toString('hex');
}

/** A process killed during initdb leaves its own half folder, which nobody else uses. */
async function removeAbandonedInits(home: string): Promise<void> {
  for (const name of await readdir(home)) {
    if (!name.startsWith(INIT_PREFIX)) continue;
    if (isProcessAlive(Number.parseInt(name.slice(INIT_PREFIX.length), 10))) continue;
    await rm(join(home, name), { recursive: true, force: true });
  }
}

interface Init {
  home: string;
  dir: string;
  binaries: Binaries;
  user: LaunchUser;
  password: string;
  isDurable: boolean;
}

/** Makes the cluster beside its place and renames it there, so that a half one is never opened. */
async function initCluster(init: Init): Promise<void> {
  const draft = join(init.home, `${INIT_PREFIX}${process.pid}`);
  const passwordFile = `${draft}.password`;
  const { uid, gid, prefix } = init.user;
  try {
    await rm(draft, { recursive: true, force: true });
    await mkdir(draft, { mode: 0o700 });
    await writeFile(passwordFile, init.password, { mode: 0o600 });
    if (prefix.length > 0) await chown(draft, uid, gid);
    const [command = '', ...args] = [...prefix, init.binaries.initdb, ...initdbArgs(draft)];
    const sync = init.isDurable ? [] : ['--no-sync'];
    const words = [...args, `--pwfile=${passwordFile}`, ...sync];
    await promisify(execFile)(command, words, { env: POSTGRES_ENV, cwd: draft });
    await rename(draft, init.dir);
  } catch (error) {
    // Another process that started at the same moment was first: its cluster serves as well.
    if (['ENOTEMPTY', 'EEXIST'].includes(String((error as NodeJS.ErrnoException).code))) return;
    const said = (error as { stderr?: string }).stderr?.trim().split('\n').at(-1);
    throw new StartError(
      `Postgres could not prepare its data folder ${init.dir}: ${said || messageOf(error)}.`,
    );
  } finally {
    await rm(passwordFile, { force: true });
    await rm(draft, { recursive: true, force: true });
  }
}

/** C.UTF-8 of the builtin provider sorts the same on every machine and still knows that É is é. */
function initdbArgs(dir: string): string[] {
  return [
    `--pgdata=${dir}`,
    '--username=postgres',
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--no-instructions',
  ];
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
