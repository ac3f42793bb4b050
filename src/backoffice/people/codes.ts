/** The second factor: time-based codes (RFC 6238, SHA-1, 6 digits, 30 s, as authenticators do). */
import { Secret, TOTP } from 'otpauth';

const STEP_S = 30;
/** One step earlier or later: the clock of a phone is a little off. */
const WINDOW_STEPS = 1;
const SECRET_BYTES = 20;
const ISSUER = 'VIP Billing';

/** A new secret in base 32. */
export const newTotpSecret = (): string => new Secret({ size: SECRET_BYTES }).base32;

const totp = (secret: string, login: string): TOTP =>
  new TOTP({ issuer: ISSUER, label: login, secret: Secret.fromBase32(secret), period: STEP_S });

/** What an authenticator reads from a picture. */
export const totpUri = (secret: string, login: string): string => totp(secret, login).toString();

/** The time step whose code this is, when it lies after `lastStep`; null else. */
export function totpStep(
  code: string,
  secret: string,
  { now, lastStep }: { now: Date; lastStep: bigint },
): bigint | null {
  const timestamp = now.getTime();
  const delta = totp(secret, '').validate({ token: code, timestamp, window: WINDOW_STEPS });
  if (delta === null) return null;
  const step = BigInt(Math.floor(timestamp / 1000 / STEP_S) + delta);
  return step > lastStep ? step : null;
}

/** The code of an instant, as an authenticator shows it. */
export const totpCode = (secret: string, now: Date): string =>
  totp(secret, '').generate({ timestamp: now.getTime() });
