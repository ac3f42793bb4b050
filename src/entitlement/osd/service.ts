/** Sends on-screen messages to cards; none is shown late. */
import type { Pool } from 'pg';
import { createSender, type Sender, type SenderDeps } from '../sending/sender.ts';
import {
  claimOutbound,
  finishOutbound,
  type OutboundResult,
  type OutboundRow,
} from './outbound-store.ts';

export type OsdSender = Sender;

export interface OsdSenderDeps extends SenderDeps {
  pool: Pool;
  metrics?: { onOsd(state: OutboundResult['state']): void };
}

/** How long a message stays on the screen. */
const OSD_SECONDS = 30;

/** A sender that has not started; its link may be down. */
export function createOsdSender({ pool, metrics, ...deps }: OsdSenderDeps): OsdSender {
  return createSender<OutboundRow, OutboundResult>(deps, {
    name: 'osd',
    claim: (claim) => claimOutbound(pool, { kind: 'osd', ...claim }),
    command: ({ id, target, body, template, notAfter }) => ({
      op: 'OSD',
      cmdId: `osd.${id}`,
      card: target,
      text: body,
      durationSeconds: OSD_SECONDS,
      prio: 'MESSAGE',
      notAfter,
      reason: template,
    }),
    done: () => ({ state: 'sent', providerId: null }),
    endsAt: ({ notAfter }) => notAfter,
    finish: (finished) => finishOutbound(pool, finished),
    onResult: ({ state }) => metrics?.onOsd(state),
  });
}
