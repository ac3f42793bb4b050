/** Sends the refreshes that were asked for; the head-end begins its repetition anew only once. */
import type { Pool } from 'pg';
import { createSender, type Sender, type SenderDeps } from '../sending/sender.ts';
import { cardTarget } from '../vip-control/command.ts';
import {
  type ClaimedRefresh,
  claimRefreshes,
  finishRefreshes,
  type RefreshResult,
} from './refresh-store.ts';
import { DAY_MS } from './rules.ts';

export type Refresher = Sender;

export interface RefresherDeps extends SenderDeps {
  pool: Pool;
  metrics?: { onRefresh(result: RefreshResult['state']): void };
}

/** How long the head-end repeats as it does after a change. */
const BOOST_SECONDS = 300;
/** How long a sending may lie in the head-end's queue. */
const COMMAND_VALID_MS = 900_000;
/** While the head-end is away an ask is kept this long; then nobody waits for it any more. */
const ASK_VALID_MS = DAY_MS;

/** A sender that has not started; its link may be down. */
export function createRefresher({ pool, metrics, ...deps }: RefresherDeps): Refresher {
  return createSender<ClaimedRefresh, RefreshResult>(deps, {
    name: 'refresh',
    prio: 'REFRESH',
    claim: (claim) =>
      claimRefreshes(pool, { ...claim, casId: deps.casId, askValidMs: ASK_VALID_MS }),
    command: ({ id, cardNumber }, now) => ({
      op: 'REFRESH',
      cmdId: `rfr.${id}`,
      target: cardTarget(cardNumber),
      args: { scope: 'all', boostSeconds: BOOST_SECONDS },
      prio: 'REFRESH',
      notAfter: new Date(now.getTime() + COMMAND_VALID_MS),
      reason: 'asked',
    }),
    done: ({ firstAirAt }, now) => ({ state: 'on_air', onAirAt: firstAirAt ?? now }),
    finish: (finished) => finishRefreshes(pool, finished),
    onResult: ({ state }) => metrics?.onRefresh(state),
  });
}
