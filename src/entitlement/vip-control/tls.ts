/**
 * Who is who on the link: we believe a head-end whose certificate our authority signed for the name
 * we call it by, and show it one of ours. There is no way to believe just anybody.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, connect } from 'node:tls';
import type { ControlFiles } from '../../platform/control-address.ts';
import type { Logger } from '../../platform/ports.ts';
import { StartError } from '../../platform/start-error.ts';

/** PEM texts that were found to be what they should be. */
export interface Identity {
  ca: string;
  cert: string;
  key: string;
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Reads the files; a StartError says which of them is wrong, and how. Secrets are not repeated. */
export function readIdentity(files: ControlFiles): Identity {
  const ca = readPem('authority', files.ca);
  const cert = readPem('certificate', files.cert);
  const key = readPem('key', files.key);
  certificatesIn('authority', files.ca, ca);
  const [own] = certificatesIn('certificate', files.cert, cert);
  if (!own?.checkPrivateKey(readKey(files.key, key))) {
    throw wrong('key', files.key, `does not belong to the certificate ${files.cert}`);
  }
  return { ca, cert, key };
}

/**
 * The files as they are each time it is asked, so that a renewed certificate serves the next
 * session. One that cannot be used then is logged, and what was read before it goes on serving. The
 * first reading throws a StartError.
 */
export function renewable(files: ControlFiles, logger: Pick<Logger, 'error'>): () => Identity {
  let last = readIdentity(files);
  return () => {
    try {
      last = readIdentity(files);
    } catch (error) {
      logger.error('vipcontrol.files_unusable', { error });
    }
    return last;
  };
}

/** What both transports secure themselves with. */
export function secured({ ca, cert, key }: Identity): ConnectionOptions {
  return {
    ...{ ca, cert, key },
    minVersion: 'TLSv1.2',
    // Said aloud, because an environment variable of Node could otherwise switch it off.
    rejectUnauthorized: true,
  };
}

/** A socket to a head-end whose name is checked; it may still be connecting. */
export function connectTls(place: { host: string; port: number }, identity: Identity): Duplex {
  const socket = connect({ ...place, ...secured(identity) });
  socket.setNoDelay(true);
  return socket;
}

function readPem(what: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw wrong(what, file, `cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

function certificatesIn(what: string, file: string, pem: string): X509Certificate[] {
  const texts = pem.match(CERTIFICATE) ?? [];
  if (texts.length === 0) throw wrong(what, file, 'holds no certificate in PEM');
  try {
    return texts.map((text) => new X509Certificate(text));
  } catch {
    throw wrong(what, file, 'holds a damaged certificate');
  }
}

function readKey(file: string, pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    throw wrong('key', file, 'holds no private key in PEM that can be used without a password');
  }
}

function wrong(what: string, file: string, how: string): StartError {
  return new StartError(`The ${what} for VIP Control, ${file}, ${how}.`);
}
