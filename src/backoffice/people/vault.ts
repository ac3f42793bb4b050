/**
 * Keys derived from the one secret that is not in the database, and what is done with them: sealing
 * second factors (AES-256-GCM), signing cursors (HMAC-SHA-256). Tokens are hashed without a key:
 * they are long and random themselves.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';

export interface Vault {
  seal(text: string): string;
  /** Null when it was sealed with another secret, or was changed. */
  open(sealed: string): string | null;
  /** A short signature over a text. */
  sign(text: string): string;
  isSigned(text: string, signature: string): boolean;
}

const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const SIGNATURE_BYTES = 12;
const VERSION = 'v1';

/** `secret`: at least 32 characters, the same in every process. */
export function createVault(secret: string): Vault {
  const keyFor = (use: string) => Buffer.from(hkdfSync('sha256', secret, '', use, KEY_BYTES));
  const sealing = keyFor('vip/seal');
  const signing = keyFor('vip/sign');
  const sign = (text: string) =>
    createHmac('sha256', signing).update(text).digest().subarray(0, SIGNATURE_BYTES);
  return {
    seal(text) {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv('aes-256-gcm', sealing, iv);
      const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      const bytes = Buffer.concat([iv, cipher.getAuthTag(), sealed]);
      return `${VERSION}.${bytes.toString('base64url')}`;
    },
    open(sealed) {
      const bytes = Buffer.from(sealed.slice(VERSION.length + 1), 'base64url');
      if (!sealed.startsWith(`${VERSION}.`) || bytes.length < IV_BYTES + TAG_BYTES) return null;
      const cipher = createDecipheriv('aes-256-gcm', sealing, bytes.subarray(0, IV_BYTES));
      cipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
      try {
        const text = cipher.update(bytes.subarray(IV_BYTES + TAG_BYTES));
        return Buffer.concat([text, cipher.final()]).toString('utf8');
      } catch {
        return null;
      }
    },
    sign: (text) => sign(text).toString('base64url'),
    isSigned(text, signature) {
      const given = Buffer.from(signature, 'base64url');
      return given.length === SIGNATURE_BYTES && timingSafeEqual(sign(text), given);
    },
  };
}

/** SHA-256 in hex: how tokens, and logins that may be passwords, are kept. */
export const hashToken = (token: string): string =>
  createHash('sha256').update(token).digest('hex');
