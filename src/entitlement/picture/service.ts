/** The desk: says what is known about a picture, has it refreshed, and keeps what viewers say. */
import type { Pool } from 'pg';
import { transaction } from '../../platform/database/pool.ts';
import type { Clock, Ids, Logger } from '../../platform/ports.ts';
import type { Asking, PictureDesk, RefreshAnswer } from './desk.ts';
import type { Refresher } from './refresher.ts';
import {
  blackReports,
  DAY_MS,
  decideRefresh,
  diagnose,
  isRefreshable,
  isStillBlack,
} from './rules.ts';
import {
  insertRefresh,
  insertReport,
  lastAsks,
  loadPicture,
  lockRights,
  reportsSince,
} from './store.ts';

export interface PictureDeskDeps {
  pool: Pool;
  ids: Ids;
  clock: Clock;
  logger: Logger;
  refresher: Pick<Refresher, 'wake'>;
}

/** A desk over the database; it throws only when that is lost. */
export function createPictureDesk(deps: PictureDeskDeps): PictureDesk {
  const { pool, clock } = deps;
  return {
    async diagnose(cardId) {
      const facts = await loadPicture(pool, cardId);
      return facts && diagnose(facts, clock.now());
    },
    refresh: (asking) => refresh(deps, asking),
    report: (report) => keepReport(deps, report),
  };
}

/** The lock on the card's rights makes its asks follow each other: two at once write one row. */
async function refresh(deps: PictureDeskDeps, asking: Asking): Promise<RefreshAnswer> {
  const { pool, ids, clock, logger, refresher } = deps;
  const id = await ids.take();
  const answer = await transaction(pool, async (client): Promise<RefreshAnswer> => {
    const rights = await lockRights(client, asking.cardId);
    // After the lock: who waited for an ask at the same time is not earlier than it.
    const now = clock.now();
    if (!rights || !isRefreshable(rights, now)) return { kind: 'not_on_air' };
    const decided = decideRefresh(await lastAsks(client, asking.cardId), now);
    if (decided.kind === 'asked') await insertRefresh(client, asking, { id, at: now });
    return decided;
  });
  if (answer.kind === 'asked') refresher.wake();
  const { cardId, source } = asking;
  logger.info('picture.refresh_answered', { cardId, source, answer: answer.kind });
  return answer;
}

async function keepReport(
  { pool, ids, clock, logger }: PictureDeskDeps,
  report: Parameters<PictureDesk['report']>[0],
): Promise<{ blackReports: number }> {
  const { cardId, source, answer } = report;
  const now = clock.now();
  const isNew = await insertReport(pool, report, { id: await ids.take(), at: now });
  const since = new Date(now.getTime() - DAY_MS);
  const { reports, refreshedAt } = await reportsSince(pool, cardId, since);
  if (isNew && answer === 'black' && isStillBlack(reports, refreshedAt)) {
    logger.warn('picture.still_black', { cardId, source, reports: blackReports(reports) });
  }
  return { blackReports: blackReports(reports) };
}
