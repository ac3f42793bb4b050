/** The acts on a postpaid account, and their answers. Amounts are minor units. */
import type { Day, Period } from '../../platform/day.ts';
import type { Billing } from './plans.ts';
import type { LineType } from './rows.ts';

export interface Sale {
  ref: string;
  plan: string;
  /** Ref of the base; add-ons only. */
  bundle?: string;
  /** First day; today, if not given. */
  effective?: Day;
  priceOverride?: bigint;
  billingDay?: number;
  quantity?: number;
}

export interface PlanChange {
  ref: string;
  plan: string;
  policy: 'immediate' | 'end_of_term';
  priceOverride?: bigint;
  billingDay?: number;
}

/** A rule, or the first day without. */
export type When = 'immediate' | 'end_of_term' | 'start_of_term' | Day;

/** A base, and add-ons that go with it from the start. */
export interface BundleSale extends Omit<Sale, 'bundle'> {
  addOns: readonly Omit<Sale, 'bundle'>[];
}

export interface ImportedLine {
  type: LineType;
  ref: string | null;
  from: Day;
  to: Day | null;
  amount: bigint;
}

export interface Rate {
  ref: string;
  /** null = nothing from now on. */
  price: bigint | null;
  period: Period | null;
  billing: Billing;
  billingDay: number | null;
}

export type Order = 'newest_first' | 'oldest_first';

type LifeAction =
  | ({ act: 'create_subscription' } & Sale)
  | { act: 'create_bundles'; bundles: readonly BundleSale[] }
  | ({ act: 'change_plan' } & PlanChange)
  | { act: 'change_quantity'; ref: string; quantity: number; effective: Day }
  | { act: 'pause' | 'resume' | 'block_billing' | 'unblock_billing'; ref: string; effective: Day }
  | { act: 'cancel'; ref: string; service: When; billing: When }
  | { act: 'set_billing_day'; ref: string; day: number; effectiveFrom: Day }
  | { act: 'set_account_billing_day'; day: number }
  | ({ act: 'set_rate' } & Rate);

type MoneyAction =
  | { act: 'pay_invoice'; invoiceId: bigint; amount: bigint | 'balance'; key?: string }
  | { act: 'external_payment'; invoiceId: bigint; amount: bigint | 'balance' }
  | { act: 'pay_all_open_invoices'; order: Order }
  /** `down`: the request never reached the gateway. */
  | { act: 'complete_payment'; paymentId: bigint; result: 'approved' | 'declined' | 'down' }
  /**
   * Money that has come in: of a payment of ours, whatever was thought to have become of it, or
   * for an invoice.
   */
  | ({ act: 'receive_payment'; amount: bigint } & ({ paymentId: bigint } | { invoiceId: bigint }))
  | {
      act: 'refund';
      paymentId: bigint;
      amount: bigint;
      adjustments: readonly { lineId: bigint; amount: bigint | 'remaining' }[];
    }
  | { act: 'chargeback'; paymentId: bigint; amount: bigint }
  | { act: 'chargeback_reversed'; paymentId: bigint };

type DocumentAction =
  | {
      act: 'external_charge';
      amount: bigint;
      from: Day;
      to: Day | null;
      draft: boolean;
      /** Which taxes are inside the amount: a kind of product (`service`); none without it. */
      taxCode?: string;
    }
  | { act: 'commit_invoice' | 'void_invoice' | 'write_off'; invoiceId: bigint }
  | { act: 'grant_credit'; amount: bigint }
  | { act: 'delete_credit'; invoiceId: bigint }
  | { act: 'top_up'; amount: bigint; key: string }
  | { act: 'adjust_item'; lineId: bigint; amount: bigint | 'remaining' }
  /** Stores an adjustment without any check, as a faulty import would. */
  | { act: 'force_item_adjustment'; lineId: bigint; amount: bigint }
  | { act: 'adjust_all_open_invoices'; order: Order }
  | { act: 'import_invoice'; lines: readonly ImportedLine[] }
  | { act: 'generate_invoice'; target: Day };

export type SettingAction = {
  act:
    | 'enable_auto_pay'
    | 'disable_auto_pay'
    | 'enable_auto_invoice'
    | 'disable_auto_invoice'
    | 'add_payment_method'
    | 'remove_payment_method';
};

/** Several settings in one act; what is left out stays. */
export interface Settings {
  billingDay?: number;
  autoPay?: boolean;
  autoInvoice?: boolean;
  paymentMethod?: boolean;
}

/** An act on one account. */
export type Action =
  | LifeAction
  | MoneyAction
  | DocumentAction
  | SettingAction
  | ({ act: 'change_settings' } & Settings);

type Naming<T, A> = T extends { act: infer Acts } ? (A extends Acts ? T : never) : never;

/** The acts that a name stands for. */
export type ActionOf<A extends Action['act']> = Naming<Action, A>;

export type Refusal =
  | 'invalid_date_sequence'
  | 'invalid_requested_date'
  | 'transaction_key_exists'
  /** Repairs and adjustments exceed a line. */
  | 'too_many_repairs'
  | 'cannot_void_paid_invoice'
  | 'cannot_void_repaired_invoice'
  | 'max_per_bundle_on_create'
  | 'max_per_bundle_on_change'
  /** The base has a plan that does not offer this add-on. */
  | 'add_on_not_available'
  | 'plan_change_blocked'
  /** Not in this market, or not on the day on which it would start. */
  | 'plan_not_sold'
  | 'subscription_ended'
  /** No conditional-access system of the account's cards carries the plan. */
  | 'product_not_on_cas'
  | 'ref_exists'
  /** More than there is to pay back. */
  | 'amount_too_large';

/** `documentId` and `paymentId`: what the act made. */
export type Answer =
  | { ok: true; documentId: bigint | null; paymentId: bigint | null }
  | { ok: false; error: Refusal };

export const DONE: Answer = { ok: true, documentId: null, paymentId: null };

export const refused = (error: Refusal): Answer => ({ ok: false, error });
