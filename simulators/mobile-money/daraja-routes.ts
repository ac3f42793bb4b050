/** The face of Safaricom Daraja: what the merchant calls. */

import type { Clock, Random } from '../../src/platform/ports.ts';
import type { Books, Push } from './books.ts';
import {
  ACCOUNT_REFERENCE_CHARS_MAX,
  localInstant,
  minorOf,
  pullRow,
  pushPassword,
  RESULTS,
  TRANSACTION_DESC_CHARS_MAX,
} from './daraja.ts';
import {
  field,
  type Handler,
  json,
  jsonObject,
  type Routes,
  type SimulatorAnswer,
  type SimulatorRequest,
} from './http.ts';
import type { Payments } from './payments.ts';

const TOKEN_SECONDS = 3599;
const TOKENS_MAX = 1000;
const PULL_WINDOW_MS = 48 * 3_600_000;
const PULL_ROWS_MAX = 500;
/** Words that Daraja refuses inside registered addresses (RegisterURL page). */
const FORBIDDEN_IN_URL = /mpesa|safaricom|exe|exec|cmd|sql|query/i;

export interface DarajaDeps {
  books: Books;
  payments: Payments;
  clock: Clock;
  random: Random;
  shortCode: string;
  passkey: string;
  consumerKey: string;
  consumerSecret: string;
  organisationName: string;
}

type Body = Record<string, unknown>;
type Act = (body: Body) => SimulatorAnswer | Promise<SimulatorAnswer>;

/** All addresses of telecom's side that need a bearer token, and the one that gives it. */
export function darajaRoutes(deps: DarajaDeps): Routes {
  const tokens = new Map<string, number>();
  const guarded =
    (act: Act): Handler =>
    (request) => {
      const token = (request.headers.authorization ?? '').replace(/^Bearer /, '');
      if ((tokens.get(token) ?? 0) <= deps.clock.now().getTime()) {
        return failure(deps, 404, '404.001.03', 'Invalid Access Token');
      }
      const body = jsonObject(request.body);
      return body === null
        ? failure(deps, 400, '400.002.05', 'Invalid Request Payload')
        : act(body);
    };
  return {
    'GET /oauth/v1/generate': (request) => generateToken(deps, tokens, request),
    'POST /mpesa/stkpush/v1/processrequest': guarded((body) => processRequest(deps, body)),
    'POST /mpesa/stkpushquery/v1/query': guarded((body) => queryPush(deps, body)),
    'POST /mpesa/c2b/v1/registerurl': guarded((body) => registerUrl(deps, body)),
    'POST /mpesa/c2b/v2/registerurl': guarded((body) => registerUrl(deps, body)),
    'POST /mpesa/c2b/v2/simulate': guarded((body) => simulate(deps, body)),
    'POST /pulltransactions/v1/query': guarded((body) => pull(deps, body)),
  };
}

function generateToken(
  { clock, random, ...deps }: DarajaDeps,
  tokens: Map<string, number>,
  request: SimulatorRequest,
): SimulatorAnswer {
  if (request.query.get('grant_type') !== 'client_credentials') {
    return failure({ random }, 400, '400.008.02', 'Invalid grant type passed');
  }
  const wanted = Buffer.from(`${deps.consumerKey}:${deps.consumerSecret}`).toString('base64');
  if (request.headers.authorization !== `Basic ${wanted}`) {
    return failure({ random }, 400, '400.008.01', 'Invalid Authentication passed');
  }
  const oldest = tokens.keys().next();
  if (tokens.size >= TOKENS_MAX && oldest.value !== undefined) tokens.delete(oldest.value);
  const token = random.hex(14);
  tokens.set(token, clock.now().getTime() + TOKEN_SECONDS * 1000);
  return json(200, { access_token: token, expires_in: String(TOKEN_SECONDS) });
}

async function processRequest(deps: DarajaDeps, body: Body): Promise<SimulatorAnswer> {
  const wrong = wrongPushField(deps, body);
  if (wrong !== null) return failure(deps, 400, '400.002.02', `Bad Request - Invalid ${wrong}`);
  if (!passwordMatches(deps, body)) {
    return failure(deps, 500, '500.001.1001', 'Wrong credentials');
  }
  if (deps.books.full()) return failure(deps, 500, '500.003.03', 'Quota Violation');
  const push = await deps.payments.openPush({
    msisdn: field(body, 'PhoneNumber'),
    amountMinor: minorOf(field(body, 'Amount')) ?? 0n,
    accountReference: field(body, 'AccountReference'),
    description: field(body, 'TransactionDesc'),
    callbackUrl: field(body, 'CallBackURL'),
  });
  if (push === null) {
    const busy = 'Unable to lock subscriber, a transaction is already in process';
    return failure(deps, 500, '500.001.1001', `${busy} for the current subscriber`);
  }
  return json(200, {
    MerchantRequestID: push.merchantRequestId,
    CheckoutRequestID: push.checkoutRequestId,
    ResponseCode: '0',
    ResponseDescription: 'Success. Request accepted for processing',
    CustomerMessage: 'Success. Request accepted for processing',
  });
}

/** The first field that Daraja would refuse, or null. */
function wrongPushField({ shortCode }: DarajaDeps, body: Body): string | null {
  const reference = field(body, 'AccountReference');
  const description = field(body, 'TransactionDesc');
  const phone = /^254\d{9}$/;
  const checks: [string, boolean][] = [
    ['BusinessShortCode', field(body, 'BusinessShortCode') === shortCode],
    ['Timestamp', /^\d{14}$/.test(field(body, 'Timestamp'))],
    ['TransactionType', field(body, 'TransactionType') === 'CustomerPayBillOnline'],
    ['Amount', /^[1-9]\d{0,8}$/.test(field(body, 'Amount'))],
    ['PartyA', phone.test(field(body, 'PartyA'))],
    ['PartyB', field(body, 'PartyB') === shortCode],
    ['PhoneNumber', phone.test(field(body, 'PhoneNumber'))],
    ['CallBackURL', isAddress(field(body, 'CallBackURL'))],
    ['AccountReference', fits(reference, ACCOUNT_REFERENCE_CHARS_MAX)],
    ['TransactionDesc', fits(description, TRANSACTION_DESC_CHARS_MAX)],
  ];
  return checks.find(([, right]) => !right)?.[0] ?? null;
}

function fits(text: string, charsMax: number): boolean {
  return text.length >= 1 && text.length <= charsMax;
}

function isAddress(url: string): boolean {
  return URL.canParse(url) && /^https?:/.test(url);
}

function passwordMatches({ shortCode, passkey }: DarajaDeps, body: Body): boolean {
  const wanted = pushPassword(shortCode, passkey, field(body, 'Timestamp'));
  return field(body, 'Password') === wanted;
}

function queryPush(deps: DarajaDeps, body: Body): SimulatorAnswer {
  if (field(body, 'BusinessShortCode') !== deps.shortCode) {
    return failure(deps, 400, '400.002.02', 'Bad Request - Invalid BusinessShortCode');
  }
  if (!passwordMatches(deps, body)) {
    return failure(deps, 500, '500.001.1001', 'Wrong credentials');
  }
  const push = deps.books.push(field(body, 'CheckoutRequestID'));
  if (push === undefined) {
    return failure(deps, 400, '400.002.02', 'Bad Request - Invalid CheckoutRequestID');
  }
  if (push.resultCode === null) {
    return failure(deps, 500, '500.001.1001', 'The transaction is being processed');
  }
  return json(200, {
    ResponseCode: '0',
    ResponseDescription: 'The service request has been accepted successsfully',
    MerchantRequestID: push.merchantRequestId,
    CheckoutRequestID: push.checkoutRequestId,
    ResultCode: String(push.resultCode),
    ResultDesc: resultDesc(push),
  });
}

function resultDesc(push: Push): string {
  return Object.values(RESULTS).find(({ code }) => code === push.resultCode)?.desc ?? '';
}

function registerUrl(deps: DarajaDeps, body: Body): SimulatorAnswer {
  const confirmationUrl = field(body, 'ConfirmationURL');
  const validationUrl = field(body, 'ValidationURL');
  const responseType = field(body, 'ResponseType');
  const refuse = (name: string) =>
    failure(deps, 400, '400.002.02', `Bad Request - Invalid ${name}`);
  if (field(body, 'ShortCode') !== deps.shortCode) return refuse('ShortCode');
  // Sentence case only: "completed" is refused.
  if (responseType !== 'Completed' && responseType !== 'Cancelled') return refuse('ResponseType');
  if (!mayBeRegistered(confirmationUrl)) return refuse('ConfirmationURL');
  if (!mayBeRegistered(validationUrl)) return refuse('ValidationURL');
  const urls = { responseType, confirmationUrl, validationUrl } as const;
  deps.books.record({ event: 'urls', urls });
  // The key is misspelt by Daraja too.
  return json(200, {
    OriginatorCoversationID: requestId(deps),
    ResponseCode: '0',
    ResponseDescription: 'Success',
  });
}

function mayBeRegistered(url: string): boolean {
  return isAddress(url) && !FORBIDDEN_IN_URL.test(url);
}

function simulate(deps: DarajaDeps, body: Body): SimulatorAnswer {
  const refuse = (name: string) =>
    failure(deps, 400, '400.002.02', `Bad Request - Invalid ${name}`);
  const amountMinor = minorOf(field(body, 'Amount'));
  const msisdn = field(body, 'Msisdn');
  if (field(body, 'ShortCode') !== deps.shortCode) return refuse('ShortCode');
  if (field(body, 'CommandID') !== 'CustomerPayBillOnline') return refuse('CommandID');
  if (amountMinor === null || amountMinor === 0n) return refuse('Amount');
  if (!/^254\d{9}$/.test(msisdn)) return refuse('Msisdn');
  const accountReference = field(body, 'BillRefNumber');
  // The outcome reaches the merchant as validation and confirmation only.
  void deps.payments.payBill({ msisdn, accountReference, amountMinor });
  return json(200, {
    OriginatorCoversationID: requestId(deps),
    ResponseCode: '0',
    ResponseDescription: 'Accept the service request successfully.',
  });
}

/** Rows of the window, oldest first; nothing older than 48 hours is ever shown. */
function pull(deps: DarajaDeps, body: Body): SimulatorAnswer {
  const start = localInstant(field(body, 'StartDate'));
  const end = localInstant(field(body, 'EndDate'));
  const offset = field(body, 'OffSetValue') || '0';
  if (field(body, 'ShortCode') !== deps.shortCode) {
    return failure(deps, 400, '400.002.02', 'Bad Request - Invalid ShortCode');
  }
  if (start === null || end === null || !/^\d{1,9}$/.test(offset)) {
    return failure(deps, 400, '400.002.02', 'Bad Request - Invalid Parameters');
  }
  const from = Math.max(start, deps.clock.now().getTime() - PULL_WINDOW_MS);
  const rows = deps.books
    .entries()
    .filter(({ at }) => Date.parse(at) >= from && Date.parse(at) <= end)
    .slice(Number(offset), Number(offset) + PULL_ROWS_MAX)
    .map((entry) => pullRow(entry, deps.organisationName));
  return json(200, {
    ResponseRefID: requestId(deps),
    ResponseCode: rows.length > 0 ? '1000' : '1001',
    ResponseMessage: rows.length > 0 ? 'Success' : 'No transactions found',
    Response: rows.length > 0 ? [rows] : '[[]]',
  });
}

function failure(
  { random }: Pick<DarajaDeps, 'random'>,
  status: number,
  errorCode: string,
  errorMessage: string,
): SimulatorAnswer {
  return json(status, { requestId: requestId({ random }), errorCode, errorMessage });
}

function requestId({ random }: Pick<DarajaDeps, 'random'>): string {
  const hex = random.hex(16);
  return `${hex.slice(0, 4)}-${hex.slice(4, 8)}-${hex.slice(8, 12)}-${hex.slice(12)}`;
}
