/**
 * The real product as a child process on a data folder that outlives it: started, killed, started
 * again. Ends only processes that it started itself, and the Postgres that belongs to the folder.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { z } from 'zod';
import { findPostmaster } from '../src/platform/database/embedded/postmaster.ts';
import { processesBelow } from '../src/platform/database/embedded/process.ts';
import { sleep } from '../src/platform/timers.ts';
import { below, seededRandom } from './random.ts';

/** What of `demo.json` the rounds need; the ports of the simulators change with each start. */
const demoFile = z.object({
  ussd: z.array(
    z.object({
      channel: z.string(),
      provider: z.enum(['africastalking', 'safaricom']),
      country: z.string(),
      serviceCode: z.string(),
      networkCode: z.string(),
      url: z.url(),
      endUrl: z.url().optional(),
    }),
  ),
  paybill: z.object({ channel: z.string(), shortCode: z.string(), confirmUrl: z.url() }),
  tvu: z.array(z.object({ channel: z.string(), url: z.url(), secret: z.string() })),
  vipControl: z.object({ http: z.url() }),
});

export type Demo = z.infer<typeof demoFile>;
export type DatabaseRole = 'app' | 'owner' | 'superuser';

export interface House {
  readonly folder: string;
  readonly url: string;
  /** Starts the product, or starts it again, and waits until it serves. Throws when it does not. */
  start(): Promise<void>;
  /** Starts it and does not wait: for killing it again while it starts. */
  launch(): void;
  /** Waits until a launched or healing product serves. */
  ready(): Promise<void>;
  demo(): Demo;
  nodePid(): number;
  isRunning(): boolean;
  postmasterPid(): number | undefined;
  /** `kill -9` of the product's Node; fulfilled when it is gone. */
  killNode(): Promise<void>;
  /** `kill -9` of Postgres' first process alone; its others notice by themselves. */
  killPostmaster(): void;
  /** `kill -9` of every process of Postgres. */
  killPostgres(): void;
  databaseUrl(role: DatabaseRole): string;
  /** How often the product ended though nobody had killed it. */
  unexpectedEnds(): number;
  /** Stops the product as an operator would, Postgres with it. Returns its exit code. */
  stop(): Promise<number | null>;
}

const ROOT = join(import.meta.dirname, '..');
const READY_MS_MAX = 90_000;
const STOP_MS_MAX = 45_000;
const POLL_MS = 50;
const PROBE_MS_MAX = 2_000;
/** A product that ends by itself is started again, as a service manager would, so often at most. */
const RESTARTS_MAX = 5;
const RESTART_DELAY_MS = 1_000;
/**
 * Below the ports that the system hands out to outgoing connections (32768 and up on Linux): while
 * nobody listens, a client that keeps knocking at such a port can end up connected to itself.
 */
const PORT_FIRST = 21_000;
const PORT_COUNT = 10_000;
const SALTS_MAX = 100;

interface State {
  folder: string;
  dataDir: string;
  port: number;
  child: ChildProcess | null;
  isEndExpected: boolean;
  unexpectedEnds: number;
}

/** Prepares a house in `folder`; nothing runs before `start`. */
export async function createHouse(folder: string): Promise<House> {
  const dataDir = join(realpathSync(folder), 'data');
  mkdirSync(dataDir, { mode: 0o700 });
  const port = await freeLowPort();
  const state: State = {
    folder,
    dataDir,
    port,
    child: null,
    isEndExpected: false,
    unexpectedEnds: 0,
  };
  const postgresDir = join(dataDir, 'postgres');
  const postmasterPid = () => findPostmaster(postgresDir)?.pid;
  return {
    folder,
    url: `http://127.0.0.1:${port}`,
    async start() {
      launch(state);
      await ready(state);
    },
    launch: () => launch(state),
    ready: () => ready(state),
    demo: () => readDemo(state),
    nodePid: () => runningChild(state).pid ?? 0,
    isRunning: () => isRunning(state.child),
    postmasterPid,
    async killNode() {
      state.isEndExpected = true;
      state.child?.kill('SIGKILL');
      if (state.child) await ended(state.child);
    },
    killPostmaster() {
      const pid = postmasterPid();
      if (pid) process.kill(pid, 'SIGKILL');
    },
    killPostgres: () => killAll(postgresDir),
    databaseUrl: (role) => databaseUrl(dataDir, role),
    unexpectedEnds: () => state.unexpectedEnds,
    stop: () => stop(state, postgresDir),
  };
}

const isRunning = (child: ChildProcess | null): child is ChildProcess =>
  child !== null && child.exitCode === null && child.signalCode === null;

function runningChild({ child }: State): ChildProcess {
  if (!isRunning(child)) throw new Error('the product does not run');
  return child;
}

function launch(state: State): void {
  // An old file would name the simulators of the process before.
  rmSync(join(state.dataDir, 'demo.json'), { force: true });
  const log = openSync(join(state.folder, 'product.log'), 'a', 0o600);
  const child = spawn(process.execPath, [join(ROOT, 'src/main.ts')], {
    cwd: ROOT,
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
      VIP_DATA_DIR: state.dataDir,
      PORT: String(state.port),
      LOG_LEVEL: 'info',
    },
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  state.child = child;
  state.isEndExpected = false;
  child.once('exit', () => {
    if (state.child === child && !state.isEndExpected) state.unexpectedEnds += 1;
  });
}

const ended = async (child: ChildProcess): Promise<void> => {
  if (isRunning(child)) await once(child, 'exit');
};

async function ready(state: State): Promise<void> {
  const deadlineMs = performance.now() + READY_MS_MAX;
  let restarts = 0;
  while (performance.now() < deadlineMs) {
    if (!isRunning(state.child)) {
      restarts += 1;
      if (restarts > RESTARTS_MAX) break;
      await sleep(RESTART_DELAY_MS);
      launch(state);
    }
    if ((await serves(state)) && hasDemo(state)) return;
    await sleep(POLL_MS);
  }
  throw new Error(`the product is not ready; see ${join(state.folder, 'product.log')}`);
}

async function serves(state: State): Promise<boolean> {
  try {
    const answer = await fetch(`http://127.0.0.1:${state.port}/readyz`, {
      signal: AbortSignal.timeout(PROBE_MS_MAX),
    });
    await answer.arrayBuffer();
    return answer.status === 200;
  } catch {
    return false;
  }
}

function hasDemo(state: State): boolean {
  try {
    readDemo(state);
    return true;
  } catch {
    return false;
  }
}

const readDemo = (state: State): Demo =>
  demoFile.parse(JSON.parse(readFileSync(join(state.dataDir, 'demo.json'), 'utf8')));

function killAll(postgresDir: string): void {
  for (const pid of processesBelow(postgresDir)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      // It went with its parent.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

const USERS = { app: 'vip_app', owner: 'vip_owner', superuser: 'postgres' } as const;
const passwordFile = z.object({ app: z.string(), owner: z.string(), superuser: z.string() });

function databaseUrl(dataDir: string, role: DatabaseRole): string {
  const read = (name: string): string => readFileSync(join(dataDir, name), 'utf8');
  const passwords = passwordFile.parse(JSON.parse(read('postgres-password.json')));
  const port = read('postgres-port').trim();
  return `postgres://${USERS[role]}:${passwords[role]}@127.0.0.1:${port}/vip`;
}

async function stop(state: State, postgresDir: string): Promise<number | null> {
  const { child } = state;
  if (!child) return null;
  state.isEndExpected = true;
  if (isRunning(child)) {
    child.kill('SIGTERM');
    const late = AbortSignal.timeout(STOP_MS_MAX);
    await once(child, 'exit', { signal: late }).catch(() => child.kill('SIGKILL'));
    await ended(child);
  }
  // Nothing is left by a product that stopped well.
  killAll(postgresDir);
  return child.exitCode;
}

/** A free port below those that outgoing connections get; another for each `salt`. */
export async function freeLowPort(salt = 0): Promise<number> {
  const random = seededRandom(process.pid * SALTS_MAX + salt);
  for (;;) {
    const port = PORT_FIRST + below(random, PORT_COUNT);
    if (!(await isTaken(port))) return port;
  }
}

function isTaken(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect({ host: '127.0.0.1', port });
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
}
