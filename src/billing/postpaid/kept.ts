/** Answers that are kept under their callers' keys, with amounts and ids that JSON has not. */
import { createHash } from 'node:crypto';
import type { ClientBase } from 'pg';
import type { ActKey, ByKey } from './store.ts';

const BIGINT = '$bigint';

/** What `act` asks for, in a form of which equal acts have equal hashes. */
export const hashOf = (content: unknown): string =>
  createHash('sha256')
    .update(JSON.stringify(toData(content)))
    .digest('hex');

/** As JSON can hold it: bigint as `{"$bigint": digits}`, fields in the order of the alphabet. */
export function toData(value: unknown): unknown {
  if (typeof value === 'bigint') return { [BIGINT]: value.toString() };
  if (Array.isArray(value)) return value.map(toData);
  if (value === null || typeof value !== 'object') return value;
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(fields.map(([name, field]) => [name, toData(field)]));
}

export function fromData(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(fromData);
  if (value === null || typeof value !== 'object') return value;
  if (BIGINT in value) return BigInt(String(value[BIGINT]));
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, fromData(field)]));
}

/** How a key was answered before; null = never. */
export async function readKept<T>(
  client: ClientBase,
  accountId: bigint,
  { key, contentHash }: ActKey,
): Promise<ByKey<T> | null> {
  const { rows } = await client.query({
    name: 'postpaid-kept',
    text: 'SELECT content_hash, answer FROM postpaid_act WHERE account_id = $1 AND key = $2',
    values: [accountId, key],
  });
  if (!rows[0]) return null;
  if (rows[0].content_hash !== contentHash) return { ok: false, error: 'key_used' };
  return { ok: true, value: fromData(rows[0].answer) as T };
}
