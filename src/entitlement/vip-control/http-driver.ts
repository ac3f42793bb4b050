/** VIP Control over HTTP: the same link, whose sessions are made of requests. */
import { Agent } from 'node:http';
import { Agent as SecureAgent } from 'node:https';
import * as platformTimers from '../../platform/timers.ts';
import { createHttpExchange } from './http-exchange.ts';
import { openHttpSession } from './http-session.ts';
import { createVipControlLink, type VipControlLink, type VipControlLinkDeps } from './link.ts';
import { type Identity, secured } from './tls.ts';

export interface HttpDriverDeps extends Omit<VipControlLinkDeps, 'connect' | 'open'> {
  path: string;
  /** Asked for each session anew. Absent: without protection. */
  identity?: () => Identity;
}

/** Requests of one session that travel at once. */
export const REQUESTS_MAX = 8;

/** A driver that POSTs; it keeps all the promises of the link over a socket. */
export function createHttpDriver({ path, identity, ...deps }: HttpDriverDeps): VipControlLink {
  const { host, port, timers = platformTimers } = deps;
  const connections = { keepAlive: true, maxSockets: REQUESTS_MAX, noDelay: true };
  return createVipControlLink({
    ...deps,
    open(hello, events) {
      const agent = identity
        ? new SecureAgent({ ...connections, ...secured(identity()) })
        : new Agent(connections);
      const isSecured = identity !== undefined;
      const exchange = createHttpExchange({ host, port, path, agent, isSecured });
      return openHttpSession({ exchange, after: timers.after }, hello, events);
    },
  });
}
