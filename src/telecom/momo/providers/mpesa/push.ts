/**
 * M-PESA Express (STK push): the callback after the customer was asked, and the answer of the
 * query for it. (Safaricom Daraja, MpesaExpressSimulate and MpesaExpressQuery pages.)
 */

import { toInstant } from '../../../../platform/instant.ts';
import {
  type Fields,
  field,
  fieldsAt,
  fieldsOf,
  type Json,
  listAt,
  textAt,
  textOf,
} from '../../../../platform/json.ts';
import type { Money, ReadContext, Refused } from '../../../canonical.ts';
import { MISSING_FIELD } from '../../../provider.ts';
import { emptyMoney, readAmount, readPayer, receiptOf } from '../reading.ts';
import { isZero, pushVerdict, resultCode } from './reasons.ts';

/** The callback's own object, whether or not it is wrapped in `Body`; null in other messages. */
export function pushCallbackOf(fields: Fields): Fields | null {
  const body = field(fields, 'Body') === undefined ? fields : fieldsAt(fields, 'Body');
  return field(body, 'stkCallback') === undefined ? null : fieldsAt(body, 'stkCallback');
}

/** A payment or a failure; a failure carries no metadata, so its amount is our order's. */
export function readPushCallback(callback: Fields, context: ReadContext): Money | Refused {
  const requestId = textAt(callback, 'CheckoutRequestID');
  const code = resultCode(field(callback, 'ResultCode'));
  if (requestId === null || code === null) return MISSING_FIELD;
  const items = namedValues(listAt(fieldsAt(callback, 'CallbackMetadata'), 'Item'));
  const requestIds = [requestId, textAt(callback, 'MerchantRequestID')];
  return {
    ...emptyMoney('notice', 'failed'),
    ...pushVerdict(code),
    txnId: receiptOf(items.get('mpesareceiptnumber')),
    requestId,
    ...readAmount(items.get('amount'), context, { requestIds }),
    ...readPayer(items.get('phonenumber'), context),
    occurredAt: toInstant(textOf(items.get('transactiondate')), context.timeZone),
  };
}

/**
 * Values by name out of a list of `{Name, Value}` or `{Key, Value}`, the first of each name that
 * has a value; names without blanks, in lower case.
 */
export function namedValues(list: readonly Json[]): ReadonlyMap<string, Json> {
  const values = new Map<string, Json>();
  for (const item of list) {
    const entry = fieldsOf(item);
    const name = textAt(entry, 'Name') ?? textAt(entry, 'Key');
    const value = field(entry, 'Value');
    if (name === null || value === undefined || value === null) continue;
    const key = name.replace(/\s/g, '').toLowerCase();
    if (!values.has(key)) values.set(key, value);
  }
  return values;
}

/** The prompt is still on the phone; the same code also covers other troubles. */
const STILL_PROCESSING = /process/i;

/**
 * The answer of a query for a push. An error answer tells about the query and not about the
 * payment: still pending, or unknown.
 */
export function readPushQuery(fields: Fields, context: ReadContext): Money | Refused {
  const requestId = textAt(fields, 'CheckoutRequestID');
  const code = resultCode(field(fields, 'ResultCode'));
  const responseCode = resultCode(field(fields, 'ResponseCode'));
  if (requestId === null && textAt(fields, 'errorCode') === null) return MISSING_FIELD;
  const requestIds = [requestId, textAt(fields, 'MerchantRequestID')];
  const money: Money = {
    ...emptyMoney('status', 'unknown'),
    requestId,
    txnId: receiptOf(field(fields, 'MpesaReceiptNumber')),
    ...readAmount(field(fields, 'Amount'), context, { requestIds }),
  };
  if (code !== null && (responseCode === null || isZero(responseCode))) {
    return { ...money, ...pushVerdict(code) };
  }
  const message = textAt(fields, 'errorMessage') ?? textAt(fields, 'ResponseDescription') ?? '';
  return { ...money, outcome: STILL_PROCESSING.test(message) ? 'pending' : 'unknown' };
}
