/** What dunning has taken away, and how that changes. */
import type { Dunning, Level } from './rules.ts';

export type HeldLevel = Exclude<Level, 'open'>;

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
