/** What a head-end that fails badly no longer knows when it is up again. */
import type { JournalRecord, Memory } from '../memory.ts';

/**
 * `nothing`: its journal has everything. `queue`: what it took and had not executed is gone, cards
 * and results are kept. `since`: it was restored as it stood at that instant.
 */
export type Loss = { lose: 'nothing' } | { lose: 'queue' } | { lose: 'since'; sinceMs: number };

/** Whether each next record of a journal, in its order, is still there. */
export function survivorsOf(loss: Loss): (record: JournalRecord) => boolean {
  let isLost = false;
  return (record) => {
    if (loss.lose === 'since' && record.k === 'cmd') isLost ||= record.atMs >= loss.sinceMs;
    return !isLost;
  };
}

/**
 * Takes out of a memory what is lost. A journal is compacted at every start: of a card that
 * changed before the last start, but after the instant, its earlier state is not there any more,
 * and the card is unknown.
 */
export function forgetLost(memory: Memory, loss: Loss): void {
  if (loss.lose === 'nothing') return;
  for (const [cmdId, { pending, atMs }] of memory.commands) {
    const isLost = loss.lose === 'queue' ? pending !== undefined : atMs >= loss.sinceMs;
    if (isLost) memory.commands.delete(cmdId);
  }
  if (loss.lose === 'queue') return;
  for (const [card, { firstAirAt }] of memory.cards) {
    const isLost = firstAirAt === null || Date.parse(firstAirAt) >= loss.sinceMs;
    if (isLost) memory.cards.delete(card);
  }
}
