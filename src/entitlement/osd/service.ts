/** Sends on-screen messages to cards; none is shown late. */
import type { Pool } from 'pg';
import { isForced } from '../../billing/dunning/sayings.ts';
import { createSender, type Sender, type SenderDeps } from '../sending/sender.ts';
import { cardTarget } from '../vip-control/command.ts';
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
/** The same over the picture: nobody can send it away, and who pays waits no longer than this. */
const FORCED_SECONDS = 60;

/** A sender that has not started; its link may be down. */
export function createOsdSender({ pool, metrics, ...deps }: OsdSenderDeps): OsdSender {
  return createSender<OutboundRow, OutboundResult>(deps, {
    name: 'osd',
    prio: 'MESSAGE',
    claim: (claim) => claimOutbound(pool, { kind: 'osd', casId: deps.casId, ...claim }),
    command: ({ id, target, body, template, notAfter }) => ({
      op: 'OSD',
      cmdId: `osd.${id}`,
      target: cardTarget(target),
      args: {
        text: body,
        durationSeconds: isForced(template) ? FORCED_SECONDS : OSD_SECONDS,
        forced: isForced(template),
      },
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
