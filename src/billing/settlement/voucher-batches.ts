/**
 * Batches of scratch cards as staff make them: decided, then printed once, then activated; blocked
 * when they are lost. A code is known to whoever prints it, and kept as a keyed hash alone.
 */
import type { ClientBase, Pool } from 'pg';
import { withLuhnDigit } from '../../platform/luhn.ts';
import type { Ids, Random } from '../../platform/ports.ts';

export interface NewBatch {
  /** No two batches have the same. */
  name: string;
  siteId: bigint;
  kind: 'amount' | 'days';
  asset: string;
  /** Minor units of one card. */
  value: bigint;
  /** For `days`; the plan is null where it is that of the card it is used for. */
  days: number | null;
  bouquetId: bigint | null;
  size: number;
  expiresAt: Date;
  by: string;
  at: Date;
}

type Db = Pool | ClientBase;

/**
 * Writes a batch, without cards, once for each `key`. Returns its id; null when another batch has
 * the name.
 */
export async function makeBatch(
  db: Db,
  ids: Ids,
  batch: NewBatch,
  key: string,
): Promise<bigint | null> {
  await db.query(
    `INSERT INTO voucher_batch (id, name, site_id, kind, asset, value, days, bouquet_id, size,
                                expires_at, created_by, created_at, request_key)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
     ON CONFLICT DO NOTHING`,
    [
      await ids.take(),
      ...[batch.name, batch.siteId, batch.kind, batch.asset, batch.value, batch.days],
      ...[batch.bouquetId, batch.size, batch.expiresAt, batch.by, batch.at, key],
    ],
  );
  const { rows } = await db.query('SELECT id FROM voucher_batch WHERE request_key = $1', [key]);
  return rows[0]?.id ?? null;
}

/** 13 digits and the Luhn digit behind them: what a feature phone can be asked to type. */
const CODE_DIGITS = 13;
/** Far more than a code has, so that all codes are as likely. */
const RANDOM_BYTES = 16;

/** A code that nobody can foretell. */
export function newCode(random: Pick<Random, 'hex'>): string {
  const drawn = BigInt(`0x${random.hex(RANDOM_BYTES)}`) % 10n ** BigInt(CODE_DIGITS);
  return withLuhnDigit(drawn.toString().padStart(CODE_DIGITS, '0'));
}

const HALF_DIGITS = 6;
/** Written and answered at once; a serial has room for more. */
export const BATCH_CARDS_MAX = 5_000;

/** `000012000345`: the batch's number, and the card's place in it from 1. */
export const serialOf = (batchNumber: number, place: number): string =>
  String(batchNumber).padStart(HALF_DIGITS, '0') + String(place).padStart(HALF_DIGITS, '0');

export interface PrintedCard {
  serial: string;
  code: string;
}

/**
 * Makes the cards of a batch, exported and not active yet; null when they were made before (a
 * second printing at the same time fails at the unique serial). The codes are nowhere else.
 */
export async function printBatch(
  client: Db,
  { ids, random, hashOf }: { ids: Ids; random: Random; hashOf(code: string): string },
  batchId: bigint,
): Promise<PrintedCard[] | null> {
  const { rows } = await client.query(
    `SELECT number, size, EXISTS (SELECT FROM voucher WHERE batch_id = b.id) AS is_printed
       FROM voucher_batch b WHERE id = $1 AND size IS NOT NULL`,
    [batchId],
  );
  const [batch] = rows;
  if (!batch || batch.is_printed) return null;
  const lent = await ids.lend(batch.size);
  const cards = Array.from({ length: batch.size }, (_, i) => ({
    serial: serialOf(batch.number, i + 1),
    code: newCode(random),
  }));
  await client.query(
    `INSERT INTO voucher (id, batch_id, serial, code_hash, state)
     SELECT x.id, $1, x.serial, x.code_hash, 'EXPORTED'
       FROM unnest($2::bigint[], $3::text[], $4::text[]) AS x (id, serial, code_hash)`,
    [
      batchId,
      cards.map(() => lent.next()),
      cards.map(({ serial }) => serial),
      cards.map(({ code }) => hashOf(code)),
    ],
  );
  return cards;
}

export interface SerialRange {
  /** Null: from the first, to the last of the batch. */
  from: string | null;
  to: string | null;
}

/** A used card stays used, a blocked one blocked. */
const MAY_BECOME = {
  ACTIVATED: ['GENERATED', 'EXPORTED', 'IN_STOCK', 'IN_TRANSIT', 'CONSIGNED'],
  BLOCKED: ['GENERATED', 'EXPORTED', 'IN_STOCK', 'IN_TRANSIT', 'CONSIGNED', 'ACTIVATED'],
} as const;

/**
 * Activates or blocks the cards of a batch that may be. Returns how many did. Locks them by id, as
 * settlement does.
 */
export async function setCards(
  db: Db,
  batchId: bigint,
  state: keyof typeof MAY_BECOME,
  { from, to }: SerialRange,
): Promise<number> {
  const { rowCount } = await db.query(
    `WITH held AS (
       SELECT id FROM voucher
        WHERE batch_id = $1 AND state = ANY ($2::text[])
          AND ($4::text IS NULL OR serial >= $4) AND ($5::text IS NULL OR serial <= $5)
        ORDER BY id FOR NO KEY UPDATE)
     UPDATE voucher v SET state = $3 FROM held WHERE v.id = held.id`,
    [batchId, MAY_BECOME[state], state, from, to],
  );
  return rowCount ?? 0;
}
