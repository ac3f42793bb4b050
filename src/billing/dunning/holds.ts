/** What dunning has taken away, as intervals: facts that billing reads, and how they change. */
import type { Day } from '../../platform/day.ts';
import type { Dunning, Level } from './rules.ts';

export type HeldLevel = Exclude<Level, 'open'>;

/** From `from` on the subscriber had no more than `level`; open while `to` is null. */
export interface Hold {
  id: bigint;
  level: HeldLevel;
  from: Day;
  /** Exclusive. */
  to: Day | null;
}

/** What a change asks of those who give and take pictures. */
export type HoldCall = 'suspend' | 'unsuspend' | 'terminate' | null;

const HARDNESS: readonly Level[] = ['open', 'walled', 'stopped', 'ended'];

/**
 * The level to go to, and the call that takes there; null when it stays as it is. `mayWorsen` is
 * false in the night and on days of rest: then things only get better. A contract that was ended
 * does not come back by a payment: its hold just closes when nothing is owed any more.
 */
export function holdChange(
  actual: Level,
  wanted: Pick<Dunning, 'level' | 'because' | 'owed'>,
  mayWorsen: boolean,
): { level: Level; call: HoldCall } | null {
  if (actual === 'ended') {
    return wanted.owed === 0n ? { level: 'open', call: null } : null;
  }
  if (actual === wanted.level) return null;
  const isWorse = HARDNESS.indexOf(wanted.level) > HARDNESS.indexOf(actual);
  if (isWorse && !mayWorsen && wanted.because !== 'block') return null;
  if (wanted.level === 'ended') return { level: 'ended', call: 'terminate' };
  if (wanted.level === 'stopped') return { level: 'stopped', call: 'suspend' };
  return { level: wanted.level, call: actual === 'stopped' ? 'unsuspend' : null };
}

/**
 * The days without a picture, which are never billed: merged, in order, the last one open (`to`
 * null) while it lasts. A day on which the picture went and came back is a day with one.
 */
export function stoppedDays(
  holds: readonly Pick<Hold, 'level' | 'from' | 'to'>[],
): { from: Day; to: Day | null }[] {
  const merged: { from: Day; to: Day | null }[] = [];
  const stopped = holds
    .filter(({ level, from, to }) => level !== 'walled' && (to === null || to > from))
    .sort((a, b) => a.from - b.from);
  for (const { from, to } of stopped) {
    const last = merged.at(-1);
    if (last && (last.to === null || from <= last.to)) {
      if (last.to !== null) last.to = to === null ? null : Math.max(to, last.to);
    } else {
      merged.push({ from, to });
    }
  }
  return merged;
}
