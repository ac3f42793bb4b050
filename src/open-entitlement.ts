/** Opens the rooms that send: rights to a head-end, and who is told that something waits. */
import { type Entitlement, startEntitlement } from './entitlement/service.ts';
import type { Metrics } from './platform/metrics.ts';
import type { Clock } from './platform/ports.ts';
import { systemRandom } from './platform/system.ts';
import type { DemoHouse, ProductOptions, ProductParts } from './product.ts';
import { noteSent } from './road.ts';

interface Opening {
  parts: Omit<ProductParts, 'entitlement'>;
  house: { metrics: Metrics };
  demo: DemoHouse | undefined;
  logger: ProductOptions['logger'];
  clock: Clock;
}

const PROCESS_ID_BYTES = 6;

/** Starts it with this process; null without a head-end. */
export async function openEntitlement(opening: Opening): Promise<Entitlement | null> {
  const { parts, house, demo, logger, clock } = opening;
  const control = demo?.control ?? parts.config.control;
  if (!control) return null;
  return await startEntitlement({
    ...{ pool: parts.pool, ids: parts.ids, settlement: parts.billing.settlement },
    ...{ clock, random: systemRandom, metrics: house.metrics, control },
    logger: logger.child({ room: 'entitlement' }),
    processId: systemRandom.hex(PROCESS_ID_BYTES),
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
