/** Reads a conditional-access system's own log, proving that nothing was taken out or changed. */
import { type KeyObject, verify } from 'node:crypto';
import {
  LOG_START,
  type LogLine,
  type LogPage,
  logHash,
  logHeadBytes,
} from '../vip-control/queries.ts';
import type { CasDriver } from './driver.ts';

/** A line that is known to be good: what comes after it is chained to it. */
export interface LogMark {
  n: number;
  hash: string;
}

export type LogRead =
  /** `mark`: the last line now, to be kept and handed in next time. */
  | { ok: true; lines: number; mark: LogMark }
  | { ok: false; error: 'refused'; code: string }
  /**
   * `chain_broken`: line `n` does not follow the one before. `bad_signature`: the head is not
   * signed with the key of that system. `rewound`: the log ends before its head or our mark, or
   * is another than it was.
   */
  | { ok: false; error: 'chain_broken' | 'bad_signature' | 'rewound' | 'no_end'; n: number };

/** Before the first line of any log. */
export const LOG_BEGINNING: LogMark = { n: 0, hash: LOG_START };

/** Pages of one reading. */
export const LOG_PAGES_MAX = 100_000;

/**
 * Hands `onLines` every line after `mark`, as far as the chain holds; `publicKey` is the Ed25519
 * key that the system was deployed with.
 */
export async function readLog(
  driver: Pick<CasDriver, 'ask'>,
  { mark, publicKey }: { mark: LogMark; publicKey: KeyObject },
  onLines: (lines: readonly LogLine[]) => Promise<void> | void,
): Promise<LogRead> {
  let last = mark;
  for (let page = 0; page < LOG_PAGES_MAX; page += 1) {
    const answer = await driver.ask({ op: 'LOG', args: { after: last.n } });
    if (answer.op === 'REFUSED') return { ok: false, error: 'refused', code: answer.code };
    const { head, lines, next } = answer;
    if (!isSigned(head, publicKey)) return { ok: false, error: 'bad_signature', n: head.n };
    const end = follow(last, lines);
    if (end === undefined) return { ok: false, error: 'chain_broken', n: last.n + 1 };
    if (isRewound(end, answer)) return { ok: false, error: 'rewound', n: head.n };
    if (lines.length > 0) await onLines(lines);
    last = end;
    if (next === null) return { ok: true, lines: last.n - mark.n, mark: last };
    if (lines.length === 0) break;
  }
  return { ok: false, error: 'no_end', n: last.n };
}

/** The last of these lines, if each follows the one before. */
function follow(mark: LogMark, lines: readonly LogLine[]): LogMark | undefined {
  let last = mark;
  for (const line of lines) {
    if (line.n !== last.n + 1 || line.hash !== logHash(last.hash, line)) return undefined;
    last = { n: line.n, hash: line.hash };
  }
  return last;
}

/** The signed head lies behind what was read, or what was read last is not it. */
function isRewound(end: LogMark, { head, next }: LogPage): boolean {
  if (head.n > end.n) return next === null;
  return head.n < end.n || head.hash !== end.hash;
}

function isSigned({ hash, signature }: LogPage['head'], publicKey: KeyObject): boolean {
  return verify(null, logHeadBytes(hash), publicKey, Buffer.from(signature, 'base64'));
}
