/** The time of the demo: ours, moved on as far as somebody asked for; it never goes back. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { Clock } from '../../src/platform/ports.ts';
import { systemClock } from '../../src/platform/system.ts';

export interface DemoClock extends Clock {
  /** Milliseconds ahead of the machine. */
  movedMs(): number;
  /** Moves on; what was moved before stays moved, also after a restart. */
  advance(ms: number): void;
}

/** The clock whose lead is kept in `file`, because the data of the demo are as far ahead. */
export function createDemoClock(file: string): DemoClock {
  let movedMs = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
  return {
    now: () => new Date(systemClock.now().getTime() + movedMs),
    movedMs: () => movedMs,
    advance(ms) {
      movedMs += Math.max(0, ms);
      writeFileSync(file, String(movedMs));
    },
  };
}
