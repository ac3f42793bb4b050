/** The entitlement room, put together: the link to the head-end and what is sent over it. */
import type { Pool } from 'pg';
import type { Settlement } from '../billing/settlement/service.ts';
import type { Metrics } from '../platform/metrics.ts';
import type { Clock, Logger, Random } from '../platform/ports.ts';
import { createDispatcher, type Dispatcher } from './dispatch/service.ts';
import { ensureConditionalAccess } from './dispatch/store.ts';
import { createOsdSender, type OsdSender } from './osd/service.ts';
import { createVipControlLink, type VipControlLink } from './vip-control/link.ts';

export interface Entitlement {
  link: VipControlLink;
  dispatcher: Dispatcher;
  osd: OsdSender;
  stop(): Promise<void>;
}

export interface EntitlementDeps {
  pool: Pool;
  settlement: Settlement;
  clock: Clock;
  random: Random;
  logger: Logger;
  metrics: Metrics;
  control: { host: string; port: number };
  /** Unique to this start of this process. */
  processId: string;
}

/** One conditional-access system for now; its name stands in every command. */
const CAS_ID = 'vip-control';

/** Connects and starts to send what is due. */
export async function startEntitlement(deps: EntitlementDeps): Promise<Entitlement> {
  const epoch = await ensureConditionalAccess(deps.pool, CAS_ID);
  const link = createVipControlLink({
    ...deps.control,
    clientId: `vip-billing-${deps.processId}`,
    casId: CAS_ID,
    epoch: () => epoch,
    clock: deps.clock,
    random: deps.random,
    logger: deps.logger,
  });
  const dispatcher = createDispatcher({
    ...deps,
    link,
    cas: { id: CAS_ID, epoch: () => epoch },
    settle: (command) => deps.settlement.settle(command),
    metrics: {
      onDispatched: (result) => deps.metrics.count('vip_dispatch_results_total', { result }),
    },
  });
  const osd = createOsdSender({ ...deps, link, metrics: { onOsd: () => undefined } });
  dispatcher.start();
  osd.start();
  return {
    link,
    dispatcher,
    osd,
    async stop() {
      await Promise.all([dispatcher.stop(), osd.stop()]);
      await link.close();
    },
  };
}
