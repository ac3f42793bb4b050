/**
 * The one way in for providers: `/hooks/<channel>/<token>[/<rest>]`. Requests are hot and their
 * raw bytes are evidence, so the body is read here, bounded, and handed on as it came.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isConnectionLost } from '../platform/database/pool.ts';
import { readBody } from '../platform/http/body.ts';
import { remoteOf } from '../platform/http/remote.ts';
import type { Logger } from '../platform/ports.ts';
import type { RawMessage } from './canonical.ts';
import { type Channel, type Channels, tokenMatches } from './channels.ts';
import type { ProviderAnswer } from './provider.ts';
import type { RefusalReason, RefusedNotices } from './refused.ts';

export interface Knock {
  channel: Channel;
  /** What follows the token, without slashes around it. */
  rest: string;
  raw: RawMessage;
  bytes: Buffer;
  remote: string;
}

export type DoorHandler = (knock: Knock) => Promise<ProviderAnswer>;

export interface DoorDeps {
  channels: Channels;
  handlers: Readonly<Record<Channel['kind'], DoorHandler>>;
  refused: RefusedNotices;
  logger: Logger;
  /** Proxies of ours in front, whose X-Forwarded-For is believed. */
  trustedHops: number;
  onAnswered?(kind: string, status: number, seconds: number): void;
  monotonicMs(): number;
}

export const BODY_BYTES_MAX = 65_536;
const BODY_MS_MAX = 10_000;
const PREFIX = '/hooks/';
const TEXT = 'text/plain; charset=utf-8';

/** An express handler for everything below `/hooks`; it answers every request by itself. */
export function createDoor(deps: DoorDeps) {
  return (req: IncomingMessage & { originalUrl?: string }, res: ServerResponse): void => {
    const startedMs = deps.monotonicMs();
    void open(deps, req)
      .catch((error: unknown): ProviderAnswer & { kind: string } => {
        deps.logger.error('door.failed', { error });
        const status = isConnectionLost(error) ? 503 : 500;
        return { kind: 'unknown', status, contentType: TEXT, body: '' };
      })
      .then(({ kind, status, contentType, body }) => {
        if (!res.writableEnded && !res.destroyed) {
          if (status === 413 || status === 408) res.setHeader('Connection', 'close');
          res.writeHead(status, { 'Content-Type': contentType });
          res.end(body);
        }
        deps.onAnswered?.(kind, status, (deps.monotonicMs() - startedMs) / 1000);
      });
  };
}

async function open(
  deps: DoorDeps,
  req: IncomingMessage & { originalUrl?: string },
): Promise<ProviderAnswer & { kind: string }> {
  const url = req.originalUrl ?? req.url ?? '';
  const queryAt = url.indexOf('?');
  const path = queryAt < 0 ? url : url.slice(0, queryAt);
  const [id = '', token = '', ...rest] = path.slice(PREFIX.length).split('/');
  const channel = deps.channels.find(id);
  const body = await readBody(req, { limitBytes: BODY_BYTES_MAX, timeoutMs: BODY_MS_MAX });
  const bytes = body.ok ? body.bytes : body.head;
  const remote = remoteOf(req, deps.trustedHops);
  const kind = channel?.kind ?? 'unknown';
  const refuse = async (reason: RefusalReason, status: number) => {
    if (channel) await deps.refused.keep({ channelId: channel.id, reason, remote, bytes });
    return { kind, status, contentType: TEXT, body: status === 404 ? 'Not found' : reason };
  };
  const stranger = strangerAt(channel, { token, remote, method: req.method ?? '' });
  if (!channel || stranger) return refuse(stranger ?? 'wrong_token', statusOf(stranger));
  if (!body.ok) {
    if (body.error === 'aborted') return { kind, status: 400, contentType: TEXT, body: '' };
    return refuse(body.error === 'too_large' ? 'too_large' : 'unreadable', statusOf(body.error));
  }
  const answer = await deps.handlers[channel.kind]({
    channel,
    rest: rest.join('/'),
    raw: {
      method: req.method ?? 'GET',
      path,
      headers: req.headers as Record<string, string>,
      body: bytes.toString('utf8'),
      query: queryAt < 0 ? {} : Object.fromEntries(new URLSearchParams(url.slice(queryAt + 1))),
    },
    bytes,
    remote,
  });
  return { kind, ...answer };
}

/** To a stranger a wrong token and a channel that does not exist look the same. */
const STATUSES: Readonly<Record<string, number>> = {
  wrong_token: 404,
  wrong_address: 403,
  wrong_method: 405,
  too_large: 413,
  timeout: 408,
};

const statusOf = (fault: string | null): number => STATUSES[fault ?? 'wrong_token'] ?? 400;

/** Why this caller is not let in; null when it is. */
function strangerAt(
  channel: Channel | null,
  caller: { token: string; remote: string; method: string },
): RefusalReason | null {
  if (!channel || !tokenMatches(channel, caller.token)) return 'wrong_token';
  const { allowedAddresses, kind } = channel;
  if (allowedAddresses && !allowedAddresses.includes(caller.remote)) return 'wrong_address';
  return kind !== 'ussd' && caller.method !== 'POST' ? 'wrong_method' : null;
}
