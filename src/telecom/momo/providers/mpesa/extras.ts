/**
 * The lesser senders of M-PESA: Bill Manager, Ratiba standing orders, and the answer of the pull
 * interface for payments whose notice was lost. (Safaricom Daraja, BillManager, MpesaRatiba and
 * PullTransaction pages.)
 */

import { toInstant } from '../../../../platform/instant.ts';
import {
  type Fields,
  field,
  fieldsAt,
  fieldsOf,
  type Json,
  listAt,
  parseJson,
  textAt,
  textOf,
} from '../../../../platform/json.ts';
import type { Canonical, Money, ReadContext, Refused } from '../../../canonical.ts';
import { MISSING_FIELD } from '../../../provider.ts';
import { emptyMoney, moneyList, readAmount, readPayer, receiptOf } from '../reading.ts';
import { namedValues } from './push.ts';
import { pushVerdict, resultCode } from './reasons.ts';

/** Whether the message is a payment pushed by Bill Manager. */
export function isBillManager(fields: Fields): boolean {
  return field(fields, 'paidAmount') !== undefined && field(fields, 'TransID') === undefined;
}

/** A payment pushed by Bill Manager, whose published sample writes its amount as `{50}`. */
export function readBillManager(fields: Fields, context: ReadContext): Money | Refused {
  const txnId = receiptOf(field(fields, 'transactionId'));
  if (txnId === null) return MISSING_FIELD;
  return {
    ...emptyMoney('notice', 'paid'),
    txnId,
    ...readAmount(field(fields, 'paidAmount'), context),
    accountRef: textAt(fields, 'accountReference'),
    ...readPayer(field(fields, 'msisdn'), context),
    occurredAt: toInstant(textAt(fields, 'dateCreated'), context.timeZone),
  };
}

/** Whether the message is about a standing order. */
export function isStandingOrder(fields: Fields): boolean {
  return field(fields, 'responseHeader') !== undefined;
}

/**
 * The customer's answer to a standing order. It grants payments to come and moves no money
 * itself, so an accepted one is pending; each payment arrives as a notice of its own.
 */
export function readStandingOrder(fields: Fields, context: ReadContext): Money | Refused {
  const header = fieldsAt(fields, 'responseHeader');
  const data = namedValues(listAt(fieldsAt(fields, 'responseBody'), 'responseData'));
  const responseId = textAt(header, 'responseRefID');
  const requestId = textAt(header, 'requestRefID') ?? responseId;
  const code = resultCode(
    data.get('responsecode') ?? data.get('resultcode') ?? field(header, 'responseCode'),
  );
  if (requestId === null || code === null) return MISSING_FIELD;
  const verdict = pushVerdict(code);
  return {
    ...emptyMoney('notice', verdict.outcome === 'paid' ? 'pending' : verdict.outcome),
    reason: verdict.reason,
    txnId: receiptOf(data.get('transactionid')),
    requestId,
    ...readAmount(data.get('amount'), context, { requestIds: [requestId, responseId] }),
    ...readPayer(data.get('msisdn'), context),
  };
}

/** Whether the message is the answer of the pull interface. */
export function isPullAnswer(fields: Fields): boolean {
  return field(fields, 'Response') !== undefined || field(fields, 'ResponseRefID') !== undefined;
}

/** Payments of the last two days; the rows stand in a list of lists, or in a string of it. */
export function readPullAnswer(fields: Fields, context: ReadContext): Canonical {
  const code = resultCode(field(fields, 'ResponseCode'));
  const rows = pullRows(field(fields, 'Response'));
  if (rows.length === 0 && code === null) return MISSING_FIELD;
  return moneyList(rows.map((row) => readPullRow(fieldsOf(row), context)));
}

function pullRows(response: Json | undefined): Json[] {
  const text = typeof response === 'string' ? parseJson(response) : null;
  const value = text === null ? response : text.ok ? text.value : undefined;
  if (Array.isArray(value)) return value.flat();
  return value === undefined || value === null ? [] : [value];
}

/** Times are UTC with `Z` here, unlike in the notices. */
function readPullRow(row: Fields, context: ReadContext): Money | Refused {
  const txnId = receiptOf(field(row, 'transactionId'));
  if (txnId === null) return MISSING_FIELD;
  return {
    ...emptyMoney('status', 'paid'),
    txnId,
    ...readAmount(field(row, 'amount'), context),
    accountRef: textAt(row, 'billreference'),
    ...readPayer(field(row, 'msisdn'), context),
    occurredAt: toInstant(textOf(field(row, 'trxDate')), context.timeZone),
  };
}
