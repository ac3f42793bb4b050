/** Pure rules of the catalogue: which price holds at an instant, and what TV units are worth. */

import type { AddOnTerms, Category, Tax } from './file/types.ts';

/** `pass24` is 24 elapsed hours, `10d` ten days (2 to 999); the others count calendar time. */
export type TermName = 'day' | 'week' | 'month' | 'quarter' | 'year' | 'pass24' | `${number}d`;

export interface PriceVersion {
  from: Date;
  /** Null: not sold from then on. */
  amount: bigint | null;
}

/** Versions by term, oldest first. */
export type PriceList = Partial<Record<TermName, readonly PriceVersion[]>>;

export interface Bouquet {
  id: bigint;
  siteId: bigint;
  code: string;
  name: string;
  kind: 'bouquet' | 'channel' | 'add_on';
  products: readonly string[];
  /** For every category that has no list of its own. Amounts hold the taxes. */
  prices: PriceList;
  /** Complete lists: what one does not name is not sold to its category. */
  categoryPrices: ReadonlyMap<Category, PriceList>;
  /** Taxes that it bears, in the order in which they are applied; rates by local date. */
  taxes: readonly Tax[];
  /** Null: sold by itself. */
  addOn: AddOnTerms | null;
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
  /** More terms than this from one payment are a slip and stay credit; 36 when left out. */
  termsMax?: number | undefined;
}

/** How prepaid television is sold at a site, beyond what a payment does. */
export interface PrepaidRules {
  /** Where a term of days or months ends on its last date. */
  termEnd: 'rest_of_day_free' | 'day_counts' | 'same_time';
  /** Months that follow each other keep the day of the first, or count from the last. */
  monthAnchor: 'kept' | 'from_last';
  grace: { hours: number; nextTerm: 'from_now' | 'from_end' };
  /** Lots with the lower number are consumed first. */
  lots: { promoPriority: number; paidPriority: number };
  /** A payment for the wrong card: how long, how often, and how long the other may object. */
  move: { windowHours: number; perMonth: number; objectionMinutes: number };
  /** A payment taken back after use: refused (staff decides), or owed with or without rights. */
  reversal: { rights: 'refuse' | 'keep' | 'withdraw' };
  pause: { daysPerYear: number };
  trial: { days: number; onceInMonths: number };
  upgrade: 'convert_days' | 'pay_difference';
  loan: { term: TermName; fee: bigint; cap: bigint };
  voucher: { repeatMinutes: number };
  /** Null: no step beyond a minor unit, no limit. Amounts in minor units, `leaveAtLeast` units. */
  tvu: { creditStep: bigint | null; transfersPerDay: number | null; leaveAtLeast: bigint };
  /** Free days after faults: each limit null where there is none, and what an outage gives. */
  incident: {
    daysPerIncident: number | null;
    daysPerCardAndMonth: number | null;
    /** All cards of one subscriber together. */
    daysPerSubscriberAndMonth: number | null;
    /** Shorter ones give nothing; each started 24 hours gives so many days. */
    outage: { minutesMin: number; daysPerStartedDay: number };
  };
  /** Campaigns on screen: cards that one person reaches alone, messages a minute. */
  messages: { cardsAlone: number; perMinute: number };
  /** Null: resellers get none. */
  commission: { percentPermyriad: bigint; secondPaymentDays: number } | null;
}

export const DEFAULT_RULES: PrepaidRules = {
  termEnd: 'rest_of_day_free',
  monthAnchor: 'kept',
  grace: { hours: 0, nextTerm: 'from_now' },
  lots: { promoPriority: 10, paidPriority: 20 },
  move: { windowHours: 48, perMonth: 2, objectionMinutes: 30 },
  reversal: { rights: 'refuse' },
  pause: { daysPerYear: 0 },
  trial: { days: 14, onceInMonths: 24 },
  upgrade: 'convert_days',
  loan: { term: 'day', fee: 0n, cap: 0n },
  voucher: { repeatMinutes: 10 },
  tvu: { creditStep: null, transfersPerDay: null, leaveAtLeast: 0n },
  incident: {
    daysPerIncident: null,
    daysPerCardAndMonth: null,
    daysPerSubscriberAndMonth: null,
    outage: { minutesMin: 60, daysPerStartedDay: 1 },
  },
  messages: { cardsAlone: 500, perMinute: 1_200 },
  commission: null,
};

/** What a site says itself; whatever it leaves out is the default. */
export type OwnRules = { [K in keyof PrepaidRules]?: PrepaidRules[K] | undefined };

/** The prepaid rules of a site: its own over the defaults. */
export function rulesOf({ rules }: Pick<Site, 'rules'>): PrepaidRules {
  if (!rules) return DEFAULT_RULES;
  const said = Object.entries(rules).filter(([, value]) => value !== undefined);
  return { ...DEFAULT_RULES, ...Object.fromEntries(said) };
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
  /** What of the prepaid rules differs here from `DEFAULT_RULES`; read it with `rulesOf`. */
  rules?: OwnRules | undefined;
}

/** TV units of one country: what operators sell them for, and what credit they give. */
export interface UnitMarket {
  /** `TVU-<country>`. */
  asset: string;
  /** The only currency whose accounts may hold these units. */
  currency: string;
  /** Price of one unit in minor units, by mobile operator, oldest first. */
  buy: ReadonlyMap<string, readonly PriceVersion[]>;
  /** `units` give `value` minor units of credit; oldest first. */
  credit: readonly { from: Date; units: bigint; value: bigint }[];
}

export interface Catalogue {
  sites: ReadonlyMap<bigint, Site>;
  bouquets: ReadonlyMap<bigint, Bouquet>;
  events: ReadonlyMap<bigint, PayPerViewEvent>;
  /** By site, oldest first. */
  tariffs: ReadonlyMap<bigint, readonly TvuTariff[]>;
  /** By asset: tariffs that differ by operator. A site without one has `tariffs` alone. */
  units?: ReadonlyMap<string, UnitMarket> | undefined;
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

/** The list that a category of subscribers buys from. */
export const pricesFor = (
  { prices, categoryPrices }: Pick<Bouquet, 'prices' | 'categoryPrices'>,
  category: Category | undefined,
): PriceList => (category && categoryPrices.get(category)) ?? prices;

/**
 * Price of a term in minor units at an instant for a category of subscribers; null when the term
 * is not sold to it then.
 */
export const priceAt = (
  bouquet: Bouquet,
  term: TermName,
  at: Date,
  category?: Category,
): bigint | null => versionAt(pricesFor(bouquet, category)[term], at)?.amount ?? null;

/** Price of a day sold by amount, as a fraction of minor units: numerator / denominator. */
export function dayRateAt(
  bouquet: Bouquet,
  rate: PaymentPolicy['dayRate'],
  at: Date,
  category?: Category,
): { numerator: bigint; denominator: bigint } | null {
  const price = priceAt(bouquet, rate === 'day_term' ? 'day' : 'month', at, category);
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

/**
 * Credit that `units` give, rounded down to a multiple of `step` minor units, and the fewest units
 * that are worth that credit; null when they are worth less than a step.
 */
export function unitsToCredit(
  units: bigint,
  tariff: Pick<TvuTariff, 'valueAmount' | 'valueUnits'>,
  step = 1n,
): { credit: bigint; used: bigint } | null {
  const worth = (units * tariff.valueAmount) / tariff.valueUnits;
  const credit = worth - (worth % step);
  if (credit === 0n) return null;
  return { credit, used: unitsForCredit(credit, tariff) };
}

/** The fewest units whose credit is at least `credit`. */
export const unitsForCredit = (
  credit: bigint,
  tariff: Pick<TvuTariff, 'valueAmount' | 'valueUnits'>,
): bigint => (credit * tariff.valueUnits + tariff.valueAmount - 1n) / tariff.valueAmount;

/** Half-up of numerator / denominator, for amounts that are not negative. */
export const halfUp = (numerator: bigint, denominator: bigint): bigint =>
  (2n * numerator + denominator) / (2n * denominator);

/** Is the event sold at this instant? Sales windows are half-open. */
export const onSale = (event: PayPerViewEvent, at: Date): boolean =>
  event.saleFrom.getTime() <= at.getTime() && at.getTime() < event.saleUntil.getTime();
