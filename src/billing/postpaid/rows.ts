/**
 * Everything that is known about a postpaid account, as plain rows: one type a table. Facts are
 * appended and never changed; what may change says so. Amounts are minor units of the account's
 * currency. Ids rise in the order of recording.
 */
import type { Day, Period } from '../../platform/day.ts';
import type { Billing } from './plans.ts';

export interface PostpaidAccount {
  readonly id: bigint;
  readonly openedOn: Day;
  /** IANA name or fixed offset; all days of the account are local to it. */
  readonly timeZone: string;
  readonly currency: string;
  /** 1 to 31; null until the first sale sets it. Changes; its past is in BillingDayChange. */
  readonly billingDay: number | null;
  /** Changes. */
  readonly autoPay: boolean;
  /** Changes. */
  readonly autoInvoice: boolean;
  /** A payment method is on file. Changes. */
  readonly paymentMethod: boolean;
  /** A run found more given back than charged: no runs until a person has looked. Changes. */
  readonly parked: boolean;
  /** The latest target of a run; no later run looks less far. Changes. */
  readonly lastTarget: Day | null;
  /** The automatic work of all days up to and with this one is done. Changes. */
  readonly workedThrough: Day;
}

/** The account's billing day was another one until `on`. Appended. */
export interface BillingDayChange {
  readonly id: bigint;
  readonly accountId: bigint;
  readonly on: Day;
  readonly before: number;
  readonly day: number;
}

/** The account entered an overdue state (or `clear`). Appended. */
export interface OverdueChange {
  readonly id: bigint;
  readonly accountId: bigint;
  readonly on: Day;
  readonly state: string;
  readonly blocksChanges: boolean;
  /** Service and billing stop from `on` until the next row that does not say so. */
  readonly stops: boolean;
}

/** One subscription of one account. Appended; everything that happens to it is a ContractEvent. */
export interface Contract {
  readonly id: bigint;
  readonly accountId: bigint;
  /** Its name outside; goes on with the contract that follows it in another account. */
  readonly ref: string;
  /** The base contract of its bundle; null = it is a base. */
  readonly baseId: bigint | null;
  readonly soldOn: Day;
  readonly startsOn: Day;
  /** The contract of another account that this one carries on. */
  readonly continuesId: bigint | null;
}

export type ContractEventKind =
  /** From `effective` on: `planCode`, with phases from `phasesFrom`. */
  | 'plan'
  /** From `effective` on: `price` per `period`, `billing`, on `day`; price null = nothing. */
  | 'rate'
  | 'quantity'
  | 'pause'
  | 'resume'
  | 'block'
  | 'unblock'
  /** From `effective` on: billing day `day`. */
  | 'billing_day'
  /** `effective` is the first day without. The last one recorded counts. */
  | 'end_service'
  | 'end_billing';

/** A dated act on a contract. Appended. */
export interface ContractEvent {
  readonly id: bigint;
  readonly accountId: bigint;
  readonly contractId: bigint;
  readonly kind: ContractEventKind;
  /** The day of the act. */
  readonly on: Day;
  /** The day from which it counts. */
  readonly effective: Day;
  readonly planCode: string | null;
  readonly phasesFrom: Day | null;
  /** `plan`: replaces the recurring price of the last phase; `rate`: the price. */
  readonly price: bigint | null;
  readonly period: Period | null;
  readonly billing: Billing | null;
  readonly day: number | null;
  readonly quantity: number | null;
}

/** A document. `status` and `writtenOff` change. */
export interface Invoice {
  readonly id: bigint;
  readonly accountId: bigint;
  readonly on: Day;
  /** What made it: a run, a one-off charge, an import, or credit given. */
  readonly kind: 'run' | 'charge' | 'import' | 'credit';
  readonly status: 'draft' | 'committed' | 'void';
  readonly writtenOff: boolean;
  /** The target of its run. */
  readonly target: Day | null;
}

export type LineType =
  | 'fixed'
  | 'recurring'
  /** Negative: gives back days of `linkedLineId`. */
  | 'repair'
  /** Positive: credit given to the account; negative: credit used on this invoice. */
  | 'credit'
  /** Negative: lowers `linkedLineId`. */
  | 'item_adjustment'
  | 'external_charge';

/** A line of a document. Appended. */
export interface InvoiceLine {
  readonly id: bigint;
  readonly accountId: bigint;
  readonly invoiceId: bigint;
  readonly contractId: bigint | null;
  readonly type: LineType;
  /** The day it was added to its invoice. */
  readonly on: Day;
  readonly from: Day;
  /** Exclusive; null = of no duration. */
  readonly to: Day | null;
  readonly amount: bigint;
  /** Charges: the plan, null for a bare rate. */
  readonly planCode: string | null;
  readonly phase: string | null;
  /** Charges: the price of a whole period, all units. */
  readonly price: bigint | null;
  readonly period: Period | null;
  /** Recurring charges: days of the period against which the line was measured. */
  readonly periodDays: number | null;
  readonly taxCode: string | null;
  /** Repairs and adjustments: the charge they lower. */
  readonly linkedLineId: bigint | null;
}

/** Money for one invoice; its tries are PaymentAttempts. Appended. */
export interface Payment {
  readonly id: bigint;
  readonly accountId: bigint;
  readonly invoiceId: bigint;
  readonly on: Day;
  readonly kind: 'automatic' | 'manual' | 'external';
  /** The caller's key; acts once. */
  readonly key: string | null;
}

export type AttemptOutcome = 'approved' | 'declined' | 'pending' | 'unknown' | 'down';

/** One try of a payment. Changes once: when a pending or unknown outcome becomes known. */
export interface PaymentAttempt {
  readonly id: bigint;
  readonly accountId: bigint;
  readonly paymentId: bigint;
  readonly on: Day;
  readonly asked: bigint;
  readonly outcome: AttemptOutcome;
  /** What the invoice counts as paid. */
  readonly paid: bigint;
  /** What the provider settled, in its currency; null unless approved. */
  readonly settledAmount: bigint | null;
  readonly settledCurrency: string | null;
  readonly decidedOn: Day | null;
}

/** Money of a payment that went back, or came again. Appended. */
export interface PaymentReturn {
  readonly id: bigint;
  readonly accountId: bigint;
  readonly paymentId: bigint;
  readonly on: Day;
  readonly type: 'refund' | 'chargeback' | 'chargeback_reversal';
  /** Positive; what the invoice counts. */
  readonly amount: bigint;
  /** Positive; in the currency in which it was settled. */
  readonly settledAmount: bigint;
  readonly settledCurrency: string;
  /** A reversal: the chargeback it takes back. */
  readonly reversesId: bigint | null;
}

/** A key under which a money act was done, and what it made. Appended. */
export interface MoneyKey {
  readonly id: bigint;
  readonly accountId: bigint;
  readonly key: string;
  readonly act: 'pay_invoice' | 'top_up';
  /** The payment, or the credit document. */
  readonly resultId: bigint;
}

/** All rows of one account but the account itself, by table. */
export interface Tables {
  billingDayChanges: BillingDayChange;
  overdueChanges: OverdueChange;
  contracts: Contract;
  events: ContractEvent;
  invoices: Invoice;
  lines: InvoiceLine;
  payments: Payment;
  attempts: PaymentAttempt;
  returns: PaymentReturn;
  keys: MoneyKey;
}

export type TableName = keyof Tables;
