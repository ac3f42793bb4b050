/** The catalogue in Postgres: read whole into memory, because every payment looks at it. */
import type { PrismaClient } from '../../platform/database/client/client.ts';
import { paymentPolicy } from './policy.ts';
import type {
  Bouquet,
  Catalogue,
  PayPerViewEvent,
  PriceVersion,
  Site,
  TermName,
  TvuTariff,
} from './rules.ts';

const PERCENT_TO_PERMYRIAD = 100;

/** Reads the catalogue as it stands. Throws when a site's policy can't be read. */
export async function loadCatalogue(prisma: PrismaClient): Promise<Catalogue> {
  const [sites, bouquets, events, tariffs] = await Promise.all([
    prisma.site.findMany(),
    prisma.bouquet.findMany({
      include: { prices: { orderBy: { fromAt: 'asc' } }, bouquetProducts: true },
    }),
    prisma.event.findMany(),
    prisma.tvuTariff.findMany({ orderBy: { fromAt: 'asc' } }),
  ]);
  const tariffsOf = new Map<bigint, TvuTariff[]>();
  for (const row of tariffs) {
    const tariff: TvuTariff = {
      from: row.fromAt,
      price: row.price,
      valueUnits: row.valueUnits,
      valueAmount: row.valueAmount,
    };
    tariffsOf.set(row.siteId, [...(tariffsOf.get(row.siteId) ?? []), tariff]);
  }
  return {
    sites: new Map(
      sites.map((row): [bigint, Site] => [
        row.id,
        {
          id: row.id,
          code: row.code,
          name: row.name,
          country: row.country,
          currency: row.currency,
          tvuAsset: row.tvuAsset,
          timeZone: row.timeZone,
          language: row.language as Site['language'],
          payment: paymentPolicy.parse(row.policy),
        },
      ]),
    ),
    bouquets: new Map(
      bouquets.map((row): [bigint, Bouquet] => [
        row.id,
        {
          id: row.id,
          siteId: row.siteId,
          code: row.code,
          name: row.name,
          taxPermyriad: BigInt(Math.round(Number(row.taxPercent) * PERCENT_TO_PERMYRIAD)),
          products: row.bouquetProducts.map((product) => product.product).sort(),
          prices: pricesByTerm(row.prices),
        },
      ]),
    ),
    events: new Map(
      events.map((row): [bigint, PayPerViewEvent] => [
        row.id,
        {
          id: row.id,
          siteId: row.siteId,
          code: row.code,
          title: row.title,
          product: row.product,
          startsAt: row.startsAt,
          endsAt: row.endsAt,
          saleFrom: row.saleFrom,
          saleUntil: row.saleUntil,
          price: row.price,
          taxPermyriad: BigInt(Math.round(Number(row.taxPercent) * PERCENT_TO_PERMYRIAD)),
        },
      ]),
    ),
    tariffs: tariffsOf,
  };
}

function pricesByTerm(rows: readonly { term: string; fromAt: Date; amount: bigint }[]) {
  const prices: Partial<Record<TermName, PriceVersion[]>> = {};
  for (const row of rows) {
    const term = row.term as TermName;
    prices[term] = [...(prices[term] ?? []), { from: row.fromAt, amount: row.amount }];
  }
  return prices;
}
