/** The catalogue in memory, and what keeps it true: it is read again when it changes. */
import type { PrismaClient } from '../../platform/database/client/client.ts';
import type { AccountKind, AccountName } from '../ledger/chart.ts';
import type { Catalogue, Site } from './rules.ts';
import { loadCatalogue } from './store.ts';

export interface CatalogueService {
  /** As last read; never waits. */
  current(): Catalogue;
  /** Reads it again: after a change of ours, and every minute for the changes of others. */
  reload(): Promise<void>;
}

/** Reads the catalogue once, and then whenever `reload` is called. */
export async function createCatalogue(prisma: PrismaClient): Promise<CatalogueService> {
  let catalogue = await loadCatalogue(prisma);
  return {
    current: () => catalogue,
    async reload() {
      catalogue = await loadCatalogue(prisma);
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
  for (const channel of channels) {
    const asset = catalogue.sites.get(channel.siteId)?.currency;
    if (!asset) throw new Error(`Channel ${channel.id} names a site that does not exist`);
    names.push({ owner: `channel:${channel.id}`, kind: 'provider_clearing', asset });
  }
  return names;
}

const SITE_ACCOUNTS: readonly AccountKind[] = [
  'deferred_revenue',
  'earned_revenue',
  'tax_payable',
  'suspense',
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
