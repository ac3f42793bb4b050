/** The catalogue and the rules of a case. */

import type {
  Alignment,
  Catalogue,
  OverdueRule,
  Phase,
  Plan,
  PostpaidConfig,
  PriceVersion,
} from '../../src/billing/postpaid/plans.ts';
import type { Length, Period } from '../../src/platform/day.ts';
import { type Day, parseDay } from '../../src/platform/day.ts';
import { currencyExponent } from '../../src/platform/money/amount.ts';
import { field, flag, list, number, object, orNull, text, word } from '../fields.ts';
import { BadCase } from '../result.ts';
import type { BillingFile, Case, Config } from './file.ts';

export interface Rules {
  catalogue: Catalogue;
  config: PostpaidConfig;
}

export interface Setup {
  /** Plans and rules for accounts of a currency, which says the decimals of their amounts. */
  rulesIn(currency: string): Rules;
  isOnDemand: boolean;
}

type Fields = Record<string, unknown>;

export const PERIODS: readonly Period[] = [
  'weekly',
  'thirty_days',
  'monthly',
  'quarterly',
  'annual',
];
const ALIGNMENTS: readonly Alignment[] = ['account', 'subscription', 'bundle'];
export const BILLINGS = ['in_advance', 'in_arrears'] as const;

/** Reads a decimal into minor units of a currency. */
export function minorOf(decimal: string, currency: string): bigint {
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(decimal);
  const known = currencyExponent(currency);
  if (!match || !known.ok) throw new BadCase(`not an amount of ${currency}: ${decimal}`);
  const decimals = (match[3] ?? '').padEnd(known.exponent, '0');
  if (/[1-9]/.test(decimals.slice(known.exponent))) {
    throw new BadCase(`too many decimals for ${currency}: ${decimal}`);
  }
  const minor = BigInt(`${match[2]}${decimals.slice(0, known.exponent)}`);
  return match[1] === '-' ? -minor : minor;
}

export const day = (of: Fields, name: string): Day => parseDay(text(of, name));

/** Everything a case needs before its first day. */
export function setupOf(file: BillingFile, one: Case): Setup {
  const config = { ...file.meta.defaults, ...one.config };
  const known = new Map<string, Rules>();
  const rulesIn = (currency: string): Rules => {
    const rules = known.get(currency) ?? {
      catalogue: catalogueOf(file, one, currency),
      config: within('config', () => configOf(config, currency)),
    };
    known.set(currency, rules);
    return rules;
  };
  return { rulesIn, isOnDemand: config.runs === 'on_demand' };
}

/** Only the plans that a case names are read: a price is of one currency. */
function catalogueOf(file: BillingFile, { catalog, timeline }: Case, currency: string): Catalogue {
  const named = JSON.stringify([catalog, timeline]);
  const openings = timeline.filter(({ action }) => action === 'create_account');
  const currencies = new Set(openings.map((opening) => opening.currency));
  const catalogue = new Map<string, Plan>();
  for (const [code, plan] of Object.entries(file.plans)) {
    if (!named.includes(JSON.stringify(code))) continue;
    try {
      catalogue.set(code, planOf(code, plan, currency));
    } catch (error) {
      // Beside accounts of several currencies it may be for the others.
      if (currencies.size < 2) throw new BadCase(`plan ${code}: ${reasonOf(error)}`);
    }
  }
  return catalogue;
}

const reasonOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

function within<T>(place: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new BadCase(`${place}: ${reasonOf(error)}`);
  }
}

function planOf(code: string, plan: Fields, currency: string): Plan {
  const money = (of: Fields, name: string): bigint => minorOf(text(of, name), currency);
  return {
    code,
    billing: word(plan, 'billing', BILLINGS),
    phases: list(plan, 'phases').map(
      (phase): Phase => ({
        type: word(phase, 'type', ['trial', 'discount', 'fixed_term', 'evergreen']),
        length: orNull(phase, 'length', (of, name) => object(of, name) as Length),
        fixed: orNull(phase, 'fixed', money),
        price: orNull(phase, 'price', money),
        period: orNull(phase, 'period', (of, name) => word(of, name, PERIODS)),
      }),
    ),
    perUnit: plan.per_unit === true,
    phasesOnChange: plan.phases_on_change === 'change_date' ? 'change_date' : 'subscription_start',
    priceVersions: (orNull(plan, 'price_versions', list) ?? []).map(
      (version): PriceVersion => ({
        from: day(version, 'from'),
        price: money(version, 'price'),
        existingFrom: orNull(version, 'existing_from', day),
      }),
    ),
    addOn:
      plan.category === 'add_on'
        ? {
            availableWith: field(plan, 'available_with') as string[],
            phasesFrom: word(plan, 'phases_from', ['bundle_start', 'subscription_start']),
            maxPerBundle: number(plan, 'max_per_bundle'),
          }
        : null,
    taxCode: null,
  };
}

function configOf(config: Config, currency: string): PostpaidConfig {
  const alignment = object(config, 'alignment');
  const backoff = object(config, 'gateway_down_backoff');
  return {
    alignment: {
      default: word(alignment, 'default', ALIGNMENTS),
      annual: word(alignment, 'annual', ALIGNMENTS),
      addOn: word(alignment, 'add_on', ALIGNMENTS),
    },
    monthDays: orNull(object(config, 'proration'), 'month_days', number),
    rounding: word(config, 'rounding', ['exact', 'ratio_9_digits']),
    bridge: word(config, 'bridge', ['new_cycle', 'old_cycle']),
    retryDays: field(config, 'retry_days') as number[],
    gatewayDown: {
      startSeconds: number(backoff, 'start_seconds'),
      multiplier: number(backoff, 'multiplier'),
      attemptsMax: number(backoff, 'max_attempts'),
    },
    overdue: list(config, 'overdue').map((rule) => overdueRule(rule, currency)),
  };
}

const overdueRule = (rule: Fields, currency: string): OverdueRule => ({
  state: text(rule, 'state'),
  daysSinceEarliestUnpaid: orNull(rule, 'days_since_earliest_unpaid', number),
  openInvoices: orNull(rule, 'open_invoices', number),
  totalOwed: orNull(rule, 'total_owed', (of, name) => minorOf(text(of, name), currency)),
  blockChanges: flag(rule, 'block_changes'),
  stopServiceAndBilling: flag(rule, 'stop_service_and_billing'),
  cancel: orNull(rule, 'cancel', (of, name) => word(of, name, ['immediate', 'end_of_term'])),
});
