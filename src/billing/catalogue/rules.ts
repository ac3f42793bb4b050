/** Pure rules of the catalogue: which price holds at an instant, and what TV units are worth. */

export type TermName = 'day' | 'week' | 'month';

/** Longest first: the order in which `longest_terms` tries to buy. */
export const TERMS_LONGEST_FIRST: readonly TermName[] = ['month', 'week', 'day'];

export interface PriceVersion {
  from: Date;
  amount: bigint;
}

export interface Bouquet {
  id: bigint;
  siteId: bigint;
  code: string;
  name: string;
  /** 1/100 percent: 1600n is 16 %. */
  taxPermyriad: bigint;
  products: readonly string[];
  /** Versions by term, oldest first. */
  prices: Readonly<Partial<Record<TermName, readonly PriceVersion[]>>>;
}

export interface PayPerViewEvent {
  id: bigint;
  siteId: bigint;
  code: string;
  title: string;
  product: string;
  startsAt: Date;
  endsAt: Date;
  saleFrom: Date;
  saleUntil: Date;
  price: bigint;
  taxPermyriad: bigint;
}

export interface TvuTariff {
  from: Date;
  /** What one unit costs when bought, in minor units. */
  price: bigint;
  /** `valueUnits` units give `valueAmount` minor units of credit. */
  valueUnits: bigint;
  valueAmount: bigint;
}

export interface PaymentPolicy {
  /** What a payment that says nothing does: buys terms of the card, or stays credit. */
  buys: 'credit' | 'terms';
  /** Too little for a term: stays credit, or becomes days. */
  under: 'credit' | 'days';
  /** More than a term: one term, as many whole ones as fit, or the longest that fit in turn. */
  over: 'one_term' | 'whole_terms' | 'longest_terms';
  /** Price of a day for `under: days`. */
  dayRate: 'month/30' | 'day_term';
}

export interface Site {
  id: bigint;
  code: string;
  name: string;
  country: string;
  currency: string;
  tvuAsset: string;
  timeZone: string;
  language: 'en' | 'fr';
  payment: PaymentPolicy;
}

export interface Catalogue {
  sites: ReadonlyMap<bigint, Site>;
  bouquets: ReadonlyMap<bigint, Bouquet>;
  events: ReadonlyMap<bigint, PayPerViewEvent>;
  /** By site, oldest first. */
  tariffs: ReadonlyMap<bigint, readonly TvuTariff[]>;
}

/** The version with the latest `from` that is not after `at`; versions stand oldest first. */
export function versionAt<T extends { from: Date }>(
  versions: readonly T[] | undefined,
  at: Date,
): T | null {
  for (let i = (versions?.length ?? 0) - 1; i >= 0; i--) {
    const version = versions?.[i];
    if (version && version.from.getTime() <= at.getTime()) return version;
  }
  return null;
}

/** Price of a term in minor units at an instant; null when the term is not sold then. */
export const priceAt = (bouquet: Bouquet, term: TermName, at: Date): bigint | null =>
  versionAt(bouquet.prices[term], at)?.amount ?? null;

/** Price of a day sold by amount, as a fraction of minor units: numerator / denominator. */
export function dayRateAt(
  bouquet: Bouquet,
  rate: PaymentPolicy['dayRate'],
  at: Date,
): { numerator: bigint; denominator: bigint } | null {
  const price = priceAt(bouquet, rate === 'day_term' ? 'day' : 'month', at);
  if (price === null) return null;
  return { numerator: price, denominator: rate === 'day_term' ? 1n : 30n };
}

/** Whole days that `amount` buys, and their cost rounded up to a minor unit; null below one day. */
export function daysFor(
  amount: bigint,
  rate: { numerator: bigint; denominator: bigint },
): { days: number; cost: bigint } | null {
  const days = (amount * rate.denominator) / rate.numerator;
  if (days === 0n) return null;
  const cost = (days * rate.numerator + rate.denominator - 1n) / rate.denominator;
  return { days: Number(days), cost };
}

/** Credit that `units` give, rounded down, and the fewest units that are worth that credit. */
export function unitsToCredit(
  units: bigint,
  tariff: TvuTariff,
): { credit: bigint; used: bigint } | null {
  const credit = (units * tariff.valueAmount) / tariff.valueUnits;
  if (credit === 0n) return null;
  return { credit, used: unitsForCredit(credit, tariff) };
}

/** The fewest units whose credit is at least `credit`. */
export const unitsForCredit = (credit: bigint, tariff: TvuTariff): bigint =>
  (credit * tariff.valueUnits + tariff.valueAmount - 1n) / tariff.valueAmount;

/** Is the event sold at this instant? Sales windows are half-open. */
export const onSale = (event: PayPerViewEvent, at: Date): boolean =>
  event.saleFrom.getTime() <= at.getTime() && at.getTime() < event.saleUntil.getTime();
