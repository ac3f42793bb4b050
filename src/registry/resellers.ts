/** Resellers and their PIN: kept as a memory-hard hash, counted, and locked after wrong tries. */
import { randomBytes, scrypt as scryptCallback, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import type { Pool } from 'pg';

const scrypt = promisify<string, Buffer, number, Buffer>(scryptCallback);

const KEY_BYTES = 32;
const SALT_BYTES = 16;
export const WRONG_PINS_MAX = 3;
export const PIN_LOCK_MS = 30 * 60_000;

export type PinCheck = 'ok' | 'wrong_pin' | 'pin_locked' | 'not_a_reseller';

/** `scrypt$<salt>$<key>`, both hex, with Node's default cost (N 16384, r 8, p 1). */
export async function hashPin(pin: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const key = await scrypt(pin, salt, KEY_BYTES);
  return `scrypt$${salt.toString('hex')}$${key.toString('hex')}`;
}

async function pinMatches(pin: string, stored: string): Promise<boolean> {
  const [, salt = '', key = ''] = stored.split('$');
  const known = Buffer.from(key, 'hex');
  const given = await scrypt(pin, Buffer.from(salt, 'hex'), KEY_BYTES);
  return known.length === given.length && timingSafeEqual(known, given);
}

/**
 * Checks the PIN of the reseller with this phone. The try is counted before it is checked, so that
 * tries made at the same time cannot share one count; a right PIN sets the count back.
 */
export async function checkPin(
  pool: Pool,
  { msisdn, pin, now }: { msisdn: string; pin: string; now: Date },
): Promise<PinCheck> {
  const { rows } = await pool.query(
    `UPDATE reseller SET
       failed_pins = CASE WHEN locked_until <= $2 THEN 1 ELSE failed_pins + 1 END,
       locked_until = CASE
         WHEN locked_until > $2 THEN locked_until
         WHEN (CASE WHEN locked_until <= $2 THEN 1 ELSE failed_pins + 1 END) >= $3 THEN $4
       END
      WHERE msisdn = $1
      RETURNING id, pin_hash, locked_until > $2 AND failed_pins > $3 AS locked`,
    [msisdn, now, WRONG_PINS_MAX, new Date(now.getTime() + PIN_LOCK_MS)],
  );
  const reseller = rows[0];
  if (!reseller) return 'not_a_reseller';
  if (reseller.locked) return 'pin_locked';
  if (!(await pinMatches(pin, reseller.pin_hash))) return 'wrong_pin';
  await pool.query('UPDATE reseller SET failed_pins = 0, locked_until = NULL WHERE id = $1', [
    reseller.id,
  ]);
  return 'ok';
}
