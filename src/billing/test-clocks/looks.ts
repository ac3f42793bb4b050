/** When dunning is to look at a clock’s subscribers again, if nothing happens to them before. */
import type { Pool } from 'pg';
import type { DunningService } from '../dunning/service.ts';
import { areFlagged } from './store.ts';

/** What a clock needs of dunning. */
export type ClockDunning = Pick<DunningService, 'reconsider' | 'look'>;

const DAY_MS = 86_400_000;
/** When in a day, after its midnight in UTC, dunning looks at who owes. */
const DUNNING_MS = 9 * 3_600_000;

/**
 * Every day while something is overdue, held or flagged; else on the day of the next step, which
 * is known, and null if none is to come. Who pays or is invoiced meanwhile is looked at then.
 */
export async function nextLookAfter(
  at: Date,
  { pool, dunning, ids }: { pool: Pool; dunning: ClockDunning; ids: readonly bigint[] },
): Promise<Date | null> {
  if (await areFlagged(pool, ids)) return tomorrow(at);
  const standing = [...(await dunning.look(ids)).values()];
  const isQuiet = standing.every((one) => one.state === 'clear' && one.held === null);
  if (!isQuiet) return tomorrow(at);
  const days = standing.flatMap(({ next }) => next?.on ?? []);
  if (days.length === 0) return null;
  const nextMs = Math.min(...days) * DAY_MS + DUNNING_MS;
  return new Date(Math.max(nextMs, tomorrow(at).getTime()));
}

/** The next instant of a day's look. */
export function tomorrow(at: Date): Date {
  const ms = at.getTime() - DUNNING_MS;
  return new Date((Math.floor(ms / DAY_MS) + 1) * DAY_MS + DUNNING_MS);
}
