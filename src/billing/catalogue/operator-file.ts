/**
 * An operator's file: sites, channels, bouquets, prices and TVU tariffs in YAML. Loading it twice
 * changes nothing; a new price is a new version with its own date, never a change of an old one.
 */
import { IANAZone } from 'luxon';
import { parse } from 'yaml';
import { z } from 'zod';
import type { PrismaClient } from '../../platform/database/client/client.ts';
import { currencyExponent, parseAmount } from '../../platform/money/amount.ts';
import type { Ids } from '../../platform/ports.ts';
import {
  loadMarkets,
  loadPromotions,
  marketEntry,
  marketFaults,
  promotionEntry,
  promotionFaults,
  ruleFaults,
  siteRules,
  storedRules,
} from './operator-prepaid.ts';
import { paymentPolicy } from './policy.ts';

const amount = z.string().regex(/^\d{1,12}(\.\d{1,4})?$/, 'must be a decimal string like "650.00"');
const instant = z.iso.datetime();
const code = z.string().regex(/^[A-Z0-9_]{2,16}$/);

const priceVersion = z.strictObject({
  from: instant,
  quarter: amount.optional(),
  month: amount.optional(),
  week: amount.optional(),
  day: amount.optional(),
  pass24: amount.optional(),
});

const operatorFile = z.strictObject({
  channels: z.array(
    z.strictObject({ code, name: z.string().min(1), freeToAir: z.boolean().default(false) }),
  ),
  sites: z
    .array(
      z.strictObject({
        code,
        name: z.string().min(1),
        country: z.string().regex(/^[A-Z]{2}$/),
        currency: z.string().regex(/^[A-Z]{3}$/),
        timeZone: z.string(),
        language: z.enum(['en', 'fr']),
        payment: paymentPolicy,
        rules: siteRules.optional(),
        promotions: z.array(promotionEntry).default([]),
        tvu: z.strictObject({
          from: instant,
          price: amount,
          valueUnits: z.int().positive(),
          valueAmount: amount,
        }),
        bouquets: z
          .array(
            z.strictObject({
              code,
              name: z.string().min(1).max(16),
              taxPercent: z.string().regex(/^\d{1,2}(\.\d{1,2})?$/),
              products: z.array(z.string().regex(/^[A-Z0-9_]+$/)).min(1),
              channels: z.array(code).min(1),
              prices: z.array(priceVersion).min(1),
            }),
          )
          .min(1),
      }),
    )
    .min(1),
  /** TV units by country, where their price differs by mobile operator. */
  units: z.array(marketEntry).default([]),
});

export type OperatorFile = z.infer<typeof operatorFile>;
type SiteEntry = OperatorFile['sites'][number];
type BouquetEntry = SiteEntry['bouquets'][number];

/** Reads and checks the text of an operator file; every fault is named with its place. */
export function readOperatorFile(
  text: string,
): { ok: true; file: OperatorFile } | { ok: false; faults: string[] } {
  let data: unknown;
  try {
    data = parse(text);
  } catch (error) {
    return { ok: false, faults: [error instanceof Error ? error.message : String(error)] };
  }
  const read = operatorFile.safeParse(data);
  if (!read.success) {
    const faults = read.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    return { ok: false, faults };
  }
  const faults = contentFaults(read.data);
  return faults.length > 0 ? { ok: false, faults } : { ok: true, file: read.data };
}

/** What the shape alone does not show: places that do not exist, and amounts that can't be. */
function contentFaults({ channels, sites, units }: OperatorFile): string[] {
  const known = new Set(channels.map((channel) => channel.code));
  return [
    ...doubles('channels', channels),
    ...doubles('sites', sites),
    ...sites.flatMap((site, i) => siteFaults(site, `sites.${i}`, known)),
    ...marketFaults(units),
  ];
}

const doubles = (place: string, entries: readonly { code: string }[]): string[] =>
  entries.flatMap(({ code }, i) =>
    entries.findIndex((entry) => entry.code === code) < i
      ? [`${place}.${i}.code: ${code} is there twice`]
      : [],
  );

function siteFaults(site: SiteEntry, place: string, channels: ReadonlySet<string>): string[] {
  const { currency, timeZone, tvu, bouquets } = site;
  if (!IANAZone.isValidZone(timeZone))
    return [`${place}.timeZone: ${timeZone} is not in the IANA database`];
  if (!currencyExponent(currency).ok) return [`${place}.currency: ${currency} is not in ISO 4217`];
  const amountFault = (at: string, text: string | undefined): string[] =>
    text === undefined || isPrice(text, currency)
      ? []
      : [`${place}.${at}: ${text} is no price in ${currency}`];
  return [
    ...doubles(`${place}.bouquets`, bouquets),
    ...ruleFaults(site.rules, currency, place),
    ...promotionFaults(site.promotions, {
      bouquets: new Set(bouquets.map((bouquet) => bouquet.code)),
      currency,
      place,
    }),
    ...amountFault('tvu.price', tvu.price),
    ...amountFault('tvu.valueAmount', tvu.valueAmount),
    ...bouquets.flatMap((bouquet, b) => [
      ...bouquet.channels
        .filter((channel) => !channels.has(channel))
        .map((channel) => `${place}.bouquets.${b}.channels: there is no channel ${channel}`),
      ...bouquet.prices.flatMap(({ from: _from, ...terms }, v) =>
        Object.entries(terms).flatMap(([term, text]) =>
          amountFault(`bouquets.${b}.prices.${v}.${term}`, text),
        ),
      ),
    ]),
  ];
}

/** More than nothing, in whole minor units. */
function isPrice(text: string, currency: string): boolean {
  const parsed = parseAmount(text, currency);
  return parsed.ok && parsed.minor > 0n;
}

/** Writes what the file says and the database does not hold yet. */
export async function loadOperator(
  prisma: PrismaClient,
  ids: Ids,
  file: OperatorFile,
): Promise<void> {
  const channelIds = new Map<string, bigint>();
  for (const { code, name, freeToAir } of file.channels) {
    const id = await ids.take();
    const row = await prisma.channel.upsert({
      where: { code },
      create: { id, code, name, freeToAir },
      update: { name, freeToAir },
    });
    channelIds.set(code, row.id);
  }
  for (const site of file.sites) await loadSite(prisma, ids, site, channelIds);
  await loadMarkets(prisma, file.units);
}

async function loadSite(
  prisma: PrismaClient,
  ids: Ids,
  entry: SiteEntry,
  channelIds: ReadonlyMap<string, bigint>,
): Promise<void> {
  const { code, name, country, currency, timeZone, language } = entry;
  const policy = { ...entry.payment };
  const rules = storedRules(entry.rules, currency);
  const site = await prisma.site.upsert({
    where: { code },
    create: {
      id: await ids.take(),
      code,
      name,
      country,
      currency,
      tvuAsset: `TVU-${country}`,
      timeZone,
      language,
      policy,
      rules,
    },
    update: { name, timeZone, language, policy, rules },
  });
  const tariff = {
    siteId: site.id,
    fromAt: new Date(entry.tvu.from),
    price: minor(entry.tvu.price, currency),
    valueUnits: BigInt(entry.tvu.valueUnits),
    valueAmount: minor(entry.tvu.valueAmount, currency),
  };
  await prisma.tvuTariff.createMany({ data: [tariff], skipDuplicates: true });
  const bouquetIds = new Map<string, bigint>();
  for (const bouquet of entry.bouquets) {
    const made = { id: await ids.take(), siteId: site.id, currency };
    bouquetIds.set(bouquet.code, await loadBouquet(prisma, made, bouquet, channelIds));
  }
  await loadPromotions(prisma, ids, entry.promotions, { id: site.id, currency, bouquetIds });
}

async function loadBouquet(
  prisma: PrismaClient,
  made: { id: bigint; siteId: bigint; currency: string },
  entry: BouquetEntry,
  channelIds: ReadonlyMap<string, bigint>,
): Promise<bigint> {
  const { code, name, taxPercent } = entry;
  const { siteId } = made;
  const { id: bouquetId } = await prisma.bouquet.upsert({
    where: { siteId_code: { siteId, code } },
    create: { id: made.id, siteId, code, name, taxPercent },
    update: { name, taxPercent },
  });
  await prisma.bouquetProduct.createMany({
    data: entry.products.map((product) => ({ bouquetId, product })),
    skipDuplicates: true,
  });
  await prisma.bouquetChannel.createMany({
    data: entry.channels.map((channel) => {
      const channelId = channelIds.get(channel);
      if (channelId === undefined) throw new Error(`Bouquet ${code}: no channel ${channel}`);
      return { bouquetId, channelId };
    }),
    skipDuplicates: true,
  });
  await prisma.price.createMany({
    data: entry.prices.flatMap((version) =>
      (['quarter', 'month', 'week', 'day', 'pass24'] as const).flatMap((term) => {
        const price = version[term];
        if (price === undefined) return [];
        const fromAt = new Date(version.from);
        return [{ bouquetId, term, fromAt, amount: minor(price, made.currency) }];
      }),
    ),
    skipDuplicates: true,
  });
  return bouquetId;
}

function minor(text: string, currency: string): bigint {
  const parsed = parseAmount(text, currency);
  if (!parsed.ok) throw new Error(`${text} is no amount of ${currency}`);
  return parsed.minor;
}
