/** The time of the demo: ours, moved on as far as somebody asked for; it never goes back. */
import type { Pool } from 'pg';
import type { Clock } from '../../src/platform/ports.ts';
import { systemClock } from '../../src/platform/system.ts';

export interface DemoClock extends Clock {
  /** Milliseconds ahead of the machine. */
  movedMs(): number;
  /** Goes on where it was; the lead is kept with the data, which are as far ahead. */
  restore(pool: Pool): Promise<void>;
  /** Moves on; what was moved before stays moved, also after a restart. */
  advance(pool: Pool, ms: number): Promise<void>;
}

/** A clock that shows the machine's time until it is restored or moved. */
export function createDemoClock(): DemoClock {
  let movedMs = 0;
  return {
    now: () => new Date(systemClock.now().getTime() + movedMs),
    movedMs: () => movedMs,
    async restore(pool) {
      const { rows } = await pool.query('SELECT ahead_ms FROM demo_clock');
      movedMs = Number(rows[0]?.ahead_ms ?? 0);
    },
    async advance(pool, ms) {
      const aheadMs = movedMs + Math.max(0, Math.round(ms));
      await pool.query(
        `INSERT INTO demo_clock (id, ahead_ms) VALUES (1, $1)
         ON CONFLICT (id) DO UPDATE SET ahead_ms = EXCLUDED.ahead_ms`,
        [aheadMs],
      );
      movedMs = aheadMs;
    },
  };
}
