/**
 * Proves that what was sealed is still what it was: reads all sealed rows again, seals them anew
 * and compares; checks every block, every chain, and the anchors outside the database.
 */
import type { ClientBase, Pool } from 'pg';
import { copyOut, readPlainly } from '../platform/database/copy.ts';
import { transaction } from '../platform/database/pool.ts';
import type { Clock } from '../platform/ports.ts';
import type { Anchor } from './anchors.ts';
import { BEGINNING, type Chain, type Place, readChains, selectRows } from './chains.ts';
import {
  type BlockWords,
  compareRows,
  headAfter,
  NO_HEAD,
  type RowFault,
  type SealedRow,
  sealRow,
} from './rules.ts';

export interface Finding {
  /** The table. */
  chain: string;
  kind: RowFault['kind'] | 'unsealed' | 'block' | 'table' | 'anchor';
  /** Of the row, or number of the block; null where there is none. */
  id: bigint | null;
  /** In a sentence, for people. */
  text: string;
}

export interface Verified {
  /** Sealed rows that were read; a journal with its entries is one. */
  rows: number;
  blocks: number;
  findings: Finding[];
}

export interface VerifyDeps {
  /** Connections: two for each of `LANES` at the same time. Statements may take their time. */
  pool: Pool;
  clock: Clock;
  anchors: readonly Anchor[];
  /** Only so many blocks of each chain, the last ones; absent: all. */
  lastBlocks?: number;
}

/** Chains that are read at the same time. */
export const LANES = 3;
/** Blocks that are read and compared together: with 4,096 rows each, some 20 MB. */
const BLOCKS_PER_STEP = 16;
/** Of each chain: when everything is wrong, the first rows say it. */
const FINDINGS_PER_CHAIN_MAX = 1_000;
/** Who seals does so each few seconds; what lies open longer was forgotten, or hidden from it. */
const OPEN_MS_MAX = 600_000;

/** Verifies everything; throws only when the database is lost. */
export async function verifyAll(deps: VerifyDeps): Promise<Verified> {
  const { chains, names } = await transaction(deps.pool, async (client) => ({
    chains: await readChains(client),
    names: await sealedChains(client),
  }));
  const tables = new Map(chains.map((chain) => [chain.name, chain]));
  const all = [...new Set([...tables.keys(), ...names, ...anchoredChains(deps.anchors)])].sort();
  const waiting = all.values();
  const done = new Map<string, Verified>();
  const lane = async () => {
    for (const name of waiting) done.set(name, await verifyChain(deps, name, tables.get(name)));
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  // Whichever ended first: what is found is told in the same order each time.
  const results = all.flatMap((name) => done.get(name) ?? []);
  return {
    rows: results.reduce((sum, { rows }) => sum + rows, 0),
    blocks: results.reduce((sum, { blocks }) => sum + blocks, 0),
    findings: results.flatMap(({ findings }) => findings),
  };
}

const anchoredChains = (anchors: readonly Anchor[]): string[] =>
  anchors.flatMap(({ chains }) => chains.map(({ chain }) => chain));

async function sealedChains(client: ClientBase): Promise<string[]> {
  const { rows } = await client.query('SELECT DISTINCT chain FROM seal_block');
  return rows.map(({ chain }) => chain);
}

interface Block extends BlockWords {
  head: Buffer;
}

interface Walk {
  name: string;
  /** Undefined: the month was taken out of the database. */
  chain: Chain | undefined;
  /** Of the anchors, by number of block. */
  anchored: Map<bigint, { head: string; file: string }>;
  no: bigint;
  head: Buffer;
  end: Place;
  rows: number;
  findings: Finding[];
}

/** Verifies one chain, and its table where that is in the database. */
export async function verifyChain(
  deps: VerifyDeps,
  name: string,
  chain: Chain | undefined,
): Promise<Verified> {
  const start = await startOf(deps, name);
  const walk: Walk = {
    ...{ name, chain, ...start, rows: 0, findings: [] },
    anchored: anchoredHeads(deps.anchors, name, start.no),
  };
  let next = readBlocks(deps.pool, name, start.no);
  for (let blocks = await next; blocks.length > 0; blocks = await next) {
    // The next blocks are on their way while the rows of these are read.
    next = readBlocks(deps.pool, name, blocks.at(-1)?.no ?? 0n);
    await verifyStep(deps, walk, blocks);
  }
  for (const [no, { file }] of walk.anchored) {
    const text = `${file} knows block ${no} of ${name}, which is not there`;
    find(walk, { kind: 'anchor', id: no, text });
  }
  if (chain) await verifyOpen(deps, walk, chain);
  else await verifyArchived(deps, walk);
  return { rows: walk.rows, blocks: Number(walk.no - start.no), findings: walk.findings };
}

/** The block behind which verifying begins: none, or the one before the last blocks. */
async function startOf(
  { pool, lastBlocks }: VerifyDeps,
  name: string,
): Promise<Pick<Walk, 'no' | 'head' | 'end'>> {
  const first = { no: 0n, head: NO_HEAD, end: BEGINNING };
  if (lastBlocks === undefined) return first;
  const { rows } = await pool.query(
    `SELECT no, head, to_xid::text AS xid, to_id AS id FROM seal_block
      WHERE chain = $1 ORDER BY no DESC OFFSET $2 LIMIT 1`,
    [name, lastBlocks],
  );
  const before = rows[0];
  if (!before) return first;
  return { no: before.no, head: before.head, end: { xid: before.xid, id: before.id } };
}

function anchoredHeads(anchors: readonly Anchor[], name: string, after: bigint): Walk['anchored'] {
  return new Map(
    anchors.flatMap(({ file, chains }) =>
      chains
        .filter(({ chain, blocks }) => chain === name && BigInt(blocks) > after)
        .map(({ blocks, head }) => [BigInt(blocks), { head, file }] as const),
    ),
  );
}

function find(walk: Walk, finding: Omit<Finding, 'chain'>): void {
  if (walk.findings.length >= FINDINGS_PER_CHAIN_MAX) return;
  walk.findings.push({ chain: walk.name, ...finding });
}

async function readBlocks(pool: Pool, chain: string, after: bigint): Promise<Block[]> {
  const { rows } = await pool.query(
    `SELECT no, rows, to_xid::text AS xid, to_id, ids, digests, head, sealed_at FROM seal_block
      WHERE chain = $1 AND no > $2 ORDER BY no LIMIT ${BLOCKS_PER_STEP}`,
    [chain, after],
  );
  return rows.map((row) => ({
    ...{ chain, no: row.no, rows: row.rows, end: { xid: row.xid, id: row.to_id } },
    ...{ ids: row.ids, digests: row.digests, head: row.head, sealedAt: row.sealed_at },
  }));
}

async function verifyStep(deps: VerifyDeps, walk: Walk, blocks: readonly Block[]): Promise<void> {
  const after = walk.end;
  for (const block of blocks) verifyBlock(walk, block);
  if (!walk.chain) return;
  const found = await readRows(deps.pool, walk.chain, { after, to: walk.end });
  const sealed = {
    ids: Buffer.concat(blocks.map(({ ids }) => ids)),
    digests: Buffer.concat(blocks.map(({ digests }) => digests)),
  };
  walk.rows += found.length;
  for (const { kind, id } of compareRows(sealed, found)) {
    find(walk, { kind, id, text: `${walk.name} ${id} ${SAID[kind]}` });
  }
}

const SAID: Record<RowFault['kind'], string> = {
  changed: 'was changed after it was sealed',
  missing: 'was sealed and is gone',
  inserted: 'stands among sealed rows and was not sealed with them',
};

/** The block's place, its head, and what the anchors say of it; the chain goes on behind it. */
function verifyBlock(walk: Walk, block: Block): void {
  const { name } = walk;
  const { no } = block;
  if (no !== walk.no + 1n) {
    const text = `seal_block ${name} ${walk.no + 1n} is gone`;
    find(walk, { kind: 'block', id: walk.no + 1n, text });
  } else if (!headAfter(walk.head, block).equals(block.head)) {
    const text = `seal_block ${name} ${no} was changed, or does not follow on the one before`;
    find(walk, { kind: 'block', id: no, text });
  }
  const anchored = walk.anchored.get(no);
  walk.anchored.delete(no);
  if (anchored && anchored.head !== block.head.toString('hex')) {
    const text = `the head of block ${no} of ${name} is another than in ${anchored.file}`;
    find(walk, { kind: 'anchor', id: no, text });
  }
  Object.assign(walk, { no, head: block.head, end: block.end });
}

function readRows(
  pool: Pool,
  chain: Chain,
  range: { after: Place; to: Place },
): Promise<SealedRow[]> {
  return transaction(pool, async (client) => {
    await readPlainly(client);
    const rows: SealedRow[] = [];
    await copyOut(client, selectRows(chain, range), (text) => {
      const { id, digest } = sealRow(text);
      rows.push({ id, digest });
    });
    return rows;
  });
}

/** Rows behind the last block: only what was written just now may lie open. */
async function verifyOpen({ pool, clock }: VerifyDeps, walk: Walk, chain: Chain): Promise<void> {
  const { rows } = await pool.query(
    `SELECT t.id FROM ${chain.from}
      WHERE (t.xid, t.id) > ($1, $2) AND ${chain.writtenAt} < $3 ORDER BY t.xid, t.id LIMIT 100`,
    [walk.end.xid, walk.end.id, new Date(clock.now().getTime() - OPEN_MS_MAX)],
  );
  for (const { id } of rows) {
    const text = `${chain.name} ${id} was written ten minutes ago or longer and is not sealed`;
    find(walk, { kind: 'unsealed', id, text });
  }
}

/** A table that is gone was taken out by the product, as its chain stands now. */
async function verifyArchived({ pool }: VerifyDeps, walk: Walk): Promise<void> {
  const { rows } = await pool.query(
    'SELECT FROM command_log_archive WHERE chain = $1 AND blocks = $2 AND head = $3',
    [walk.name, walk.no, walk.head],
  );
  if (rows.length > 0) return;
  find(walk, { kind: 'table', id: null, text: `the table ${walk.name} is gone` });
}
