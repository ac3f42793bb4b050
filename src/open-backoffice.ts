/** Opens the API for staff and partners on the rooms that are there already. */
import { createFirstAdministrator } from './backoffice/bootstrap.ts';
import { createPasswords } from './backoffice/people/passwords.ts';
import type { DemoClocks } from './backoffice/resources/demo-clocks.ts';
import { tillOf } from './backoffice/resources/desk.ts';
import { type Backoffice, createBackoffice } from './backoffice/service.ts';
import type { Catalogue } from './billing/catalogue/rules.ts';
import type { DunningService } from './billing/dunning/service.ts';
import type { PostpaidService } from './billing/postpaid/service.ts';
import type { Settlement } from './billing/settlement/service.ts';
import { voucherHasher } from './billing/settlement/voucher-codes.ts';
import type { Campaigns } from './entitlement/campaigns/service.ts';
import type { CasSystem } from './entitlement/cas/systems.ts';
import type { Devices } from './entitlement/devices/service.ts';
import type { PictureDesk } from './entitlement/picture/desk.ts';
import { createSuspensions } from './entitlement/picture/suspension.ts';
import type { Entitlement } from './entitlement/service.ts';
import { readInstallation } from './open-compliance.ts';
import { listedOnly } from './open-devices.ts';
import type { KeyValue } from './platform/kv.ts';
import type { Metrics } from './platform/metrics.ts';
import type { Clock, Logger } from './platform/ports.ts';
import { StartError } from './platform/start-error.ts';
import { systemClock, systemRandom } from './platform/system.ts';
import type { DemoHouse, ProductParts } from './product.ts';
import { createPublisher } from './publish-catalogue.ts';

const SECRET_BYTES = 32;

interface Opening {
  parts: Omit<ProductParts, 'entitlement'>;
  house: { kv: KeyValue; metrics: Pick<Metrics, 'count' | 'expect'> };
  demo: DemoHouse | undefined;
  logger: Logger & { child(fields: Record<string, unknown>): Logger };
  clock: Clock;
  /** Only where this process dispatches. */
  entitlement: Entitlement | null;
  picture: PictureDesk;
  postpaid: PostpaidService;
  dunning: DunningService;
  campaigns: Campaigns;
  devices: Devices;
  systems: readonly CasSystem[];
  settlement: Settlement;
  /** Only in a demo. */
  clocks: DemoClocks | undefined;
}

/** Cash comes in over a channel of its own at each site. */
export const tills = ({ sites }: Catalogue): { id: string; siteId: bigint }[] =>
  [...sites.values()].map((site) => ({ id: tillOf(site), siteId: site.id }));

/** Makes the first administrator, where one is asked for, and opens the doors. */
export async function openBackoffice(opening: Opening): Promise<Backoffice> {
  const { house, demo, clock, entitlement, picture, postpaid, dunning, settlement, clocks } =
    opening;
  const { campaigns } = opening;
  const { config, billing, pool, ids, url } = opening.parts;
  const settings = config.backoffice;
  const common = { pool, ids, clock, logger: opening.logger.child({ room: 'backoffice' }) };
  const passwords = createPasswords();
  const first = settings?.firstAdministrator;
  const made = first && (await createFirstAdministrator({ ...common, passwords }, first));
  if (made && !made.ok && made.error === 'weak_password') {
    throw new StartError('VIP_FIRST_ADMINISTRATOR has a password that is too easy to guess.');
  }
  const catalogue = () => billing.catalogue.current();
  const reload = () => billing.catalogue.reload();
  const { publish } = createPublisher({ pool, ids, clock, reload });
  for (const reason of ['voucher_unknown', 'voucher_blocked', 'wrong_codes']) {
    house.metrics.expect('vip_vouchers_refused_total', { reason });
  }
  return createBackoffice({
    ...{ ...common, passwords, random: systemRandom, kv: house.kv, picture, catalogue, publish },
    ...{ postpaid, dunning, campaigns, catalogueFile: () => billing.catalogue.inForce() },
    ...{ settlement, machineClock: systemClock, ...(clocks ? { clocks } : {}) },
    suspensions: createSuspensions({
      ...common,
      dispatcher: { wake: () => entitlement?.dispatcher.wake() },
    }),
    devices: opening.devices,
    installation: () => readInstallation(config, opening.systems),
    listedOnly: listedOnly(opening.parts),
    channelSites: () => channelSites(opening.parts),
    voucherHash: config.voucherKey === undefined ? undefined : voucherHasher(config.voucherKey),
    onVoucherRefused: (reason) => house.metrics.count('vip_vouchers_refused_total', { reason }),
    trustedHops: config.trustedHops,
    settings: {
      publicUrl: settings?.publicUrl ?? url,
      secret: settings?.secret ?? demo?.apiSecret ?? systemRandom.hex(SECRET_BYTES),
      approvalAbove: settings?.approvalAbove ?? new Map(),
      requireTotp: !config.isDemo,
    },
  });
}

function channelSites({ channels, billing }: Opening['parts']): Map<string, bigint> {
  const catalogue = billing.catalogue.current();
  const idOf = new Map([...catalogue.sites.values()].map(({ code, id }) => [code, id]));
  const known = channels.all.flatMap(({ id, site }): [string, bigint][] => {
    const siteId = idOf.get(site);
    return siteId === undefined ? [] : [[id, siteId]];
  });
  return new Map([...known, ...tills(catalogue).map((t): [string, bigint] => [t.id, t.siteId])]);
}
