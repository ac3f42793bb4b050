/**
 * Result codes of M-PESA in our words. The same number means different things to a payer and to
 * us as initiator, so there is a table for each. (Safaricom Daraja: MpesaExpress, B2C, Reversal.)
 */

import { type Json, textOf } from '../../../../platform/json.ts';
import type { Money, MoneyReason } from '../../../canonical.ts';

/** The customer was asked to pay: push prompts and standing orders. */
const PUSH: Readonly<Record<string, MoneyReason>> = {
  '1': 'insufficient_funds',
  '2': 'amount_mismatch',
  '3': 'payer_limit_reached',
  '4': 'payer_limit_reached',
  // The receiver, that is our till, may hold no more.
  '8': 'invalid_payee',
  '11': 'payer_account_blocked',
  // Same customer and amount within two minutes.
  '17': 'duplicate',
  '26': 'provider_unavailable',
  // Another session of the subscriber is open.
  '1001': 'provider_unavailable',
  '1019': 'payer_timeout',
  '1025': 'provider_error',
  '1031': 'payer_declined',
  '1032': 'payer_declined',
  '1036': 'payer_timeout',
  '1037': 'payer_timeout',
  '1050': 'duplicate',
  '2001': 'wrong_pin',
  '2028': 'invalid_payee',
  '8006': 'payer_account_blocked',
  '9999': 'provider_error',
  SFC_IC0003: 'invalid_payee',
};

/** We pay out, query or reverse: the initiator is our own operator, the payer our own account. */
const INITIATED: Readonly<Record<string, MoneyReason>> = {
  '1': 'insufficient_funds',
  '2': 'amount_mismatch',
  '3': 'payer_limit_reached',
  '4': 'payer_limit_reached',
  '8': 'invalid_payee',
  '11': 'payer_account_blocked',
  '17': 'duplicate',
  '21': 'provider_error',
  '26': 'provider_unavailable',
  '2001': 'provider_error',
  '2006': 'payer_account_blocked',
  '2028': 'provider_error',
  '2040': 'invalid_payee',
  '8006': 'payer_account_blocked',
  R000001: 'duplicate',
  SFC_IC0003: 'invalid_payee',
};

/** Not an end: the prompt is still on the customer's phone. */
const PENDING_CODES = new Set(['4999']);

export type Verdict = Pick<Money, 'outcome' | 'reason'>;

/** A result code, which comes as number or string; null when there is none. */
export function resultCode(value: Json | undefined): string | null {
  return textOf(value)?.toUpperCase() ?? null;
}

/** Outcome of a prompt on the customer's phone. */
export function pushVerdict(code: string): Verdict {
  if (isZero(code)) return { outcome: 'paid', reason: null };
  if (PENDING_CODES.has(code)) return { outcome: 'pending', reason: null };
  return { outcome: 'failed', reason: reasonIn(PUSH, code) };
}

/** Outcome of a payout or reversal of ours; `done` is what success is called. */
export function initiatedVerdict(code: string, done: 'paid' | 'reversed'): Verdict {
  if (isZero(code)) return { outcome: done, reason: null };
  return { outcome: 'failed', reason: reasonIn(INITIATED, code) };
}

/** Whether a code says success: `0`, in whatever length. */
export function isZero(code: string): boolean {
  return /^0+$/.test(code);
}

function reasonIn(table: Readonly<Record<string, MoneyReason>>, code: string): MoneyReason {
  return Object.hasOwn(table, code) ? (table[code] ?? 'unknown') : 'unknown';
}
