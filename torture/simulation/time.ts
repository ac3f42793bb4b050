/**
 * Virtual time: while it is installed, the process's timers are a list in memory, and nothing
 * waits. What was started inside a life dies with it: its timers never fire again.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Clock } from '../../src/platform/ports.ts';

/** What can die in the middle of its awaits: a process of the product, the head-end. */
export interface Life {
  name: string;
  isAlive: boolean;
  /** How far its clock is ahead of true time. */
  skewMs: number;
}

export interface VirtualTime {
  /** Since the beginning; what timers run by. It does not leap. */
  elapsedMs(): number;
  /** True time: the beginning, what has elapsed, and all leaps. */
  now(): Date;
  /** As a life's own clock shows it. */
  clockOf(life: Life): Clock;
  /** The clocks go on, though nothing happens: what is due by them is late. */
  leap(ms: number): void;
  hasImmediates(): boolean;
  /** Runs the `setImmediate` that was asked for first. */
  runImmediate(): void;
  /** When the next timer fires; null: there is none. */
  nextAtMs(): number | null;
  /** Time passes until the next timer fires, but no longer than until `limitMs`. */
  fireNext(limitMs: number): void;
  /** Gives the process its own timers back. */
  uninstall(): void;
}

interface Timer {
  atMs: number;
  /** Those of one instant fire in the order in which they were set. */
  serial: number;
  everyMs: number | null;
  life: Life | undefined;
  act(): void;
  cancelled: boolean;
}

type Immediate = Pick<Timer, 'life' | 'act' | 'cancelled'>;

interface State {
  beganMs: number;
  elapsedMs: number;
  leaptMs: number;
  serial: number;
  /** By instant, the next one last. */
  timers: Timer[];
  immediates: Immediate[];
}

const lives = new AsyncLocalStorage<Life>();
const REPLACED = [
  'setTimeout',
  'clearTimeout',
  'setInterval',
  'clearInterval',
  'setImmediate',
  'clearImmediate',
] as const;
const realImmediate = globalThis.setImmediate;

/** All that is ready to go on goes on: promises, ticks, streams. */
export const settle = (): Promise<void> => new Promise((done) => void realImmediate(done));

/** Runs `act` as a part of this life: what it starts dies with it. */
export const within = <T>(life: Life, act: () => T): T => lives.run(life, act);

/** Replaces the timers of this process; `beganAt` is what clocks show first. */
export function installVirtualTime(beganAt: Date): VirtualTime {
  const state: State = {
    beganMs: beganAt.getTime(),
    elapsedMs: 0,
    leaptMs: 0,
    serial: 0,
    timers: [],
    immediates: [],
  };
  const own = REPLACED.map((name) => [name, globalThis[name]] as const);
  Object.assign(globalThis, replacements(state));
  const trueMs = () => state.beganMs + state.elapsedMs + state.leaptMs;
  return {
    elapsedMs: () => state.elapsedMs,
    now: () => new Date(trueMs()),
    clockOf: (life) => ({ now: () => new Date(trueMs() + life.skewMs) }),
    leap(ms) {
      state.leaptMs += ms;
    },
    hasImmediates: () => state.immediates.length > 0,
    runImmediate() {
      const next = state.immediates.shift();
      if (next && !next.cancelled) run(next);
    },
    nextAtMs: () => next(state)?.atMs ?? null,
    fireNext: (limitMs) => fireNext(state, limitMs),
    uninstall: () => void Object.assign(globalThis, Object.fromEntries(own)),
  };
}

function replacements(state: State): Record<(typeof REPLACED)[number], unknown> {
  const set = (act: () => void, ms = 0, everyMs: number | null = null) => {
    const timer = { ...taskOf(act), atMs: state.elapsedMs + ms, everyMs, serial: 0 };
    if (timer.life?.isAlive !== false) arm(state, timer);
    return handleOf(timer);
  };
  const cancel = (handle?: { task?: Immediate }) => {
    // One that was set before the time became virtual is not ours.
    if (handle?.task) handle.task.cancelled = true;
  };
  return {
    setTimeout: (act: () => void, ms?: number) => set(act, ms),
    setInterval: (act: () => void, ms: number) => set(act, ms, ms),
    setImmediate(act: () => void) {
      const task = taskOf(act);
      if (task.life?.isAlive !== false) state.immediates.push(task);
      return handleOf(task);
    },
    clearTimeout: cancel,
    clearInterval: cancel,
    clearImmediate: cancel,
  };
}

const taskOf = (act: () => void): Immediate => ({
  life: lives.getStore(),
  act,
  cancelled: false,
});

/** What `setTimeout` gives back, as far as anybody uses it. */
function handleOf<T extends Immediate>(task: T) {
  const handle = { task, ref: () => handle, unref: () => handle, hasRef: () => true };
  return handle;
}

function arm(state: State, timer: Timer): void {
  state.serial += 1;
  timer.serial = state.serial;
  let place = state.timers.length;
  for (; place > 0; place -= 1) {
    const other = state.timers[place - 1];
    if (other && other.atMs > timer.atMs) break;
  }
  state.timers.splice(place, 0, timer);
}

/** The next timer that anybody still waits for. */
function next(state: State): Timer | undefined {
  for (;;) {
    const timer = state.timers.at(-1);
    if (!timer?.cancelled && timer?.life?.isAlive !== false) return timer;
    state.timers.pop();
  }
}

function fireNext(state: State, limitMs: number): void {
  const timer = next(state);
  if (!timer || timer.atMs > limitMs) {
    state.elapsedMs = limitMs;
    return;
  }
  state.timers.pop();
  state.elapsedMs = Math.max(state.elapsedMs, timer.atMs);
  if (timer.everyMs !== null) {
    timer.atMs = state.elapsedMs + timer.everyMs;
    arm(state, timer);
  }
  run(timer);
}

function run({ life, act }: Immediate): void {
  if (life?.isAlive === false) return;
  if (life) lives.run(life, act);
  else lives.exit(act);
}
