/** The months of the command log: made ahead, and taken out only exported and proved. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import type { Pool, PoolClient } from 'pg';
import { copyOut, readPlainly } from '../platform/database/copy.ts';
import { transaction } from '../platform/database/pool.ts';
import type { Clock } from '../platform/ports.ts';
import type { Anchor } from './anchors.ts';
import { BEGINNING, type Chain, monthChain, type Place, selectRows } from './chains.ts';
import { sealRow } from './rules.ts';
import { verifyChain } from './verify.ts';

/** Made ahead, the present month not counted. */
const MONTHS_AHEAD = 3;
/** Rows read together for the export. */
const EXPORT_ROWS = 20_000;

const firstOf = (year: number, month: number): string =>
  new Date(Date.UTC(year, month, 1)).toISOString().slice(0, 'YYYY-MM-DD'.length);

/** Makes the partitions of this month and the next; answers the first days of those now made. */
export async function makeMonths(deps: { pool: Pool; clock: Clock }): Promise<string[]> {
  const now = deps.clock.now();
  const made: string[] = [];
  for (let ahead = 0; ahead <= MONTHS_AHEAD; ahead++) {
    const day = firstOf(now.getUTCFullYear(), now.getUTCMonth() + ahead);
    const sql = 'SELECT make_command_log_month($1) AS made';
    const { rows } = await deps.pool.query(sql, [day]);
    if (rows[0]?.made) made.push(day);
  }
  return made;
}

export interface ArchiveDeps {
  /** As the owner of the tables. */
  pool: Pool;
  clock: Clock;
  folder: string;
  keepMonths: number;
  anchors: readonly Anchor[];
  /** Who asks for it. */
  by: string;
}

export type Archived =
  | { ok: true; file: string; rows: bigint; sha256: string }
  | {
      ok: false;
      error: 'unknown_month' | 'too_young' | 'not_sealed' | 'not_proved' | 'not_anchored';
    };

/**
 * Takes a month (`YYYY-MM`) out of the command log: verifies it, writes it to
 * `command_log_YYYY_MM.copy` as the canonical text of its rows, notes where its chain ended, and
 * detaches the partition, which stays a table of its own until its owner drops it. Refuses a month
 * within the last `keepMonths`, one that is not wholly sealed, one that does not verify, and one
 * whose last block no anchor knows.
 */
export async function archiveMonth(deps: ArchiveDeps, month: string): Promise<Archived> {
  const { pool, clock, keepMonths, anchors } = deps;
  const name = `command_log_${month.replace('-', '_')}`;
  const chain = /^\d{4}-\d{2}$/.test(month) ? monthChain(name) : null;
  if (!chain || !(await isPartition(pool, name))) return { ok: false, error: 'unknown_month' };
  const now = clock.now();
  const keptFrom = firstOf(now.getUTCFullYear(), now.getUTCMonth() - keepMonths);
  if (`${month}-01` >= keptFrom) return { ok: false, error: 'too_young' };
  const { findings, rows, blocks } = await verifyChain({ pool, clock, anchors }, name, chain);
  const isUnsealed = findings.some(({ kind }) => kind === 'unsealed');
  if (isUnsealed) return { ok: false, error: 'not_sealed' };
  if (findings.length > 0) return { ok: false, error: 'not_proved' };
  const isAnchored = anchors.some(({ chains }) =>
    chains.some((one) => one.chain === name && one.blocks === String(blocks)),
  );
  if (!isAnchored) return { ok: false, error: 'not_anchored' };
  const file = join(deps.folder, `${name}.copy`);
  const written = await exportRows(pool, chain, file);
  // What came in between was not proved: ask again.
  if (written.rows !== BigInt(rows)) return { ok: false, error: 'not_sealed' };
  await transaction(pool, (client) => detach(client, { ...deps, name, ...written }));
  return { ok: true, file, rows: written.rows, sha256: written.digest.toString('hex') };
}

async function isPartition(pool: Pool, name: string): Promise<boolean> {
  const { rows } = await pool.query(
    `SELECT FROM pg_inherits WHERE inhrelid = to_regclass($1)
        AND inhparent = 'command_log'::regclass`,
    [name],
  );
  return rows.length > 0;
}

interface Written {
  rows: bigint;
  /** SHA-256 of the file. */
  digest: Buffer;
}

async function exportRows(pool: Pool, chain: Chain, file: string): Promise<Written> {
  await mkdir(join(file, '..'), { recursive: true });
  const out = createWriteStream(`${file}.part`, { flush: true });
  const sum = createHash('sha256');
  let rows = 0n;
  let after: Place = BEGINNING;
  for (let lines: Buffer[] = []; ; lines = []) {
    await transaction(pool, async (client) => {
      await readPlainly(client);
      await copyOut(client, selectRows(chain, { after, limit: EXPORT_ROWS }), (text) => {
        lines.push(Buffer.concat([text, Buffer.from('\n')]));
      });
    });
    const last = lines.at(-1);
    if (!last) break;
    after = sealRow(last);
    rows += BigInt(lines.length);
    const part = Buffer.concat(lines);
    sum.update(part);
    if (!out.write(part)) await once(out, 'drain');
  }
  out.end();
  await finished(out);
  await rename(`${file}.part`, file);
  return { rows, digest: sum.digest() };
}

async function detach(
  client: PoolClient,
  { name, rows, digest, clock, by }: ArchiveDeps & Written & { name: string },
): Promise<void> {
  await client.query(
    `INSERT INTO command_log_archive (chain, rows, blocks, head, file_digest, archived_at,
                                      archived_by)
     SELECT chain, $2, no, head, $3, $4, $5 FROM seal_block
      WHERE chain = $1 ORDER BY no DESC LIMIT 1`,
    [name, rows, digest, clock.now(), by],
  );
  await client.query(`ALTER TABLE command_log DETACH PARTITION ${client.escapeIdentifier(name)}`);
}
