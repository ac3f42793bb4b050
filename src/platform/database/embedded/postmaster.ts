import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { StartError } from '../../start-error.ts';
import { sleep } from '../../timers.ts';
import type { Binaries } from './binaries.ts';
import { type Cluster, POSTGRES_ENV } from './cluster.ts';
import { isProcessAlive, isProcessIn, processesBelow } from './process.ts';

/** Postgres' first process: the one to signal and to watch. */
export interface Postmaster {
  pid: number;
  port: number;
  isReady: boolean;
}

export type LaunchResult =
  | { ok: true; postmaster: Postmaster }
  | { ok: false; error: 'still_ending' | 'port_taken' };

const POLL_MS = 20;
/** Recovery after a crash replays at most max_wal_size; minutes mean that something is wrong. */
const READY_LIMIT_MS = 300_000;
const FAST_STOP_LIMIT_MS = 20_000;
const IMMEDIATE_STOP_LIMIT_MS = 5_000;
const LOG_LIMIT_BYTES = 10 * 1024 * 1024;

/**
 * The living postmaster of this folder, or undefined. `postmaster.pid` outlives a killed server,
 * and its number may by now belong to somebody else, so the process itself is looked at.
 * Lines of the file (Postgres, src/include/utils/pidfile.h): 1 pid, 4 port, 8 status.
 */
export function findPostmaster(dir: string): Postmaster | undefined {
  const lines = readPidFile(dir)?.split('\n') ?? [];
  const pid = Number(lines[0]);
  if (!isProcessAlive(pid) || !isProcessIn(pid, dir)) return undefined;
  return { pid, port: Number(lines[3]), isReady: lines[7]?.trim() === 'ready' };
}

function readPidFile(dir: string): string | undefined {
  try {
    return readFileSync(join(dir, 'postmaster.pid'), 'utf8');
  } catch {
    return undefined;
  }
}

/**
 * Starts Postgres on `port` and waits until it takes connections. `still_ending` means that the
 * processes of a killed Postgres are still around: try again soon. Throws a StartError with
 * Postgres' own words for anything that waiting does not mend.
 */
export async function launchPostmaster(
  cluster: Cluster,
  binaries: Binaries,
  port: number,
  settings: Record<string, string>,
): Promise<LaunchResult> {
  const { child, logStart } = spawnPostgres(cluster, binaries, port, settings);
  const deadline = performance.now() + READY_LIMIT_MS;
  let spawnError: Error | undefined;
  child.once('error', (error) => {
    spawnError = error;
  });
  while (!spawnError && child.exitCode === null && child.signalCode === null) {
    const found = findPostmaster(cluster.dir);
    if (found?.isReady && found.pid === child.pid) return { ok: true, postmaster: found };
    if (performance.now() > deadline) {
      throw new StartError(`Postgres is not ready after minutes; see ${cluster.logFile}.`);
    }
    await sleep(POLL_MS);
  }
  const said = spawnError?.message ?? readFileSync(cluster.logFile).subarray(logStart).toString();
  return explainFailure(said, cluster);
}

function explainFailure(said: string, cluster: Cluster): LaunchResult {
  if (/pre-existing shared memory block/.test(said)) return { ok: false, error: 'still_ending' };
  if (/lock file "postmaster.pid" already exists/.test(said)) {
    removeStalePidFile(cluster.dir);
    return { ok: false, error: 'still_ending' };
  }
  if (/could not bind|could not create any TCP/.test(said)) {
    return { ok: false, error: 'port_taken' };
  }
  const lines = said.trim().split('\n');
  const fatal = lines.filter((line) => /FATAL|PANIC|DETAIL|ERROR/.test(line)).slice(0, 2);
  const words = (fatal.length > 0 ? fatal : lines.slice(-1))
    .map((line) => line.replace(/^.*?(FATAL|PANIC|DETAIL|ERROR):\s*/, ''))
    .join('; ');
  throw new StartError(`Postgres did not start: ${words} (see ${cluster.logFile}).`);
}

/**
 * Postgres honours a pid file whose number lives, even when that is a zombie or, after a reboot,
 * some other program. When nothing alive works in the folder the file is stale. It is moved away
 * before the last look, so that the file of a server started meanwhile is never lost.
 */
function removeStalePidFile(dir: string): void {
  if (findPostmaster(dir) || processesBelow(dir).length > 0) return;
  const file = join(dir, 'postmaster.pid');
  const aside = `${file}.stale-${process.pid}`;
  try {
    renameSync(file, aside);
    const pid = Number(readFileSync(aside, 'utf8').split('\n')[0]);
    if (isProcessAlive(pid) && isProcessIn(pid, dir)) renameSync(aside, file);
    else rmSync(aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

function spawnPostgres(
  cluster: Cluster,
  binaries: Binaries,
  port: number,
  settings: Record<string, string>,
): { child: ChildProcess; logStart: number } {
  const logStart = rotateLog(cluster.logFile);
  const log = openSync(cluster.logFile, 'a', 0o600);
  const all = { ...settings, port: String(port), listen_addresses: '127.0.0.1' };
  const flags = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const words = [...cluster.user.prefix, binaries.postgres, '-D', cluster.dir, ...flags];
  const [command = '', ...args] = words;
  try {
    // Detached: Ctrl-C on the terminal reaches us alone, and we stop Postgres when we are done.
    const child = spawn(command, args, {
      cwd: cluster.dir,
      env: POSTGRES_ENV,
      detached: true,
      stdio: ['ignore', log, log],
    });
    child.unref();
    return { child, logStart };
  } finally {
    closeSync(log);
  }
}

/** Keeps one older log. Returns how many bytes lie before the new server's words. */
function rotateLog(file: string): number {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size <= LOG_LIMIT_BYTES) return size;
  renameSync(file, `${file}.1`);
  return 0;
}

/**
 * Stops the server: first "fast" (open transactions are rolled back, everything is written),
 * then, when that takes too long, "immediate", which the next start recovers from.
 * Resolves to whether it is gone.
 */
export async function stopPostmaster(dir: string, pid: number): Promise<boolean> {
  const isGone = () => !isProcessAlive(pid) || !isProcessIn(pid, dir);
  const steps = [
    ['SIGINT', FAST_STOP_LIMIT_MS],
    ['SIGQUIT', IMMEDIATE_STOP_LIMIT_MS],
  ] as const;
  for (const [signal, limitMs] of steps) {
    const deadline = performance.now() + limitMs;
    if (!isGone()) process.kill(pid, signal);
    while (performance.now() < deadline) {
      if (isGone()) return true;
      await sleep(POLL_MS);
    }
  }
  return isGone();
}

/** A TCP port of 127.0.0.1 that is free now; `wanted` itself when it is free. */
export async function freePort(wanted: number): Promise<number> {
  return (await tryPort(wanted)) ?? (await tryPort(0)) ?? wanted;
}

function tryPort(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(undefined));
    probe.listen({ host: '127.0.0.1', port }, () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' ? address?.port : undefined));
    });
  });
}
