/**
 * "TV units were credited": the notice a mobile operator sends, signed as Standard Webhooks asks
 * (standardwebhooks.com, specification, section "Signature scheme").
 */

import { createHmac } from 'node:crypto';
import { CALLBACK_TIMEOUT_MS, post } from './delivery.ts';

export interface SignedText {
  /** `whsec_` and base64, or base64 alone. */
  secret: string;
  id: string;
  /** Whole seconds since 1970. */
  timestamp: number;
  body: string;
}

export interface TvuNotice {
  receipt: string;
  /** `+` and country code. */
  msisdn: string;
  units: number;
  /** ISO 8601, UTC. */
  occurredAt: string;
}

export interface TvuSending {
  url: string;
  secret: string;
  /** Message id; the same one on a repetition. */
  id: string;
  timestamp: number;
  notice: TvuNotice;
  stop?: AbortSignal;
}

/** The `webhook-signature` of a notice: `v1,` and base64 HMAC-SHA256 of `id.timestamp.body`. */
export function signTvuNotice({ secret, id, timestamp, body }: SignedText): string {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const mac = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return `v1,${mac}`;
}

/** Posts one signed notice; null when there was no answer within ten seconds. */
export function sendTvuNotice(
  sending: TvuSending,
): Promise<{ status: number; body: string } | null> {
  const { url, secret, id, timestamp, notice } = sending;
  const body = JSON.stringify({ type: 'tvu.credited', data: notice });
  return post(url, body, {
    timeoutMs: CALLBACK_TIMEOUT_MS,
    stop: sending.stop ?? new AbortController().signal,
    headers: {
      'webhook-id': id,
      'webhook-timestamp': String(timestamp),
      'webhook-signature': signTvuNotice({ secret, id, timestamp, body }),
    },
  });
}
