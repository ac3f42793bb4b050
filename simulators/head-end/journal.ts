/**
 * The head-end's file: one JSON record a line, appended, with one fsync for everything that came
 * while the one before was running (group commit). What `onDurable` was called for survives a
 * kill -9 and a power cut; a torn last line was never confirmed to anybody and is dropped.
 */
import { createReadStream } from 'node:fs';
import { access, type FileHandle, mkdir, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { LogLine } from '../../src/entitlement/vip-control/queries.ts';
import { forgetLost, type Loss, survivorsOf } from './faults/loss.ts';
import {
  applyRecord,
  compactRecords,
  type JournalRecord,
  type Memory,
  parseRecord,
} from './memory.ts';

export interface Journal {
  /** Writes a record; `onDurable` is called once it is on the disk, in order. */
  append(record: JournalRecord, onDurable: () => void): void;
  /** Calls back once everything appended so far is on the disk. */
  afterAll(onDurable: () => void): void;
  /** Waits for the last write and closes the file. */
  close(): Promise<void>;
}

interface JournalState {
  file: FileHandle;
  lines: string[];
  waiting: (() => void)[];
  flushing: Promise<void> | undefined;
  failed: boolean;
  onFailure: (error: unknown) => void;
}

/** The head-end's own log, whose lines come to the disk with the records they tell of. */
export interface LogBehind {
  write(line: LogLine): void;
  recover(line: LogLine): Promise<void>;
  sync(): Promise<void>;
}

const COMPACT_CHUNK_CHARS = 1_048_576;

/**
 * Reads the file into `memory`, rewrites it compacted, and opens it for appending. Throws when a
 * line other than the last cannot be read. `onFailure` is told, once, when writing fails: nothing
 * is durable from then on, and no further callback comes.
 */
export async function openJournal(
  path: string,
  memory: Memory,
  deps: { now: Date; onFailure: (error: unknown) => void; log: LogBehind; loss?: Loss },
): Promise<Journal> {
  const { loss = { lose: 'nothing' } } = deps;
  await mkdir(dirname(path), { recursive: true });
  await load(path, memory, { log: deps.log, survives: survivorsOf(loss) });
  forgetLost(memory, loss);
  // Once rewritten, the journal has no lines of the log any more.
  await deps.log.sync();
  await compact(path, memory, deps.now);
  const state: JournalState = {
    file: await open(path, 'a'),
    lines: [],
    waiting: [],
    flushing: undefined,
    failed: false,
    onFailure: deps.onFailure,
  };
  return {
    append(record, onDurable) {
      state.lines.push(JSON.stringify(record));
      const { line } = record;
      if (line) state.waiting.push(() => deps.log.write(line));
      state.waiting.push(onDurable);
      startFlush(state);
    },
    afterAll(onDurable) {
      state.waiting.push(onDurable);
      startFlush(state);
    },
    async close() {
      while (state.flushing) await state.flushing;
      await state.file.close();
    },
  };
}

function startFlush(state: JournalState): void {
  if (state.flushing || state.failed) return;
  state.flushing = flush(state).catch((error: unknown) => {
    state.failed = true;
    state.flushing = undefined;
    state.onFailure(error);
  });
}

async function flush(state: JournalState): Promise<void> {
  // Let the rest of this turn's commands join the batch.
  await new Promise((turn) => setImmediate(turn));
  while (state.waiting.length > 0) {
    const { lines, waiting } = state;
    state.lines = [];
    state.waiting = [];
    if (lines.length > 0) {
      await state.file.appendFile(`${lines.join('\n')}\n`);
      await state.file.datasync();
    }
    for (const onDurable of waiting) onDurable();
  }
  state.flushing = undefined;
}

async function load(
  path: string,
  memory: Memory,
  { log, survives }: { log: LogBehind; survives: (record: JournalRecord) => boolean },
): Promise<void> {
  const exists = await access(path).then(
    () => true,
    () => false,
  );
  if (!exists) return;
  let lineNumber = 0;
  let unreadable = 0;
  for await (const line of linesOf(path)) {
    if (unreadable > 0) throw new Error(`journal ${path}: line ${unreadable} cannot be read`);
    lineNumber += 1;
    const record = parseRecord(line);
    // What the head-end has lost, its log has not.
    if (record?.line) await log.recover(record.line);
    if (!record) unreadable = lineNumber;
    else if (survives(record)) applyRecord(memory, record);
  }
}

/** Split at newlines alone: readline would also split at U+2028, which JSON text may contain. */
async function* linesOf(path: string): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of createReadStream(path, 'utf8')) {
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  if (rest !== '') yield rest;
}

/** Writes beside the journal, then puts it in its place in one step. */
async function compact(path: string, memory: Memory, now: Date): Promise<void> {
  const draftPath = `${path}.compacting`;
  const draft = await open(draftPath, 'w');
  let chunk = '';
  for (const record of compactRecords(memory, now)) {
    chunk += `${JSON.stringify(record)}\n`;
    if (chunk.length < COMPACT_CHUNK_CHARS) continue;
    await draft.appendFile(chunk);
    chunk = '';
  }
  await draft.appendFile(chunk);
  await draft.sync();
  await draft.close();
  await rename(draftPath, path);
  const folder = await open(dirname(path), 'r');
  await folder.sync();
  await folder.close();
}
