/** The catalogue of a case: sites for its accounts, bouquets, events, units, and its rules. */

import type {
  Bouquet,
  Catalogue,
  PaymentPolicy,
  PayPerViewEvent,
  PrepaidRules,
  PriceVersion,
  Site,
  TermName,
  UnitMarket,
} from '../../src/billing/catalogue/rules.ts';
import { onePpmTax } from '../../src/billing/catalogue/tax-harness.ts';
import type { VoucherFacts } from '../../src/billing/settlement/facts.ts';
import { parseAmount } from '../../src/platform/money/amount.ts';
import { BadCase } from '../result.ts';
import { type Case, type Config, overlaid, type Plan, type PrepaidFile, text } from './file.ts';
import type { HouseSetup } from './house.ts';

/** More terms than any case buys at once. */
const TERMS_MAX = 10_000;
/** Of a percentage in parts per million. */
const PPM_DECIMALS = 4;
const TERMS: readonly TermName[] = ['day', 'week', 'month', 'quarter', 'pass24'];

/** Minor units of an amount that the file wrote; throws when it is none. */
export function minor(written: unknown, currency: string): bigint {
  const read = parseAmount(String(written), currency);
  if (!read.ok) throw new BadCase(`${written} is no amount of ${currency}`);
  return read.minor;
}

/** 1/100 percent of a decimal string: `16` is 1600n, `7.25` is 725n. */
export const permyriad = (percent: string): bigint => rateOf(percent, 2);

/** A percentage in units of its last decimal that counts. */
function rateOf(percent: string, decimalsMax: number): bigint {
  const [whole = '0', written = ''] = percent.split('.');
  const decimals = written.replace(/0+$/, '');
  if (decimals.length > decimalsMax) throw new BadCase(`${percent} % is too fine`);
  return BigInt(whole + decimals.padEnd(decimalsMax, '0'));
}

/** IANA names as they are; `+03:00` as our calendar knows it. */
export const zoneOf = (tz: string): string => (/^[+-]\d/.test(tz) ? `UTC${tz}` : tz);

/** What the driver asks of a setup by the names of the case. */
export interface Setup extends HouseSetup {
  siteOf(tz: string, currency: string): Site;
  /** A site of that currency, for money whose account is not known. */
  siteIn(currency: string): Site;
  bouquetId(siteId: bigint, plan: string): bigint | null;
  eventId(siteId: bigint, event: string): bigint | null;
  /** What the budget of a code is kept in. */
  promotionCurrency(code: string): string;
}

/** Draws up the operator of a case. */
export function setupOf(file: PrepaidFile, one: Case): Setup {
  const config = overlaid(file.meta.defaults, one.config);
  const sites = sitesOf(one, config);
  const bouquets = bouquetsOf(file, one, sites);
  const events = eventsOf(one, sites);
  const siteIn = (currency: string): Site => {
    const site = sites.find((candidate) => candidate.currency === currency);
    if (!site) throw new BadCase(`no account is kept in ${currency}`);
    return site;
  };
  const bouquetId = (siteId: bigint, plan: string): bigint | null =>
    bouquets.find((bouquet) => bouquet.siteId === siteId && bouquet.code === plan)?.id ?? null;
  const catalogue: Catalogue = {
    sites: new Map(sites.map((site) => [site.id, site])),
    bouquets: new Map(bouquets.map((bouquet) => [bouquet.id, bouquet])),
    events: new Map(events.map((event) => [event.id, event])),
    tariffs: new Map(),
    units: unitsOf(one),
  };
  const promotions = promotionsOf(one, sites, bouquetId);
  return {
    catalogue,
    vouchers: vouchersOf(one, sites, bouquetId),
    promotions,
    siteOf(tz, currency) {
      const site = sites.find((s) => s.timeZone === zoneOf(tz) && s.currency === currency);
      if (!site) throw new BadCase(`no site in ${tz} with ${currency}`);
      return site;
    },
    siteIn,
    bouquetId,
    eventId: (siteId, event) =>
      events.find((known) => known.siteId === siteId && known.code === event)?.id ?? null,
    promotionCurrency(code) {
      const siteId = promotions.find((promotion) => promotion.code === code)?.siteId;
      const site = sites.find(({ id }) => id === siteId);
      if (!site) throw new BadCase(`there is no promotion ${code}`);
      return site.currency;
    },
  };
}

/** One site for each zone and currency of an account, and one for other money that comes. */
function sitesOf(one: Case, config: Config): Site[] {
  const wanted = new Map<string, { timeZone: string; currency: string }>();
  const want = (timeZone: string, currency: string) =>
    wanted.set(`${timeZone}|${currency}`, { timeZone, currency });
  for (const action of one.timeline) {
    if (action.action === 'create_account') {
      want(zoneOf(text(action, 'tz')), text(action, 'currency'));
    }
  }
  const currencies = new Set([...wanted.values()].map((site) => site.currency));
  for (const action of one.timeline) {
    const currency = action.action === 'payment' ? text(action, 'currency') : null;
    if (currency !== null && !currencies.has(currency)) want('UTC', currency);
  }
  return [...wanted.values()].map(({ timeZone, currency }, i) => {
    const country = countryOf(one, currency, i);
    return {
      id: BigInt(i + 1),
      code: `S${i + 1}`,
      name: `Site ${i + 1}`,
      country,
      currency,
      tvuAsset: `TVU-${country}`,
      timeZone,
      language: 'en',
      payment: paymentOf(config),
      rules: rulesOf(config, currency),
    };
  });
}

/** The first country with units in this currency; a made-up one where there is none. */
function countryOf(one: Case, currency: string, index: number): string {
  const country = Object.entries(one.offers?.tvu ?? {}).find(([, u]) => u.currency === currency);
  return country?.[0] ?? `X${String.fromCharCode(65 + (index % 26))}`;
}

type Section = Record<string, never>;
const section = (config: Config, name: string): Section => (config[name] ?? {}) as Section;

function paymentOf(config: Config): PaymentPolicy {
  const { buys, under, over, day_rate: dayRate } = section(config, 'payment');
  return { buys, under, over, dayRate, termsMax: TERMS_MAX } as unknown as PaymentPolicy;
}

function rulesOf(config: Config, currency: string): PrepaidRules {
  const grace = section(config, 'grace');
  const lots = section(config, 'lots');
  const move = section(config, 'move');
  const trial = section(config, 'trial');
  const loan = section(config, 'loan');
  const tvu = section(config, 'tvu');
  const commission = config.commission as { percent: string; second_payment_days: number } | null;
  // What another currency of the case cannot write does not concern this one.
  const inCurrency = (written: unknown): bigint => {
    const read = parseAmount(String(written), currency);
    return read.ok ? read.minor : 0n;
  };
  const rules = {
    termEnd: config.term_end,
    monthAnchor: config.month_anchor,
    grace: { hours: grace.hours, nextTerm: grace.next_term },
    lots: { promoPriority: lots.promo_priority, paidPriority: lots.paid_priority },
    move: {
      windowHours: move.window_hours,
      perMonth: move.per_month,
      objectionMinutes: move.objection_minutes,
    },
    reversal: { rights: section(config, 'reversal').rights },
    pause: { daysPerYear: section(config, 'pause').days_per_year },
    trial: { days: trial.days, onceInMonths: trial.once_in_months },
    upgrade: config.upgrade,
    loan: { term: loan.term, fee: inCurrency(loan.fee), cap: inCurrency(loan.cap) },
    voucher: { repeatMinutes: section(config, 'voucher').repeat_minutes },
    tvu: {
      creditStep: tvu.credit_step === null ? null : inCurrency(tvu.credit_step),
      transfersPerDay: tvu.transfers_per_day,
      leaveAtLeast: BigInt(tvu.leave_at_least ?? 0),
    },
    commission: commission && {
      percentPermyriad: permyriad(commission.percent),
      secondPaymentDays: commission.second_payment_days,
    },
  };
  return rules as unknown as PrepaidRules;
}

/** The plans that a case names. */
function plansOf(file: PrepaidFile, { timeline, offers }: Case): [string, Plan][] {
  const named = [...timeline, ...(offers?.vouchers ?? []), ...(offers?.promotions ?? [])];
  const names = new Set(named.map(({ plan }) => plan));
  return Object.entries(file.plans).filter(([name]) => names.has(name));
}

/** They are sold at every site whose currency can write their prices. */
function bouquetsOf(file: PrepaidFile, one: Case, sites: readonly Site[]): Bouquet[] {
  const bouquets: Bouquet[] = [];
  for (const site of sites) {
    for (const [code, plan] of plansOf(file, one)) {
      const prices = pricesOf(plan.prices, site.currency);
      if (!prices) continue;
      bouquets.push({
        id: BigInt(bouquets.length + 1),
        siteId: site.id,
        code,
        name: code,
        kind: 'bouquet',
        categoryPrices: new Map(),
        taxes: onePpmTax(rateOf(plan.tax_percent, PPM_DECIMALS)),
        addOn: null,
        products: plan.products,
        prices,
      });
    }
  }
  return bouquets;
}

/** Versions by term; null where the currency can't write a price. */
function pricesOf(written: Plan['prices'], currency: string): Bouquet['prices'] | null {
  const versions = [...written].sort((a, b) => Date.parse(a.from) - Date.parse(b.from));
  const prices: Partial<Record<TermName, PriceVersion[]>> = {};
  for (const term of TERMS) {
    const own = versions.map((version) => priceOf(version, term, currency));
    if (own.includes('unwritable')) return null;
    const known = own.filter((one) => one !== 'unwritable');
    // A version that leaves a term out sells it no more; before the first it was never sold.
    const first = known.findIndex((one) => one.amount !== null);
    if (first >= 0) prices[term] = known.slice(first);
  }
  return prices;
}

function priceOf(
  version: Plan['prices'][number],
  term: TermName,
  currency: string,
): PriceVersion | 'unwritable' {
  const from = new Date(version.from);
  const price = version[term];
  if (price === undefined) return { from, amount: null };
  const read = parseAmount(price, currency);
  return read.ok ? { from, amount: read.minor } : 'unwritable';
}

function eventsOf(one: Case, sites: readonly Site[]): PayPerViewEvent[] {
  const offers = Object.entries(one.offers?.events ?? {});
  return sites.flatMap((site, i) =>
    offers.flatMap(([code, event], k) => {
      const price = parseAmount(event.price, site.currency);
      if (!price.ok) return [];
      return [
        {
          id: BigInt(i * offers.length + k + 1),
          siteId: site.id,
          code,
          title: code,
          product: event.product,
          startsAt: new Date(event.from),
          endsAt: new Date(event.to),
          saleFrom: new Date(event.sale_from),
          saleUntil: new Date(event.sale_to),
          price: price.minor,
          taxPermyriad: permyriad(event.tax_percent),
        },
      ];
    }),
  );
}

function unitsOf(one: Case): Map<string, UnitMarket> {
  const byTime = <T extends { from: Date }>(versions: T[]): T[] =>
    versions.sort((a, b) => a.from.getTime() - b.from.getTime());
  return new Map(
    Object.entries(one.offers?.tvu ?? {}).map(([country, offer]) => {
      const { currency } = offer;
      const operators = [...new Set(offer.buy.map((price) => price.operator))];
      const buy = operators.map((operator): [string, PriceVersion[]] => {
        const own = offer.buy.filter((price) => price.operator === operator);
        const versions = own.map(({ from, price }) => ({
          from: new Date(from),
          amount: minor(price, currency),
        }));
        return [operator, byTime(versions)];
      });
      const credit = offer.credit.map(({ from, units, value }) => ({
        from: new Date(from),
        units: BigInt(units),
        value: minor(value, currency),
      }));
      const asset = `TVU-${country}`;
      return [asset, { asset, currency, buy: new Map(buy), credit: byTime(credit) }];
    }),
  );
}

type BouquetId = (siteId: bigint, plan: string) => bigint | null;

const vouchersOf = (
  one: Case,
  sites: readonly Site[],
  bouquetId: BouquetId,
): HouseSetup['vouchers'] =>
  (one.offers?.vouchers ?? []).map((voucher) => {
    const site = sites.find(({ currency }) => currency === voucher.currency);
    const plan = site && voucher.plan !== undefined ? bouquetId(site.id, voucher.plan) : null;
    return {
      code: voucher.code,
      kind: voucher.kind,
      value: minor(voucher.value, voucher.currency),
      asset: voucher.currency,
      expiresAt: new Date(voucher.expires),
      state: voucher.state as VoucherFacts['state'],
      bonus: minor(voucher.bonus ?? '0', voucher.currency),
      bonusDays: voucher.bonus_days ?? null,
      bouquetId: plan,
      days: voucher.days ?? null,
    };
  });

/** Sites of the accounts that use a code: each keeps a budget of its own. */
function sitesWith(one: Case, sites: readonly Site[], code: string): readonly Site[] {
  const refs = new Set(one.timeline.filter((act) => act.code === code).map((act) => act.ref));
  const users = one.timeline.filter((act) => act.plan !== undefined && refs.has(act.ref));
  const names = new Set(users.map(({ account = 'main' }) => account));
  const keys = one.timeline
    .filter(({ action, account = 'main' }) => action === 'create_account' && names.has(account))
    .map((action) => `${zoneOf(text(action, 'tz'))}|${text(action, 'currency')}`);
  const used = sites.filter(({ timeZone, currency }) => keys.includes(`${timeZone}|${currency}`));
  return used.length > 0 ? used : sites;
}

const promotionsOf = (
  one: Case,
  sites: readonly Site[],
  bouquetId: BouquetId,
): HouseSetup['promotions'] =>
  (one.offers?.promotions ?? []).flatMap((promotion) =>
    sitesWith(one, sites, promotion.code).flatMap((site) => {
      const plan = bouquetId(site.id, promotion.plan);
      const budget = parseAmount(promotion.budget, site.currency);
      if (plan === null || !budget.ok) return [];
      return [
        {
          siteId: site.id,
          code: promotion.code,
          bouquetId: plan,
          term: promotion.term as TermName,
          bonusDays: promotion.bonus_days,
          budgetLeft: budget.minor,
          from: new Date(promotion.from),
          to: new Date(promotion.to),
        },
      ];
    }),
  );
