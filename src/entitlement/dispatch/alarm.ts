/** The alarm for cards that are paid and stay dark: said once for each, and when it is over. */
import type { Pool } from 'pg';
import type { Clock, Logger } from '../../platform/ports.ts';
import { type DarkCard, readDark, readLit } from './store.ts';

/** A set should be on air within seconds; after this somebody has to look. */
export const DARK_ALARM_MS = 120_000;
/** The oldest dark cards are named; the count is told of all. */
export const DARK_CARDS_NAMED_MAX = 1_000;

/** Looks, logs what is new, and returns how many cards are dark for too long. */
export type DarkAlarm = () => Promise<number>;

/** An alarm that has said nothing yet. */
export function createDarkAlarm(deps: { pool: Pool; clock: Clock; logger: Logger }): DarkAlarm {
  const { pool, clock, logger } = deps;
  const named = new Map<bigint, DarkCard>();

  return async () => {
    const nowMs = clock.now().getTime();
    const raisedBy = new Date(nowMs - DARK_ALARM_MS);
    const { count, cards } = await readDark(pool, { raisedBy, limit: DARK_CARDS_NAMED_MAX });
    for (const card of cards) {
      const before = named.get(card.cardId);
      if (before?.rev === card.rev || (!before && named.size >= DARK_CARDS_NAMED_MAX)) continue;
      named.set(card.cardId, card);
      const seconds = Math.round((nowMs - card.raisedAt.getTime()) / 1000);
      const { number, rev, failure } = card;
      logger.error('dispatch.paid_not_on_air', { card: number, rev, failure, seconds });
    }
    const listed = new Set(cards.map(({ cardId }) => cardId));
    const unlisted = [...named.keys()].filter((cardId) => !listed.has(cardId));
    // What is neither listed nor on air was raised again, and has its two minutes anew.
    const lit = unlisted.length > 0 ? await readLit(pool, unlisted) : [];
    for (const cardId of lit) {
      logger.info('dispatch.on_air_again', { card: named.get(cardId)?.number });
      named.delete(cardId);
    }
    return count;
  };
}
