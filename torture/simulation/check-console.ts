/** What was done at the head-end's console: found with its worth, or replaced by a set of ours. */
import type { Pool } from 'pg';
import type { LogLine } from '../../src/entitlement/vip-control/queries.ts';
import { type Activation, FOREIGN_PRODUCT } from './console.ts';

export interface ConsoleEvidence {
  pool: Pool;
  activations: readonly Activation[];
  /** What it holds; a suspended card shows nothing of it, and is sent its set when it goes on. */
  headEnd: { card(number: string): { suspended?: string } | undefined };
  /** The head-end's own log. */
  log: readonly LogLine[];
}

interface Row {
  card: string;
  amount: bigint | null;
  writtenBy: string | null;
}

/** Accounts for each activation that the head-end kept. */
export async function consoleFaults({ pool, activations, headEnd, log }: ConsoleEvidence) {
  const { rows } = await pool.query<Row>(
    `SELECT card, amount, written_by AS "writtenBy" FROM reconciliation_difference
      WHERE class = 'A' AND product = $1`,
    [FOREIGN_PRODUCT],
  );
  const faults = rows.flatMap(({ card, amount, writtenBy }) => {
    if (writtenBy === 'console' && amount === null) return [`card ${card}: a leak without worth`];
    return [];
  });
  for (const { card, mark } of activations) {
    const at = log.findIndex(({ args }) => args.why === mark);
    // It died before it had written that down, and then nothing has come of it.
    if (at === -1) continue;
    const after = log.slice(at + 1).filter(({ target }) => target.id === card);
    const isReplaced = after.some(({ op, code }) => op === 'ENTITLE' && code === 'DONE');
    const isDark = headEnd.card(card)?.suspended !== undefined;
    if (!isReplaced && !isDark) faults.push(`${mark} of card ${card}: neither found nor replaced`);
  }
  return { faults, checks: rows.length + activations.length };
}
