/** Keeps what was refused at a door: forged, broken, unprovable. Nothing moved because of it. */
import type { Pool } from 'pg';
import type { Clock, Ids, Logger } from '../platform/ports.ts';

export type RefusalReason =
  | 'wrong_token'
  | 'wrong_address'
  | 'wrong_signature'
  | 'too_large'
  | 'unreadable'
  | 'missing_field'
  | 'no_order'
  | 'amount_differs'
  | 'request_differs'
  | 'not_confirmed'
  | 'receipt_differs';

export interface RefusedNotices {
  /** Keeps the bytes; never rejects, and resolves when they are durable or the limit is reached. */
  keep(refused: {
    channelId: string;
    reason: RefusalReason;
    remote: string;
    bytes: Buffer;
  }): Promise<void>;
}

/** A flood of forgeries must not fill the disk: above this they are counted and logged only. */
export const KEPT_PER_MINUTE_MAX = 600;
export const KEPT_BYTES_MAX = 65_536;
const MINUTE_MS = 60_000;

export function createRefusedNotices(deps: {
  pool: Pool;
  ids: Ids;
  clock: Clock;
  logger: Logger;
  onRefused?(reason: RefusalReason): void;
}): RefusedNotices {
  let minute = 0;
  let kept = 0;
  return {
    async keep({ channelId, reason, remote, bytes }) {
      deps.onRefused?.(reason);
      const at = deps.clock.now();
      const current = Math.floor(at.getTime() / MINUTE_MS);
      if (current !== minute) {
        minute = current;
        kept = 0;
      }
      kept += 1;
      deps.logger.warn('notice.refused', { channel: channelId, reason, bytes: bytes.length });
      if (kept > KEPT_PER_MINUTE_MAX) return;
      try {
        await deps.ids.reserve(1);
        await deps.pool.query({
          name: 'refused-notice',
          text: `INSERT INTO refused_notice (id, channel_id, reason, received_at, remote, raw)
                 VALUES ($1, $2, $3, $4, $5, $6)`,
          values: [
            deps.ids.next(),
            channelId,
            reason,
            at,
            remote,
            bytes.subarray(0, KEPT_BYTES_MAX),
          ],
        });
      } catch (error) {
        deps.logger.error('notice.not_kept', { channel: channelId, reason, error });
      }
    },
  };
}
