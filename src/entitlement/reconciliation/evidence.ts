/**
 * Independent evidence: the log that a system keeps itself, signed and chained, compared with our
 * command log. Whatever was done there and was not ordered here is foreign.
 */
import type { KeyObject } from 'node:crypto';
import type { Pool } from 'pg';
import type { CasDriver } from '../cas/driver.ts';
import { type LogMark, readLog } from '../cas/log.ts';
import type { LogLine } from '../vip-control/queries.ts';
import type { LogEvidence } from './run-store.ts';

/** Sendings are logged here when they end, at the latest so long after they were executed. */
const LOGGED_WITHIN_MS = 1_200_000;
/** How far before a line of theirs ours can lie, by the difference of the clocks. */
const CLOCKS_DIFFER_MS = 3_600_000;

/** Purpose: lines without a row of ours. Locks: none. Plan: `command_log_target`, by month. */
const STRANGE = `
SELECT x.n FROM unnest($2::bigint[], $3::text[], $4::text[]) AS x (n, cmd_id, target)
 WHERE NOT EXISTS (SELECT FROM command_log l
                    WHERE l.target_id = x.target AND l.cmd_id = x.cmd_id AND l.cas = $1
                      AND l.at >= $5)`;

const KEEP = `
INSERT INTO reconciliation_foreign (run_id, n, at, op, target_kind, target_id, cmd_id, by, args,
                                    code)
SELECT $1, x.n, x.at, x.op, x.target_kind, x.target_id, x.cmd_id, x.by, x.args, x.code
  FROM jsonb_to_recordset($2::jsonb) AS x (n bigint, at timestamptz, op text, target_kind text,
       target_id text, cmd_id text, by text, args jsonb, code text)
ON CONFLICT (run_id, n) DO NOTHING`;

export interface EvidenceDeps {
  pool: Pool;
  driver: Pick<CasDriver, 'ask'>;
  run: { id: bigint; casId: string };
  /** What the system signs its log with, in public; null: it was not deployed. */
  key: KeyObject | null;
  at: Date;
}

/** Reads their log from where the last run ended, and keeps what no command of ours explains. */
export async function readEvidence(deps: EvidenceDeps, mark: LogMark): Promise<LogEvidence> {
  if (!deps.key) return { lines: 0, foreign: 0, mark: null, error: 'no_key' };
  // Younger lines may still lack our row: the next run judges them.
  const until = deps.at.getTime() - LOGGED_WITHIN_MS;
  let judged = mark;
  let foreign = 0;
  const read = await readLog(deps.driver, { mark, publicKey: deps.key }, async (lines) => {
    const young = lines.findIndex(({ at }) => Date.parse(at) > until);
    const some = young === -1 ? lines : lines.slice(0, young);
    // Once a line was too young, so are all that follow: the mark stays where they begin.
    const last = some.at(-1);
    if (!last || some[0]?.n !== judged.n + 1) return;
    foreign += await keepForeign(deps, some);
    judged = { n: last.n, hash: last.hash };
  });
  const lines = judged.n - mark.n;
  if (read.ok) return { lines, foreign, mark: judged, error: null };
  const error = read.error === 'refused' ? read.code : read.error;
  // What was read up to the fault is chained, and was judged.
  return { lines, foreign, mark: judged.n > 0 ? judged : null, error };
}

async function keepForeign(
  { pool, run }: Pick<EvidenceDeps, 'pool' | 'run'>,
  lines: readonly LogLine[],
): Promise<number> {
  const ordered = lines.filter(({ cmdId }) => cmdId !== null);
  const oldest = Math.min(...lines.map(({ at }) => Date.parse(at)));
  const { rows } = await pool.query({
    name: 'reconciliation-strange',
    text: STRANGE,
    values: [
      run.casId,
      ordered.map(({ n }) => n),
      ordered.map(({ cmdId }) => cmdId),
      ordered.map(({ target }) => target.id),
      new Date(oldest - CLOCKS_DIFFER_MS),
    ],
  });
  const strange = new Set<number>(rows.map(({ n }) => Number(n)));
  const foreign = lines.filter(({ n, cmdId }) => cmdId === null || strange.has(n));
  if (foreign.length === 0) return 0;
  const kept = foreign.map(({ target, cmdId, ...line }) => ({
    ...{ ...line, cmd_id: cmdId, target_kind: target.kind, target_id: target.id },
  }));
  await pool.query(KEEP, [run.id, JSON.stringify(kept)]);
  return foreign.length;
}
