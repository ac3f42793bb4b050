/**
 * M-PESA of Safaricom (Daraja): customer payments (C2B), push prompts (STK), payouts, reversals,
 * status answers and statements. One kind of message may have several forms; they are told apart
 * by what they carry. (developer.safaricom.co.ke, CustomerToBusiness and the pages named in the
 * files of the folder.)
 */

import { toInstant } from '../../../platform/instant.ts';
import { type Fields, field, fieldsOf, type Json, textAt } from '../../../platform/json.ts';
import type { Canonical, Money, RawMessage, ReadContext, Refused } from '../../canonical.ts';
import { MISSING_FIELD, messageFields, messageJson, type Provider } from '../../provider.ts';
import {
  isBillManager,
  isPullAnswer,
  isStandingOrder,
  readBillManager,
  readPullAnswer,
  readStandingOrder,
} from './mpesa/extras.ts';
import { pushCallbackOf, readPushCallback, readPushQuery } from './mpesa/push.ts';
import { isResult, readPayout, readReversal, readTransactionStatus } from './mpesa/results.ts';
import { readStatement } from './mpesa/statement.ts';
import { emptyMoney, moneyList, readAmount, readPayer, receiptOf } from './reading.ts';

/**
 * A customer's payment: asked about (`validate`) or done (`notice`). The fields are those of the
 * JSON form and of the older SOAP form alike; times are local, the payer may be masked or hashed.
 */
export function readC2b(
  fields: Fields,
  context: ReadContext,
  style: 'notice' | 'validate' | 'lookup',
): Money | Refused {
  const txnId = receiptOf(field(fields, 'TransID'));
  if (txnId === null) return MISSING_FIELD;
  return {
    ...emptyMoney(style, style === 'notice' ? 'paid' : 'requested'),
    txnId,
    ...readAmount(field(fields, 'TransAmount'), context),
    accountRef: textAt(fields, 'BillRefNumber'),
    ...readPayer(field(fields, 'MSISDN'), context),
    occurredAt: toInstant(textAt(fields, 'TransTime'), context.timeZone),
  };
}

function readNotice(fields: Fields, context: ReadContext): Money | Refused {
  const callback = pushCallbackOf(fields);
  if (callback !== null) return readPushCallback(callback, context);
  if (isStandingOrder(fields)) return readStandingOrder(fields, context);
  if (isBillManager(fields)) return readBillManager(fields, context);
  return readC2b(fields, context, 'notice');
}

function readStatus(fields: Fields, context: ReadContext): Canonical {
  if (isResult(fields)) return readTransactionStatus(fields, context);
  const callback = pushCallbackOf(fields);
  if (callback !== null) {
    const money = readPushCallback(callback, context);
    return 'refused' in money ? money : { ...money, style: 'status' };
  }
  return isPullAnswer(fields) ? readPullAnswer(fields, context) : readPushQuery(fields, context);
}

/** Most bodies are one object; a list of them is read one by one. */
function eachPayment(read: (fields: Fields, context: ReadContext) => Money | Refused) {
  return (raw: RawMessage, context: ReadContext): Canonical => {
    if (!/^\s*["[]/.test(raw.body)) return read(messageFields(raw), context);
    const json = messageJson(raw);
    const items: Json[] = Array.isArray(json) ? json : json === undefined ? [] : [json];
    if (items.length === 0) return MISSING_FIELD;
    return moneyList(items.map((item) => read(fieldsOf(item), context)));
  };
}

export const mpesa: Provider = {
  name: 'mpesa',
  readers: {
    'money.notice': eachPayment(readNotice),
    'money.validate': eachPayment((fields, context) => readC2b(fields, context, 'validate')),
    'money.status': (raw, context) => readStatus(messageFields(raw), context),
    'money.payout': (raw, context) => readPayout(messageFields(raw), context),
    'money.reversal': (raw, context) => readReversal(messageFields(raw), context),
    'money.statement': (raw, context) => readStatement(raw.body, context),
  },
};
