import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, Server as NetServer } from 'node:net';
import type { Logger } from '../ports.ts';
import { StartError } from '../start-error.ts';
import { after } from '../timers.ts';

export interface ListenOptions {
  host: string;
  /** 0: any free port. */
  port: number;
  logger: Logger;
}

export interface HttpServer {
  url: string;
  port: number;
  /**
   * Stops: nobody new is let in, those inside get their answer (with `Connection: close`), and
   * after `graceMs` milliseconds at the latest every connection is cut. Never rejects.
   */
  close(graceMs: number): Promise<void>;
}

const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
/** Longer than the 60 s of common load balancers: they, not we, end an idle connection. */
const KEEP_ALIVE_TIMEOUT_MS = 65_000;
const TIMEOUT_CHECK_MS = 2_000;
const HEADERS_LIMIT_BYTES = 16 * 1024;
const REQUESTS_PER_CONNECTION = 10_000;
/** A request may be under way on a connection that looks idle; so long it is waited for. */
const LINGER_MS = 250;

/** Serves `app`, an express application for one. Throws a StartError when the port is taken. */
export async function listen(app: RequestListener, options: ListenOptions): Promise<HttpServer> {
  const inHand = new Set<ServerResponse>();
  let isStopping = false;
  const server = createServer({
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    connectionsCheckingInterval: TIMEOUT_CHECK_MS,
    maxHeaderSize: HEADERS_LIMIT_BYTES,
  });
  server.maxRequestsPerSocket = REQUESTS_PER_CONNECTION;
  server.on('request', (_req, res) => {
    inHand.add(res);
    if (isStopping) res.setHeader('Connection', 'close');
    res.once('close', () => inHand.delete(res));
  });
  server.on('request', app);
  await bind(server, options);

  const { port } = server.address() as AddressInfo;
  const stop = async (graceMs: number) => {
    isStopping = true;
    for (const res of inHand) {
      if (!res.headersSent) res.setHeader('Connection', 'close');
      else res.once('close', () => res.req.socket.destroySoon());
    }
    const cancelLinger = after(Math.min(LINGER_MS, graceMs), () => server.closeIdleConnections());
    const cancelGrace = after(graceMs, () => {
      options.logger.warn('http.cut', { requests: inHand.size });
      server.closeAllConnections();
    });
    // The plain close of a TCP server: http's own would cut idle connections without lingering.
    await new Promise((resolve) => NetServer.prototype.close.call(server, resolve));
    cancelLinger();
    cancelGrace();
    server.close();
  };
  let stopped: Promise<void> | undefined;
  return {
    url: `http://${urlHost(options.host)}:${port}`,
    port,
    close: (graceMs) => {
      stopped ??= stop(graceMs);
      return stopped;
    },
  };
}

function bind(server: Server, { host, port }: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const reasons: Record<string, string> = {
        EADDRINUSE: 'is in use by another program; set PORT to another number',
        EACCES: 'may not be used by this user; set PORT to a number above 1023',
        EADDRNOTAVAIL: 'is not an address of this machine; set VIP_BIND to another',
      };
      const reason = reasons[error.code ?? ''] ?? `cannot be used: ${error.message}`;
      reject(new StartError(`Port ${port} on ${host} ${reason}.`));
    });
    server.listen({ host, port }, () => {
      server.removeAllListeners('error');
      resolve();
    });
  });
}

/** What to type into a browser on this machine. */
function urlHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}
