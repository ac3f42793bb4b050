/**
 * What we ask of Safaricom Daraja: a prompt on a phone (M-PESA Express), what became of it, and
 * the payments of the last days (Pull Transactions). Every call is bounded; none is repeated here,
 * because a prompt pushed twice asks a person twice.
 */
import { DateTime } from 'luxon';
import type { Clock, Logger } from '../../platform/ports.ts';
import type { Money } from '../canonical.ts';
import type { MoneyChannel } from '../channels.ts';
import { mpesa } from './providers/mpesa.ts';

export interface PushRequest {
  msisdn: string;
  /** Minor units of KES; whole shillings. */
  amount: bigint;
  /** At most 12 characters; the payer sees it as the account. */
  accountReference: string;
  /** At most 13 characters. */
  description: string;
  callbackUrl: string;
}

export type PushAnswer =
  | { kind: 'accepted'; checkoutRequestId: string }
  /** The operator said no: nothing was pushed. */
  | { kind: 'refused'; code: string }
  /** No answer: a prompt may be on the phone. */
  | { kind: 'unknown' };

export type QueryAnswer =
  | { kind: 'paid' }
  | { kind: 'failed'; money: Money }
  | { kind: 'pending' }
  | { kind: 'unknown' };

export interface DarajaClient {
  push(request: PushRequest): Promise<PushAnswer>;
  query(checkoutRequestId: string): Promise<QueryAnswer>;
  /**
   * Tells the operator where to ask about and confirm paybill payments; in production this can be
   * done once. When we do not answer a validation, the payment goes through and is kept here.
   */
  register(base: string): Promise<{ ok: true } | { ok: false; answer: string }>;
  /**
   * Payments between two instants, at most the last 48 hours, after so many that were read; null
   * when there was no answer.
   */
  pull(from: Date, to: Date, offset?: number): Promise<Money[] | null>;
}

const CALL_MS_MAX = 10_000;
const TOKEN_MARGIN_MS = 60_000;
const TIME_ZONE = 'Africa/Nairobi';
/** How messages of Safaricom are read. */
export const MPESA_CONTEXT = { country: 'KE', currency: 'KES', timeZone: TIME_ZONE };
const MINOR_PER_SHILLING = 100n;

interface Answer {
  status: number;
  body: string;
}

export function createDarajaClient(
  channel: MoneyChannel,
  deps: { clock: Clock; logger: Logger },
): DarajaClient {
  const call = createCaller(channel, deps);
  const signature = () => {
    const timestamp = DateTime.fromJSDate(deps.clock.now(), { zone: TIME_ZONE }).toFormat(
      'yyyyLLddHHmmss',
    );
    const words = `${channel.shortCode}${channel.passkey}${timestamp}`;
    const password = Buffer.from(words).toString('base64');
    return { BusinessShortCode: channel.shortCode, Password: password, Timestamp: timestamp };
  };
  return {
    async push({ msisdn, amount, accountReference, description, callbackUrl }) {
      const phone = msisdn.replace('+', '');
      const answer = await call('/mpesa/stkpush/v1/processrequest', {
        ...signature(),
        TransactionType: 'CustomerPayBillOnline',
        Amount: (amount / MINOR_PER_SHILLING).toString(),
        PartyA: phone,
        PartyB: channel.shortCode,
        PhoneNumber: phone,
        CallBackURL: callbackUrl,
        AccountReference: accountReference,
        TransactionDesc: description,
      });
      return answer ? readPush(answer) : { kind: 'unknown' };
    },
    async query(checkoutRequestId) {
      const answer = await call('/mpesa/stkpushquery/v1/query', {
        ...signature(),
        CheckoutRequestID: checkoutRequestId,
      });
      return answer ? readQuery(answer) : { kind: 'unknown' };
    },
    async register(base) {
      const answer = await call('/mpesa/c2b/v2/registerurl', {
        ShortCode: channel.shortCode,
        ResponseType: 'Completed',
        ValidationURL: `${base}/validate`,
        ConfirmationURL: `${base}/confirm`,
      });
      const accepted = answer !== null && String(fieldsOf(answer).ResponseCode) === '0';
      return accepted ? { ok: true } : { ok: false, answer: answer?.body ?? 'no answer' };
    },
    async pull(from, to, offset = 0) {
      const local = (at: Date) =>
        DateTime.fromJSDate(at, { zone: TIME_ZONE }).toFormat('yyyy-LL-dd HH:mm:ss');
      const answer = await call('/pulltransactions/v1/query', {
        ShortCode: channel.shortCode,
        StartDate: local(from),
        EndDate: local(to),
        OffSetValue: String(offset),
      });
      return answer?.status === 200 ? readMoney(answer) : null;
    },
  };
}

/** Calls with a bearer token that is kept until shortly before its end. Null: no answer. */
function createCaller(channel: MoneyChannel, deps: { clock: Clock; logger: Logger }) {
  let token: { text: string; untilMs: number } | null = null;
  const authorize = async (): Promise<string> => {
    const nowMs = deps.clock.now().getTime();
    if (token && nowMs < token.untilMs) return token.text;
    const basic = Buffer.from(`${channel.consumerKey}:${channel.consumerSecret}`);
    const response = await fetch(
      new URL('/oauth/v1/generate?grant_type=client_credentials', channel.baseUrl),
      {
        headers: { Authorization: `Basic ${basic.toString('base64')}` },
        signal: AbortSignal.timeout(CALL_MS_MAX),
      },
    );
    const body = (await response.json()) as { access_token?: string; expires_in?: string };
    if (!response.ok || !body.access_token) throw new Error(`No token: HTTP ${response.status}`);
    const lifeMs = Number(body.expires_in ?? 0) * 1000 - TOKEN_MARGIN_MS;
    token = { text: body.access_token, untilMs: nowMs + Math.max(0, lifeMs) };
    return token.text;
  };
  return async (path: string, body: object): Promise<Answer | null> => {
    try {
      const bearer = await authorize();
      const response = await fetch(new URL(path, channel.baseUrl), {
        method: 'POST',
        headers: { Authorization: `Bearer ${bearer}`, 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(CALL_MS_MAX),
      });
      if (response.status === 401) token = null;
      return { status: response.status, body: await response.text() };
    } catch (error) {
      deps.logger.warn('daraja.no_answer', { channel: channel.id, path, error });
      return null;
    }
  };
}

/** Fields of an answer that is a flat JSON object; empty for anything else. */
function fieldsOf(answer: Answer): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(answer.body);
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function readPush(answer: Answer): PushAnswer {
  const fields = fieldsOf(answer);
  const id = fields.CheckoutRequestID;
  if (String(fields.ResponseCode) === '0' && typeof id === 'string') {
    return { kind: 'accepted', checkoutRequestId: id };
  }
  const code = fields.errorCode ?? fields.ResponseCode;
  // A gateway in the way may answer anything; only Daraja's own words say that nothing was pushed.
  return code === undefined ? { kind: 'unknown' } : { kind: 'refused', code: String(code) };
}

function readQuery(answer: Answer): QueryAnswer {
  const [money] = readMoney(answer) ?? [];
  switch (money?.outcome) {
    case 'paid':
      return { kind: 'paid' };
    case 'failed':
      return { kind: 'failed', money };
    case 'pending':
      return { kind: 'pending' };
    default:
      return { kind: 'unknown' };
  }
}

function readMoney({ status, body }: Answer): Money[] | null {
  const reader = mpesa.readers['money.status'];
  const read = reader?.(
    { method: 'POST', path: '', headers: {}, body, query: {}, status },
    MPESA_CONTEXT,
  );
  if (!read || !('type' in read) || read.type !== 'money') return null;
  return 'payments' in read ? read.payments : [read];
}
