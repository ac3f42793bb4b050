/**
 * When the rights of a card are broadcast once more by themselves. A decoder that was off hears
 * nothing and can ask for nothing, so what is on air is repeated: densely at first, then ever more
 * rarely. Pure.
 */
import type { RepeatStep } from '../vip-control/messages.ts';

/** How a change should be repeated, step after step from when it went on air. */
export const REAIR_PROFILE: readonly RepeatStep[] = [
  { everySeconds: 10, forSeconds: 300 },
  { everySeconds: 60, forSeconds: 3_600 },
  { everySeconds: 900, forSeconds: 86_400 },
  { everySeconds: 3_600, forSeconds: 604_800 },
];
/** Denser than this is the head-end's own business. */
export const REAIR_SECONDS_MIN = 60;
/** How long a set is repeated in which no right is in date: it takes rights away. */
export const WITHDRAWN_REAIR_MS = 86_400_000;

export interface ReairFacts {
  onAirAt: Date;
  /** See `reairEnd`. */
  endsAt: Date;
  now: Date;
  /** How the head-end repeats by itself; empty: not at all. */
  headEndRepeats: readonly RepeatStep[];
}

/**
 * The next instant at which we repeat what the head-end does not: at least a minute from `now`.
 * Null when there is none: the profile or the set is over, or the head-end does all of it.
 */
export function nextReair({ onAirAt, endsAt, now, headEndRepeats }: ReairFacts): Date | null {
  let ageSeconds = Math.max(0, (now.getTime() - onAirAt.getTime()) / 1000);
  for (;;) {
    const ours = stepAt(REAIR_PROFILE, ageSeconds);
    if (!ours) return null;
    const everySeconds = Math.max(ours.everySeconds, REAIR_SECONDS_MIN);
    const theirs = stepAt(headEndRepeats, ageSeconds);
    if (!theirs || theirs.everySeconds > everySeconds) {
      const next = new Date(onAirAt.getTime() + (ageSeconds + everySeconds) * 1000);
      return next < endsAt ? next : null;
    }
    // Ours begins where theirs ends.
    ageSeconds = theirs.endSeconds;
  }
}

/** The step that holds at an age, and the age at which it ends. */
function stepAt(steps: readonly RepeatStep[], ageSeconds: number) {
  let endSeconds = 0;
  for (const { everySeconds, forSeconds } of steps) {
    endSeconds += forSeconds;
    if (ageSeconds < endSeconds) return { everySeconds, endSeconds };
  }
  return undefined;
}

/** From when on a set is not repeated any more: the profile is over, or its last right is. */
export function reairEnd(set: readonly { to: string }[], onAirAt: Date): Date {
  const profileMs = REAIR_PROFILE.reduce((sum, step) => sum + step.forSeconds * 1000, 0);
  const lastMs = Math.max(0, ...set.map(({ to }) => Date.parse(to)));
  const leftMs = lastMs - onAirAt.getTime();
  return new Date(
    onAirAt.getTime() + Math.min(profileMs, leftMs > 0 ? leftMs : WITHDRAWN_REAIR_MS),
  );
}
