/** The entitlement room, put together: the link to the head-end and what is sent over it. */
import type { Pool } from 'pg';
import type { Settlement } from '../billing/settlement/service.ts';
import type { Metrics } from '../platform/metrics.ts';
import type { Clock, Ids, Logger, Random } from '../platform/ports.ts';
import { createDispatcher, type Dispatcher, type DispatchStep } from './dispatch/service.ts';
import { ensureConditionalAccess } from './dispatch/store.ts';
import { createOsdSender, type OsdSender } from './osd/service.ts';
import { countDark, type DarkCard, paidButDark } from './picture/dark.ts';
import { createRefresher, type Refresher } from './picture/refresher.ts';
import { createSuspensions, type Suspensions } from './picture/suspension.ts';
import { AIR_MARGIN_MS } from './rights/rules.ts';
import { createVipControlLink, type VipControlLink } from './vip-control/link.ts';

export interface Entitlement {
  link: VipControlLink;
  dispatcher: Dispatcher;
  osd: OsdSender;
  refresher: Refresher;
  suspensions: Suspensions;
  /** Cards that are paid and not on air for so long, or complained about; the oldest first. */
  dark(afterSeconds: number): Promise<DarkCard[]>;
  countDark(): Promise<number>;
  stop(): Promise<void>;
}

export interface EntitlementDeps {
  pool: Pool;
  ids: Ids;
  settlement: Settlement;
  clock: Clock;
  random: Random;
  logger: Logger;
  metrics: Metrics;
  control: { host: string; port: number };
  /** Unique to this start of this process. */
  processId: string;
  /** Told of every revision on its way. */
  onStep?(step: DispatchStep): void;
}

/** One conditional-access system for now; its name stands in every command. */
const CAS_ID = 'vip-control';

/** Connects and starts to send what is due. */
export async function startEntitlement(deps: EntitlementDeps): Promise<Entitlement> {
  const { pool, clock, metrics } = deps;
  const epoch = await ensureConditionalAccess(deps.pool, CAS_ID);
  // Cards that waited for the head-end go out as soon as it is back.
  const connected: { wake(): void } = { wake: () => undefined };
  const link = createVipControlLink({
    ...deps.control,
    clientId: `vip-billing-${deps.processId}`,
    casId: CAS_ID,
    epoch: () => epoch,
    onConnected: () => connected.wake(),
    clock: deps.clock,
    random: deps.random,
    logger: deps.logger,
  });
  const dispatcher = createDispatcher({
    ...deps,
    link,
    cas: { id: CAS_ID, epoch: () => epoch },
    airMarginMs: AIR_MARGIN_MS,
    settle: (command) => deps.settlement.settle(command),
    metrics: {
      onDispatched: (result) => metrics.count('vip_dispatch_results_total', { result }),
      onPicture: (stage, seconds) =>
        metrics.observe('vip_time_to_picture_seconds', { stage }, seconds),
      onReaired: (result) => metrics.count('vip_rebroadcasts_total', { why: 'by_itself', result }),
    },
  });
  const osd = createOsdSender({
    ...deps,
    link,
    metrics: { onOsd: (result) => metrics.count('vip_osd_total', { result }) },
  });
  const refresher = createRefresher({
    ...deps,
    link,
    metrics: {
      onRefresh: (result) => metrics.count('vip_rebroadcasts_total', { why: 'asked', result }),
    },
  });
  const senders = [dispatcher, osd, refresher];
  connected.wake = () => {
    for (const sender of senders) sender.wake();
  };
  for (const sender of senders) sender.start();
  return {
    link,
    dispatcher,
    osd,
    refresher,
    suspensions: createSuspensions({ ...deps, dispatcher }),
    dark: (afterSeconds) => paidButDark(pool, { now: clock.now(), afterSeconds }),
    countDark: () => countDark(pool, clock.now()),
    async stop() {
      await Promise.all(senders.map((sender) => sender.stop()));
      await link.close();
    },
  };
}
