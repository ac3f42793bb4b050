import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import pg from 'pg';
import type { Logger } from '../ports.ts';
import { makeTestFolder } from '../test-database.ts';
import { sleep } from '../timers.ts';
import { isProcessAlive } from './embedded/process.ts';
import {
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
  findEmbeddedPostgres,
  startEmbeddedPostgres,
} from './embedded.ts';

const HOLDER = join(process.cwd(), 'test', 'database', 'hold-postgres.ts');
const home = makeTestFolder();
const children: ChildProcess[] = [];
const servers: EmbeddedPostgres[] = [];

afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await Promise.all(servers.map((server) => server.stop()));
  rmSync(home, { recursive: true, force: true });
}, 60_000);

beforeAll(async () => {
  await (await start('template')).stop();
});

/** A data folder of its own, copied ready-made because making one takes most of a second. */
function copied(name: string): string {
  execFileSync('cp', ['-a', join(home, 'template'), join(home, name)]);
  return name;
}

function recorder() {
  const events: string[] = [];
  const note = (event: string) => void events.push(event);
  const logger: Logger = { info: note, warn: note, error: note };
  return { events, logger };
}

async function start(name: string, own: Partial<EmbeddedPostgresOptions> = {}) {
  const options = { dataDir: join(home, name), logger: recorder().logger, durable: false, ...own };
  const server = await startEmbeddedPostgres(options);
  servers.push(server);
  return server;
}

interface Said {
  postmasterId: number;
  ownerUrl: string;
  error?: string;
}

async function hold(name: string): Promise<{ child: ChildProcess; said: Said }> {
  const child = spawn(process.execPath, [HOLDER, join(home, name)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  children.push(child);
  const [line] = await once(createInterface(child.stdout ?? process.stdin), 'line');
  return { child, said: JSON.parse(line) };
}

async function ask(url: string, sql: string): Promise<unknown> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query({ text: sql, rowMode: 'array' })).rows[0]?.[0];
  } finally {
    await client.end();
  }
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await sleep(20);
}

describe('the embedded Postgres', () => {
  it('makes a private cluster with an owner and an app role, and keeps its data', async () => {
    const first = await start('keeps');
    await ask(first.ownerUrl, 'CREATE TABLE kept (id int)');
    await expect(ask(first.appUrl, 'CREATE TABLE nope (id int)')).rejects.toThrow(/permission/);
    await expect(ask(first.appUrl, 'CREATE ROLE nope')).rejects.toThrow(/permission/);
    expect(await ask(first.ownerUrl, 'SHOW listen_addresses')).toBe('127.0.0.1');
    const pidFile = readFileSync(join(home, 'keeps', 'postgres', 'postmaster.pid'), 'utf8');
    expect(pidFile.split('\n')[4]).toBe(''); // no folder of a Unix socket
    expect(await ask(first.ownerUrl, "SELECT lower('É')")).toBe('é');
    expect(statSync(join(home, 'keeps', 'postgres')).mode & 0o777).toBe(0o700);
    expect(statSync(join(home, 'keeps', 'postgres-password.json')).mode & 0o777).toBe(0o600);

    const pid = first.postmasterPid();
    await first.stop();
    expect(isProcessAlive(pid)).toBe(false);
    const second = await start('keeps');
    expect(second.ownerUrl).toBe(first.ownerUrl);
    expect(await ask(second.ownerUrl, 'SELECT count(*) FROM kept')).toBe('0');
    await second.stop();
  });

  it('is durable unless told otherwise', async () => {
    const options = { dataDir: join(home, copied('durable')), logger: recorder().logger };
    const server = await startEmbeddedPostgres(options);
    servers.push(server);
    expect(await ask(server.ownerUrl, 'SHOW fsync')).toBe('on');
    expect(await ask(server.ownerUrl, 'SHOW synchronous_commit')).toBe('on');
    expect(await ask(server.ownerUrl, 'SHOW full_page_writes')).toBe('on');
    await server.stop();
  });

  it('starts Postgres again, on the same port, when it is killed', async () => {
    const { events, logger } = recorder();
    const server = await start(copied('heals'), { logger, durable: true });
    await ask(server.ownerUrl, 'CREATE TABLE kept (id int)');
    const killed = server.postmasterPid();
    process.kill(killed, 'SIGKILL');
    await until(() => events.includes('postgres.restarted'));
    expect(server.postmasterPid()).not.toBe(killed);
    expect(await ask(server.ownerUrl, 'SELECT count(*) FROM kept')).toBe('0');
    expect(events).toEqual(['postgres.started', 'postgres.lost', 'postgres.restarted']);
    const { said } = await hold('heals');
    expect(said.error).toMatch(/in use by another/);
    await server.stop();
    expect(isProcessAlive(server.postmasterPid())).toBe(false);
  });

  it('comes back after one of its processes crashed, under the same postmaster', async () => {
    const { events, logger } = recorder();
    const server = await start(copied('crash'), { logger });
    const before = server.postmasterPid();
    const client = new pg.Client({ connectionString: server.ownerUrl });
    client.on('error', () => undefined);
    await client.connect();
    const { rows } = await client.query('SELECT pg_backend_pid() AS pid');
    process.kill(rows[0].pid, 'SIGKILL');
    await until(() => events.includes('postgres.restarted'));
    expect(server.postmasterPid()).toBe(before);
    expect(await ask(server.ownerUrl, 'SELECT 1')).toBe(1);
    await server.stop();
  });

  it('adopts the Postgres of a process that was killed, and can stop it', async () => {
    const { child, said } = await hold(copied('orphan'));
    await ask(said.ownerUrl, 'CREATE TABLE kept (id int)');
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(isProcessAlive(said.postmasterId)).toBe(true);
    const server = await start('orphan');
    expect(server.postmasterPid()).toBe(said.postmasterId);
    expect(await ask(server.ownerUrl, 'SELECT count(*) FROM kept')).toBe('0');
    await server.stop();
    expect(isProcessAlive(said.postmasterId)).toBe(false);
  });

  it('starts after both the process and its Postgres were killed', async () => {
    const { child, said } = await hold(copied('both'));
    child.kill('SIGKILL');
    process.kill(said.postmasterId, 'SIGKILL');
    const server = await start('both');
    expect(await ask(server.ownerUrl, 'SELECT 1')).toBe(1);
    await server.stop();
  });

  it('refuses a folder that another process uses, in one sentence', async () => {
    const { child, said } = await hold(copied('shared'));
    await expect(start('shared')).rejects.toThrow(
      `The data folder ${home}/shared/postgres is in use by another VIP Billing process.`,
    );
    child.stdin?.end();
    await once(child, 'exit');
    expect(isProcessAlive(said.postmasterId)).toBe(false);
  });

  it('is found by a command beside the process that owns it, for as long as it runs', async () => {
    const name = copied('beside');
    const dataDir = join(home, name);
    expect(await findEmbeddedPostgres(dataDir)).toBeNull();
    const { ownerUrl, appUrl, stop } = await start(name);
    expect(await findEmbeddedPostgres(dataDir)).toEqual({ ownerUrl, appUrl });
    await stop();
    expect(await findEmbeddedPostgres(dataDir)).toBeNull();
    expect(await findEmbeddedPostgres(join(home, 'nowhere'))).toBeNull();
  });

  it('gives a folder to one of two processes that start at once', async () => {
    const both = await Promise.all([hold('race'), hold('race')]);
    const refused = both.filter(({ said }) => said.error);
    expect(refused.map(({ said }) => said.error)).toEqual([
      expect.stringMatching(/is in use by another VIP Billing process/),
    ]);
    for (const { child } of both) child.stdin?.end();
    await Promise.all(both.map(({ child }) => child.exitCode ?? once(child, 'exit')));
  });

  it('ignores a pid file whose number now belongs to another program', async () => {
    const first = await start(copied('reused'));
    await first.stop();
    const lines = [process.pid, join(home, 'reused', 'postgres'), 1, first.port, '', '127.0.0.1'];
    writeFileSync(join(home, 'reused', 'postgres', 'postmaster.pid'), lines.join('\n'));
    const second = await start('reused');
    expect(await ask(second.ownerUrl, 'SELECT 1')).toBe(1);
    await second.stop();
  });

  it('takes another port when the one of last time is taken', async () => {
    const first = await start(copied('port'));
    await first.stop();
    const thief = await start(copied('thief'), { port: first.port });
    const second = await start('port');
    expect(second.port).not.toBe(first.port);
    await second.stop();
    await expect(start('port', { port: first.port })).rejects.toThrow(/Port \d+ .* is in use/);
    await thief.stop();
  });

  it('makes the cluster anew after a start that was killed halfway', async () => {
    const half = join(home, 'half', 'postgres.init-999999999');
    mkdirSync(half, { recursive: true });
    writeFileSync(join(half, 'PG_VERSION'), '18');
    const server = await start('half');
    expect(existsSync(half)).toBe(false);
    expect(await ask(server.ownerUrl, 'SELECT 1')).toBe(1);
    await server.stop();
  });

  it('says what Postgres says when it cannot start', async () => {
    const wrong = start(copied('wrong'), { settings: { shared_buffers: 'plenty' } });
    await expect(wrong).rejects.toThrow(/did not start: invalid value for .*shared_buffers/);
  });
});
