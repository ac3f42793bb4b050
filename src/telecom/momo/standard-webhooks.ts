/**
 * Standard Webhooks signatures: HMAC-SHA256 of `id.timestamp.body` with the bytes behind `whsec_`,
 * in base64 behind `v1,`; several may stand in the header while a secret is changed.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

const TOLERANCE_S = 300;
const PREFIX = 'whsec_';

const keyOf = (secret: string): Buffer =>
  Buffer.from(secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : secret, 'base64');

/** `v1,<base64>` for one message. */
export function signWebhook(
  secret: string,
  message: { id: string; timestamp: number; bytes: Buffer },
): string {
  const hmac = createHmac('sha256', keyOf(secret)).update(`${message.id}.${message.timestamp}.`);
  return `v1,${hmac.update(message.bytes).digest('base64')}`;
}

export type WebhookError = 'missing_header' | 'bad_timestamp' | 'too_old' | 'bad_signature';

/** Verifies over the raw bytes, in constant time, with five minutes of tolerance both ways. */
export function verifyWebhook({
  secret,
  headers,
  bytes,
  now,
}: {
  secret: string;
  headers: Readonly<Record<string, string>>;
  bytes: Buffer;
  now: Date;
}): { ok: true } | { ok: false; error: WebhookError } {
  const id = headers['webhook-id'];
  const sent = headers['webhook-timestamp'];
  const signatures = headers['webhook-signature'];
  // An empty key would verify what anybody can sign.
  if (keyOf(secret).length === 0) return { ok: false, error: 'bad_signature' };
  if (!id || !sent || !signatures) return { ok: false, error: 'missing_header' };
  if (!/^\d{1,12}$/.test(sent)) return { ok: false, error: 'bad_timestamp' };
  const timestamp = Number(sent);
  if (Math.abs(now.getTime() / 1000 - timestamp) > TOLERANCE_S)
    return { ok: false, error: 'too_old' };
  const expected = Buffer.from(signWebhook(secret, { id, timestamp, bytes }));
  const valid = signatures.split(' ').some((given) => {
    const candidate = Buffer.from(given);
    return candidate.length === expected.length && timingSafeEqual(candidate, expected);
  });
  return valid ? { ok: true } : { ok: false, error: 'bad_signature' };
}
