/** Everything that must hold in the books, asked of a database at rest. */
import { checkBooks, checkPrepaid } from './billing/ledger/check.ts';
import { checkPostpaid } from './billing/postpaid/check.ts';
import { createPool } from './platform/database/pool.ts';
import type { Logger } from './platform/ports.ts';

export interface Proof {
  what: string;
  /** How many rows break it. */
  found: number;
}

/** Whole tables are read. */
const STATEMENT_TIMEOUT_MS = 3_600_000;

/** Asks for every invariant of the ledger, of prepaid and of postpaid; 0 found is sound. */
export async function proveBooks(appUrl: string, logger: Logger): Promise<Proof[]> {
  const pool = createPool({
    ...{ url: appUrl, max: 1, name: 'vip-proof', logger },
    statementTimeoutMs: STATEMENT_TIMEOUT_MS,
  });
  try {
    // Rights may be on their way at any instant: that is no fault of the books.
    const { unacknowledgedCards: _, ...ledger } = await checkBooks(pool);
    const all = { ledger, prepaid: await checkPrepaid(pool), postpaid: await checkPostpaid(pool) };
    return Object.entries(all).flatMap(([book, checks]) =>
      Object.entries(checks).map(([name, found]) => ({ what: `${book} ${name}`, found })),
    );
  } finally {
    await pool.end();
  }
}
