/** Opens the rooms that send: rights to the head-ends, and who is told that something waits. */

import { openDriver } from './entitlement/cas/open.ts';
import type { CasSystem } from './entitlement/cas/systems.ts';
import { type Entitlement, startEntitlement } from './entitlement/service.ts';
import type { Metrics } from './platform/metrics.ts';
import type { Clock } from './platform/ports.ts';
import { systemRandom } from './platform/system.ts';
import type { DemoHouse, ProductOptions, ProductParts } from './product.ts';
import { noteSent } from './road.ts';

interface Opening {
  systems: readonly CasSystem[];
  parts: Omit<ProductParts, 'entitlement'>;
  house: { metrics: Metrics };
  demo: DemoHouse | undefined;
  logger: ProductOptions['logger'];
  clock: Clock;
}

const PROCESS_ID_BYTES = 6;

/** Starts it with this process; null without a head-end. */
export async function openEntitlement(opening: Opening): Promise<Entitlement | null> {
  const { systems, parts, house, demo, logger, clock } = opening;
  if (systems.length === 0) return null;
  const random = systemRandom;
  const processId = random.hex(PROCESS_ID_BYTES);
  return await startEntitlement({
    ...{ pool: parts.pool, ids: parts.ids, settlement: parts.billing.settlement },
    ...{ clock, random, metrics: house.metrics, systems, processId },
    logger: logger.child({ room: 'entitlement' }),
    openDriver: ({ id: casId, address }, deps) =>
      openDriver({ ...deps, clock, random, casId, address, clientId: `vip-billing-${processId}` }),
    ...(demo?.onRoad ? { onStep: noteSent(demo.onRoad) } : {}),
  });
}

/** Tells those who send that something waits for them. */
export const waker =
  (entitlement: Entitlement | null, wakeTexts: () => void) =>
  ({ rights, messages }: { rights: boolean; messages: boolean }): void => {
    if (rights) entitlement?.dispatcher.wake();
    if (messages) wakeTexts();
    if (messages) entitlement?.osd.wake();
  };
