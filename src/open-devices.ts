/** Opens acts on cards and decoders: what they order is sent by whoever dispatches. */
import { type CasSystem, ONLY_SYSTEM } from './entitlement/cas/systems.ts';
import { createCasCommands } from './entitlement/commands/service.ts';
import { createDevices, type Devices } from './entitlement/devices/service.ts';
import type { Entitlement } from './entitlement/service.ts';
import type { Clock, Logger } from './platform/ports.ts';
import type { ProductParts } from './product.ts';

type Parts = Pick<ProductParts, 'config' | 'billing' | 'pool' | 'ids'>;

/** Whether a site puts to use only what a manufacturer's file lists. */
export const listedOnly =
  ({ config, billing }: Pick<Parts, 'config' | 'billing'>) =>
  (siteId: bigint): boolean => {
    const sites = config.listedDevices;
    const code = billing.catalogue.current().sites.get(siteId)?.code;
    return sites !== undefined && (sites.has('all') || (code !== undefined && sites.has(code)));
  };

interface Opening {
  clock: Clock;
  logger: Logger;
  /** Only where this process dispatches. */
  entitlement: Entitlement | null;
  systems: readonly CasSystem[];
}

const servesRest = ({ sites, cardPrefixes }: CasSystem): boolean =>
  sites.length + cardPrefixes.length === 0;

/** The acts; what they order is in the database, wherever it is sent from. */
export function openDevices(
  parts: Parts,
  { clock, logger, entitlement, systems }: Opening,
): Devices {
  const { pool, ids, config } = parts;
  const rest = systems.find(servesRest)?.id ?? ONLY_SYSTEM.id;
  return createDevices({
    ...{ pool, ids, clock, logger, listedOnly: listedOnly(parts) },
    commands: createCasCommands({ pool, clock }),
    // The database gives a command about a device that is known to its own system.
    casOf: () => rest,
    models: config.decoderModels ?? null,
    wake() {
      entitlement?.commands.wake();
      entitlement?.dispatcher.wake();
    },
  });
}
