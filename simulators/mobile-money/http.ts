/** The few lines of HTTP that the simulators need: an exact route table on 127.0.0.1. */

import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

const BODY_BYTES_MAX = 65_536;

export interface SimulatorRequest {
  headers: IncomingHttpHeaders;
  query: URLSearchParams;
  /** What stands in the path behind a route that ends in `/*`, decoded; else empty. */
  rest: string;
  body: string;
}

export interface SimulatorAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

export type Handler = (request: SimulatorRequest) => SimulatorAnswer | Promise<SimulatorAnswer>;

/** Keys are `METHOD /path`; a path may end in `/*` to take one more segment. */
export type Routes = Record<string, Handler>;

export interface SimulatorServer {
  url: string;
  stop(): Promise<void>;
}

/** A JSON answer. Amounts (`bigint`) are written as strings of digits. */
export function json(status: number, value: unknown): SimulatorAnswer {
  const body = JSON.stringify(value, (_key, field: unknown) =>
    typeof field === 'bigint' ? field.toString() : field,
  );
  return { status, headers: { 'content-type': 'application/json' }, body };
}

/** A plain-text answer. */
export function plain(status: number, body: string): SimulatorAnswer {
  return { status, headers: { 'content-type': 'text/plain; charset=UTF-8' }, body };
}

/** The body as a JSON object, or null when it is none. */
export function jsonObject(body: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(body);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** A field that is a string or a number, as a string; empty for anything else. */
export function field(object: Record<string, unknown>, name: string): string {
  const value = object[name];
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

/** Listens on 127.0.0.1; port 0 takes a free one. Rejects when the port is taken. */
export async function serve(routes: Routes, port: number): Promise<SimulatorServer> {
  const server = createServer((request, response) => {
    void answer(routes, request).then(({ status, headers, body }) => {
      response.writeHead(status, headers).end(body);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(routes: Routes, request: IncomingMessage): Promise<SimulatorAnswer> {
  try {
    const address = new URL(request.url ?? '/', 'http://127.0.0.1');
    const found = findRoute(routes, request.method ?? 'GET', address.pathname);
    if (found === null) return json(404, { error: 'no such address' });
    const body = await readBody(request);
    if (body === null) return json(413, { error: `more than ${BODY_BYTES_MAX} bytes` });
    const { headers } = request;
    return await found.handler({ headers, query: address.searchParams, rest: found.rest, body });
  } catch (error) {
    return json(500, { error: String(error) });
  }
}

function findRoute(routes: Routes, method: string, path: string) {
  const exact = routes[`${method} ${path}`];
  if (exact !== undefined) return { handler: exact, rest: '' };
  const slash = path.lastIndexOf('/');
  const wild = routes[`${method} ${path.slice(0, slash)}/*`];
  return wild === undefined
    ? null
    : { handler: wild, rest: decodeURIComponent(path.slice(slash + 1)) };
}

async function readBody(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length;
    if (bytes > BODY_BYTES_MAX) return null;
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}
