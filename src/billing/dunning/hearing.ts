/**
 * Hears what changed for whom, and has it reconsidered: behind the commit, off the way of whoever
 * paid. What does not fit is found by the job.
 */
import type { Pool } from 'pg';
import type { Logger } from '../../platform/ports.ts';
import type { DunningService } from './service.ts';

export interface Hearing {
  /** Cards whose rights changed. Returns at once. */
  cards(ids: Iterable<bigint>): void;
  /** Postpaid accounts that changed. Returns at once. */
  accounts(ids: Iterable<bigint>): void;
  /** Nothing more is heard; waits for what was. */
  close(): Promise<void>;
}

export interface HearingDeps {
  pool: Pool;
  logger: Logger;
  dunning: Pick<DunningService, 'reconsider'>;
}

/** Cards and accounts that wait, each; a minute of payments at the busiest hour. */
const HEARD_MAX = 20_000;

/**
 * Purpose: of all who paid, those from whom something is held or who are about to be told to pay:
 * for the others a payment changes nothing here. Plan: cards and accounts by key, then two looks by
 * index for each subscriber.
 */
const CONCERNED = `
SELECT c.id FROM (
  SELECT subscriber_id AS id FROM card WHERE id = ANY ($1::bigint[])
  UNION SELECT subscriber_id FROM postpaid_account WHERE id = ANY ($2::bigint[])
) c
 WHERE EXISTS (SELECT FROM dunning_hold h WHERE h.subscriber_id = c.id AND h.to_at IS NULL)
    OR EXISTS (SELECT FROM dunning_message m JOIN outbound o ON o.id = m.outbound_id
                WHERE m.subscriber_id = c.id AND o.state = 'queued')`;

/** One round at a time; what is heard meanwhile makes the next one. */
export function createHearing({ pool, logger, dunning }: HearingDeps): Hearing {
  const cards = new Set<bigint>();
  const accounts = new Set<bigint>();
  let working: Promise<void> | null = null;
  let closed = false;

  const take = (heard: Set<bigint>): bigint[] => {
    const ids = [...heard];
    heard.clear();
    return ids;
  };
  const work = async (): Promise<void> => {
    while (cards.size + accounts.size > 0) {
      try {
        const { rows } = await pool.query<{ id: bigint }>({
          name: 'dunning-concerned',
          text: CONCERNED,
          values: [take(cards), take(accounts)],
        });
        if (rows.length > 0) await dunning.reconsider(rows.map(({ id }) => id));
      } catch (error) {
        logger.error('dunning.not_reconsidered', { error });
      }
    }
    working = null;
  };
  const hear = (heard: Set<bigint>, ids: Iterable<bigint>): void => {
    if (closed) return;
    for (const id of ids) if (heard.size < HEARD_MAX) heard.add(id);
    working ??= Promise.resolve().then(work);
  };
  return {
    cards: (ids) => hear(cards, ids),
    accounts: (ids) => hear(accounts, ids),
    async close() {
      closed = true;
      await working;
    },
  };
}
