/** What the handlers of routes stand on. */
import type { Pool } from 'pg';
import type { Catalogue, Site } from '../../billing/catalogue/rules.ts';
import type { PublishedCatalogue } from '../../billing/catalogue/store.ts';
import type { DunningService } from '../../billing/dunning/service.ts';
import type { PostpaidService } from '../../billing/postpaid/service.ts';
import type { Settlement } from '../../billing/settlement/service.ts';
import type { Campaigns } from '../../entitlement/campaigns/service.ts';
import type { Devices } from '../../entitlement/devices/service.ts';
import type { PictureDesk } from '../../entitlement/picture/desk.ts';
import type { Suspensions } from '../../entitlement/picture/suspension.ts';
import type { Installation } from '../../evidence/compliance/ask.ts';
import type { KeyValue } from '../../platform/kv.ts';
import type { Clock, Ids, Logger, Random } from '../../platform/ports.ts';
import type { Acts } from '../people/approvals.ts';
import type { Passwords } from '../people/passwords.ts';
import { type Principal, seesSite } from '../people/principal.ts';
import type { Vault } from '../people/vault.ts';
import type { DemoClocks } from './demo-clocks.ts';

export interface Desk {
  pool: Pool;
  ids: Ids;
  clock: Clock;
  /** What people's sessions and codes live by. */
  machineClock: Clock;
  /** Only in a demo. */
  clocks?: DemoClocks;
  logger: Logger;
  vault: Vault;
  passwords: Passwords;
  settlement: Settlement;
  postpaid: PostpaidService;
  catalogue(): Catalogue;
  /** The file that it is made of; null before the first publication. */
  catalogueFile(): PublishedCatalogue | null;
  picture: PictureDesk;
  suspensions: Suspensions;
  campaigns: Campaigns;
  devices: Devices;
  /** Does the site put to use only what a manufacturer's file lists? */
  listedOnly(siteId: bigint): boolean;
  dunning: DunningService;
  acts: Acts;
  /** Does this much need a second person? */
  needsSecond(minor: bigint, asset: string): boolean;
  kv: KeyValue;
  random: Random;
  /** How codes of scratch cards are kept; left out where none are used. */
  voucherHash?: ((code: string) => string) | undefined;
  /** Told of each scratch card that is not taken, with the code of its problem. */
  onVoucherRefused?(reason: string): void;
  /** The site of each channel money and messages come over. */
  channelSites(): ReadonlyMap<string, bigint>;
  requireTotp: boolean;
  /** What the settings say, for the compliance pack. */
  installation(): Promise<Installation>;
}

/** The channel over which a site's cash comes in. */
export const tillOf = (site: Pick<Site, 'code'>): string => `till-${site.code}`;

/** The code of a site, as answers name it. */
export const codeOf = (desk: Pick<Desk, 'catalogue'>, siteId: bigint): string =>
  desk.catalogue().sites.get(siteId)?.code ?? siteId.toString();

/** A site by its code, if the principal sees it. */
export function siteByCode(
  desk: Pick<Desk, 'catalogue'>,
  principal: Principal,
  code: string,
): Site | null {
  const sites = [...desk.catalogue().sites.values()];
  const site = sites.find((one) => one.code === code);
  return site && seesSite(principal, site.id) ? site : null;
}

/** The sites of a filter: what the principal sees, or of it the one that is asked for. */
export function sitesOf(
  desk: Pick<Desk, 'catalogue'>,
  principal: Principal,
  code: string | undefined,
): bigint[] | null {
  if (code !== undefined) {
    const site = siteByCode(desk, principal, code);
    return site ? [site.id] : [];
  }
  return principal.sites === 'all' ? null : [...principal.sites];
}
