/** Digests of rows and heads of chains. Pure. */
import { hash } from 'node:crypto';

export const DIGEST_BYTES = 32;
export const ID_BYTES = 8;

/** The head before the first block of a chain. */
export const NO_HEAD: Buffer = Buffer.alloc(DIGEST_BYTES);

const TAB = 9;

/** A row as it is sealed. */
export interface SealedRow {
  id: bigint;
  digest: Buffer;
}

/** A block as its head is made of. */
export interface BlockWords {
  chain: string;
  no: bigint;
  rows: number;
  /** Transaction and id of its last row. */
  end: { xid: string; id: bigint };
  sealedAt: Date;
  /** 8 bytes a row, most significant first. */
  ids: Buffer;
  /** SHA-256 of each row's canonical text, one behind the other. */
  digests: Buffer;
}

/** Reads transaction and id from a row's canonical text, and seals it (SHA-256, FIPS 180-4). */
export function sealRow(text: Buffer): SealedRow & { xid: string } {
  const first = text.indexOf(TAB);
  const second = text.indexOf(TAB, first + 1);
  return {
    xid: text.toString('latin1', 0, first),
    id: BigInt(text.toString('latin1', first + 1, second)),
    digest: hash('sha256', text, 'buffer'),
  };
}

/**
 * The head of a chain after a block: SHA-256 of the head before, the line
 * `chain TAB no TAB rows TAB to_xid TAB to_id TAB sealed_at NEWLINE` (the instant as ISO 8601 with
 * milliseconds in UTC), the ids and the digests of the rows.
 */
export function headAfter(before: Buffer, block: BlockWords): Buffer {
  const { chain, no, rows, end, sealedAt, ids, digests } = block;
  const words = [chain, no, rows, end.xid, end.id, sealedAt.toISOString()].join('\t');
  return hash('sha256', Buffer.concat([before, Buffer.from(`${words}\n`), ids, digests]), 'buffer');
}

/** Ids as a block keeps them: 8 bytes each, most significant first. */
export function packIds(rows: readonly SealedRow[]): Buffer {
  const packed = Buffer.alloc(ID_BYTES * rows.length);
  for (const [at, { id }] of rows.entries()) packed.writeBigInt64BE(id, at * ID_BYTES);
  return packed;
}

/** What is wrong with a row: it says something else than when it was sealed, is gone, or is new. */
export interface RowFault {
  kind: 'changed' | 'missing' | 'inserted';
  id: bigint;
}

/** Compares the rows that a stretch of a chain sealed with those that are there now. */
export function compareRows(
  sealed: { ids: Buffer; digests: Buffer },
  found: readonly SealedRow[],
): RowFault[] {
  const count = sealed.ids.length / ID_BYTES;
  const idAt = (at: number) => sealed.ids.readBigInt64BE(at * ID_BYTES);
  const isSame = (at: number, { digest }: SealedRow) => {
    const from = at * DIGEST_BYTES;
    return sealed.digests.compare(digest, 0, DIGEST_BYTES, from, from + DIGEST_BYTES) === 0;
  };
  const isWhole = count === found.length && found.every((row, at) => isSame(at, row));
  if (isWhole) return [];
  const rows = new Map(found.map((row) => [row.id, row]));
  const faults: RowFault[] = [];
  for (let at = 0; at < count; at++) {
    const id = idAt(at);
    const row = rows.get(id);
    rows.delete(id);
    if (!row) faults.push({ kind: 'missing', id });
    else if (!isSame(at, row)) faults.push({ kind: 'changed', id });
  }
  for (const id of rows.keys()) faults.push({ kind: 'inserted', id });
  return faults;
}
