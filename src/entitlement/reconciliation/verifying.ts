/** Open differences, asked about again: those that are no more are closed. */
import { askCards } from './asking.ts';
import { ourNames } from './comparing.ts';
import { compareCard, strangeCard } from './rules.ts';
import type { ReconciledSystem, ReconciliationDeps } from './service.ts';
import { closeDifferences, readOpen, readWanted } from './store.ts';

/**
 * Asks about the next open differences after an id. `last`: where to go on; null: there are no
 * more.
 */
export async function verifyOpen(
  { pool, clock, system }: ReconciliationDeps & { system: ReconciledSystem },
  asked: { after: bigint; limit: number },
): Promise<{ closed: number; last: bigint | null }> {
  const open = await readOpen(pool, system.id, asked);
  const numbers = [...new Set(open.map(({ card }) => card))];
  const held = await askCards(system.driver, numbers);
  const wanted = await readWanted(pool, system.id, numbers);
  const compared = { at: clock.now(), ourName: ourNames(system) };
  const closed = open.filter(({ card, class: kind, product }) => {
    const now = compareCard(
      wanted.get(card) ?? strangeCard(card),
      held.get(card) ?? null,
      compared,
    );
    return !now.some((one) => one.class === kind && one.product === product);
  });
  const ids = closed.map(({ id }) => id);
  if (ids.length > 0) await closeDifferences(pool, ids, compared.at);
  const last = open.length === asked.limit ? (open.at(-1)?.id ?? null) : null;
  return { closed: ids.length, last };
}
