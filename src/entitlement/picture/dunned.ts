/** The pictures of all cards of a subscriber, as dunning takes them away and gives them back. */
import type { Pool } from 'pg';
import type { DunningPorts, HeldAct, Pictures } from '../../billing/dunning/service.ts';
import type { DUNNING_REASONS } from './desk.ts';
import type { Suspensions } from './suspension.ts';

export type DunnedPictures = Pick<DunningPorts, 'suspend' | 'unsuspend' | 'picturesOf' | 'strays'>;

/** Under which dunning suspends; what anybody else has suspended stays theirs. */
const BY = 'dunning';
/** Cards of one subscriber that one call reaches; the next look finds what is left. */
const CARDS_MAX = 1_000;

type Reason = (typeof DUNNING_REASONS)[number];
const REASON_OF: Readonly<Record<HeldAct['why'], Reason>> = {
  overdue: 'unpaid',
  clear: 'unpaid',
  block: 'blocked',
};
const WHY_OF: Readonly<Record<Reason, HeldAct['why']>> = { unpaid: 'overdue', blocked: 'block' };

/** Purpose: what is to be seen of cards, by subscriber. Plan: cards by index, the rest by key. */
const PICTURES = `
SELECT k.subscriber_id, bool_or(r.suspended IS NULL) AS is_shown,
       coalesce(array_agg(DISTINCT x.reason) FILTER (WHERE x.reason IS NOT NULL), '{}') AS reasons
  FROM card k JOIN card_rights r ON r.card_id = k.id
  LEFT JOIN card_suspension x
    ON x.card_id = k.id AND x.resumed_at IS NULL AND x.suspended_by = '${BY}'
 WHERE k.subscriber_id = ANY ($1::bigint[]) AND k.replaced_by IS NULL
 GROUP BY k.subscriber_id`;

/**
 * Purpose: subscribers who have nothing taken from them, but a card that was taken: it was
 * another's, or the process ended before it wrote that down. Plan: `card_suspension_dunning`.
 */
const STRAYS = `
SELECT DISTINCT k.subscriber_id AS id
  FROM card_suspension x JOIN card k ON k.id = x.card_id
 WHERE x.resumed_at IS NULL AND x.suspended_by = '${BY}' AND k.subscriber_id > $1
   AND NOT EXISTS (SELECT FROM dunning_hold h
                    WHERE h.subscriber_id = k.subscriber_id AND h.to_at IS NULL
                      AND h.level <> 'walled')
 ORDER BY id LIMIT $2`;

/** Each act takes one card after the other; killed in between, it is done again. */
export function createDunnedPictures(deps: {
  pool: Pool;
  suspensions: Suspensions;
}): DunnedPictures {
  const { pool, suspensions } = deps;
  /** Cards that show something, or that dunning holds, of a subscriber. */
  const cardsOf = async (subscriberId: bigint, isHeld: boolean): Promise<bigint[]> => {
    const { rows } = await pool.query<{ id: bigint }>({
      name: `dunned-cards-${isHeld}`,
      text: `SELECT k.id FROM card k JOIN card_rights r ON r.card_id = k.id
               LEFT JOIN card_suspension x
                 ON x.card_id = k.id AND x.resumed_at IS NULL AND x.suspended_by = '${BY}'
              WHERE k.subscriber_id = $1 AND k.replaced_by IS NULL
                AND (x.id IS NOT NULL OR NOT $2 AND r.suspended IS NULL)
              ORDER BY k.id LIMIT $3`,
      values: [subscriberId, isHeld, CARDS_MAX],
    });
    return rows.map(({ id }) => id);
  };
  return {
    async suspend({ subscriberId, why }) {
      for (const cardId of await cardsOf(subscriberId, false)) {
        await suspensions.suspendCard({ cardId, reason: REASON_OF[why], by: BY, anew: true });
      }
    },
    async unsuspend({ subscriberId }) {
      for (const cardId of await cardsOf(subscriberId, true)) {
        await suspensions.resumeCard({ cardId, by: BY, onlyIfBy: BY });
      }
    },
    async picturesOf(subscriberIds) {
      const { rows } = await pool.query({
        name: 'dunned-pictures',
        text: PICTURES,
        values: [subscriberIds],
      });
      return new Map(
        rows.map(({ subscriber_id, is_shown, reasons }): [bigint, Pictures] => [
          subscriber_id,
          { isShown: is_shown, takenFor: reasons.map((reason: Reason) => WHY_OF[reason]) },
        ]),
      );
    },
    async strays({ after, limit }) {
      const { rows } = await pool.query<{ id: bigint }>({
        name: 'dunned-strays',
        text: STRAYS,
        values: [after, limit],
      });
      return rows.map(({ id }) => id);
    },
  };
}
