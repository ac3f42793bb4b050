/** A process that is killed and started again as often as one likes; ended by its own id alone. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { sleep } from '../src/platform/timers.ts';

export interface Program {
  readonly name: string;
  /** Starts it, with arguments of this start alone, and waits until it serves. */
  start(more?: readonly string[]): Promise<void>;
  /** `kill -9`; fulfilled when it is gone. */
  kill(): Promise<void>;
  /** Asks it to stop. Its exit code; null when it had to be killed. */
  stop(): Promise<number | null>;
  /** How often it ended by itself after it had served; it was started again each time. */
  unexpectedEnds(): number;
}

export interface ProgramOptions {
  name: string;
  command: string;
  args: readonly string[];
  env?: Readonly<Record<string, string>>;
  /** Everything it says is added to this file. */
  logFile: string;
  isReady(): Promise<boolean>;
}

/** A machine that does much else starts a process slowly. */
const READY_MS_MAX = 300_000;
const STOP_MS_MAX = 45_000;
const POLL_MS = 100;
/** A process that ends by itself is started again, as a service manager would. */
const RESTART_DELAY_MS = 500;

interface State extends ProgramOptions {
  child: ChildProcess | null;
  more: readonly string[];
  isWanted: boolean;
  hasServed: boolean;
  ends: number;
}

/** A program that does not run yet. */
export function createProgram(options: ProgramOptions): Program {
  const state: State = {
    ...options,
    child: null,
    more: [],
    isWanted: false,
    hasServed: false,
    ends: 0,
  };
  return {
    name: options.name,
    async start(more = []) {
      Object.assign(state, { more, isWanted: true });
      launch(state);
      await ready(state);
    },
    async kill() {
      state.isWanted = false;
      state.child?.kill('SIGKILL');
      await gone(state.child);
    },
    stop: () => stop(state),
    unexpectedEnds: () => state.ends,
  };
}

/** What still runs when this process ends, whatever the reason, ends with it. */
const living = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of living) child.kill('SIGKILL');
});

const isRunning = (child: ChildProcess | null): child is ChildProcess =>
  child !== null && child.exitCode === null && child.signalCode === null;

async function gone(child: ChildProcess | null): Promise<void> {
  if (isRunning(child)) await once(child, 'exit');
}

function launch(state: State): void {
  const log = openSync(state.logFile, 'a', 0o600);
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(state.command, [...state.args, ...state.more], {
    env: { PATH, HOME, ...state.env },
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  state.child = child;
  living.add(child);
  state.hasServed = false;
  child.once('exit', async () => {
    living.delete(child);
    if (!state.isWanted || state.child !== child) return;
    // Before it served, it may have found no database; that is what restarting is for.
    if (state.hasServed) state.ends += 1;
    await sleep(RESTART_DELAY_MS);
    if (state.isWanted && state.child === child) launch(state);
  });
}

async function ready(state: State): Promise<void> {
  const deadlineMs = performance.now() + READY_MS_MAX;
  while (performance.now() < deadlineMs) {
    if (!state.isWanted) return;
    const { child } = state;
    if (isRunning(child) && (await state.isReady().catch(() => false)) && isRunning(child)) {
      state.hasServed = true;
      return;
    }
    await sleep(POLL_MS);
  }
  throw new Error(`${state.name} is not ready; see ${state.logFile}`);
}

async function stop(state: State): Promise<number | null> {
  state.isWanted = false;
  const { child } = state;
  if (!child) return null;
  if (isRunning(child)) await end(child);
  return child.exitCode;
}

async function end(child: ChildProcess): Promise<void> {
  child.kill('SIGTERM');
  const late = AbortSignal.timeout(STOP_MS_MAX);
  await once(child, 'exit', { signal: late }).catch(() => child.kill('SIGKILL'));
  await gone(child);
}
