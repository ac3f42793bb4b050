/**
 * The real head-end simulator in virtual time: its journal is a list of lines, of which a kill
 * takes those that were not written yet, and its door is the wire.
 */
import type { Socket } from 'node:net';
import type { Door } from '../../simulators/head-end/door.ts';
import type { Journal } from '../../simulators/head-end/journal.ts';
import type { HeadEndLog } from '../../simulators/head-end/log.ts';
import {
  applyRecord,
  createMemory,
  type JournalRecord,
  type Memory,
  parseRecord,
} from '../../simulators/head-end/memory.ts';
import { createVipControlServer, type VipControlServer } from '../../simulators/head-end/server.ts';
import { LOG_START, type LogLine, logHash } from '../../src/entitlement/vip-control/queries.ts';
import type { Logger, Random } from '../../src/platform/ports.ts';
import { below } from '../random.ts';
import { type Life, type VirtualTime, within } from './time.ts';
import type { Wire } from './wire.ts';

/** A head-end that is killed and started again, with decoders that go on living. */
export interface HeadEndHouse {
  server(): VipControlServer;
  isUp(): boolean;
  /** As after `kill -9`: what was not on the disk is forgotten. */
  kill(): void;
  /** `loseQueue`: it has also forgotten what it had taken and not done. */
  start(options?: { loseQueue: boolean }): Promise<void>;
  /** How often each command was executed, by its name, in all its lives. */
  executions(): ReadonlyMap<string, number>;
  setSkew(ms: number): void;
  /** Its own log, as far as it was written. */
  log(): readonly LogLine[];
  /** The messages that it was ever given, by the names of their commands. */
  messages(): ReadonlyMap<string, { card: string; text: string | undefined }>;
}

export interface HeadEndDeps {
  time: VirtualTime;
  wire: Wire;
  random: Random;
  logger: Logger;
  /** By their numbers; each has a decoder. */
  cards: readonly string[];
}

const WRITE_MS_MAX = 5;
const LATENCY = { medianMs: 80, p99Ms: 2_000 };
const SERVICE = { code: 'KIDS1', name: 'Kiboko Kids', product: 'ESS' };

/** A head-end that has not been started. */
export function createHeadEndHouse(deps: HeadEndDeps): HeadEndHouse {
  const { time, wire } = deps;
  const disk: JournalRecord[] = [];
  const lines: LogLine[] = [];
  let life: Life = { name: 'head-end', isAlive: false, skewMs: 0 };
  let current: VipControlServer | null = null;
  const server = (): VipControlServer => {
    if (!current) throw new Error('the head-end was never started');
    return current;
  };
  return {
    server,
    isUp: () => life.isAlive,
    kill() {
      life.isAlive = false;
      wire.serve(null);
      wire.cutAll();
    },
    async start({ loseQueue } = { loseQueue: false }) {
      if (loseQueue) forgetQueue(disk);
      const before = current;
      life = { ...life, isAlive: true };
      const starting = life;
      const started = await within(starting, () =>
        createVipControlServer({
          ...{ port: 0, host: '', dataFile: '', latencyMs: LATENCY, services: [SERVICE] },
          ...{ clock: time.clockOf(starting), random: deps.random, logger: deps.logger },
          door: doorOf(wire, starting),
          openJournal: (_path, memory, { log }) =>
            Promise.resolve(journalOf(deps, { disk, memory, log })),
          openLog: () => Promise.resolve(logOver(lines)),
        }),
      );
      addDecoders(started, { cards: deps.cards, before, now: time.now() });
      current = started;
    },
    executions: () => executionsOf(disk),
    log: () => lines,
    messages: () => messagesOf(disk),
    setSkew(ms) {
      life.skewMs = ms;
    },
  };
}

function doorOf(wire: Wire, life: Life): Door {
  const closed = () => wire.serve(null);
  return {
    port: 0,
    admit: (accept: (socket: Socket) => void) => wire.serve({ life, accept }),
    setOpen: async (isOpen) => {
      if (!isOpen) closed();
    },
    isOpen: () => true,
    close: async () => closed(),
  };
}

/** One write at a time, with all that came during the one before it. */
function journalOf(
  { random }: HeadEndDeps,
  { disk, memory, log }: { disk: JournalRecord[]; memory: Memory; log: Pick<HeadEndLog, 'write'> },
): Journal {
  for (const record of disk) applyRecord(memory, copyOf(record));
  let records: JournalRecord[] = [];
  let waiting: (() => void)[] = [];
  let isWriting = false;
  const write = (): void => {
    isWriting = true;
    const [written, told] = [records, waiting];
    [records, waiting] = [[], []];
    setTimeout(() => {
      disk.push(...written);
      for (const onDurable of told) onDurable();
      isWriting = false;
      if (waiting.length > 0) write();
    }, 1 + below(random, WRITE_MS_MAX));
  };
  const wait = (onDurable: () => void): void => {
    waiting.push(onDurable);
    if (!isWriting) write();
  };
  return {
    append(record, onDurable) {
      records.push(copyOf(record));
      const { line } = record;
      if (line) wait(() => log.write(line));
      wait(onDurable);
    },
    afterAll: wait,
    close: async () => undefined,
  };
}

/** The head-end's own log as a list; nobody here reads its signature. */
function logOver(lines: LogLine[]): HeadEndLog {
  const last = lines.at(-1);
  const head = { n: last?.n ?? 0, hash: last?.hash ?? LOG_START };
  return {
    chain(entry) {
      const unchained = { n: head.n + 1, ...entry };
      const line = { ...unchained, hash: logHash(head.hash, unchained) };
      Object.assign(head, { n: line.n, hash: line.hash });
      return line;
    },
    write: (line) => void lines.push(line),
    recover: async () => undefined,
    page: async (after, limit) => {
      const page = lines.filter(({ n }) => n > after).slice(0, limit);
      const next = page.length === limit ? (page.at(-1)?.n ?? null) : null;
      return { op: 'LOG', lines: page, next, head: { ...head, signature: '' } };
    },
    async *lines() {
      yield* lines;
    },
    publicKey: '',
    sync: async () => undefined,
    close: async () => undefined,
  };
}

/** As a file gives it back: nothing of it is shared with a memory that changes. */
function copyOf(record: JournalRecord): JournalRecord {
  const copy = parseRecord(JSON.stringify(record));
  if (!copy) throw new Error('a record that cannot be read again');
  return copy;
}

/** What was taken and has no result: the lines of its taking are gone. */
function forgetQueue(disk: JournalRecord[]): void {
  const done = new Set(disk.flatMap((record) => (record.k === 'res' ? [record.cmdId] : [])));
  const kept = disk.filter((record) => record.k !== 'cmd' || done.has(record.cmd.cmdId));
  disk.splice(0, disk.length, ...kept);
}

/** A refused or repeated command is no execution; one that was done is. */
function executionsOf(disk: readonly JournalRecord[]): ReadonlyMap<string, number> {
  const times = new Map<string, number>();
  for (const record of disk) {
    if (record.k !== 'res' || record.result.code !== 'DONE') continue;
    times.set(record.cmdId, (times.get(record.cmdId) ?? 0) + 1);
  }
  return times;
}

function messagesOf(disk: readonly JournalRecord[]): ReturnType<HeadEndHouse['messages']> {
  const memory = createMemory();
  for (const record of disk) applyRecord(memory, copyOf(record));
  const messages = [...memory.commands.values()].filter(({ op }) => op === 'OSD');
  return new Map(messages.map(({ cmdId, card, text }) => [cmdId, { card, text }]));
}

/** Decoders stand in homes: who had switched one off finds it off. */
function addDecoders(
  { air }: VipControlServer,
  { cards, before, now }: { cards: readonly string[]; before: VipControlServer | null; now: Date },
): void {
  for (const card of cards) {
    const power = before?.air.decoders.view(card, now)?.power ?? true;
    air.decoders.add({ stb: `stb-${card}`, card, service: SERVICE.code, power });
  }
}
