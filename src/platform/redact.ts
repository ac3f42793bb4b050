/**
 * Makes any value safe to log: plain JSON, bounded, without secrets and without whole phone
 * numbers. Secrets are recognised by the name of the field and by the shape of the text, because
 * a secret also travels inside URLs and error messages.
 */

const REDACTED = '[redacted]';
const DEPTH_LIMIT = 6;
const ITEMS_LIMIT = 100;
const TEXT_LIMIT_CHARS = 4000;

/** Unmistakable even inside a longer word. */
const SECRET_PARTS = new RegExp(
  'secret|token|password|passwd|passkey|passphrase|(api|private|access|signing)key|' +
    'authorization|credential|cookie',
);
/** Short ones count only as a whole word: `newPin`, not `shipping`. */
const SECRET_WORDS = new Set(['pin', 'pins', 'otp', 'puk', 'pwd', 'pass']);
const PHONE_KEY = /phone|msisdn|party|sender|caller/;
const PHONE_MIN = 100_000_000;
/** Long numbers under these names are ours or the operator's, not a person's telephone. */
const NUMBER_KEY = /^(id|card|decoder|receipt|journal|account)|(Id|Ids|No|Number|At|Ms)$/;

const TEXT_RULES: [RegExp, string][] = [
  [/(\/hooks\/[^/\s?#]+\/)[^/\s?#"']+/gi, `$1${REDACTED}`],
  [/\b([a-z][a-z0-9+.-]*:\/\/[^\s:/@]*):[^\s/]*@/gi, `$1:${REDACTED}@`],
  [/\b(Bearer|Basic)\s+[\w.~+/=-]+/gi, `$1 ${REDACTED}`],
  [/\b((?:api_?key|token|secret|password|passkey|pin)=)[^&\s"']+/gi, `$1${REDACTED}`],
];
const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
const PHONE = '\\+\\d[\\d ().-]{6,18}\\d|(?<![\\w.+])\\d{9,15}(?![\\w])';
const UUID_OR_PHONE = new RegExp(`(${UUID})|${PHONE}`, 'gi');

/** The fields of a log line as plain JSON values. Never throws, whatever it is given. */
export function redactFields(fields: Record<string, unknown>): Record<string, unknown> {
  try {
    return plainRecord(fields, 0, new Set());
  } catch (error) {
    return { unloggable: String(error) };
  }
}

/** `254712345678` as `…678`: enough to recognise a caller, too little to call one. */
export function maskPhone(text: string): string {
  return `…${text.replace(/\D/g, '').slice(-3)}`;
}

function plain(value: unknown, key: string, depth: number, above: Set<object>): unknown {
  switch (typeof value) {
    case 'string':
      return plainText(value, key);
    case 'number':
    case 'bigint':
      return plainNumber(value, key);
    case 'object':
      return value === null ? null : plainObject(value, key, depth, above);
    case 'function':
    case 'symbol':
      return `[${typeof value}]`;
    default:
      return value;
  }
}

function plainText(text: string, key: string): string {
  let safe = text.length > TEXT_LIMIT_CHARS ? `${text.slice(0, TEXT_LIMIT_CHARS)}…` : text;
  for (const [pattern, replacement] of TEXT_RULES) safe = safe.replace(pattern, replacement);
  if (NUMBER_KEY.test(key) && !isPhoneKey(key)) return safe;
  return safe.replace(UUID_OR_PHONE, (match, uuid: string | undefined) => uuid ?? maskPhone(match));
}

function plainNumber(value: number | bigint, key: string): unknown {
  if (isPhoneKey(key) && value >= PHONE_MIN) return maskPhone(String(value));
  return typeof value === 'bigint' || !Number.isFinite(value) ? String(value) : value;
}

function plainObject(value: object, key: string, depth: number, above: Set<object>): unknown {
  if (value instanceof Date) {
    return Number.isNaN(value.getTime()) ? 'invalid date' : value.toISOString();
  }
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (above.has(value)) return '[circular]';
  if (depth >= DEPTH_LIMIT) return '[deep]';
  above.add(value);
  try {
    if (value instanceof Error) return plainError(value, depth, above);
    if (value instanceof Map) return plainRecord(Object.fromEntries(value), depth, above);
    if (Array.isArray(value) || value instanceof Set) {
      const items = [...value].slice(0, ITEMS_LIMIT);
      return items.map((item) => plain(item, key, depth + 1, above));
    }
    return plainRecord(value as Record<string, unknown>, depth, above);
  } finally {
    above.delete(value);
  }
}

function plainRecord(record: object, depth: number, above: Set<object>): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const key of Object.keys(record).slice(0, ITEMS_LIMIT)) {
    const value = readField(record, key);
    out[key] = isSecretKey(key) && value != null ? REDACTED : plain(value, key, depth + 1, above);
  }
  return out;
}

/** An Error's own properties are not enumerable, so they are named here. */
function plainError(error: Error, depth: number, above: Set<object>): Record<string, unknown> {
  const { name, message, stack, cause } = error;
  return plainRecord(Object.assign({ name, message }, error, { cause, stack }), depth, above);
}

function readField(record: object, key: string): unknown {
  try {
    return (record as Record<string, unknown>)[key];
  } catch {
    return '[unreadable]';
  }
}

function isSecretKey(key: string): boolean {
  const bare = key.toLowerCase().replace(/[^a-z0-9]/g, '');
  if (SECRET_PARTS.test(bare) || SECRET_WORDS.has(bare)) return true;
  const words = key.replace(/([a-z0-9])([A-Z])/g, '$1 $2').toLowerCase();
  return words.split(/[^a-z0-9]+/).some((word) => SECRET_WORDS.has(word));
}

function isPhoneKey(key: string): boolean {
  return PHONE_KEY.test(key.toLowerCase().replace(/[^a-z]/g, ''));
}
