/**
 * Passwords: the rule for a new one, and a memory-hard hash that carries its own parameters, so
 * that they can be raised without locking anybody out.
 */
import {
  randomBytes,
  type ScryptOptions,
  scrypt as scryptCallback,
  timingSafeEqual,
} from 'node:crypto';

/** Parameters of scrypt (RFC 7914). */
export interface PasswordCost {
  N: number;
  r: number;
  p: number;
}

export interface Passwords {
  /** `scrypt$N$r$p$<salt>$<key>`, salt and key in base64url. */
  hash(password: string): Promise<string>;
  /** Is this the password? `stored` null: nobody has this login; takes as long, and is false. */
  matches(password: string, stored: string | null): Promise<boolean>;
  /** A hash made with other parameters than today's: made anew at the next sign-in. */
  isOutdated(stored: string): boolean;
}

/** OWASP Password Storage: scrypt with N 2^15, r 8, p 3 takes 32 MiB. */
const COST: PasswordCost = { N: 32_768, r: 8, p: 3 };
const MEMORY_LIMIT_BYTES = 128 * 1024 * 1024;
const KEY_BYTES = 32;
const SALT_BYTES = 16;
export const PASSWORD_CHARS_MIN = 12;
export const PASSWORD_CHARS_MAX = 128;
const DISTINCT_CHARS_MIN = 5;
const ONE_TIME_BYTES = 12;
/** Each takes memory and a thread: more at once wait. */
const HASHES_AT_ONCE_MAX = 4;

const waiting: (() => void)[] = [];
let running = 0;

async function derive(
  password: string,
  salt: Buffer,
  cost: PasswordCost,
  bytes: number,
): Promise<Buffer> {
  if (running >= HASHES_AT_ONCE_MAX) await new Promise<void>((go) => waiting.push(go));
  running += 1;
  const options: ScryptOptions = { ...cost, maxmem: MEMORY_LIMIT_BYTES };
  try {
    return await new Promise((resolve, reject) => {
      scryptCallback(password.normalize('NFKC'), salt, bytes, options, (error, key) =>
        error ? reject(error) : resolve(key),
      );
    });
  } finally {
    running -= 1;
    waiting.shift()?.();
  }
}

/** Passwords whose new hashes cost this much. */
export function createPasswords(cost: PasswordCost = COST): Passwords {
  const prefix = `scrypt$${cost.N}$${cost.r}$${cost.p}$`;
  /** For logins that nobody has: checked all the same, so that the answer takes as long. */
  const nobody = `${prefix}${'A'.repeat(22)}$${'A'.repeat(43)}`;
  return {
    async hash(password) {
      const salt = randomBytes(SALT_BYTES);
      const key = await derive(password, salt, cost, KEY_BYTES);
      return `${prefix}${salt.toString('base64url')}$${key.toString('base64url')}`;
    },
    async matches(password, stored) {
      const [, n, r, p, salt = '', key = ''] = (stored ?? nobody).split('$');
      const known = Buffer.from(key, 'base64url');
      const made = { N: Number(n), r: Number(r), p: Number(p) };
      if (known.length !== KEY_BYTES || !Object.values(made).every((x) => x > 0)) return false;
      const given = await derive(password, Buffer.from(salt, 'base64url'), made, known.length);
      return timingSafeEqual(known, given) && stored !== null;
    },
    isOutdated: (stored) => !stored.startsWith(prefix),
  };
}

/**
 * What is wrong with a new password, in one sentence; null when it may be taken. Length counts
 * (NIST SP 800-63B, 5.1.1.2), kinds of characters do not.
 */
export function passwordFault(password: string, login: string): string | null {
  const length = [...password].length;
  if (length < PASSWORD_CHARS_MIN) return `Shorter than ${PASSWORD_CHARS_MIN} characters.`;
  if (length > PASSWORD_CHARS_MAX) return `Longer than ${PASSWORD_CHARS_MAX} characters.`;
  if (new Set(password).size < DISTINCT_CHARS_MIN) return 'Made of too few different characters.';
  if (password.toLowerCase().includes(login)) return 'Contains the login.';
  if (/^(.{1,6})\1+$/s.test(password)) return 'Repeats itself.';
  if (isSequence(password)) return 'Is a row of the keyboard or the alphabet.';
  return null;
}

const ROWS = ['abcdefghijklmnopqrstuvwxyz', '01234567890', 'qwertyuiopasdfghjklzxcvbnm'];

function isSequence(password: string): boolean {
  const text = password.toLowerCase();
  return ROWS.some((row) => row.repeat(2).includes(text.slice(0, row.length)));
}

/** A password for one sign-in, made by us and changed there. */
export const oneTimePassword = (): string => randomBytes(ONE_TIME_BYTES).toString('base64url');
