/** How the codes of scratch cards are kept: never as they are printed. */
import { createHmac } from 'node:crypto';

/**
 * The hash under which a code is kept: HMAC-SHA-256 (RFC 2104) with a key that is not in the
 * database, so that who reads the tables cannot try all codes. Blanks and dashes do not count.
 */
export const voucherHasher =
  (key: string) =>
  (code: string): string =>
    createHmac('sha256', key).update(code.replaceAll(/[\s-]/g, '')).digest('hex');
