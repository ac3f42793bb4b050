/** The files of the log: a new one when the last is long, and none is ever rewritten. */
import { createReadStream } from 'node:fs';
import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { LogLine } from '../../src/entitlement/vip-control/queries.ts';

export interface LogFiles {
  append(line: LogLine): void;
  /** When all that was appended is in the files, though not yet on the disk. */
  written(): Promise<void>;
  last(): Promise<LogLine | undefined>;
  /** The lines after number `after`, all that were appended before the first is asked for. */
  from(after: number): AsyncGenerator<LogLine>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

interface Segment {
  path: string;
  /** The number of its first line. */
  first: number;
  /** Where every so many-th line begins, as far as anybody has read or written it. */
  marks: { n: number; at: number }[];
}

interface State {
  base: string;
  fileBytesMax: number;
  onRotated(firstLine: number): void;
  onFailure(error: unknown): void;
  segments: Segment[];
  file: FileHandle | undefined;
  bytes: number;
  waiting: LogLine[];
  writing: Promise<void> | undefined;
}

const LINES_PER_MARK = 256;
const NUMBER_DIGITS = 12;

/** Opens the files `<base>.<number of the first line>`; what is torn at the end is cut off. */
export async function openLogFiles(
  base: string,
  options: Pick<State, 'fileBytesMax' | 'onRotated' | 'onFailure'>,
): Promise<LogFiles> {
  const state: State = {
    ...options,
    ...{ base, segments: [], file: undefined, bytes: 0, waiting: [], writing: undefined },
  };
  const prefix = `${basename(base)}.`;
  for (const name of (await readdir(dirname(base))).sort()) {
    const number = name.startsWith(prefix) ? name.slice(prefix.length) : '';
    if (!/^\d{12}$/.test(number)) continue;
    state.segments.push({ path: join(dirname(base), name), first: Number(number), marks: [] });
  }
  await openLast(state);
  return {
    append(line) {
      state.waiting.push(line);
      state.writing ??= write(state).catch(state.onFailure);
    },
    written: async () => await state.writing,
    last: () => lastLine(state),
    from: (after) => linesAfter(state, after),
    async sync() {
      await state.writing;
      await state.file?.sync();
    },
    async close() {
      await state.writing;
      const { file } = state;
      state.file = undefined;
      await file?.sync();
      await file?.close();
    },
  };
}

/** Goes on with the last file, behind its last whole line. */
async function openLast(state: State): Promise<void> {
  const segment = state.segments.at(-1);
  if (!segment) return;
  let end = 0;
  for await (const { line, at, bytes } of readLines(segment.path, 0)) {
    if (line === undefined) break;
    mark(segment, line.n, at);
    end = at + bytes;
  }
  state.file = await open(segment.path, 'a');
  await state.file.truncate(end);
  state.bytes = end;
}

async function write(state: State): Promise<void> {
  while (state.waiting.length > 0) {
    const lines = state.waiting.splice(0);
    let chunk = '';
    for (const line of lines) {
      if (!state.file || state.bytes >= state.fileBytesMax) {
        await state.file?.appendFile(chunk);
        chunk = '';
        await beginFile(state, line.n);
      }
      const text = `${JSON.stringify(line)}\n`;
      const segment = state.segments.at(-1);
      if (segment) mark(segment, line.n, state.bytes);
      state.bytes += Buffer.byteLength(text);
      chunk += text;
    }
    await state.file?.appendFile(chunk);
  }
  state.writing = undefined;
}

async function beginFile(state: State, first: number): Promise<void> {
  const before = state.file;
  await before?.sync();
  await before?.close();
  const path = `${state.base}.${String(first).padStart(NUMBER_DIGITS, '0')}`;
  state.file = await open(path, 'a');
  state.bytes = 0;
  state.segments.push({ path, first, marks: [] });
  const folder = await open(dirname(path), 'r');
  await folder.sync();
  await folder.close();
  if (before) state.onRotated(first);
}

function mark({ marks, first }: Segment, n: number, at: number): void {
  if ((n - first) % LINES_PER_MARK !== 0) return;
  if (n > (marks.at(-1)?.n ?? 0)) marks.push({ n, at });
}

async function lastLine(state: State): Promise<LogLine | undefined> {
  // A rotation may have been cut off between the new file and its first line.
  for (const segment of state.segments.toReversed()) {
    let last: LogLine | undefined;
    const start = segment.marks.at(-1)?.at ?? 0;
    for await (const { line } of readLines(segment.path, start)) last = line ?? last;
    if (last) return last;
  }
  return undefined;
}

async function* linesAfter(state: State, after: number): AsyncGenerator<LogLine> {
  await state.writing;
  const segments = [...state.segments];
  for (const [at, segment] of segments.entries()) {
    const next = segments[at + 1];
    if (next && next.first <= after + 1) continue;
    const start = segment.marks.findLast(({ n }) => n <= after + 1)?.at ?? 0;
    for await (const { line, at: place } of readLines(segment.path, start)) {
      if (line === undefined) break;
      mark(segment, line.n, place);
      if (line.n > after) yield line;
    }
  }
}

/** The lines from byte `start` on; a last one that is not whole has no `line`. */
async function* readLines(
  path: string,
  start: number,
): AsyncGenerator<{ line: LogLine | undefined; at: number; bytes: number }> {
  const { size } = await stat(path);
  if (size <= start) return;
  let rest: Buffer = Buffer.alloc(0);
  let at = start;
  for await (const chunk of createReadStream(path, { start, end: size - 1 })) {
    rest = Buffer.concat([rest, chunk as Buffer]);
    let from = 0;
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10, from)) {
      const bytes = end + 1 - from;
      yield { line: parseLine(rest.toString('utf8', from, end)), at, bytes };
      at += bytes;
      from = end + 1;
    }
    rest = rest.subarray(from);
  }
  if (rest.length > 0) yield { line: undefined, at, bytes: rest.length };
}

function parseLine(text: string): LogLine | undefined {
  try {
    // We wrote it ourselves: a whole one is right.
    return JSON.parse(text) as LogLine;
  } catch {
    return undefined;
  }
}
