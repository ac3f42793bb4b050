/** What an operator file says of prepaid sales: rules of a site, promotions, unit tariffs. */
import { z } from 'zod';
import type { PrismaClient } from '../../platform/database/client/client.ts';
import { bigintAsDigits } from '../../platform/json.ts';
import { currencyExponent, parseAmount } from '../../platform/money/amount.ts';
import type { Ids } from '../../platform/ports.ts';
import { prepaidRules } from './policy.ts';

const amount = z.string().regex(/^\d{1,12}(\.\d{1,4})?$/, 'must be a decimal string like "650.00"');
const instant = z.iso.datetime();
const term = z.enum(['day', 'week', 'month', 'quarter', 'pass24']);

/** The rules of a site, amounts as decimals; whatever is left out is the default. */
export const siteRules = prepaidRules.extend({
  loan: z.strictObject({ term, fee: amount, cap: amount }).optional(),
  tvu: z
    .strictObject({
      creditStep: amount.nullable(),
      transfersPerDay: z.int().min(1).nullable(),
      leaveAtLeast: z.int().min(0),
    })
    .optional(),
  commission: z
    .strictObject({
      percent: z.string().regex(/^\d{1,2}(\.\d{1,2})?$/),
      secondPaymentDays: z.int().min(1),
    })
    .nullable()
    .optional(),
});
export type SiteRules = z.infer<typeof siteRules>;

export const promotionEntry = z.strictObject({
  code: z.string().min(1).max(32),
  bouquet: z.string(),
  term,
  bonusDays: z.int().min(1),
  budget: amount,
  from: instant,
  to: instant,
});
export type PromotionEntry = z.infer<typeof promotionEntry>;

export const marketEntry = z.strictObject({
  country: z.string().regex(/^[A-Z]{2}$/),
  currency: z.string().regex(/^[A-Z]{3}$/),
  buy: z.array(z.strictObject({ operator: z.string().min(1), from: instant, price: amount })),
  credit: z.array(z.strictObject({ from: instant, units: z.int().positive(), value: amount })),
});
export type MarketEntry = z.infer<typeof marketEntry>;

const isAmount = (text: string, currency: string): boolean => parseAmount(text, currency).ok;

const isPrice = (text: string, currency: string): boolean => {
  const read = parseAmount(text, currency);
  return read.ok && read.minor > 0n;
};

/** Amounts that the site's currency can't have; `place` says where in the file. */
export function ruleFaults(rules: SiteRules | undefined, currency: string, place: string) {
  const { loan, tvu } = rules ?? {};
  const written: [string, string | null | undefined][] = [
    ['loan.fee', loan?.fee],
    ['loan.cap', loan?.cap],
    ['tvu.creditStep', tvu?.creditStep],
  ];
  return written.flatMap(([at, text]) =>
    typeof text !== 'string' || isAmount(text, currency)
      ? []
      : [`${place}.rules.${at}: ${text} is no amount in ${currency}`],
  );
}

/** Promotions of bouquets that do not exist, that never hold, or of budgets that can't be. */
export function promotionFaults(
  promotions: readonly PromotionEntry[],
  { bouquets, currency, place }: { bouquets: ReadonlySet<string>; currency: string; place: string },
): string[] {
  return promotions.flatMap(({ code, bouquet, budget, from, to }, i) => {
    const at = `${place}.promotions.${i}`;
    const isTwice = promotions.findIndex((one) => one.code === code) < i;
    return [
      ...(bouquets.has(bouquet) ? [] : [`${at}.bouquet: there is no bouquet ${bouquet}`]),
      ...(isAmount(budget, currency)
        ? []
        : [`${at}.budget: ${budget} is no amount in ${currency}`]),
      ...(Date.parse(from) < Date.parse(to) ? [] : [`${at}.to: ${to} is not after ${from}`]),
      ...(isTwice ? [`${at}.code: ${code} is there twice`] : []),
    ];
  });
}

/** Tariffs of TV units that can't be. */
export function marketFaults(markets: readonly MarketEntry[]): string[] {
  return markets.flatMap(({ country, currency, buy, credit }, i) => {
    const place = `units.${i}`;
    const isTwice = markets.findIndex((market) => market.country === country) < i;
    const twice = isTwice ? [`${place}.country: ${country} is there twice`] : [];
    if (!currencyExponent(currency).ok) {
      return [...twice, `${place}.currency: ${currency} is not in ISO 4217`];
    }
    const fault = (at: string, text: string): string[] =>
      isPrice(text, currency) ? [] : [`${place}.${at}: ${text} is no price in ${currency}`];
    return [
      ...twice,
      ...buy.flatMap(({ price }, k) => fault(`buy.${k}.price`, price)),
      ...credit.flatMap(({ value }, k) => fault(`credit.${k}.value`, value)),
    ];
  });
}

function minor(text: string, currency: string): bigint {
  const parsed = parseAmount(text, currency);
  if (!parsed.ok) throw new Error(`${text} is no amount of ${currency}`);
  return parsed.minor;
}

const PERCENT_TO_PERMYRIAD = 100;

/** The rules as they are kept: minor units and 1/100 percent, as digits. */
export function storedRules(rules: SiteRules | undefined, currency: string) {
  const { loan, tvu, commission, ...rest } = rules ?? {};
  const stored = {
    ...rest,
    ...(loan && {
      loan: { ...loan, fee: minor(loan.fee, currency), cap: minor(loan.cap, currency) },
    }),
    ...(tvu && {
      tvu: {
        ...tvu,
        creditStep: tvu.creditStep === null ? null : minor(tvu.creditStep, currency),
        leaveAtLeast: BigInt(tvu.leaveAtLeast),
      },
    }),
    ...(commission !== undefined && {
      commission: commission && {
        percentPermyriad: BigInt(Math.round(Number(commission.percent) * PERCENT_TO_PERMYRIAD)),
        secondPaymentDays: commission.secondPaymentDays,
      },
    }),
  };
  return JSON.parse(JSON.stringify(stored, bigintAsDigits));
}

/** Writes promotions that are not there yet; one that runs keeps its budget. */
export async function loadPromotions(
  prisma: PrismaClient,
  ids: Ids,
  promotions: readonly PromotionEntry[],
  site: { id: bigint; currency: string; bouquetIds: ReadonlyMap<string, bigint> },
): Promise<void> {
  for (const { code, bouquet, term: sold, bonusDays, budget, from, to } of promotions) {
    const bouquetId = site.bouquetIds.get(bouquet);
    if (bouquetId === undefined) throw new Error(`Promotion ${code}: no bouquet ${bouquet}`);
    const whole = minor(budget, site.currency);
    const data = { id: await ids.take(), siteId: site.id, code, bouquetId, term: sold, bonusDays };
    const dates = { fromAt: new Date(from), toAt: new Date(to) };
    await prisma.promotion.createMany({
      data: [{ ...data, ...dates, budget: whole, budgetLeft: whole }],
      skipDuplicates: true,
    });
  }
}

/** Writes markets and tariff versions that are not there yet. */
export async function loadMarkets(
  prisma: PrismaClient,
  markets: readonly MarketEntry[],
): Promise<void> {
  for (const { country, currency, buy, credit } of markets) {
    const asset = `TVU-${country}`;
    await prisma.unitMarket.createMany({ data: [{ asset, currency }], skipDuplicates: true });
    await prisma.unitPrice.createMany({
      data: buy.map(({ operator, from, price }) => ({
        asset,
        operator,
        fromAt: new Date(from),
        price: minor(price, currency),
      })),
      skipDuplicates: true,
    });
    await prisma.unitValue.createMany({
      data: credit.map(({ from, units, value }) => ({
        asset,
        fromAt: new Date(from),
        units: BigInt(units),
        value: minor(value, currency),
      })),
      skipDuplicates: true,
    });
  }
}
