/** When what prepaid subscribers have paid for ends, read from their cards' subscriptions. */
import type { Pool } from 'pg';
import type { Clock } from '../../platform/ports.ts';
import type { Category } from '../catalogue/file/types.ts';
import { type Catalogue, priceAt, type TermName } from '../catalogue/rules.ts';

/**
 * Purpose: the card of each subscriber that is paid the longest. Who rests, or has closed all, is
 * left out: nobody is asked to come back from what they asked for.
 * Plan: cards by subscriber, subscriptions by card.
 */
const ENDS = `
SELECT DISTINCT ON (k.subscriber_id) k.subscriber_id, s.paid_until, s.bouquet_id, s.term, u.category
  FROM card k JOIN subscription s ON s.card_id = k.id
  JOIN subscriber u ON u.id = k.subscriber_id
 WHERE k.subscriber_id = ANY ($1::bigint[]) AND s.closed_at IS NULL AND s.paid_until IS NOT NULL
   AND NOT EXISTS (SELECT FROM card o JOIN subscription p ON p.card_id = o.id
                    WHERE o.subscriber_id = k.subscriber_id AND p.pause_from IS NOT NULL)
 ORDER BY k.subscriber_id, s.paid_until DESC`;

/** The ends of subscribers, with what their usual term costs now. */
export function createPrepaidEnds(deps: {
  pool: Pool;
  clock: Clock;
  catalogue(): Catalogue;
}): (ids: readonly bigint[]) => Promise<Map<bigint, { endsAt: Date | null; price: bigint }>> {
  return async (subscriberIds) => {
    if (subscriberIds.length === 0) return new Map();
    const { rows } = await deps.pool.query<{
      subscriber_id: bigint;
      paid_until: Date;
      bouquet_id: bigint;
      term: TermName;
      category: Category;
    }>({ name: 'dunning-prepaid-ends', text: ENDS, values: [subscriberIds] });
    const { bouquets } = deps.catalogue();
    const now = deps.clock.now();
    return new Map(
      rows.map(({ subscriber_id, paid_until, bouquet_id, term, category }) => {
        const bouquet = bouquets.get(bouquet_id);
        const price = bouquet ? priceAt(bouquet, term, now, category) : null;
        return [subscriber_id, { endsAt: paid_until, price: price ?? 0n }];
      }),
    );
  };
}
