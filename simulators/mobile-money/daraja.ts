/**
 * The words of Safaricom Daraja: bodies, error objects, times and codes, as pure functions.
 * Sources: the portal pages Authorization, CustomerToBusiness, RegisterURL, MpesaExpressSimulate,
 * MpesaExpressQuery and PullTransaction on developer.safaricom.co.ke.
 */

import { createHash } from 'node:crypto';
import type { BookEntry, Push } from './books.ts';

const EAST_AFRICA_OFFSET_MS = 3 * 3_600_000;
const RECEIPT_FIRST_YEAR = 2006;
const RECEIPT_SERIAL_DIGITS = 7;
export const RECEIPT_SERIALS = 36 ** RECEIPT_SERIAL_DIGITS;

export const ACCOUNT_REFERENCE_CHARS_MAX = 12;
export const TRANSACTION_DESC_CHARS_MAX = 13;
export const PUSH_AMOUNT_SHILLINGS_MAX = 250_000n;

/** Result codes of a push, with the sentence Daraja sends (MpesaExpressQuery page). */
export const RESULTS = {
  paid: { code: 0, desc: 'The service request is processed successfully.' },
  insufficient: { code: 1, desc: 'The balance is insufficient for the transaction.' },
  aboveMaximum: { code: 3, desc: 'Declined due to limit rule: greater than the maximum amount.' },
  cancelled: { code: 1032, desc: 'Request cancelled by user' },
  noAnswer: { code: 1037, desc: 'DS timeout user cannot be reached' },
  wrongPin: { code: 2001, desc: 'The initiator information is invalid.' },
} as const;

export type Result = (typeof RESULTS)[keyof typeof RESULTS];

/** How a confirmation names the payer: hashed today, plain or masked in older set-ups. */
export type MsisdnForm = 'hashed' | 'plain' | 'masked';

/** `YYYYMMDDHHmmss` in East Africa Time, without a zone: the time of callbacks and passwords. */
export function localStamp(at: Date): string {
  const shifted = new Date(at.getTime() + EAST_AFRICA_OFFSET_MS);
  return shifted.toISOString().replace(/\D/g, '').slice(0, 14);
}

/** The instant of `YYYY-MM-DD H:mm:ss` in East Africa Time (pull window), or null. */
export function localInstant(text: string): number | null {
  const parts = /^(\d{4}-\d{2}-\d{2})[ T](\d{1,2}):(\d{2}):(\d{2})$/.exec(text);
  if (parts === null) return null;
  const [, day, hour = '', minute, second] = parts;
  const instant = Date.parse(`${day}T${hour.padStart(2, '0')}:${minute}:${second}+03:00`);
  return Number.isNaN(instant) ? null : instant;
}

/** The push password: base64 of short code, passkey and timestamp. */
export function pushPassword(shortCode: string, passkey: string, timestamp: string): string {
  return Buffer.from(`${shortCode}${passkey}${timestamp}`).toString('base64');
}

/**
 * A receipt as M-PESA writes it: letter of the year, letter of the month, digit of the day,
 * then seven letters or digits. `serial` is below `RECEIPT_SERIALS`.
 */
export function receiptOf(at: Date, serial: number): string {
  const local = new Date(at.getTime() + EAST_AFRICA_OFFSET_MS);
  const year = String.fromCharCode(65 + ((local.getUTCFullYear() - RECEIPT_FIRST_YEAR) % 26));
  const month = String.fromCharCode(65 + local.getUTCMonth());
  const day = local.getUTCDate().toString(36);
  const tail = serial.toString(36).padStart(RECEIPT_SERIAL_DIGITS, '0');
  return `${year}${month}${day}${tail}`.toUpperCase();
}

/** `650.00` for 65000 minor units. */
export function decimal(amountMinor: bigint): string {
  const digits = amountMinor.toString().padStart(3, '0');
  return `${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

/** Minor units of `650`, `650.5` or `650.00`; null for anything else. */
export function minorOf(text: string): bigint | null {
  const parts = /^(\d{1,9})(?:\.(\d{1,2}))?$/.exec(text);
  if (parts === null) return null;
  return BigInt(`${parts[1]}${(parts[2] ?? '').padEnd(2, '0')}`);
}

/** The payer as a confirmation shows him; the hash is unsalted SHA-256 of the twelve digits. */
export function payerForm(msisdn: string, form: MsisdnForm): string {
  if (form === 'plain') return msisdn;
  if (form === 'masked') return `${msisdn.slice(0, 4)} ***** ${msisdn.slice(-3)}`;
  return createHash('sha256').update(msisdn).digest('hex');
}

export interface C2bDetails {
  shortCode: string;
  form: MsisdnForm;
  name: string;
  /** Empty in a validation. */
  organisationBalance: string;
  /** What the validation was answered with; comes back in the confirmation. */
  thirdPartyTransId: string;
  /** What the message says; differs from the money moved only under the fault of that name. */
  amountMinor: bigint;
}

/** The body of a C2B validation or confirmation (CustomerToBusiness page). */
export function c2bBody(
  payment: Pick<BookEntry, 'receipt' | 'msisdn' | 'accountReference' | 'at'>,
  details: C2bDetails,
): string {
  const names = details.name.split(' ');
  return JSON.stringify({
    TransactionType: 'Pay Bill',
    TransID: payment.receipt,
    TransTime: localStamp(new Date(payment.at)),
    TransAmount: decimal(details.amountMinor),
    BusinessShortCode: details.shortCode,
    BillRefNumber: payment.accountReference,
    InvoiceNumber: '',
    OrgAccountBalance: details.organisationBalance,
    ThirdPartyTransID: details.thirdPartyTransId,
    MSISDN: payerForm(payment.msisdn, details.form),
    FirstName: names[0] ?? '',
    MiddleName: names.length > 2 ? names.slice(1, -1).join(' ') : '',
    LastName: names.length > 1 ? (names.at(-1) ?? '') : '',
  });
}

/** The callback of a push that was not paid: no metadata, no amount. */
export function pushFailedBody(push: Push, result: Result): string {
  return JSON.stringify({ Body: { stkCallback: pushHead(push, result) } });
}

/**
 * The callback of a paid push. Daraja writes the amount as a number with two decimals (`1.00`),
 * which no JavaScript number prints as, so the digits are put in by hand. The `Balance` item
 * without a value is met in the field.
 */
export function pushPaidBody(push: Push, entry: BookEntry, says: PaidDetails): string {
  const amountSlot = '@amount@';
  const body = JSON.stringify({
    Body: {
      stkCallback: {
        ...pushHead(push, RESULTS.paid),
        CallbackMetadata: {
          Item: [
            { Name: 'Amount', Value: amountSlot },
            { Name: 'MpesaReceiptNumber', Value: entry.receipt },
            ...(says.valuelessBalance ? [{ Name: 'Balance' }] : []),
            { Name: 'TransactionDate', Value: Number(localStamp(new Date(entry.at))) },
            { Name: 'PhoneNumber', Value: Number(push.msisdn) },
          ],
        },
      },
    },
  });
  return body.replace(`"${amountSlot}"`, decimal(says.amountMinor));
}

export interface PaidDetails {
  amountMinor: bigint;
  valuelessBalance: boolean;
}

function pushHead(push: Push, result: Result) {
  return {
    MerchantRequestID: push.merchantRequestId,
    CheckoutRequestID: push.checkoutRequestId,
    ResultCode: result.code,
    ResultDesc: result.desc,
  };
}

/** One row of the pull API: UTC here, whereas callbacks carry local time. */
export function pullRow(entry: BookEntry, organisationName: string) {
  return {
    transactionId: entry.receipt,
    trxDate: `${new Date(entry.at).toISOString().slice(0, 19)}Z`,
    msisdn: Number(entry.msisdn),
    sender: '',
    transactiontype: 'c2b-pay-bill-debit',
    billreference: entry.accountReference,
    amount: decimal(entry.amountMinor),
    organizationname: organisationName,
  };
}
