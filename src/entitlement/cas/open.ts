/** Opens the driver that an address asks for. */
import type { ControlAddress } from '../../platform/control-address.ts';
import { createHttpDriver } from '../vip-control/http-driver.ts';
import { createVipControlLink, type VipControlLinkDeps } from '../vip-control/link.ts';
import { connectTls, renewable } from '../vip-control/tls.ts';
import type { CasDriver } from './driver.ts';

export interface DriverDeps extends Omit<VipControlLinkDeps, 'host' | 'port' | 'connect' | 'open'> {
  address: ControlAddress;
}

/**
 * Connects at once; its files are read for each connection anew. A StartError says which file of
 * the address cannot be used.
 */
export function openDriver({ address, ...deps }: DriverDeps): CasDriver {
  const { transport, host, port, path = '/', files } = address;
  const place = { ...deps, host, port };
  const identity = files && renewable(files, deps.logger);
  if (transport === 'http' || transport === 'https') {
    return createHttpDriver({ ...place, path, ...(identity ? { identity } : {}) });
  }
  if (!identity) return createVipControlLink(place);
  return createVipControlLink({ ...place, connect: () => connectTls({ host, port }, identity()) });
}
