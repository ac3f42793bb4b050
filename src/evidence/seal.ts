/**
 * Seals what is written: rows below every transaction still running, in blocks, each block chained
 * to the one before. It may die anywhere: a block is one transaction, and the next begins where the
 * last one ends.
 */
import type { ClientBase, Pool } from 'pg';
import { copyOut, readPlainly } from '../platform/database/copy.ts';
import { transaction } from '../platform/database/pool.ts';
import type { Clock } from '../platform/ports.ts';
import { BEGINNING, type Chain, type Place, readChains, selectRows } from './chains.ts';
import { type BlockWords, headAfter, NO_HEAD, packIds, type SealedRow, sealRow } from './rules.ts';

export interface SealDeps {
  pool: Pool;
  clock: Clock;
}

/** Most rows of a block: what a sealing holds in memory, and what one look at a block costs. */
export const BLOCK_ROWS_MAX = 4_096;
/** Any number, so that this lock is not mistaken for another. */
const SEAL_LOCK = 7_310_002;

/**
 * Seals all that can be sealed. `signal`: it comes to an end after the block in hand. Returns the
 * number of rows. Two at the same time do it one after the other.
 */
export async function sealAll(deps: SealDeps, signal?: AbortSignal): Promise<number> {
  const chains = await transaction(deps.pool, readChains);
  let sealed = 0;
  for (const chain of chains) {
    for (let rows = BLOCK_ROWS_MAX; rows === BLOCK_ROWS_MAX && !signal?.aborted; ) {
      rows = await sealBlock(deps, chain);
      sealed += rows;
    }
  }
  return sealed;
}

/** Seals the next block of a chain; returns how many rows it has, 0 when there is nothing. */
export function sealBlock({ pool, clock }: SealDeps, chain: Chain): Promise<number> {
  return transaction(pool, async (client) => {
    await client.query('SELECT pg_advisory_xact_lock($1)', [SEAL_LOCK]);
    await readPlainly(client);
    const last = await readLastBlock(client, chain.name);
    const { rows, end } = await readOpenRows(client, chain, last);
    if (rows.length === 0) return 0;
    const block: BlockWords = {
      ...{ chain: chain.name, no: last.no + 1n, rows: rows.length, end, sealedAt: clock.now() },
      ids: packIds(rows),
      digests: Buffer.concat(rows.map(({ digest }) => digest)),
    };
    await client.query(
      `INSERT INTO seal_block (chain, no, rows, to_xid, to_id, ids, digests, head, sealed_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      [
        ...[block.chain, block.no, block.rows, end.xid, end.id, block.ids, block.digests],
        ...[headAfter(last.head, block), block.sealedAt],
      ],
    );
    return rows.length;
  });
}

/** Where a chain ends. */
async function readLastBlock(
  client: ClientBase,
  chain: string,
): Promise<{ no: bigint; end: Place; head: Buffer }> {
  const { rows } = await client.query(
    `SELECT no, to_xid::text AS xid, to_id AS id, head FROM seal_block
      WHERE chain = $1 ORDER BY no DESC LIMIT 1`,
    [chain],
  );
  const [row] = rows;
  if (!row) return { no: 0n, end: BEGINNING, head: NO_HEAD };
  return { no: row.no, end: { xid: row.xid, id: row.id }, head: row.head };
}

/**
 * The rows behind the last block. The horizon is read first: what lies below it has ended, so that
 * every later statement sees it, and nothing can come to lie below it any more.
 */
async function readOpenRows(
  client: ClientBase,
  chain: Chain,
  { end: after }: { end: Place },
): Promise<{ rows: SealedRow[]; end: Place }> {
  const { rows: found } = await client.query('SELECT house_xmin()::text AS below');
  const rows: SealedRow[] = [];
  let end = after;
  const range = { after, below: found[0].below, limit: BLOCK_ROWS_MAX };
  await copyOut(client, selectRows(chain, range), (text) => {
    const { xid, id, digest } = sealRow(text);
    rows.push({ id, digest });
    end = { xid, id };
  });
  return { rows, end };
}

/** How many seconds ago the oldest row was written that is not sealed; 0 when all are. */
export async function oldestOpenSeconds({ pool, clock }: SealDeps): Promise<number> {
  return await transaction(pool, async (client) => {
    let oldestMs = clock.now().getTime();
    for (const chain of await readChains(client)) {
      const { end } = await readLastBlock(client, chain.name);
      const { rows } = await client.query(
        `SELECT ${chain.writtenAt} AS at FROM ${chain.from}
          WHERE (t.xid, t.id) > ($1, $2) ORDER BY t.xid, t.id LIMIT 1`,
        [end.xid, end.id],
      );
      oldestMs = Math.min(oldestMs, rows[0]?.at.getTime() ?? oldestMs);
    }
    return (clock.now().getTime() - oldestMs) / 1000;
  });
}
