/** Wakes the renewals whose term has ended; whether there is money is settlement's word. */
import type { Pool } from 'pg';
import type { Clock } from '../../platform/ports.ts';
import type { Settlement } from './service.ts';

const BATCH = 500;

/**
 * Tries every automatic renewal that is due and not waiting for money already. The key holds the
 * end of the term, so each end is tried once, wherever and however often this wakes.
 */
export async function renewDue(deps: {
  pool: Pool;
  settlement: Pick<Settlement, 'settle'>;
  clock: Clock;
}): Promise<number> {
  const now = deps.clock.now();
  const { rows } = await deps.pool.query(
    `SELECT s.id, s.card_id, s.paid_until, c.site_id
       FROM subscription s JOIN card c ON c.id = s.card_id
      WHERE s.renew_at <= $1 AND s.waiting_term IS NULL
      ORDER BY s.renew_at LIMIT $2`,
    [now, BATCH],
  );
  await Promise.all(
    rows.map((row) =>
      deps.settlement.settle({
        kind: 'renew',
        provider: 'vip',
        receipt: `renew:${row.id}:${row.paid_until.toISOString()}`,
        channelId: 'scheduler',
        siteId: row.site_id,
        at: now,
        raw: Buffer.alloc(0),
        cardId: row.card_id,
      }),
    ),
  );
  return rows.length;
}
