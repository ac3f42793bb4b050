/** Safaricom Daraja's words, written by hand: what a paybill hears, and from forgers as well. */
import type { MoneyChannel } from '../../../src/telecom/channels.ts';

export interface Answer {
  status: number;
  contentType: string;
  body: string;
}

/** Sends a request as it stands; never follows, never repeats. */
export async function send(
  url: string,
  body: string | Buffer | undefined,
  options: { method?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const response = await fetch(url, {
    method: options.method ?? 'POST',
    headers: { 'content-type': 'application/json', ...options.headers },
    ...(body === undefined ? {} : { body: new Uint8Array(Buffer.from(body)) }),
    redirect: 'manual',
    signal: AbortSignal.timeout(10_000),
  });
  const contentType = response.headers.get('content-type') ?? '';
  return { status: response.status, contentType, body: await response.text() };
}

export interface C2b {
  TransID: string;
  BillRefNumber?: unknown;
  TransAmount?: unknown;
  MSISDN?: unknown;
}

/** A confirmation as on the CustomerToBusiness page; `change` overwrites any field. */
export function c2b(change: C2b & Record<string, unknown>): string {
  return JSON.stringify({
    TransactionType: 'Pay Bill',
    TransTime: '20261123140300',
    TransAmount: '650.00',
    BusinessShortCode: '600100',
    BillRefNumber: '',
    InvoiceNumber: '',
    OrgAccountBalance: '49197.00',
    ThirdPartyTransID: '',
    MSISDN: '254700000999',
    FirstName: 'JOHN',
    MiddleName: '',
    LastName: 'DOE',
    ...change,
  });
}

export interface Push {
  checkoutRequestId: string;
  resultCode?: unknown;
  /** In shillings, as JSON writes the number. */
  amount?: unknown;
  receipt?: unknown;
  msisdn?: unknown;
}

/** The callback of an M-PESA Express prompt (MpesaExpressSimulate page). */
export function stk({ checkoutRequestId, resultCode = 0, ...paid }: Push): string {
  const items = [
    { Name: 'Amount', Value: paid.amount },
    { Name: 'MpesaReceiptNumber', Value: paid.receipt },
    { Name: 'TransactionDate', Value: 20261123140300 },
    { Name: 'PhoneNumber', Value: paid.msisdn },
  ];
  return JSON.stringify({
    Body: {
      stkCallback: {
        MerchantRequestID: '29115-34620561-1',
        CheckoutRequestID: checkoutRequestId,
        ResultCode: resultCode,
        ResultDesc: 'The service request is processed successfully.',
        ...(resultCode === 0 ? { CallbackMetadata: { Item: items } } : {}),
      },
    },
  });
}

/** What an operator's staff do once: tell Daraja where to ask and to notify (RegisterURL page). */
export async function registerPaybill(
  { baseUrl, shortCode, consumerKey, consumerSecret }: MoneyChannel,
  { confirmUrl, validateUrl }: { confirmUrl: string; validateUrl: string },
): Promise<void> {
  const basic = Buffer.from(`${consumerKey}:${consumerSecret}`).toString('base64');
  const granted = await send(
    new URL('/oauth/v1/generate?grant_type=client_credentials', baseUrl).href,
    undefined,
    { method: 'GET', headers: { authorization: `Basic ${basic}` } },
  );
  const { access_token: token } = JSON.parse(granted.body) as { access_token: string };
  const registration = {
    ShortCode: shortCode,
    ResponseType: 'Completed',
    ConfirmationURL: confirmUrl,
    ValidationURL: validateUrl,
  };
  const answer = await send(
    new URL('/mpesa/c2b/v2/registerurl', baseUrl).href,
    JSON.stringify(registration),
    { headers: { authorization: `Bearer ${token}` } },
  );
  if (answer.status !== 200) throw new Error(`Not registered: ${answer.body}`);
}
