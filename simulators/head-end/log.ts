/**
 * The head-end's own log of all that was done or refused, and by whom: each line is chained to the
 * one before by its hash, and the last is signed with a key that never leaves this machine. The
 * journal brings every line to the disk first, with what it tells of; from there it is copied to
 * the log, which nobody waits for.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { access, mkdir, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import {
  LOG_START,
  type LogLine,
  type LogPage,
  logHash,
  logHeadBytes,
} from '../../src/entitlement/vip-control/queries.ts';
import { openLogFiles } from './log-files.ts';

export interface HeadEndLog {
  /** The next line; whoever asks for it brings it to the disk and then to `write`, in order. */
  chain(entry: LogEntry): LogLine;
  /** Copies a line that is in the journal for good. */
  write(line: LogLine): void;
  /** The same at start, for a line of the journal that may be in the log already. */
  recover(line: LogLine): Promise<void>;
  /** From the first after `after`, when all are written; as many as are wanted and fit a frame. */
  page(after: number, limit: number): Promise<LogPage>;
  /** All lines, oldest first. */
  lines(): AsyncGenerator<LogLine>;
  /** The public half of the key of the signatures, PEM. */
  publicKey: string;
  /** Brings the log to the disk. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

export type LogEntry = Omit<LogLine, 'n' | 'hash'>;

export interface LogOptions {
  /** A file is ended when it is longer than this. */
  fileBytesMax?: number;
  /** A new file began, with this line. */
  onRotated(firstLine: number): void;
  /** Told once, when the log could not be written. */
  onFailure(error: unknown): void;
}

const FILE_BYTES_MAX = 64 * 1_048_576;
/** Of the lines of a page: the rest of the frame is for what is around them. */
const PAGE_BYTES_MAX = 60_000;
/** Lines of the journal that wait in memory to be copied. */
const RECOVERED_AT_ONCE = 1_024;
const KEY_MODE = 0o600;

/** Opens the log beside the data file, or begins it, with a new key. */
export async function openLog(dataFile: string, options: LogOptions): Promise<HeadEndLog> {
  await mkdir(dirname(dataFile), { recursive: true });
  const privateKey = createPrivateKey(await readKey(`${dataFile}.key`));
  const files = await openLogFiles(`${dataFile}.log`, {
    ...options,
    fileBytesMax: options.fileBytesMax ?? FILE_BYTES_MAX,
  });
  const last = await files.last();
  const head = { n: last?.n ?? 0, hash: last?.hash ?? LOG_START };
  const follow = ({ n, hash }: LogLine) => Object.assign(head, { n, hash });
  return {
    chain(entry) {
      const unchained = { n: head.n + 1, ...entry };
      const line = { ...unchained, hash: logHash(head.hash, unchained) };
      follow(line);
      return line;
    },
    write: files.append,
    async recover(line) {
      if (line.n <= head.n) return;
      follow(line);
      files.append(line);
      if (line.n % RECOVERED_AT_ONCE === 0) await files.written();
    },
    async page(after, limit) {
      const { n, hash } = head;
      const signature = sign(null, logHeadBytes(hash), privateKey).toString('base64');
      return {
        op: 'LOG',
        ...(await pageOf(files.from(after), { limit, n })),
        head: { n, hash, signature },
      };
    },
    lines: () => files.from(0),
    publicKey: createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString(),
    sync: files.sync,
    close: files.close,
  };
}

async function pageOf(
  all: AsyncGenerator<LogLine>,
  { limit, n }: { limit: number; n: number },
): Promise<Pick<LogPage, 'lines' | 'next'>> {
  const lines: LogLine[] = [];
  let bytes = 0;
  for await (const line of all) {
    // Written since the head was looked at.
    if (line.n > n) break;
    bytes += Buffer.byteLength(JSON.stringify(line)) + 1;
    if (lines.length === limit || bytes > PAGE_BYTES_MAX) {
      return { lines, next: lines.at(-1)?.n ?? null };
    }
    lines.push(line);
  }
  return { lines, next: null };
}

/** The key, made at the first start; it is on the disk before anything is signed. */
async function readKey(path: string): Promise<string> {
  const exists = await access(path).then(
    () => true,
    () => false,
  );
  if (exists) return await readFile(path, 'utf8');
  const { privateKey } = generateKeyPairSync('ed25519');
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const file = await open(path, 'wx', KEY_MODE);
  await file.writeFile(pem);
  await file.sync();
  await file.close();
  return pem;
}
