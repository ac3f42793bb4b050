/** The catalogue in memory, and what keeps it true: it is read again when it changes. */
import type { PrismaClient } from '../../platform/database/client/client.ts';
import type { Clock } from '../../platform/ports.ts';
import { type AccountKind, type AccountName, taxOwner } from '../ledger/chart.ts';
import type { Catalogue, Site } from './rules.ts';
import { loadCatalogue, type PublishedCatalogue, readPublished } from './store.ts';

export interface CatalogueService {
  /** As last read; never waits. */
  current(): Catalogue;
  /** The file that it is made of; null before the first publication. */
  inForce(): PublishedCatalogue | null;
  /** Reads it again: after a change of ours, and every minute for the changes of others. */
  reload(): Promise<void>;
}

/**
 * Reads the catalogue once, and then whenever `reload` is called. `prepare` is done with what was
 * read before anybody sees it.
 */
export async function createCatalogue(
  prisma: PrismaClient,
  clock: Clock,
  prepare: (next: Catalogue) => Promise<void> = async () => undefined,
): Promise<CatalogueService> {
  const read = async (known: PublishedCatalogue | null) => {
    const published = await readPublished(prisma, known);
    const catalogue = await loadCatalogue(prisma, published, clock.now());
    await prepare(catalogue);
    return { published, catalogue };
  };
  let held = await read(null);
  return {
    current: () => held.catalogue,
    inForce: () => held.published,
    async reload() {
      held = await read(held.published);
    },
  };
}

/** The system accounts that settlement needs for these sites and money channels. */
export function systemAccounts(
  catalogue: Catalogue,
  channels: readonly { id: string; siteId: bigint }[],
): AccountName[] {
  const markets = [...(catalogue.units?.values() ?? [])];
  const names: AccountName[] = [...catalogue.sites.values()].flatMap((site) => {
    const own = markets.filter((market) => market.currency === site.currency);
    return siteAccounts(site, new Set([site.tvuAsset, ...own.map((market) => market.asset)]));
  });
  names.push(...taxAccounts(catalogue));
  for (const channel of channels) {
    const asset = catalogue.sites.get(channel.siteId)?.currency;
    if (!asset) throw new Error(`Channel ${channel.id} names a site that does not exist`);
    names.push({ owner: `channel:${channel.id}`, kind: 'provider_clearing', asset });
  }
  return names;
}

/** What is owed of each tax that something at a site bears, so that each can be declared. */
function taxAccounts({ bouquets, sites }: Catalogue): AccountName[] {
  const assets = new Map<string, string>();
  for (const { siteId, taxes } of bouquets.values()) {
    const asset = sites.get(siteId)?.currency;
    if (asset) for (const { code } of taxes) assets.set(taxOwner(siteId, code), asset);
  }
  return [...assets].map(([owner, asset]) => ({ owner, kind: 'tax_payable', asset }));
}

const SITE_ACCOUNTS: readonly AccountKind[] = [
  'deferred_revenue',
  'earned_revenue',
  'tax_payable',
  'suspense',
  'external_clearing',
  'tvu_liability',
  'tariff_gain_loss',
  'receivable',
  'loan_receivable',
  'voucher_liability',
  'promo_expense',
  'breakage',
  'commission_expense',
  'commission_payable',
];
const UNIT_ACCOUNTS: readonly AccountKind[] = ['tvu_issued', 'tvu_conversion', 'suspense'];

const siteAccounts = ({ id, currency }: Site, units: ReadonlySet<string>): AccountName[] => [
  ...SITE_ACCOUNTS.map((kind) => ({ owner: `site:${id}`, kind, asset: currency })),
  ...[...units].flatMap((asset) =>
    UNIT_ACCOUNTS.map((kind) => ({ owner: `site:${id}`, kind, asset })),
  ),
];
