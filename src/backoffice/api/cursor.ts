/** Cursors: where a list goes on, signed, and good only for the same list with the same filters. */
import type { Vault } from '../people/vault.ts';
import type { PageKey } from './route.ts';

/** `list`: route and filters. */
export function writeCursor(vault: Vault, list: string, { at, id }: PageKey): string {
  const text = `${at.getTime().toString(36)}.${id.toString(36)}`;
  return `${text}.${vault.sign(`${list}\n${text}`)}`;
}

/** The place a cursor names; null when it was not given for this list. */
export function readCursor(vault: Vault, list: string, cursor: string): PageKey | null {
  const [at = '', id = '', signature = '', ...more] = cursor.split('.');
  if (more.length > 0 || !vault.isSigned(`${list}\n${at}.${id}`, signature)) return null;
  return { at: new Date(Number.parseInt(at, 36)), id: bigintOf(id) };
}

/** Base 36, as `toString(36)` writes it. */
function bigintOf(text: string): bigint {
  let sum = 0n;
  for (const digit of text) sum = sum * 36n + BigInt(Number.parseInt(digit, 36));
  return sum;
}
