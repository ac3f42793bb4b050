/**
 * Mobile money and airtime over Africa's Talking: notices, questions before a payment, airtime
 * states. Amounts are written `KES 1000.0000`. (developers.africastalking.com, payments and
 * airtime notifications.)
 */

import { toInstant } from '../../../platform/instant.ts';
import { type Fields, field, textAt } from '../../../platform/json.ts';
import type { Money, MoneyReason, RawMessage, ReadContext, Refused } from '../../canonical.ts';
import { MISSING_FIELD, messageFields, type Provider } from '../../provider.ts';
import type { Verdict } from './mpesa/reasons.ts';
import { emptyMoney, readAmount, readPayer, receiptOf } from './reading.ts';

const STATUSES: ReadonlyMap<string, Money['outcome']> = new Map<string, Money['outcome']>([
  ['success', 'paid'],
  ['failed', 'failed'],
  ['rejected', 'failed'],
  ['cancelled', 'failed'],
  ['invalidrequest', 'failed'],
  ['notsupported', 'failed'],
  ['duplicaterequest', 'failed'],
  ['sent', 'pending'],
  ['queued', 'pending'],
  ['pendingconfirmation', 'pending'],
  ['pendingvalidation', 'pending'],
  ['pendingproviderconfirmation', 'pending'],
]);

/** Failures come with a sentence and no code. */
const DESCRIPTIONS: readonly (readonly [RegExp, MoneyReason])[] = [
  [/insufficient|not enough/i, 'insufficient_funds'],
  [/(?:wrong|invalid|incorrect) pin/i, 'wrong_pin'],
  [/duplicate/i, 'duplicate'],
  [/cancel|declin|rejected by (?:the )?(?:user|customer|subscriber)/i, 'payer_declined'],
  [/time[ds]?[ -]?out|expired|unreachable|no response/i, 'payer_timeout'],
  [/limit/i, 'payer_limit_reached'],
];

function readVerdict(status: string, description: string): Verdict {
  const outcome = STATUSES.get(status.toLowerCase()) ?? 'unknown';
  if (outcome !== 'failed') return { outcome, reason: null };
  const text = `${description} ${status}`;
  const reason = DESCRIPTIONS.find(([pattern]) => pattern.test(text))?.[1] ?? 'unknown';
  return { outcome, reason };
}

/**
 * A payment notice. The transaction id was handed to us when we asked for the payment; a payment
 * that the customer began (category MobileC2B) answers no request of ours.
 */
function readNotice(raw: RawMessage, context: ReadContext): Money | Refused {
  const fields = messageFields(raw);
  const transactionId = textAt(fields, 'transactionId');
  const txnId = receiptOf(field(fields, 'providerRefId')) ?? receiptOf(transactionId ?? undefined);
  const status = textAt(fields, 'status');
  if (txnId === null || status === null) return MISSING_FIELD;
  const begunByCustomer = textAt(fields, 'category')?.toLowerCase() === 'mobilec2b';
  return {
    ...emptyMoney('notice', 'unknown'),
    ...readVerdict(status, textAt(fields, 'description') ?? ''),
    txnId,
    requestId: begunByCustomer ? null : transactionId,
    ...readAmount(field(fields, 'value'), context, { requestIds: [transactionId] }),
    accountRef: textAt(fields, 'clientAccount'),
    ...payerOf(fields, context),
    occurredAt: toInstant(textAt(fields, 'transactionDate'), context.timeZone),
  };
}

/** The source pays; in a payout that is our own wallet. */
function payerOf(fields: Fields, context: ReadContext) {
  const sourceType = textAt(fields, 'sourceType')?.toLowerCase();
  const isPhone = sourceType === undefined || sourceType === 'phonenumber';
  return readPayer(isPhone ? field(fields, 'source') : undefined, context);
}

/** May this payment go through? There is no transaction yet. */
function readValidation(raw: RawMessage, context: ReadContext): Money | Refused {
  const fields = messageFields(raw);
  const accountRef = textAt(fields, 'clientAccount');
  const phone = textAt(fields, 'phoneNumber');
  if (phone === null && accountRef === null) return MISSING_FIELD;
  return {
    ...emptyMoney('validate', 'requested'),
    txnId: receiptOf(field(fields, 'transactionId')),
    ...readAmount(field(fields, 'value'), context, { currency: textAt(fields, 'currencyCode') }),
    accountRef,
    ...readPayer(phone ?? undefined, context),
    occurredAt: toInstant(textAt(fields, 'transactionDate'), context.timeZone),
  };
}

/** How an airtime order of ours ended; the phone is the receiver's. */
function readAirtimeNotice(raw: RawMessage, context: ReadContext): Money | Refused {
  const fields = messageFields(raw);
  const requestId = textAt(fields, 'requestId');
  const status = textAt(fields, 'status');
  if (requestId === null || status === null) return MISSING_FIELD;
  return {
    ...emptyMoney('notice', 'unknown'),
    ...readVerdict(status, textAt(fields, 'description') ?? ''),
    txnId: requestId.toUpperCase(),
    requestId,
    ...readAmount(field(fields, 'value'), context, { requestIds: [requestId] }),
  };
}

/** Did we order this airtime? */
function readAirtimeValidation(raw: RawMessage, context: ReadContext): Money | Refused {
  const fields = messageFields(raw);
  const requestId = textAt(fields, 'transactionId');
  if (requestId === null) return MISSING_FIELD;
  const currency = textAt(fields, 'currencyCode');
  return {
    ...emptyMoney('validate', 'requested'),
    txnId: requestId.toUpperCase(),
    requestId,
    ...readAmount(field(fields, 'amount'), context, { currency, requestIds: [requestId] }),
  };
}

export const africastalkingPayments: Provider = {
  name: 'africastalking',
  readers: {
    'money.notice': readNotice,
    'money.validate': readValidation,
    'airtime.notice': readAirtimeNotice,
    'airtime.validate': readAirtimeValidation,
  },
};
