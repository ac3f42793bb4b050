/** Who and what the tables of settlement are about: two sites, three people, a reseller. */
import { withLuhnDigit } from '../../platform/luhn.ts';
import type {
  Bouquet,
  Catalogue,
  OwnRules,
  PaymentPolicy,
  Site,
  TvuTariff,
} from '../catalogue/rules.ts';
import { oneTax } from '../catalogue/tax-harness.ts';
import { createPaper, type Paper } from './paper-harness.ts';

export const EVENT_ID = 21n;

const DEFAULT_POLICY: PaymentPolicy = {
  buys: 'credit',
  under: 'credit',
  over: 'one_term',
  dayRate: 'month/30',
};
const SINCE = new Date('2026-01-01T00:00:00Z');
const price = (amount: bigint) => [{ from: SINCE, amount }];

const siteOf = (id: bigint, payment: PaymentPolicy, rules: OwnRules): Site => ({
  id,
  payment,
  rules,
  ...(id === 1n
    ? { code: 'NBO', name: 'Nairobi', country: 'KE', currency: 'KES', tvuAsset: 'TVU-KE' }
    : { code: 'ABJ', name: 'Abidjan', country: 'CI', currency: 'XOF', tvuAsset: 'TVU-CI' }),
  ...(id === 1n
    ? { timeZone: 'Africa/Nairobi', language: 'en' }
    : { timeZone: 'Africa/Abidjan', language: 'fr' }),
});

/** Sold by itself, at the same prices to all. */
export const SOLD_TO_ALL = { kind: 'bouquet', categoryPrices: new Map(), addOn: null } as const;

const BOUQUETS: readonly Bouquet[] = [
  {
    id: 11n,
    siteId: 1n,
    code: 'ESSENTIAL',
    name: 'ESSENTIAL',
    ...SOLD_TO_ALL,
    taxes: oneTax(1_600n),
    products: ['ESS'],
    prices: { month: price(100_000n), week: price(30_000n), day: price(5_000n) },
  },
  {
    id: 12n,
    siteId: 2n,
    code: 'ACCESS',
    name: 'ACCESS',
    ...SOLD_TO_ALL,
    taxes: oneTax(1_800n),
    products: ['ESS'],
    prices: { month: price(5_000n), week: price(1_500n), day: price(300n) },
  },
];

const EVENT = {
  id: EVENT_ID,
  siteId: 1n,
  code: 'FIGHT',
  title: 'Fight',
  product: 'EVT:FIGHT',
  saleFrom: new Date('2026-11-20T05:00:00Z'),
  saleUntil: new Date('2026-11-28T18:30:00Z'),
  startsAt: new Date('2026-11-28T17:00:00Z'),
  endsAt: new Date('2026-11-28T20:00:00Z'),
  price: 30_000n,
  taxPermyriad: 1_600n,
};

/** A Kenyan unit costs 0.40 and gives 0.35; three Ivorian ones cost 30 and give 25. */
const TARIFFS: readonly [bigint, TvuTariff][] = [
  [1n, { from: SINCE, price: 40n, valueUnits: 1n, valueAmount: 35n }],
  [2n, { from: SINCE, price: 10n, valueUnits: 3n, valueAmount: 25n }],
];

export const PHONE: Readonly<Record<string, string>> = {
  amina: '+254700000001',
  juma: '+254700000002',
  awa: '+2250700000003',
  mama: '+254700000009',
  nobody: '+254700000099',
};
export const NUMBER: Readonly<Record<string, string>> = {
  A1: withLuhnDigit('4021000001'),
  A2: withLuhnDigit('4021000002'),
  J1: withLuhnDigit('4021000003'),
  W1: withLuhnDigit('4021000004'),
};
export interface OperatorOptions {
  policy?: Partial<PaymentPolicy>;
  rules?: OwnRules;
  bouquets?: readonly Bouquet[];
  /** Beside the two that there always are. */
  sites?: readonly Site[];
  tariffs?: ReadonlyMap<bigint, readonly TvuTariff[]>;
}

/** Amina (A1 by the month, A2 renewing by the week), Juma (J1), Awa in Abidjan (W1), Mama sells. */
export function createOperator(options: OperatorOptions = {}): Paper {
  const payment = { ...DEFAULT_POLICY, ...options.policy };
  const catalogue: Catalogue = {
    sites: new Map(
      [1n, 2n]
        .map((id) => siteOf(id, payment, options.rules ?? {}))
        .concat(options.sites ?? [])
        .map((site) => [site.id, site]),
    ),
    bouquets: new Map((options.bouquets ?? BOUQUETS).map((bouquet) => [bouquet.id, bouquet])),
    events: new Map([[EVENT_ID, EVENT]]),
    tariffs: options.tariffs ?? new Map(TARIFFS.map(([site, tariff]) => [site, [tariff]])),
  };
  const card = (name: string, bouquetId: bigint, autoRenew = false) => ({
    name,
    number: NUMBER[name] ?? '',
    bouquetId,
    term: autoRenew ? ('week' as const) : ('month' as const),
    autoRenew,
  });
  const person = (name: string, siteId: bigint) => ({ name, siteId, msisdn: PHONE[name] ?? '' });
  return createPaper({
    catalogue,
    people: [
      { ...person('amina', 1n), cards: [card('A1', 11n), card('A2', 11n, true)] },
      { ...person('juma', 1n), cards: [card('J1', 11n)] },
      { ...person('awa', 2n), cards: [card('W1', 12n)] },
    ],
    resellers: [person('mama', 1n)],
  });
}
