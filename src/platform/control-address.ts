/** Where VIP Control is reached, and what proves who is who there. */
import { resolve } from 'node:path';

export const CONTROL_TRANSPORTS = ['tcp', 'tls', 'http', 'https'] as const;

export interface ControlAddress {
  transport: (typeof CONTROL_TRANSPORTS)[number];
  host: string;
  port: number;
  /** Over `http` and `https` alone. */
  path?: string;
  /** Always there over `tls` and `https`, never otherwise. */
  files?: ControlFiles;
}

/** Absolute names of PEM files. */
export interface ControlFiles {
  /** Whom we believe to be the head-end: the authority that signed its certificate. */
  ca: string;
  /** Our own certificate, with those between it and its authority. */
  cert: string;
  key: string;
}

/** As an operator writes it. */
export interface ControlText {
  url: string;
  ca?: string | undefined;
  cert?: string | undefined;
  key?: string | undefined;
  /** Allows `tcp` and `http`, which anybody on the way can read and change, beyond this machine. */
  allowPlain?: boolean | undefined;
}

export type ControlRead =
  | { ok: true; address: ControlAddress }
  | { ok: false; error: 'bad_url' | 'plain_not_allowed' | 'files_missing' | 'files_unused' };

const DEFAULT_PATH = '/vcp';
const DEFAULT_PORTS: Record<string, string> = { 'http:': '80', 'https:': '443' };
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/;

/** The address of a head-end, or why it cannot be one. No file is opened. */
export function readControlAddress({ url, ca, cert, key, allowPlain }: ControlText): ControlRead {
  const place = readUrl(url);
  if (!place) return { ok: false, error: 'bad_url' };
  if (place.transport === 'tcp' || place.transport === 'http') {
    if (ca ?? cert ?? key) return { ok: false, error: 'files_unused' };
    const isAllowed = allowPlain || LOOPBACK.test(place.host);
    return isAllowed ? { ok: true, address: place } : { ok: false, error: 'plain_not_allowed' };
  }
  if (!ca || !cert || !key) return { ok: false, error: 'files_missing' };
  const files = { ca: resolve(ca), cert: resolve(cert), key: resolve(key) };
  return { ok: true, address: { ...place, files } };
}

function readUrl(text: string): ControlAddress | undefined {
  const url = URL.parse(text);
  const transport = CONTROL_TRANSPORTS.find((one) => url?.protocol === `${one}:`);
  if (!url || !transport) return undefined;
  const port = Number(url.port || DEFAULT_PORTS[url.protocol]);
  const isWebbed = transport === 'http' || transport === 'https';
  const hasMore = url.username || url.password || url.search || url.hash;
  const hasPath = url.pathname !== '' && url.pathname !== '/';
  if (!url.hostname || !(port > 0) || hasMore || (hasPath && !isWebbed)) return undefined;
  // An IPv6 address has brackets in an address alone.
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return {
    transport,
    host,
    port,
    ...(isWebbed ? { path: hasPath ? url.pathname : DEFAULT_PATH } : {}),
  };
}
