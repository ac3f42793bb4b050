/** A merchant on an ephemeral port, and an operator that knows it: what the tests begin with. */

import type { Random } from '../../src/platform/ports.ts';
import { pushPassword } from './daraja.ts';
import { plain, type SimulatorAnswer, serve } from './http.ts';
import {
  createMobileMoneySimulator,
  type MobileMoneyOptions,
  type MobileMoneySimulator,
} from './server.ts';

export const AMINA = '254700000001';
export const NOW = '2026-11-23T09:00:00.000Z';

const ACCOUNT = {
  shortCode: '600100',
  passkey: 'simulated-passkey',
  consumerKey: 'key',
  consumerSecret: 'secret',
};

export interface Heard {
  path: string;
  headers: Record<string, unknown>;
  text: string;
  body: Record<string, unknown>;
}

export interface Merchant {
  url: string;
  /** Everything posted so far. */
  heard: Heard[];
  /** What comes back; `hang` never answers. By default 200. */
  answerWith(answer: (heard: Heard) => SimulatorAnswer | 'hang'): void;
  stop(): Promise<void>;
}

export async function openMerchant(): Promise<Merchant> {
  const heard: Heard[] = [];
  let answer: (heard: Heard) => SimulatorAnswer | 'hang' = () => plain(200, '{"ResultCode":0}');
  const take = (path: string) => (request: { body: string; headers: object }) => {
    const body = request.body.startsWith('{') ? JSON.parse(request.body) : {};
    const message = { path, headers: { ...request.headers }, text: request.body, body };
    heard.push(message);
    const said = answer(message);
    return said === 'hang' ? new Promise<SimulatorAnswer>(() => {}) : said;
  };
  const paths = ['/push', '/validate', '/confirm', '/tvu'];
  const routes = Object.fromEntries(paths.map((path) => [`POST ${path}`, take(path)]));
  const server = await serve(routes, 0);
  return {
    ...server,
    heard,
    answerWith(changed) {
      answer = changed;
    },
  };
}

/** Random numbers that are the same in every run (the public-domain generator mulberry32). */
export function seededRandom(seed = 1): Random {
  let state = seed;
  const fraction = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const byte = () => Math.floor(fraction() * 256);
  return {
    fraction,
    hex: (bytes) => Buffer.from(Array.from({ length: bytes }, byte)).toString('hex'),
  };
}

export type Operator = MobileMoneySimulator & {
  call(path: string, body: object): Promise<{ status: number; body: Record<string, unknown> }>;
  /** Sets the hands of the operator's clock. */
  setClock(at: string): void;
};

/** An operator whose phones answer at once; `call` speaks Daraja with a valid token. */
export async function openOperator(options: Partial<MobileMoneyOptions> = {}): Promise<Operator> {
  let now = NOW;
  const simulator = await createMobileMoneySimulator({
    clock: { now: () => new Date(now) },
    random: seededRandom(),
    answerDelayMs: 0,
    ...ACCOUNT,
    ...options,
  });
  const basic = Buffer.from(`${ACCOUNT.consumerKey}:${ACCOUNT.consumerSecret}`).toString('base64');
  const token = await fetch(`${simulator.url}/oauth/v1/generate?grant_type=client_credentials`, {
    headers: { authorization: `Basic ${basic}` },
  }).then((response) => response.json() as Promise<{ access_token: string }>);
  return {
    ...simulator,
    setClock(at) {
      now = at;
    },
    async call(path, body) {
      const response = await fetch(`${simulator.url}${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token.access_token}` },
        body: JSON.stringify(body),
      });
      const answer = (await response.json()) as Record<string, unknown>;
      return { status: response.status, body: answer };
    },
  };
}

/** A push of KES 650 to Amina, right in every field. */
export function pushRequest(merchant: Merchant, change: object = {}): object {
  const Timestamp = '20261123120000';
  return {
    BusinessShortCode: ACCOUNT.shortCode,
    Password: pushPassword(ACCOUNT.shortCode, ACCOUNT.passkey, Timestamp),
    Timestamp,
    TransactionType: 'CustomerPayBillOnline',
    Amount: 650,
    PartyA: AMINA,
    PartyB: ACCOUNT.shortCode,
    PhoneNumber: AMINA,
    CallBackURL: `${merchant.url}/push`,
    AccountReference: '40210000017',
    TransactionDesc: 'VIP TV',
    ...change,
  };
}

export function queryRequest(checkoutRequestId: unknown): object {
  const Timestamp = '20261123120000';
  return {
    BusinessShortCode: ACCOUNT.shortCode,
    Password: pushPassword(ACCOUNT.shortCode, ACCOUNT.passkey, Timestamp),
    Timestamp,
    CheckoutRequestID: checkoutRequestId,
  };
}

export function registerRequest(merchant: Merchant, change: object = {}): object {
  return {
    ShortCode: ACCOUNT.shortCode,
    ResponseType: 'Completed',
    ConfirmationURL: `${merchant.url}/confirm`,
    ValidationURL: `${merchant.url}/validate`,
    ...change,
  };
}
