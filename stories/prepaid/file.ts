/** What a file of prepaid cases may say (`prepaid-cases/1`), as far as it is executed. */
import { field } from '../fields.ts';

export type Instant = string;

export interface Action {
  seq: number;
  instant: Instant;
  action: string;
  account?: string;
  key?: string;
  [field: string]: unknown;
}

export interface Check {
  instant?: Instant;
  step?: { after: number };
  check: string;
  value: unknown;
  account?: string;
  [field: string]: unknown;
}

export interface Plan {
  products: string[];
  tax_percent: string;
  prices: ({ from: Instant } & Record<string, string>)[];
}

export interface EventOffer {
  product: string;
  price: string;
  tax_percent: string;
  sale_from: Instant;
  sale_to: Instant;
  from: Instant;
  to: Instant;
}

export interface VoucherOffer {
  code: string;
  kind: 'amount' | 'days';
  value: string;
  currency: string;
  expires: Instant;
  state: string;
  bonus?: string;
  bonus_days?: number;
  plan?: string;
  days?: number;
}

export interface PromotionOffer {
  code: string;
  plan: string;
  term: string;
  bonus_days: number;
  budget: string;
  from: Instant;
  to: Instant;
}

export interface UnitsOffer {
  currency: string;
  buy: { operator: string; from: Instant; price: string }[];
  credit: { from: Instant; units: number; value: string }[];
}

export interface Offers {
  events?: Record<string, EventOffer>;
  vouchers?: VoucherOffer[];
  promotions?: PromotionOffer[];
  tvu?: Record<string, UnitsOffer>;
}

/** Config as written; `commission: null` is none. */
export type Config = Record<string, unknown>;

export interface Case {
  id: string;
  config?: Config;
  timeline: Action[];
  expected?: Check[];
  offers?: Offers;
}

export interface PrepaidFile {
  meta: { format: string; defaults: Config };
  plans: Record<string, Plan>;
  cases: Case[];
}

/** A field that must be there, as text. */
export const text = (of: Record<string, unknown>, name: string): string => String(field(of, name));

/** The defaults of the file, overlaid key by key with the config of a case. */
export function overlaid(defaults: Config, own: Config | undefined): Config {
  const config: Config = { ...defaults };
  for (const [key, value] of Object.entries(own ?? {})) {
    const before = config[key];
    config[key] = isObject(before) && isObject(value) ? { ...before, ...value } : value;
  }
  return config;
}

const isObject = (value: unknown): value is Config =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
