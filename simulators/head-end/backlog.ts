/** Says when many first broadcasts wait for room on the air, and when they no longer do. */
import type { Clock } from '../../src/platform/ports.ts';
import type { Air } from './air/types.ts';

export interface BacklogWatch {
  /** Looks, and tells everybody what has changed. */
  look(): void;
  /** What is to be told to somebody who comes in now; null: nothing. */
  standing(): BacklogTold | null;
}

/** `detail` of the event `emm_backlog`; in whole seconds. */
export interface BacklogTold {
  waiting: number;
  seconds: number;
}

/** Half a minute of a narrow carousel. */
export const BACKLOG_EMMS = 1_000;

/** Told at `level`, and that it is over only at half of it, so that nothing is told in turns. */
export function watchBacklog(deps: {
  air: Pick<Air, 'backlog'>;
  clock: Clock;
  level: number;
  tell(told: BacklogTold): void;
}): BacklogWatch {
  const { air, clock, level, tell } = deps;
  let isHigh = false;
  const now = (): BacklogTold => {
    const { waiting, sinceMs } = air.backlog();
    const ageMs = waiting === 0 ? 0 : Math.max(0, clock.now().getTime() - sinceMs);
    return { waiting, seconds: Math.floor(ageMs / 1_000) };
  };
  return {
    look() {
      const { waiting } = air.backlog();
      if (isHigh ? waiting >= level / 2 : waiting < level) return;
      isHigh = !isHigh;
      tell(now());
    },
    standing: () => (isHigh ? now() : null),
  };
}
