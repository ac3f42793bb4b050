/** Payments to make: the month of a customer's card, as a paybill confirmation tells of it. */
import type { Payment } from '../src/billing/settlement/commands.ts';
import type { Settlement } from '../src/billing/settlement/service.ts';
import { PAYBILL } from './house.ts';
import { cardNumberOf, monthPriceOf } from './seed.ts';

const SERIAL_DIGITS = 7;
const PAYER_HASH = '6d5c1f9a0b3e4d7c8a9b0c1d2e3f405162738495a6b7c8d9e0f1a2b3c4d5e6f7';

/** A receipt as M-PESA writes it: three characters of the day, seven of a serial in base 36. */
export const receiptOf = (day: string, serial: number): string =>
  `${day}${serial.toString(36).padStart(SERIAL_DIGITS, '0')}`.toUpperCase();

/** The body of a confirmation (Safaricom Daraja, CustomerToBusiness page), payer hashed. */
export function confirmationOf(receipt: string, n: number): string {
  const amount = Number(monthPriceOf(n)) / 100;
  return (
    `{"TransactionType":"Pay Bill","TransID":"${receipt}","TransTime":"20261123120000",` +
    `"TransAmount":"${amount}.00","BusinessShortCode":"600100",` +
    `"BillRefNumber":"${cardNumberOf(n)}","InvoiceNumber":"","OrgAccountBalance":"49197.00",` +
    `"ThirdPartyTransID":"","MSISDN":"${PAYER_HASH}","FirstName":"AMINA"}`
  );
}

/** The month of customer `n`'s card, paid under a receipt. */
export function paymentOf(siteId: bigint, receipt: string, n: number, at: Date): Payment {
  return {
    kind: 'payment',
    provider: 'mpesa',
    receipt,
    channelId: PAYBILL,
    siteId,
    at,
    raw: Buffer.from(confirmationOf(receipt, n)),
    amount: monthPriceOf(n),
    asset: 'KES',
    accountRef: cardNumberOf(n),
    payerMsisdn: null,
    payerHash: PAYER_HASH,
    orderId: null,
  };
}

export interface Load {
  settlement: Settlement;
  siteId: bigint;
  callers: number;
  /** The first three characters of the receipts; no two loads of a database share them. */
  day: string;
  /** Whose card is paid next; null ends the load. */
  next(): number | null;
}

/** Callers that pay one after the other, all at once, until there is nothing more to pay. */
export async function pay({ settlement, siteId, callers, day, next }: Load): Promise<number> {
  let serial = 0;
  let settled = 0;
  const caller = async () => {
    for (let n = next(); n !== null; n = next()) {
      const payment = paymentOf(siteId, receiptOf(day, serial++), n, new Date());
      const outcome = await settlement.settle(payment);
      if (outcome.kind !== 'done' || !outcome.first || outcome.settled.state !== 'settled') {
        throw new Error(`A payment ended as ${JSON.stringify(outcome)}`);
      }
      settled += 1;
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return settled;
}

const DAY_LETTERS = 36;
let days = 0;

/** Three characters that no load of this process has used. */
export function freshDay(): string {
  days += 1;
  return `U${days.toString(DAY_LETTERS).padStart(2, '0')}`.toUpperCase();
}
