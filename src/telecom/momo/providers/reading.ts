/** What all readers of mobile-money messages share: amounts, receipts, payers, lists. */

import { type Json, lexemeOf, textOf } from '../../../platform/json.ts';
import { type AmountOptions, parseCurrencyAmount } from '../../../platform/money/amount.ts';
import { isSha256Hex, toE164 } from '../../../platform/phone.ts';
import type { Money, MoneyList, ReadContext, Refused } from '../../canonical.ts';
import { isRefused, MISSING_FIELD } from '../../provider.ts';

/** A money message of which nothing but style and outcome is known. */
export function emptyMoney(style: Money['style'], outcome: Money['outcome']): Money {
  return {
    type: 'money',
    style,
    txnId: null,
    requestId: null,
    outcome,
    amountMinor: null,
    currency: null,
    quarantine: false,
    accountRef: null,
    payerMsisdn: null,
    payerHash: null,
    occurredAt: null,
    reason: null,
  };
}

export type Amount = Pick<Money, 'amountMinor' | 'currency' | 'quarantine'>;

export interface AmountNames {
  /** Currency named by the message; a currency word before the number counts before it. */
  currency?: string | null;
  /** Ids of our request in the message: our order counts only when it is about this request. */
  requestIds?: readonly (string | null)[];
}

/**
 * The amount of a message in minor units. A message without one takes it from our order; an
 * amount that is not a plain one is quarantined, with the currency told all the same.
 */
export function readAmount(
  value: Json | undefined,
  context: ReadContext,
  names: AmountNames = {},
): Amount {
  const currency = names.currency?.toUpperCase() ?? context.currency;
  if (value === undefined || value === null) return orderAmount(context, currency, names);
  const text = typeof value === 'string' ? value.trim() : lexemeOf(value);
  if (text === '') return orderAmount(context, currency, names);
  if (text === null) return { amountMinor: null, currency, quarantine: true };
  const options: AmountOptions =
    context.minorUnitFactor === undefined ? {} : { minorUnitFactor: context.minorUnitFactor };
  const amount = parseCurrencyAmount(text, currency, options);
  return amount.ok
    ? { amountMinor: amount.minor.toString(), currency: amount.currency, quarantine: false }
    : { amountMinor: null, currency: amount.currency, quarantine: true };
}

function orderAmount(context: ReadContext, currency: string, names: AmountNames): Amount {
  const order = context.order;
  const amountMinor = order?.amountMinor;
  if (amountMinor === undefined || !aboutOrder(order?.requestId, names.requestIds ?? [])) {
    return { amountMinor: null, currency, quarantine: false };
  }
  return { amountMinor, currency: order?.currency ?? currency, quarantine: false };
}

function aboutOrder(ours: string | undefined, theirs: readonly (string | null)[]): boolean {
  const named = theirs.filter((id) => id !== null);
  return ours === undefined || named.length === 0 || named.includes(ours);
}

/** What stands for no receipt: zeros, or words of serializers and of Africa's Talking. */
const NO_RECEIPT = /^(?:0+|n\/?a|none|null)$/i;

/** A receipt in upper case; null when it is absent or a placeholder. */
export function receiptOf(value: Json | undefined): string | null {
  const text = textOf(value);
  return text === null || NO_RECEIPT.test(text) ? null : text.toUpperCase();
}

/** The payer as a number or as a hash of one, when the message has either whole. */
export function readPayer(
  value: Json | undefined,
  context: ReadContext,
): Pick<Money, 'payerMsisdn' | 'payerHash'> {
  const text = textOf(value);
  if (text !== null && isSha256Hex(text)) {
    return { payerMsisdn: null, payerHash: text.toLowerCase() };
  }
  return { payerMsisdn: toE164(text, context.country), payerHash: null };
}

/** Several payments of one body in its order; a single one stands alone. */
export function moneyList(items: readonly (Money | Refused)[]): Money | MoneyList | Refused {
  const payments = items.filter((item): item is Money => !isRefused(item));
  const [only] = payments;
  if (payments.length === 1 && only !== undefined) return only;
  if (payments.length === 0 && items.length > 0) return MISSING_FIELD;
  return { type: 'money', payments };
}
