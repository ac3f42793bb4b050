/**
 * Sends texts through Africa's Talking with the `africastalking` package, and mends what the
 * package (0.8.3) leaves open: it waits for ever, refuses a good answer whose status is not 201,
 * takes a wrong sender id for a success, and keeps its address in a variable of the whole process.
 * Sources: developers.africastalking.com, Sending SMS; the package's `lib/sms.js`, `lib/common.js`.
 */

import { createRequire } from 'node:module';
import createAfricasTalking from 'africastalking';
import common from 'africastalking/lib/common.js';
import type { Logger } from '../../../platform/ports.ts';
import { StartError } from '../../../platform/start-error.ts';
import { within as platformWithin } from '../../../platform/timers.ts';
import type { ReadContext, SmsError } from '../../canonical.ts';
import { isRefused } from '../../provider.ts';
import type { NotSentKind, TextProvider, TextResult } from '../provider.ts';
import { africastalkingMessages } from './africastalking-messages.ts';

export interface AfricastalkingOptions {
  /** `sandbox` means Africa's Talking's sandbox. */
  username: string;
  apiKey: string;
  /** Sender id or short code; without one the operator's default is shown. */
  senderId?: string;
  /** Where the API stands, without a path; for simulators. */
  baseUrl?: string;
  /** How the channel's messages are read. */
  context: ReadContext;
  logger: Logger;
  within?: typeof platformWithin;
}

const NAME = 'africastalking';
const LIVE_BASE = 'https://api.africastalking.com';
const SANDBOX_BASE = 'https://api.sandbox.africastalking.com';
const SEND_TIMEOUT_MS = 10_000;
/** The request itself is torn down a little after we stopped waiting for it. */
const TEAR_DOWN_MS = SEND_TIMEOUT_MS + 1_000;
const ANSWER_BYTES_MAX = 64 * 1024;

/** Throws a StartError when the process already talks to another base address. */
export function createAfricastalkingTexts(options: AfricastalkingOptions): TextProvider {
  const { username, apiKey, senderId, context, logger, within = platformWithin } = options;
  const sandbox = username.toLowerCase() === 'sandbox';
  const base = options.baseUrl ?? (sandbox ? SANDBOX_BASE : LIVE_BASE);
  refuseOtherBase(base);
  limitRequests();
  const { SMS } = createAfricasTalking({ username, apiKey });
  // Making an instance for the sandbox has moved the address of all instances.
  common.SMS_URL = `${base}/version1/messaging`;

  return {
    name: NAME,
    async send({ to, body }) {
      const text = { to, message: body, ...(senderId === undefined ? {} : { from: senderId }) };
      const answered = SMS.send(text).then(
        (data) => resultOf({ status: 201, data }, context),
        (reason) => resultOfRejection(reason, context),
      );
      const result = await within(SEND_TIMEOUT_MS, answered);
      if (result === 'timeout') return notSent('unknown', 'timeout');
      const alarm = result.ok ? undefined : ALARMS[result.code];
      if (alarm !== undefined) logger.error(alarm, { provider: NAME, username });
      return result;
    },
  };
}

let baseInUse: string | null = null;

function refuseOtherBase(base: string): void {
  baseInUse ??= base;
  if (baseInUse === base) return;
  throw new StartError(
    `One process can send texts through one Africa's Talking address only, but both ` +
      `${baseInUse} and ${base} are configured: run them in separate processes.`,
  );
}

/**
 * Limits for the package's own HTTP client, which by itself has none: without a time limit every
 * request to a gateway that hangs would keep its socket for ever, and a redirect would carry the
 * key to another host.
 */
function limitRequests(): void {
  const ours = createRequire(import.meta.url);
  const { defaults } = createRequire(ours.resolve('africastalking'))('axios');
  defaults.timeout = TEAR_DOWN_MS;
  defaults.maxRedirects = 0;
  defaults.maxContentLength = ANSWER_BYTES_MAX;
}

/** What staff must act on at once: nothing goes out until they do. */
const ALARMS: Readonly<Record<string, string>> = {
  unauthorized: 'text.provider_refused_key',
  insufficient_balance: 'text.provider_balance_empty',
};

const KINDS: { readonly [error in SmsError]: NotSentKind } = {
  unauthorized: 'permanent',
  invalid_sender: 'permanent',
  invalid_recipient: 'permanent',
  blocked: 'permanent',
  rejected: 'permanent',
  insufficient_balance: 'retry',
  provider_error: 'retry',
  unknown: 'unknown',
};

const TOO_MANY_REQUESTS = 429;
const GATEWAY_TIMEOUT = 504;

interface Answer {
  status: number;
  /** Parsed JSON, or text. */
  data: unknown;
}

function resultOf({ status, data }: Answer, context: ReadContext): TextResult {
  if (status === TOO_MANY_REQUESTS) return notSent('retry', 'too_many_requests');
  // A proxy gave up waiting; behind it the text may be on its way.
  if (status === GATEWAY_TIMEOUT) return notSent('unknown', 'timeout');
  const body = typeof data === 'string' ? data : (JSON.stringify(data) ?? '');
  const raw = { method: 'POST', path: '/version1/messaging', headers: {}, query: {}, body, status };
  const read = africastalkingMessages.readers['sms.response']?.(raw, context);
  if (read === undefined || isRefused(read) || read.type !== 'sms.response') {
    return notSent('unknown', 'unreadable_answer');
  }
  if (read.accepted) {
    return { ok: true, providerId: read.messages.find(({ accepted }) => accepted)?.id ?? null };
  }
  const error = read.error ?? 'unknown';
  return notSent(KINDS[error], error);
}

/**
 * The package rejects with the body of a success that is not 201, with an AxiosError (with an
 * answer, or with the code of the broken connection), or with an Error of its own for a number
 * that cannot exist. None of them may be logged: an AxiosError carries the key.
 */
function resultOfRejection(reason: unknown, context: ReadContext): TextResult {
  if (!(reason instanceof Error)) return resultOf({ status: 200, data: reason }, context);
  const { response, code, isAxiosError } = reason as AxiosLike;
  if (isAxiosError !== true) return notSent('permanent', 'invalid_recipient');
  if (response !== undefined) return resultOf(response, context);
  if (code !== undefined && NEVER_CONNECTED.test(code)) return notSent('retry', 'no_connection');
  return notSent('unknown', TIMED_OUT.test(code ?? '') ? 'timeout' : 'connection_lost');
}

interface AxiosLike extends Error {
  isAxiosError?: boolean;
  code?: string;
  response?: Answer;
}

/** Codes of Node.js that occur before the first byte of a request is sent. */
const NEVER_CONNECTED =
  /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|.*CERT.*|.*SIGNATURE.*)$/;
const TIMED_OUT = /^(ECONNABORTED|ETIMEDOUT)$/;

function notSent(kind: NotSentKind, code: string): TextResult {
  return { ok: false, kind, code };
}
