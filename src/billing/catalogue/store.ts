/** The catalogue in Postgres: read whole into memory, because every payment looks at it. */
import type { PrismaClient } from '../../platform/database/client/client.ts';
import type { SiteModel, TvuTariffModel } from '../../platform/database/client/models.ts';
import { paymentPolicy, prepaidRules } from './policy.ts';
import type {
  Bouquet,
  Catalogue,
  PayPerViewEvent,
  PriceVersion,
  Site,
  TermName,
  TvuTariff,
  UnitMarket,
} from './rules.ts';

const PERCENT_TO_PERMYRIAD = 100;

/** Reads the catalogue as it stands. Throws when a site's policy can't be read. */
export async function loadCatalogue(prisma: PrismaClient): Promise<Catalogue> {
  const [sites, bouquets, events, tariffs, markets] = await Promise.all([
    prisma.site.findMany(),
    prisma.bouquet.findMany({
      include: { prices: { orderBy: { fromAt: 'asc' } }, bouquetProducts: true },
    }),
    prisma.event.findMany(),
    prisma.tvuTariff.findMany({ orderBy: { fromAt: 'asc' } }),
    prisma.unitMarket.findMany({
      include: { prices: { orderBy: { fromAt: 'asc' } }, values: { orderBy: { fromAt: 'asc' } } },
    }),
  ]);
  return {
    sites: new Map(sites.map((row) => [row.id, siteOf(row)])),
    bouquets: new Map(
      bouquets.map((row): [bigint, Bouquet] => [
        row.id,
        {
          id: row.id,
          siteId: row.siteId,
          code: row.code,
          name: row.name,
          taxPermyriad: permyriad(row.taxPercent),
          products: row.bouquetProducts.map((product) => product.product).sort(),
          prices: pricesByTerm(row.prices),
        },
      ]),
    ),
    events: new Map(
      events.map(({ taxPercent, ...event }): [bigint, PayPerViewEvent] => [
        event.id,
        { ...event, taxPermyriad: permyriad(taxPercent) },
      ]),
    ),
    tariffs: tariffsBySite(tariffs),
    units: new Map(markets.map((market) => [market.asset, marketOf(market)])),
  };
}

/** Two decimals at the most, so this is exact. */
const permyriad = (percent: { toString(): string }): bigint =>
  BigInt(Math.round(Number(percent) * PERCENT_TO_PERMYRIAD));

const siteOf = (row: SiteModel): Site => ({
  id: row.id,
  code: row.code,
  name: row.name,
  country: row.country,
  currency: row.currency,
  tvuAsset: row.tvuAsset,
  timeZone: row.timeZone,
  language: row.language as Site['language'],
  payment: paymentPolicy.parse(row.policy),
  rules: prepaidRules.parse(row.rules),
});

interface MarketRow {
  asset: string;
  currency: string;
  prices: readonly { operator: string; fromAt: Date; price: bigint }[];
  values: readonly { fromAt: Date; units: bigint; value: bigint }[];
}

function marketOf({ asset, currency, prices, values }: MarketRow): UnitMarket {
  const buy = new Map<string, PriceVersion[]>();
  for (const { operator, fromAt: from, price: amount } of prices) {
    buy.set(operator, [...(buy.get(operator) ?? []), { from, amount }]);
  }
  const credit = values.map(({ fromAt: from, units, value }) => ({ from, units, value }));
  return { asset, currency, buy, credit };
}

function tariffsBySite(rows: readonly TvuTariffModel[]): Map<bigint, TvuTariff[]> {
  const tariffs = new Map<bigint, TvuTariff[]>();
  for (const { siteId, fromAt: from, price, valueUnits, valueAmount } of rows) {
    const tariff = { from, price, valueUnits, valueAmount };
    tariffs.set(siteId, [...(tariffs.get(siteId) ?? []), tariff]);
  }
  return tariffs;
}

function pricesByTerm(rows: readonly { term: string; fromAt: Date; amount: bigint | null }[]) {
  const prices: Partial<Record<TermName, PriceVersion[]>> = {};
  for (const row of rows) {
    const term = row.term as TermName;
    prices[term] = [...(prices[term] ?? []), { from: row.fromAt, amount: row.amount }];
  }
  return prices;
}
