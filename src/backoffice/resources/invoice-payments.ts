/** Money for invoices: payments, refunds, chargebacks, and credit of the account. */

import { z } from 'zod';
import { settledOf } from '../../billing/postpaid/payments.ts';
import { id, moneyIn, reason, text } from '../api/fields.ts';
import { invalidField, problem } from '../api/problems.ts';
import type { Route } from '../api/route.ts';
import type { Desk } from './desk.ts';
import {
  accountActRoute,
  minorOr,
  type OpenAccount,
  optionalMoney,
  SECOND,
} from './postpaid-act.ts';
import { minorAt } from './wallet-acts.ts';

const ofAccount = z.strictObject({ accountId: id });
const ofInvoice = z.strictObject({ accountId: id, invoiceId: id });
const ofPayment = z.strictObject({ accountId: id, invoicePaymentId: id });
const tag = 'Invoice payments';
const kes = (amount: string) => ({ amount, currency: 'KES' });
/** How money came that no provider told us of. */
const means = z.enum(['cash', 'cheque', 'transfer']);
const ADJUSTMENTS_MAX = 100;

/** The routes of invoice payments and of credit. */
export const invoicePaymentRoutes = (desk: Desk): Route[] => [
  ...payRoutes(desk),
  ...returnRoutes(desk),
  ...creditRoutes(desk),
];

const payRoutes = (desk: Desk): Route[] => [
  accountActRoute(desk, {
    ...{ path: 'invoices/{invoiceId}/gateway-payments', tag, params: ofInvoice },
    access: 'invoice.pay',
    summary: 'Have an invoice paid through the gateway, whole if no amount is said',
    ...{ body: z.strictObject({ amount: optionalMoney }), example: { amount: kes('50.00') } },
    problems: ['invoice_not_open', 'more_than_open', 'payment_pending', 'wrong_currency'],
    wish({ amount: said }, at) {
      const amount = minorOr(at, said, 'balance');
      if (typeof amount === 'object') return amount;
      return { action: { act: 'pay_invoice', invoiceId: at.params.invoiceId, amount } };
    },
  }),
  accountActRoute(desk, {
    ...{ path: 'invoices/{invoiceId}/external-payments', tag, params: ofInvoice },
    access: 'invoice.record_payment',
    summary: 'Record money that was handed over or came to the bank',
    body: z.strictObject({ amount: optionalMoney, means, reference: text(80).optional() }),
    example: { amount: kes('50.00'), means: 'transfer', reference: 'FT26327XQ' },
    problems: ['invoice_not_open', 'more_than_open', 'wrong_currency'],
    wish({ amount: said }, at) {
      const amount = minorOr(at, said, 'balance');
      if (typeof amount === 'object') return amount;
      return { action: { act: 'external_payment', invoiceId: at.params.invoiceId, amount } };
    },
  }),
];

const returnRoutes = (desk: Desk): Route[] => [
  refundRoute(desk),
  accountActRoute(desk, {
    ...{ path: 'payments/{invoicePaymentId}/chargebacks', tag, params: ofPayment },
    access: 'invoice.refund',
    summary: 'The payer’s bank took money back: the invoice is owed again',
    body: z.strictObject({ amount: moneyIn, reason }),
    example: { amount: kes('50.00'), reason: 'the bank says so' },
    problems: ['amount_too_large', 'wrong_currency'],
    wish({ amount: said }, at) {
      const paymentId = at.params.invoicePaymentId;
      const payment = at.look.book.rows.payments.find((row) => row.id === paymentId);
      if (!payment) return problem('not_found');
      const { currency } = settledOf(at.look.book, payment);
      const amount = minorAt({ currency }, said);
      if (typeof amount !== 'bigint') return amount;
      return { action: { act: 'chargeback', paymentId, amount } };
    },
  }),
  accountActRoute(desk, {
    ...{ path: 'payments/{invoicePaymentId}/chargeback-reversals', tag, params: ofPayment },
    access: 'invoice.refund',
    summary: 'The last chargeback of a payment was taken back',
    ...{ body: z.strictObject({ reason }), example: { reason: 'the bank was wrong' } },
    problems: ['amount_too_large'],
    wish: (_said, { params: { invoicePaymentId } }) => ({
      action: { act: 'chargeback_reversed', paymentId: invoicePaymentId },
    }),
  }),
];

const adjustments = z
  .array(z.strictObject({ lineId: id, amount: optionalMoney }))
  .max(ADJUSTMENTS_MAX)
  .default([]);

const refundRoute = (desk: Desk): Route =>
  accountActRoute(desk, {
    ...{ path: 'payments/{invoicePaymentId}/refunds', tag, params: ofPayment, maybeAsked: true },
    access: 'invoice.refund',
    summary: 'Pay money back; without adjustments the invoice is owed again; two above the limit',
    body: z.strictObject({ amount: moneyIn, adjustments, reason }),
    example: { amount: kes('20.00'), reason: 'two rooms were closed' },
    problems: ['amount_too_large', 'line_not_adjustable', 'too_many_repairs', 'wrong_currency'],
    wish({ amount: said, adjustments: wanted }, at) {
      const paymentId = at.params.invoicePaymentId;
      const amount = minorAt(at.account, said);
      if (typeof amount !== 'bigint') return amount;
      const lines = adjustmentsOf(at, wanted);
      if (!lines) return invalidField('adjustments', 'wrong_amount', 'An amount cannot be taken');
      return {
        action: { act: 'refund', paymentId, amount, adjustments: lines },
        second: { act: SECOND.refund, subject: `Refund of payment ${paymentId}` },
      };
    },
  });

/** Null: an amount is wrong. */
function adjustmentsOf(at: OpenAccount, wanted: z.output<typeof adjustments>) {
  const lines: { lineId: bigint; amount: bigint | 'remaining' }[] = [];
  for (const { lineId, amount: said } of wanted) {
    const amount = minorOr(at, said, 'remaining');
    if (typeof amount === 'object') return null;
    lines.push({ lineId, amount });
  }
  return lines;
}

const creditRoutes = (desk: Desk): Route[] => [
  accountActRoute(desk, {
    ...{ path: 'top-ups', tag, params: ofAccount, access: 'invoice.record_payment' },
    summary: 'Record money for the account that is for no invoice: it becomes credit',
    body: z.strictObject({ amount: moneyIn, means, reference: text(80).optional() }),
    ...{ example: { amount: kes('50.00'), means: 'cash' }, problems: ['wrong_currency'] },
    wish({ amount: said }, at) {
      const amount = minorAt(at.account, said);
      if (typeof amount !== 'bigint') return amount;
      return { action: { act: 'top_up', amount, key: at.receipt } };
    },
  }),
  accountActRoute(desk, {
    ...{ path: 'credits', tag, params: ofAccount, access: 'credit.grant', maybeAsked: true },
    summary: 'Grant credit, which pays what is open first; above the limit two decide',
    body: z.strictObject({ amount: moneyIn, reason }),
    example: { amount: kes('50.00'), reason: 'sorry for the long wait' },
    problems: ['wrong_currency'],
    wish({ amount: said }, at) {
      const amount = minorAt(at.account, said);
      if (typeof amount !== 'bigint') return amount;
      const second = { act: SECOND.credit, subject: `Credit for account ${at.account.id}` };
      return { action: { act: 'grant_credit', amount }, second };
    },
  }),
  accountActRoute(desk, {
    ...{ path: 'invoices/{invoiceId}/credit-removals', tag, params: ofInvoice },
    access: 'invoice.adjust',
    summary: 'Take granted credit away; invoices that used it are open again',
    ...{ body: z.strictObject({ reason }), example: { reason: 'granted by mistake' } },
    problems: ['credit_not_granted'],
    wish: (_said, { params: { invoiceId } }) => ({ action: { act: 'delete_credit', invoiceId } }),
  }),
];
