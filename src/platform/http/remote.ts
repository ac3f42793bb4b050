/** Whose request it is. */
import type { IncomingMessage } from 'node:http';

/** The caller's address; behind `hops` proxies of ours, the one they saw. */
export function remoteOf(req: IncomingMessage, hops: number): string {
  const direct = (req.socket.remoteAddress ?? '').replace(/^::ffff:/, '');
  if (hops === 0) return direct;
  const forwarded = String(req.headers['x-forwarded-for'] ?? '').split(',');
  const seen = forwarded.map((part) => part.trim()).filter(Boolean);
  return seen.at(-hops) ?? direct;
}
