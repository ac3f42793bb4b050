/** What goes on being repeated after a restart. */
import type { RepeatStep } from '../../src/entitlement/vip-control/messages.ts';
import type { Clock } from '../../src/platform/ports.ts';
import type { Air, Insertion } from './air/types.ts';
import type { Memory } from './memory.ts';

/** Cards changed before so many others are left to the slow cycle at a restart. */
const RESUMED_REPEATS_MAX = 20_000;

interface ResumeDeps {
  memory: Memory;
  air: Air;
  profile: readonly RepeatStep[];
  clock: Clock;
}

/**
 * The air begins anew with the process: what was being repeated is put on it again at the instant
 * it was first broadcast, so that the repetition goes on where it would be by now.
 */
export function resumeRepeats({ memory, air, profile, clock }: ResumeDeps): void {
  const nowMs = clock.now().getTime();
  const past: { atMs: number; insertion: Insertion }[] = [];
  const profileMs = profile.reduce((sum, { forSeconds }) => sum + forSeconds, 0) * 1_000;
  for (const { card, firstAirAt } of memory.cards.values()) {
    const atMs = firstAirAt === null ? Number.NaN : Date.parse(firstAirAt);
    if (!(nowMs - atMs < profileMs)) continue;
    const content = { kind: 'rights' } as const;
    past.push({ atMs, insertion: { card, prio: 'BULK', content, repeat: 'profile' } });
  }
  past.sort((a, b) => a.atMs - b.atMs);
  for (const { atMs, insertion } of past.slice(-RESUMED_REPEATS_MAX)) {
    air.put(insertion, new Date(Math.min(atMs, nowMs)));
  }
  // Decoders that are switched on from here on have missed all this.
  air.advance(new Date(nowMs));
}
