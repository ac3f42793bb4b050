/**
 * Answers that M-PESA sends later to a result address, all in one envelope: payouts (B2C),
 * reversals, transaction status. (Safaricom Daraja, BusinessToCustomer, Reversal and
 * TransactionStatus pages.)
 */

import { toInstant } from '../../../../platform/instant.ts';
import {
  type Fields,
  field,
  fieldsAt,
  type Json,
  listAt,
  textAt,
  textOf,
} from '../../../../platform/json.ts';
import { toE164 } from '../../../../platform/phone.ts';
import type { Money, ReadContext, Refused } from '../../../canonical.ts';
import { MISSING_FIELD } from '../../../provider.ts';
import { emptyMoney, readAmount, receiptOf } from '../reading.ts';
import { namedValues } from './push.ts';
import { initiatedVerdict, isZero, resultCode, type Verdict } from './reasons.ts';

interface Result {
  code: string;
  requestId: string | null;
  transactionId: string | null;
  list: Json[];
  values: ReadonlyMap<string, Json>;
}

/** Whether the message is such an envelope. */
export function isResult(fields: Fields): boolean {
  return field(fields, 'Result') !== undefined;
}

function openResult(fields: Fields): Result | null {
  const result = fieldsAt(fields, 'Result');
  const code = resultCode(field(result, 'ResultCode'));
  const requestId = textAt(result, 'OriginatorConversationID');
  const transactionId = receiptOf(field(result, 'TransactionID'));
  if (code === null || (requestId === null && transactionId === null)) return null;
  const list = listAt(fieldsAt(result, 'ResultParameters'), 'ResultParameter');
  return { code, requestId, transactionId, list, values: namedValues(list) };
}

function baseMoney(result: Result, context: ReadContext, amountKeys: readonly string[]): Money {
  const amount = firstOf(result.values, amountKeys);
  const currency = textOf(result.values.get('currency'));
  return {
    ...emptyMoney('status', 'unknown'),
    requestId: result.requestId,
    txnId: result.transactionId,
    ...readAmount(amount, context, { currency, requestIds: [result.requestId] }),
  };
}

function firstOf(values: ReadonlyMap<string, Json>, keys: readonly string[]): Json | undefined {
  for (const key of keys) {
    const value = values.get(key);
    if (value !== undefined) return value;
  }
  return undefined;
}

const COMPLETED_KEYS = [
  'transactioncompleteddatetime',
  'transcompletedtime',
  'finalisedtime',
  'finalizedtime',
  'initiatedtime',
];

function completedAt(result: Result, context: ReadContext): string | null {
  return toInstant(textOf(firstOf(result.values, COMPLETED_KEYS)), context.timeZone);
}

/** A payout (B2C) that was made or not; its receiver is no payer. */
export function readPayout(fields: Fields, context: ReadContext): Money | Refused {
  const result = openResult(fields);
  if (result === null) return MISSING_FIELD;
  const money = baseMoney(result, context, ['transactionamount', 'amount']);
  return {
    ...money,
    style: 'payout',
    ...initiatedVerdict(result.code, 'paid'),
    txnId: receiptOf(result.values.get('transactionreceipt')) ?? money.txnId,
    occurredAt: completedAt(result, context),
  };
}

/** A reversal of ours under its own receipt; the original's stands in `OriginalTransactionID`. */
export function readReversal(fields: Fields, context: ReadContext): Money | Refused {
  const result = openResult(fields);
  if (result === null) return MISSING_FIELD;
  return {
    ...baseMoney(result, context, ['amount', 'transactionamount']),
    style: 'reversal',
    ...initiatedVerdict(result.code, 'reversed'),
    occurredAt: completedAt(result, context),
  };
}

const STATUSES: Readonly<Record<string, Verdict>> = {
  completed: { outcome: 'paid', reason: null },
  failed: { outcome: 'failed', reason: 'unknown' },
  declined: { outcome: 'failed', reason: 'unknown' },
  cancelled: { outcome: 'failed', reason: 'unknown' },
  expired: { outcome: 'failed', reason: 'payer_timeout' },
  reversed: { outcome: 'reversed', reason: null },
  pending: { outcome: 'pending', reason: null },
  initiated: { outcome: 'pending', reason: null },
  submitted: { outcome: 'pending', reason: null },
  authorized: { outcome: 'pending', reason: null },
  authorised: { outcome: 'pending', reason: null },
};

/**
 * The state of a transaction we asked about. A query that fails says nothing of the transaction.
 * The list repeats `DebitPartyName` and has keys without value; the payer is the first party in
 * it that is a telephone.
 */
export function readTransactionStatus(fields: Fields, context: ReadContext): Money | Refused {
  const result = openResult(fields);
  if (result === null) return MISSING_FIELD;
  const money: Money = {
    ...baseMoney(result, context, ['amount', 'transactionamount']),
    txnId: receiptOf(result.values.get('receiptno')) ?? result.transactionId,
    payerMsisdn: debitPartyPhone(result.list, context),
    occurredAt: completedAt(result, context),
  };
  if (!isZero(result.code)) return money;
  const status = textOf(result.values.get('transactionstatus'))?.toLowerCase() ?? '';
  return { ...money, ...(Object.hasOwn(STATUSES, status) ? STATUSES[status] : {}) };
}

function debitPartyPhone(list: readonly Json[], context: ReadContext): string | null {
  for (const item of list) {
    const values = namedValues([item]);
    const party = textOf(values.get('debitpartyname') ?? values.get('debitpartypublicname'));
    const phone = toE164(partyNumber(party), context.country);
    if (phone !== null) return phone;
  }
  return null;
}

/** The number before the name in `254708374149 - JOHN DOE`. */
export function partyNumber(party: string | null): string | null {
  return party === null ? null : (/^\s*(\+?\d+)\s*(?:-|–|$)/.exec(party)?.[1] ?? null);
}
