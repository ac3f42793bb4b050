/** A head-end whose VIP Control goes by a wrong clock, while its air goes by the right one. */
import type { Clock } from '../../../src/platform/ports.ts';
import type { Air } from '../air/types.ts';
import type { Faults } from './faults.ts';

/** The clock with what the fault `skew` adds to it. */
export function skewedClock(clock: Clock, faults: Faults): Clock {
  return {
    now: () => new Date(clock.now().getTime() + (faults.inForce('skew')?.value ?? 0)),
  };
}

/** The air for whoever goes by a wrong clock: what they put on it in the future goes on it now. */
export function airInTime(air: Air, clock: Clock): Air {
  const inTime = (at: Date) => new Date(Math.min(at.getTime(), clock.now().getTime()));
  return {
    ...air,
    put: (insertion, at) => air.put(insertion, inTime(at)),
    advance: (at) => air.advance(inTime(at)),
  };
}
