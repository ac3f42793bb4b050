/** Keeps what was refused at a door: forged, broken, unprovable. Nothing moved because of it. */
import type { Pool } from 'pg';
import type { Clock, Ids, Logger } from '../platform/ports.ts';

/** Why a request was refused at the door. The type and the reference page are made from it. */
export const REFUSED = {
  wrong_token: 'The address holds another token than the channel, or there is no such channel.',
  wrong_address: 'It came from an address that the channel does not allow.',
  wrong_method: 'Money, TV units and reports are posted; it came by another method.',
  wrong_signature: 'The signature is missing, wrong, or older than allowed.',
  too_large: 'The body is larger than allowed; its beginning is kept.',
  unreadable: 'It is not what this provider sends there, or its body did not come in time.',
  missing_field: 'It lacks the receipt or the amount, or does not say that money has moved.',
  no_order: 'It answers a prompt that was never sent.',
  amount_differs: 'Its amount is another one than that of the order it answers.',
  request_differs: 'It names another request than the order it answers.',
  not_confirmed: 'The operator says that nothing was paid, or under another receipt.',
  receipt_differs: 'Its receipt was used before, with another content.',
} as const;

export type RefusalReason = keyof typeof REFUSED;

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
        await deps.pool.query({
          name: 'refused-notice',
          text: `INSERT INTO refused_notice (id, channel_id, reason, received_at, remote, raw)
                 VALUES ($1, $2, $3, $4, $5, $6)`,
          values: [
            await deps.ids.take(),
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
