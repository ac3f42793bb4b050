/** What can be sold: plans with phases, and the rules of the house. */
import type { Day, Length, Period } from '../../platform/day.ts';

export type Billing = 'in_advance' | 'in_arrears';

export interface Phase {
  type: 'trial' | 'discount' | 'fixed_term' | 'evergreen';
  /** null = until something ends it. */
  length: Length | null;
  /** One-off price at its start. */
  fixed: bigint | null;
  /** Recurring price; null with a period: that of the phase's or the plan's price versions. */
  price: bigint | null;
  period: Period | null;
  /** Its own versions of the recurring price; without them those of the plan. */
  versions?: readonly PriceVersion[];
  /** Versions of the one-off price, instead of `fixed`. */
  fixedVersions?: readonly PriceVersion[];
}

export interface PriceVersion {
  /** A sale takes the latest version with `from` at or before its start. */
  from: Day;
  price: bigint;
  /** Contracts sold before take it at their first billing date from here on; null = never. */
  existingFrom: Day | null;
  /** Names the price that was agreed, where its amount may change under it. */
  agreed?: string;
  /** Another amount for a price agreed before (a tax has changed): it reaches only those. */
  isSameAgreed?: boolean;
  /** Nothing is sold at it any more. */
  isClosed?: boolean;
}

export interface AddOnTerms {
  /** Codes of the base plans it is offered with. */
  availableWith: readonly string[];
  phasesFrom: 'bundle_start' | 'subscription_start';
  maxPerBundle: number;
}

export interface Plan {
  code: string;
  billing: Billing;
  phases: readonly Phase[];
  /** Prices are for one unit. */
  perUnit: boolean;
  phasesOnChange: 'subscription_start' | 'change_date';
  priceVersions: readonly PriceVersion[];
  /** null = a base plan. */
  addOn: AddOnTerms | null;
  /** Which taxes its lines bear. */
  taxCode: string | null;
  /** Days on which it can be sold, ends exclusive; without them always. */
  onSale?: readonly { from: Day; to: Day }[];
  /** What conditional access must carry for it, each from a day on; without: nothing. */
  contents?: readonly { from: Day; products: readonly string[] }[];
}

export type Catalogue = ReadonlyMap<string, Plan>;

export type Alignment = 'account' | 'subscription' | 'bundle';

export interface OverdueRule {
  state: string;
  /** Exactly one of the three thresholds is not null. */
  daysSinceEarliestUnpaid: number | null;
  openInvoices: number | null;
  totalOwed: bigint | null;
  blockChanges: boolean;
  stopServiceAndBilling: boolean;
  cancel: 'immediate' | 'end_of_term' | null;
}

export interface PostpaidConfig {
  /** Whose billing day counts. */
  alignment: { default: Alignment; annual: Alignment; addOn: Alignment };
  /** Every month counts so many days; null = its real days. */
  monthDays: number | null;
  rounding: 'exact' | 'ratio_9_digits';
  /** What the days between the last old cycle and a new billing day are measured against. */
  bridge: 'new_cycle' | 'old_cycle';
  /** Days from each declined automatic payment to its next try. */
  retryDays: readonly number[];
  gatewayDown: { startSeconds: number; multiplier: number; attemptsMax: number };
  /** Mildest first. */
  overdue: readonly OverdueRule[];
}

/** Can a contract of this plan be sold that starts on a day? */
export const isOnSale = ({ onSale }: Plan, day: Day): boolean =>
  onSale === undefined || onSale.some(({ from, to }) => from <= day && day < to);

/** The products of a plan on a day; before its contents begin, those with which they will. */
export const productsOn = ({ contents = [] }: Plan, day: Day): readonly string[] =>
  (contents.findLast(({ from }) => from <= day) ?? contents[0])?.products ?? [];

/** The plan of a code; a code that facts name is always in the catalogue. */
export function planOf(catalogue: Catalogue, code: string): Plan {
  const plan = catalogue.get(code);
  if (!plan) throw new Error(`The catalogue has no plan ${code}`);
  return plan;
}
