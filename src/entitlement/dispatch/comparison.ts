/**
 * After each log-in: asks a system what has changed there since it was last asked, and makes due
 * what it holds under another revision than we were told. So a head-end that lost what it had
 * acknowledged is healed at once, without waiting for the night.
 */
import type { Pool } from 'pg';
import type { Clock, Logger } from '../../platform/ports.ts';
import type { CasDriver } from '../cas/driver.ts';
import { dumpAll } from '../cas/dump.ts';
import { type Compared, compareCards, readCompared, saveCompared } from './comparison-store.ts';

export interface ComparisonDeps {
  pool: Pool;
  clock: Clock;
  logger: Logger;
  driver: Pick<CasDriver, 'ask' | 'capabilities'>;
  cas: { id: string; epoch: () => number };
}

/**
 * Compares, and makes due what differs. Returns how many cards; 0 when the system does not answer
 * such questions, or was asked less than a minute ago.
 */
export type Comparison = () => Promise<number>;

/** A link that comes and goes asks no more often. */
export const COMPARE_EVERY_MS = 60_000;

/** A comparison over one driver; nothing happens until it is asked. */
export function createComparison(deps: ComparisonDeps): Comparison {
  const { clock, driver, pool, cas, logger } = deps;
  let askedAtMs = Number.NEGATIVE_INFINITY;
  return async () => {
    const at = clock.now();
    const isSoon = at.getTime() - askedAtMs < COMPARE_EVERY_MS;
    if (isSoon || !driver.capabilities()?.supports.includes('DUMP')) return 0;
    askedAtMs = at.getTime();
    const before = await readCompared(pool, cas.id);
    const since = await compareSince(deps, before, at);
    if (before && since.change !== null && since.change < before.change) {
      // It has forgotten changes that it had told us of: everything is compared.
      logger.warn('cas.changes_lost', { told: before.change, now: since.change });
      const all = await compareSince(deps, null, at);
      return since.differing + all.differing;
    }
    return since.differing;
  };
}

/** Null for `before`: all cards, not only those that changed. `change`: null when it broke off. */
async function compareSince(
  { driver, pool, cas, logger }: ComparisonDeps,
  before: Compared | null,
  at: Date,
): Promise<{ differing: number; change: number | null }> {
  let differing = 0;
  let after: string | null = null;
  const common = { casId: cas.id, epoch: cas.epoch(), askedAt: at };
  const changedFrom = before?.at ?? null;
  const read = await dumpAll(driver, { since: before?.change ?? 0 }, async (cards) => {
    const to = cards.at(-1)?.card;
    if (to === undefined) return;
    differing += await compareCards(pool, cards, { ...common, changedFrom, range: { after, to } });
    after = to;
  });
  if (!read.ok) {
    logger.warn('cas.dump_failed', {
      error: read.error,
      ...('code' in read && { code: read.code }),
    });
    return { differing, change: null };
  }
  differing += await compareCards(pool, [], { ...common, changedFrom, range: { after, to: null } });
  await saveCompared(pool, cas.id, { change: read.change, at });
  if (differing > 0) logger.warn('cas.cards_differ', { cards: differing });
  return { differing, change: read.change };
}
