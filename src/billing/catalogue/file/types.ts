/** An operator's whole catalogue as its file says it. Dates are local, ends exclusive. */
import type { DunningPolicy } from '../dunning-policy.ts';
import type { PostpaidRules } from '../policy.ts';
import type { OwnRules, PaymentPolicy } from '../rules.ts';

export const CATEGORIES = ['residential', 'hotel', 'institution', 'staff', 'demo'] as const;
export type Category = (typeof CATEGORIES)[number];

/** Inclusive: the amount holds the taxes already. Exclusive: they are added to it. */
export type TaxMode = 'inclusive' | 'exclusive';

export const KINDS = [
  'bouquet',
  'channel',
  'add_on',
  'plan',
  'free_time',
  'goods',
  'service',
  'scratch_card',
] as const;
export type Kind = (typeof KINDS)[number];

/**
 * Free time costs nothing; a scratch card is money until it is redeemed, and what it buys is taxed
 * then.
 */
export const TAXED_KINDS = ['bouquet', 'channel', 'add_on', 'plan', 'goods', 'service'] as const;
export type TaxedKind = (typeof TAXED_KINDS)[number];

export interface TaxRate {
  from: string;
  /** Parts per million: 192500n is 19.25 %. */
  ppm: bigint;
}

export interface Tax {
  code: string;
  name: string;
  /** What it is a percentage of: `net`, or taxes that stand before it. */
  on: readonly string[];
  appliesTo: readonly TaxedKind[];
  /** Oldest first. */
  rates: readonly TaxRate[];
}

export interface Country {
  code: string;
  name: string;
  currency: string;
  timeZone: string;
  taxMode: TaxMode;
  /** In the order in which they are applied. */
  taxes: readonly Tax[];
}

export interface SiteTerms {
  code: string;
  name: string;
  country: string;
  timeZone: string;
  language: 'en' | 'fr';
  payment: PaymentPolicy;
  /** What differs from `DEFAULT_RULES`. */
  rules: OwnRules;
  postpaid: PostpaidRules;
}

export interface ChannelEntry {
  code: string;
  name: string;
  freeToAir: boolean;
  /** Each of these products opens the channel. */
  cas: readonly string[];
}

/** One amount of a product, for whom and from when. */
export interface PriceVersion {
  /** `PREMIUM:month:KE/NBO/hotel:2026-01-01`; the same as long as what it names is the same. */
  id: string;
  from: string;
  /** From here on the version before it holds again. */
  until: string | null;
  /** Subscriptions that run already take it from here on; null: never. Plans alone. */
  existingFrom: string | null;
  country: string;
  site: string | null;
  category: Category | null;
  taxMode: TaxMode;
  /** Minor units; null: not sold. */
  amount: bigint | null;
}

/** Channels of a product, and the products that open them, from a date on. */
export interface Contents {
  from: string;
  /** Null: in every country that has none of its own. */
  country: string | null;
  channels: readonly string[];
  cas: readonly string[];
}

export interface AddOnTerms {
  availableWith: readonly string[];
  maxPerSubscription: number;
  /** Ends with its base, or has terms of its own. For plans: from when its phases count. */
  alignedTo: 'base' | 'self';
}

export type PhaseLength = { days: number } | { months: number } | { years: number };

export interface Phase {
  name: string;
  type: 'trial' | 'discount' | 'fixed_term' | 'evergreen';
  /** Null: without end. */
  length: PhaseLength | null;
  /** Its price under the amount `<name>`; null: no recurring price. */
  period: 'weekly' | 'thirty_days' | 'monthly' | 'quarterly' | 'annual' | null;
  /** A price at its start, under the amount `<name>.fixed`. */
  isFixed: boolean;
}

interface Common {
  code: string;
  name: string;
  countries: readonly string[];
  /** To whom it is sold; null: to all. */
  categories: readonly Category[] | null;
  /** Names of its amounts: terms, `once`, `deposit`, `value`, `bonus`, names of phases. */
  amounts: readonly string[];
  /** By name of the amount, sorted by `from`. */
  prices: ReadonlyMap<string, readonly PriceVersion[]>;
}

export type Product =
  | (Common & { kind: 'bouquet' | 'channel'; contents: readonly Contents[] })
  | (Common & { kind: 'add_on'; contents: readonly Contents[]; addOn: AddOnTerms })
  | (Common & {
      kind: 'plan';
      contents: readonly Contents[];
      addOn: AddOnTerms | null;
      billing: 'in_advance' | 'in_arrears';
      isPerUnit: boolean;
      phasesOnChange: 'subscription_start' | 'change_date';
      phases: readonly Phase[];
    })
  | (Common & {
      kind: 'free_time';
      reason: 'goodwill' | 'promotion' | 'trial' | 'demo' | 'staff';
      /** Whose rights it gives. */
      products: readonly string[];
      daysMax: number;
      /** Null: as often as staff may. */
      onceInMonths: number | null;
    })
  | (Common & {
      kind: 'goods';
      item: 'decoder' | 'smart_card' | 'antenna_kit' | 'accessory';
      offer: 'sale' | 'rental';
    })
  | (Common & { kind: 'service'; work: 'installation' | 'assistance' | 'repair' | 'relocation' })
  | (Common & {
      kind: 'scratch_card';
      gives: 'amount' | 'days';
      /** For days: of what, and how many. */
      product: string | null;
      days: number | null;
      /** How long the bonus lives; null: without bonus. */
      bonusDays: number | null;
      validMonths: number;
    });

export interface PromotionTerms {
  code: string;
  name: string;
  product: string;
  term: string;
  bonusDays: number;
  /** Minor units by country; it is not sold in others. */
  budget: ReadonlyMap<string, bigint>;
  from: string;
  until: string;
}

/** TV units of a country: what each operator sells one for, and what credit they give. */
export interface UnitTariffs {
  country: string;
  operators: ReadonlyMap<string, readonly { from: string; price: bigint }[]>;
  credit: readonly { from: string; units: number; value: bigint }[];
}

/** In whose name sites bill. */
export interface LegalEntityTerms {
  code: string;
  name: string;
  taxNumber: string | null;
  /** The month in which its fiscal year starts, 1 to 12; the year is named after that month's. */
  fiscalMonth: number;
  /** Each with `{year}` and `{number}` or `{number:digits}`. */
  invoiceFormat: string;
  creditNoteFormat: string;
  sites: readonly string[];
}

/** How a site duns, for one category or (null) for all that have none of their own. */
export interface DunningTerms {
  site: string;
  category: Category | null;
  /** Debts that arise on this day or later. */
  from: string;
  policy: DunningPolicy;
}

export interface OperatorCatalogue {
  operator: string;
  countries: ReadonlyMap<string, Country>;
  sites: ReadonlyMap<string, SiteTerms>;
  /** Products of the access system, with what they are called. */
  cas: ReadonlyMap<string, string>;
  channels: ReadonlyMap<string, ChannelEntry>;
  products: ReadonlyMap<string, Product>;
  promotions: ReadonlyMap<string, PromotionTerms>;
  units: ReadonlyMap<string, UnitTariffs>;
  legalEntities: ReadonlyMap<string, LegalEntityTerms>;
  dunning: readonly DunningTerms[];
}
