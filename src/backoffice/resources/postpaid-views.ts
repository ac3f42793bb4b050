/** Postpaid accounts, contracts, invoices and payments as they are answered. */
import { z } from 'zod';
import { accountBalance, creditBalance, totalOwed } from '../../billing/postpaid/balances.ts';
import type { AccountLook, ContractLook } from '../../billing/postpaid/look.ts';
import { overdueState } from '../../billing/postpaid/overdue.ts';
import type { InvoiceLine } from '../../billing/postpaid/rows.ts';
import type {
  AccountView,
  DocumentView,
  LineView,
  PaymentView,
  readDocument,
  TaxView,
} from '../../billing/postpaid/views.ts';
import { type Day, formatDay } from '../../platform/day.ts';
import { currency, day, idText, money, moneyOf, siteCode } from '../api/fields.ts';

const dayOf = (value: Day | null): string | null => (value === null ? null : formatDay(value));

const contract = z
  .strictObject({
    id: idText,
    /** What it is called outside. */
    ref: z.string(),
    /** The base of its bundle; null: it is a base. */
    baseId: idText.nullable(),
    plan: z.string().nullable(),
    phase: z.string().nullable(),
    state: z.enum(['pending', 'active', 'blocked', 'cancelled', 'expired']),
    isBillingStopped: z.boolean(),
    quantity: z.int(),
    startsOn: day,
    /** The first day that is not charged yet. */
    chargedThrough: day,
    /** The first days without. */
    serviceEndsOn: day.nullable(),
    billingEndsOn: day.nullable(),
    billingDay: z.int().nullable(),
  })
  .meta({ id: 'Contract' });

const summary = {
  id: idText,
  subscriberId: idText,
  site: siteCode,
  currency,
  timeZone: z.string(),
  openedOn: day,
  billingDay: z.int().nullable(),
  autoPay: z.boolean(),
  autoInvoice: z.boolean(),
  hasPaymentMethod: z.boolean(),
  /** A run found more given back than charged: no invoices until a person has looked. */
  isParked: z.boolean(),
  /** Owed, or in credit where it is negative. */
  balance: money,
};

export const accountSummary = z.strictObject(summary).meta({ id: 'PostpaidAccountSummary' });

export const postpaidAccount = z
  .strictObject({
    ...summary,
    owed: money,
    credit: money,
    /** `clear`, or a state that the rules of the house name. */
    overdueState: z.string(),
    contracts: z.array(contract),
  })
  .meta({ id: 'PostpaidAccount' });

/** An account of a list. */
export const summaryView = (account: AccountView, site: string) => ({
  id: account.id.toString(),
  subscriberId: account.subscriberId.toString(),
  site,
  currency: account.currency,
  timeZone: account.timeZone,
  openedOn: formatDay(account.openedOn),
  billingDay: account.billingDay,
  autoPay: account.autoPay,
  autoInvoice: account.autoInvoice,
  hasPaymentMethod: account.hasPaymentMethod,
  isParked: account.isParked,
  balance: moneyOf(account.balance, account.currency),
});

/** An account with its contracts as they are today; all but its place comes from the look. */
export function accountView(account: AccountView, site: string, { book, contracts }: AccountLook) {
  const { billingDay, autoPay, autoInvoice, paymentMethod, parked } = book.account;
  const now = {
    ...{ billingDay, autoPay, autoInvoice, hasPaymentMethod: paymentMethod, isParked: parked },
    balance: accountBalance(book),
  };
  return {
    ...summaryView({ ...account, ...now }, site),
    owed: moneyOf(totalOwed(book), account.currency),
    credit: moneyOf(creditBalance(book), account.currency),
    overdueState: overdueState(book),
    contracts: contracts.map(contractView),
  };
}

const contractView = (look: ContractLook) => ({
  id: look.contract.id.toString(),
  ref: look.contract.ref,
  baseId: look.contract.baseId?.toString() ?? null,
  plan: look.planCode,
  phase: look.phase,
  state: look.state,
  isBillingStopped: look.isBillingStopped,
  quantity: look.quantity,
  startsOn: formatDay(look.contract.startsOn),
  chargedThrough: formatDay(look.chargedThrough),
  serviceEndsOn: dayOf(look.serviceEndsOn),
  billingEndsOn: dayOf(look.billingEndsOn),
  billingDay: look.billingDay,
});

const documentFields = {
  id: idText,
  accountId: idText,
  /** Legal number; null for drafts, imports and receipts of top-ups. */
  number: z.string().nullable(),
  kind: z.enum(['run', 'charge', 'import', 'credit']),
  status: z.enum(['draft', 'committed', 'void']),
  isWrittenOff: z.boolean(),
  issuedOn: day,
  dueOn: day.nullable(),
  total: money,
  /** Inside the total. */
  tax: money,
  paid: money,
  /** What is still to pay. */
  balance: money,
  creditNotes: z.array(z.string()),
};

export const invoiceSummary = z.strictObject(documentFields).meta({ id: 'InvoiceSummary' });

/** An invoice of a list. */
export const documentView = (one: DocumentView) => ({
  id: one.id.toString(),
  accountId: one.accountId.toString(),
  number: one.number,
  kind: one.kind,
  status: one.status,
  isWrittenOff: one.isWrittenOff,
  issuedOn: formatDay(one.issuedOn),
  dueOn: dayOf(one.dueOn),
  total: moneyOf(one.total, one.currency),
  tax: moneyOf(one.taxTotal, one.currency),
  paid: moneyOf(one.paid, one.currency),
  balance: moneyOf(one.balance, one.currency),
  creditNotes: one.creditNotes,
});

const charge = {
  type: z.enum(['fixed', 'recurring', 'repair', 'credit', 'item_adjustment', 'external_charge']),
  contractId: idText.nullable(),
  from: day,
  /** Exclusive; null: of no duration. */
  to: day.nullable(),
  amount: money,
  plan: z.string().nullable(),
  phase: z.string().nullable(),
  /** Of a whole period, all units. */
  price: money.nullable(),
  period: z.string().nullable(),
};

/** A line that an act would make; a contract that it would make has no id yet. */
export const previewLine = z.strictObject(charge).meta({ id: 'PreviewLine' });

type Charge = Pick<
  InvoiceLine,
  'type' | 'contractId' | 'from' | 'to' | 'amount' | 'planCode' | 'phase' | 'price' | 'period'
>;

export const chargeView = (line: Charge, asset: string) => ({
  type: line.type,
  contractId: line.contractId?.toString() ?? null,
  from: formatDay(line.from),
  to: dayOf(line.to),
  amount: moneyOf(line.amount, asset),
  plan: line.planCode,
  phase: line.phase,
  price: line.price === null ? null : moneyOf(line.price, asset),
  period: line.period,
});

const invoiceLine = z
  .strictObject({
    id: idText,
    ref: z.string().nullable(),
    addedOn: day,
    ...charge,
    tax: money,
    /** The charge that it lowers. */
    linkedLineId: idText.nullable(),
  })
  .meta({ id: 'InvoiceLine' });

const payment = z
  .strictObject({
    id: idText,
    kind: z.enum(['automatic', 'manual', 'external']),
    on: day,
    paid: money,
    /** Refunds and chargebacks, less chargebacks taken back. */
    returned: money,
    attempts: z.array(
      z.strictObject({
        on: day,
        asked: money,
        outcome: z.enum(['approved', 'declined', 'pending', 'unknown', 'down']),
        decidedOn: day.nullable(),
      }),
    ),
    nextAttemptOn: day.nullable(),
  })
  .meta({ id: 'InvoicePayment' });

export const invoice = z
  .strictObject({
    ...documentFields,
    lines: z.array(invoiceLine),
    taxes: z.array(
      z.strictObject({ code: z.string(), ratePpm: z.string(), base: money, amount: money }),
    ),
    payments: z.array(payment),
  })
  .meta({ id: 'Invoice' });

type WholeDocument = NonNullable<Awaited<ReturnType<typeof readDocument>>>;

/** An invoice with all that stands on it. */
export const invoiceView = (one: WholeDocument, { nextTries }: Pick<AccountLook, 'nextTries'>) => ({
  ...documentView(one),
  lines: one.lines.map((line) => lineView(line, one.currency)),
  taxes: one.taxes.map((tax) => taxView(tax, one.currency)),
  payments: one.payments.map((paid) => ({
    ...paymentView(paid, one.currency),
    nextAttemptOn: dayOf(nextTries.get(paid.id) ?? null),
  })),
});

const lineView = (line: LineView, asset: string) => ({
  id: line.id.toString(),
  ref: line.ref,
  addedOn: formatDay(line.on),
  ...chargeView(line, asset),
  tax: moneyOf(line.tax, asset),
  linkedLineId: line.linkedLineId?.toString() ?? null,
});

const taxView = ({ code, ppm, base, amount }: TaxView, asset: string) => ({
  code,
  ratePpm: ppm.toString(),
  base: moneyOf(base, asset),
  amount: moneyOf(amount, asset),
});

const paymentView = (paid: PaymentView, asset: string) => ({
  id: paid.id.toString(),
  kind: paid.kind,
  on: formatDay(paid.on),
  paid: moneyOf(paid.paid, asset),
  returned: moneyOf(paid.returned, asset),
  attempts: paid.attempts.map(({ on, asked, outcome, decidedOn }) => ({
    on: formatDay(on),
    asked: moneyOf(asked, asset),
    outcome,
    decidedOn: dayOf(decidedOn),
  })),
});
