/**
 * Follows the command log and keeps what was on the air when. It reads the log in the order in
 * which it is sealed, so that it can die anywhere and a late row is never passed over.
 */
import type { Pool } from 'pg';
import { transaction } from '../../platform/database/pool.ts';
import type { Clock } from '../../platform/ports.ts';
import { type AirCard, type AirChange, execute, keyOf } from './rules.ts';
import { type LoggedSet, lockAir, readCards, readSets, testCards, writeAir } from './store.ts';

export interface AirDeps {
  pool: Pool;
  clock: Clock;
}

const SETS_MAX = 2_000;
/**
 * How long the end of a sending may wait to be written while the database is away, and somewhat
 * more. What is older than this when everything was read is final.
 */
const LATE_MS_MAX = 60_000;

/** Reads all that was logged. Returns how many sets; `signal`: ends after the stretch in hand. */
export async function followLog(deps: AirDeps, signal?: AbortSignal): Promise<number> {
  let read = 0;
  for (let isLast = false; !isLast && !signal?.aborted; ) {
    const done = await followOnce(deps);
    read += done.sets;
    isLast = done.isLast;
  }
  return read;
}

function followOnce({ pool, clock }: AirDeps): Promise<{ sets: number; isLast: boolean }> {
  return transaction(pool, async (client) => {
    await lockAir(client);
    const startedAt = clock.now();
    const { sets, end, isLast } = await readSets(client, SETS_MAX);
    const numbers = [...new Set(sets.map(({ card }) => card))];
    const outside = await testCards(client, numbers);
    const known = await readCards(client, numbers);
    const counted = sets.filter(({ card }) => !outside.has(card));
    const { cards, changes } = executeAll(known, counted);
    const at = isLast ? new Date(startedAt.getTime() - LATE_MS_MAX) : null;
    await writeAir(client, { cards, changes, end, at });
    return { sets: sets.length, isLast };
  });
}

/**
 * The cards that changed, and each span once: with its end before the first set and after all. A
 * span that was only planned, and came and went in this stretch, is none.
 */
function executeAll(known: ReadonlyMap<string, AirCard>, sets: readonly LoggedSet[]) {
  const cards = new Map<string, AirCard>();
  const changes = new Map<string, AirChange & { card: string }>();
  for (const set of sets) {
    const done = execute(cards.get(set.card) ?? known.get(set.card) ?? null, set);
    if (!done) continue;
    cards.set(set.card, done.card);
    for (const change of done.changes) {
      const key = `${set.card} ${keyOf(change)}`;
      const first = changes.get(key);
      const before = first ? first.before : change.before;
      changes.set(key, { ...change, before, card: set.card });
    }
  }
  const isKept = ({ from, to, before }: AirChange) => before !== null || from < to;
  return { cards, changes: [...changes.values()].filter(isKept) };
}
