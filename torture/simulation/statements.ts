/**
 * The one database under all simulated processes: one statement runs at a time, and the seed says
 * which of those that wait goes next. A statement that waits for a lock is set aside while others
 * go on, until what it waits for is given back.
 */
import pg from 'pg';
import { int8Types } from '../../src/platform/database/pool.ts';
import type { Random } from '../../src/platform/ports.ts';
import { below } from '../random.ts';
import { blockersOf, hasCircle } from './locks.ts';
import type { Life } from './time.ts';

export type Query = pg.QueryConfig & { text: string };
export type Result = pg.QueryResult;

/** What becomes of a statement: done; never arrived; done, and the answer lost with the line. */
export type Fate = 'done' | 'lost_before' | 'lost_after';

/** A connection of a process, as the database sees it. */
export interface Connection {
  life: Life;
  /** As the trace names it. */
  name: string;
  /** Queues a statement; those of one connection run in their order. */
  query(query: Query): Promise<Result>;
  /** Ends it: its transaction is rolled back and its locks are given back. */
  close(): void;
  isBroken(): boolean;
  /** Called when the line breaks. */
  onBroken(listener: (error: Error) => void): void;
}

export interface Statements {
  connect(life: Life, name: string): Connection;
  /** How many could run now. */
  ready(): number;
  /** Runs one of them to its end, or until it waits for a lock. */
  step(): Promise<void>;
  /** A life ended: each of its statements that waited did or did not arrive before. */
  end(life: Life): Promise<void>;
  /** Whether no transaction and no lock is open. */
  isIdle(): boolean;
  /** Leaves the database alone while `change` runs, and goes on at the address it gives. */
  reopen(change: () => Promise<string>): Promise<void>;
  /** How many statements ran, and how many of them waited for a lock. */
  counts(): { ran: number; waited: number };
  close(): Promise<void>;
}

export interface StatementsDeps {
  url: string;
  random: Random;
  /** Virtual time. */
  elapsedMs(): number;
  fate(life: Life, query: Query): Fate;
  /** Before it runs; what a harness breaks on purpose, it breaks here. */
  rewrite(query: Query): Query;
  trace(line: string): void;
}

interface Waiting {
  query: Query;
  answer(result: Result): void;
  fail(error: Error): void;
}

/**
 * A real connection. It belongs to a simulated one only while that has a transaction or a lock:
 * so few are needed, and those are warm.
 */
interface Backend {
  client: pg.Client;
  pid: number;
  /** Locks of the session that it holds. */
  locks: number;
}

interface Line {
  life: Life;
  name: string;
  queue: Waiting[];
  backend: Backend | null;
  /** The statement that waits for a lock, and how it ended once it has. */
  blocked: Running | null;
  isSlow: boolean;
  /** Nothing arrives before this, so that statements keep their order. */
  freeAtMs: number;
  broken: boolean;
  closing: boolean;
  listeners: ((error: Error) => void)[];
}

interface Running {
  waiting: Waiting;
  fate: Fate;
  done: Promise<void>;
  ended: { result: Result } | { error: Error } | null;
  /** It closed a circle of statements that wait for each other. */
  isInCircle: boolean;
}

interface State {
  deps: StatementsDeps;
  /** Where the database is now. */
  url: string;
  admin: pg.Client;
  free: Backend[];
  all: Backend[];
  lines: Set<Line>;
  /** Whether some connections of this seed are slow. */
  hasSlow: boolean;
  ran: number;
  waited: number;
}

/** In so many seeds some lines are slow; of those so many, with so many of their statements. */
const SLOW_SEEDS = 0.75;
const SLOW_LINES = 0.5;
const HELD_UP = 0.4;
const HELD_MS_MAX = 1_500;
/** As Postgres says it when no transaction is open. */
const IDLE = 'I';
/** Longer than nearly all statements take. */
const BLOCKED_LOOK_MS = 4;
/** As Postgres tells one of those that wait in a circle. */
const DEADLOCK = { code: '40P01', message: 'deadlock detected' };
/** Kept from before the timers were replaced. */
const realTimeout = globalThis.setTimeout;
const realSleep = (ms: number): Promise<void> => new Promise((done) => realTimeout(done, ms));

/** Opens the database; nothing runs before it is told to. */
export async function openStatements(deps: StatementsDeps): Promise<Statements> {
  const admin = new pg.Client({ connectionString: deps.url });
  await admin.connect();
  const none = { free: [], all: [], lines: new Set<Line>(), ran: 0, waited: 0 };
  const { url } = deps;
  const state: State = { deps, url, admin, hasSlow: deps.random.fraction() < SLOW_SEEDS, ...none };
  const ready = () => [...state.lines].filter((line) => line.queue.length > 0 && !line.blocked);
  return {
    connect: (life, name) => connect(state, life, name),
    ready: () => ready().length,
    async step() {
      const lines = ready();
      const line = lines[below(deps.random, lines.length)];
      if (line) await runNext(state, line);
    },
    end: (life) => endLife(state, life),
    isIdle: () => [...state.lines].every(({ backend }) => !backend),
    reopen: (change) => reopen(state, change),
    counts: () => ({ ran: state.ran, waited: state.waited }),
    close: () => endAll(state),
  };
}

const endAll = async ({ admin, all }: State): Promise<void> => {
  for (const { pid } of all) process.kill(pid, 'SIGCONT');
  await Promise.all([admin, ...all.map(({ client }) => client)].map((client) => client.end()));
};

async function reopen(state: State, change: () => Promise<string>): Promise<void> {
  await endAll(state);
  state.free = [];
  state.all = [];
  state.url = await change();
  state.admin = new pg.Client({ connectionString: state.url });
  await state.admin.connect();
}

function connect(state: State, life: Life, name: string): Connection {
  const isSlow = state.hasSlow && state.deps.random.fraction() < SLOW_LINES;
  const line: Line = {
    ...{ life, name, queue: [], backend: null, blocked: null, isSlow, freeAtMs: 0 },
    ...{ broken: false, closing: false, listeners: [] },
  };
  state.lines.add(line);
  return {
    life,
    name,
    isBroken: () => line.broken,
    onBroken: (listener) => void line.listeners.push(listener),
    query: (query) =>
      new Promise((answer, fail) => {
        // After its end nobody hears the answer.
        if (!life.isAlive) return;
        if (line.broken) fail(new Error('Client is not queryable'));
        else arrive(state, line, { query, answer, fail });
      }),
    close() {
      line.closing = true;
      line.queue.push({
        query: { text: 'ROLLBACK' },
        answer: () => undefined,
        fail: () => undefined,
      });
    },
  };
}

/** Over a slow line a statement takes its time, so that others overtake it in its transaction. */
function arrive({ deps, hasSlow }: State, line: Line, waiting: Waiting): void {
  const isHeldUp = hasSlow && line.isSlow && deps.random.fraction() < HELD_UP;
  const nowMs = deps.elapsedMs();
  line.freeAtMs = Math.max(line.freeAtMs, nowMs + (isHeldUp ? below(deps.random, HELD_MS_MAX) : 0));
  if (line.freeAtMs === nowMs) line.queue.push(waiting);
  else setTimeout(() => enqueue(line, waiting), line.freeAtMs - nowMs);
}

function enqueue(line: Line, waiting: Waiting): void {
  if (line.broken) waiting.fail(new Error('Client is not queryable'));
  else line.queue.push(waiting);
}

async function runNext(state: State, line: Line): Promise<void> {
  const waiting = line.queue.shift();
  if (!waiting) return;
  if (line.closing && line.queue.length === 0) {
    await giveBack(state, line);
    return;
  }
  const fate = state.deps.fate(line.life, waiting.query);
  if (fate === 'lost_before') {
    await breakLine(state, line, waiting);
    return;
  }
  await start(state, line, waiting, fate);
}

/** Sends it to the database and waits until it is over or waits for a lock. */
async function start(state: State, line: Line, waiting: Waiting, fate: Fate): Promise<void> {
  line.backend ??= await backendOf(state);
  state.ran += 1;
  const { client } = line.backend;
  const query = state.deps.rewrite(waiting.query);
  const none = { done: Promise.resolve(), ended: null, isInCircle: false };
  const running: Running = { waiting, fate, ...none };
  running.done = client.query(query).then(
    (result) => {
      running.ended = { result };
    },
    async (error: Error) => {
      // An error is told before its locks are given back; they are once the next one is taken.
      await client.query('');
      running.ended = { error: running.isInCircle ? Object.assign(error, DEADLOCK) : error };
    },
  );
  if (!(await runOn(state, line.backend, running))) {
    state.waited += 1;
    line.blocked = running;
    state.deps.trace(`${line.name} waits: ${nameOf(waiting.query)}`);
    return;
  }
  await conclude(state, line, running);
  await goOn(state);
}

/**
 * Lets a statement run until it is over, or waits for a lock: then its backend stands still, so
 * that of two that are freed at once, one runs after the other. Returns whether it is over.
 */
async function runOn(state: State, { pid }: Backend, running: Running): Promise<boolean> {
  const { admin } = state;
  const pids = new Set([...pidsOf(aside(state)), pid]);
  process.kill(pid, 'SIGCONT');
  for (;;) {
    await Promise.race([running.done, realSleep(BLOCKED_LOOK_MS)]);
    if (running.ended) return true;
    const blockers = await blockersOf(admin, [...pids]);
    if (running.ended) return true;
    if ((blockers.get(pid) ?? []).length === 0) continue;
    if (!hasCircle(blockers)) {
      process.kill(pid, 'SIGSTOP');
      return false;
    }
    running.isInCircle = true;
    await admin.query('SELECT pg_cancel_backend($1)', [pid]);
    await running.done;
    return true;
  }
}

/** Those that waited for what was given back now run to their end, or wait again. */
async function goOn(state: State): Promise<void> {
  for (;;) {
    const waiting = aside(state);
    if (waiting.length === 0) return;
    const blockers = await blockersOf(state.admin, pidsOf(waiting));
    const freed = waiting.find(({ backend }) => blockers.get(backend?.pid ?? 0)?.length === 0);
    if (!freed?.blocked || !freed.backend) return;
    const running = freed.blocked;
    if (await runOn(state, freed.backend, running)) {
      freed.blocked = null;
      await conclude(state, freed, running);
    }
  }
}

const aside = ({ lines }: State): Line[] => [...lines].filter(({ blocked }) => blocked);
const pidsOf = (lines: readonly Line[]): number[] =>
  lines.flatMap(({ backend }) => backend?.pid ?? []);

async function conclude(state: State, line: Line, running: Running): Promise<void> {
  const { waiting, fate, ended } = running;
  if (!ended) throw new Error('a statement that is not over');
  const name = nameOf(waiting.query);
  if (fate === 'lost_after') {
    state.deps.trace(`${line.name} ${name}: answer lost`);
    await breakLine(state, line, waiting);
  } else if ('error' in ended) {
    const { code } = ended.error as Error & { code?: string };
    state.deps.trace(`${line.name} ${name}: ${code ?? ended.error.message}`);
    waiting.fail(ended.error);
  } else {
    state.deps.trace(`${line.name} ${name}: ${ended.result.rowCount ?? 0}`);
    waiting.answer(ended.result);
  }
  lendOut(state, line, waiting.query, ended);
}

/** Whoever runs a statement next may have the backend, unless this line has something open. */
function lendOut(
  state: State,
  line: Line,
  { text }: Query,
  ended: NonNullable<Running['ended']>,
): void {
  const { backend } = line;
  if (!backend) return;
  if ('result' in ended && text.includes('pg_try_advisory_lock(')) {
    if (ended.result.rows[0]?.taken) backend.locks += 1;
  }
  if ('result' in ended && text.includes('pg_advisory_unlock(')) backend.locks -= 1;
  if (backend.locks > 0 || backend.client.getTransactionStatus() !== IDLE) return;
  line.backend = null;
  state.free.push(backend);
}

/** The line to the database breaks: who waits for an answer is told so, whatever was done. */
async function breakLine(state: State, line: Line, waiting: Waiting): Promise<void> {
  state.deps.trace(`${line.name} ${nameOf(waiting.query)}: line lost`);
  const error = new Error('Connection terminated unexpectedly');
  line.broken = true;
  const others = line.queue.splice(0);
  await giveBack(state, line);
  for (const { fail } of [waiting, ...others]) fail(error);
  for (const listener of line.listeners) listener(error);
}

/** Its transaction is rolled back, its session locks end, and another may have the backend. */
async function giveBack(state: State, line: Line): Promise<void> {
  state.lines.delete(line);
  const { backend } = line;
  line.backend = null;
  if (!backend) return;
  await backend.client.query('ROLLBACK; SELECT pg_advisory_unlock_all()');
  backend.locks = 0;
  state.free.push(backend);
  await goOn(state);
}

async function backendOf({ free, all, url }: State): Promise<Backend> {
  const known = free.pop();
  if (known) return known;
  const client = new pg.Client({ connectionString: url, types: int8Types });
  await client.connect();
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  const backend = { client, pid: rows[0]?.pid ?? 0, locks: 0 };
  all.push(backend);
  return backend;
}

async function endLife(state: State, life: Life): Promise<void> {
  const own = [...state.lines].filter((line) => line.life === life);
  for (const line of own) {
    const last = line.queue.shift();
    line.queue = [];
    if (last && !line.blocked && !line.closing && state.deps.random.fraction() < 0.5) {
      await start(state, line, { ...last, answer: () => undefined, fail: () => undefined }, 'done');
    }
    if (line.blocked && line.backend) {
      const { done } = line.blocked;
      line.blocked = null;
      process.kill(line.backend.pid, 'SIGCONT');
      await state.admin.query('SELECT pg_cancel_backend($1)', [line.backend.pid]);
      await done;
    }
    if (state.lines.has(line)) await giveBack(state, line);
  }
}

const NAME_CHARS_MAX = 48;

/** A statement in the trace: its own name, or its first words. */
export const nameOf = ({ name, text }: Query): string =>
  name ?? text.trim().replaceAll(/\s+/g, ' ').slice(0, NAME_CHARS_MAX);
