/** Reads what a conditional-access system knows of its cards, page after page, checking each. */
import { type AnswerTo, type CardRecord, dumpDigest } from '../vip-control/queries.ts';
import type { CasDriver } from './driver.ts';

export type DumpRead =
  /** `change`: what to ask `since` next time, so that nothing is missed in between. */
  | { ok: true; cards: number; change: number }
  /** `refused` with what the other side said; the others: what it gave cannot be relied on. */
  | { ok: false; error: 'refused'; code: string }
  | { ok: false; error: 'digest_mismatch' | 'no_end' };

/** Pages of one dump; more than any system has, so that none is read for ever. */
export const DUMP_PAGES_MAX = 100_000;

/**
 * Hands `onPage` all cards, or those that changed after so many changes (`since`). Only pages that
 * verify are handed on; what a failed dump has handed on is good, but not all.
 */
export async function dumpAll(
  driver: Pick<CasDriver, 'ask'>,
  { since = 0 }: { since?: number },
  onPage: (cards: readonly CardRecord[]) => Promise<void> | void,
): Promise<DumpRead> {
  let after: string | null = null;
  let change: number | undefined;
  let cards = 0;
  for (let page = 0; page < DUMP_PAGES_MAX; page += 1) {
    const answer: AnswerTo<'DUMP'> = await driver.ask({ op: 'DUMP', args: { since, after } });
    if (answer.op === 'REFUSED') return { ok: false, error: 'refused', code: answer.code };
    if (dumpDigest(answer.cards) !== answer.digest) return { ok: false, error: 'digest_mismatch' };
    // The first page's: what changes while the others are read is told by the next dump.
    change ??= answer.change;
    cards += answer.cards.length;
    await onPage(answer.cards);
    if (answer.next === null) return { ok: true, cards, change };
    if (answer.next === after || answer.cards.length === 0) break;
    after = answer.next;
  }
  return { ok: false, error: 'no_end' };
}
