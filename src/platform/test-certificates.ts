/**
 * Certificates for tests, made at run time: X.509 as RFC 5280 has it, in DER as X.690 has it, just
 * enough of both for an authority and the certificates it signs.
 */
import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TestCertificate {
  /** PEM texts. */
  cert: string;
  key: string;
}

export interface TestAuthority extends TestCertificate {
  /** A certificate for a host name or an IPv4 address, good for these dates or today. */
  issue(name: string, dates?: { from: Date; to: Date }): TestCertificate;
}

const HOUR_MS = 3_600_000;
/** ecdsa-with-SHA256, commonName, basicConstraints, subjectAltName. */
const SIGNED_WITH = '1.2.840.10045.4.3.2';
const COMMON_NAME = '2.5.4.3';
const CONSTRAINTS = '2.5.29.19';
const OTHER_NAMES = '2.5.29.17';
const SERIAL_BYTES_SEEN = 8;

let serial = Date.now();

/** An authority of one test's own. */
export function createTestAuthority(name = 'Test authority'): TestAuthority {
  const keys = newKeys();
  const constraints = extension(CONSTRAINTS, sequence(der(0x01, Buffer.of(0xff))));
  const own = certificate({ issuer: name, subject: name, keys, signer: keys.key, constraints });
  return {
    cert: own,
    key: keys.key,
    issue(subject, dates) {
      const leaf = newKeys();
      const cert = certificate({
        ...{ issuer: name, subject, keys: leaf, signer: keys.key, dates },
        constraints: extension(OTHER_NAMES, sequence(nameOf(subject))),
      });
      return { cert, key: leaf.key };
    },
  };
}

/** The files of a client, or of a server, in a new folder. */
export function writeTestFiles({ cert: ca }: TestCertificate, own: TestCertificate) {
  const folder = mkdtempSync(join(tmpdir(), 'certificates-'));
  const files = { ca: join(folder, 'ca.pem'), cert: join(folder, 'own.pem') };
  const key = join(folder, 'own.key');
  writeFileSync(files.ca, ca);
  writeFileSync(files.cert, own.cert);
  writeFileSync(key, own.key, { mode: 0o600 });
  return { folder, files: { ...files, key } };
}

interface Keys {
  key: string;
  publicDer: Buffer;
}

function newKeys(): Keys {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicDer: publicKey.export({ type: 'spki', format: 'der' }),
  };
}

function certificate(of: {
  issuer: string;
  subject: string;
  keys: Keys;
  signer: string;
  constraints: Buffer;
  dates?: { from: Date; to: Date } | undefined;
}): string {
  serial += 1;
  const number = Buffer.alloc(SERIAL_BYTES_SEEN);
  number.writeBigInt64BE(BigInt(serial));
  const now = Date.now();
  const { from, to } = of.dates ?? { from: new Date(now - HOUR_MS), to: new Date(now + HOUR_MS) };
  const algorithm = sequence(objectId(SIGNED_WITH));
  const body = sequence(
    der(0xa0, der(0x02, Buffer.of(2))),
    der(0x02, Buffer.concat([Buffer.of(1), number])),
    algorithm,
    distinguished(of.issuer),
    sequence(utcTime(from), utcTime(to)),
    distinguished(of.subject),
    of.keys.publicDer,
    der(0xa3, sequence(of.constraints)),
  );
  const signature = sign('sha256', body, createPrivateKey(of.signer));
  const whole = sequence(body, algorithm, der(0x03, Buffer.concat([Buffer.of(0), signature])));
  const lines = whole.toString('base64').replace(/.{64}/g, '$&\n').trimEnd();
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

function extension(id: string, value: Buffer): Buffer {
  return sequence(objectId(id), der(0x04, value));
}

/** An IPv4 address or a DNS name among the names of a certificate. */
function nameOf(subject: string): Buffer {
  if (!isIP(subject)) return der(0x82, Buffer.from(subject));
  return der(0x87, Buffer.from(subject.split('.').map(Number)));
}

function distinguished(name: string): Buffer {
  const attribute = sequence(objectId(COMMON_NAME), der(0x0c, Buffer.from(name)));
  return sequence(der(0x31, attribute));
}

function utcTime(date: Date): Buffer {
  const digits = date.toISOString().replace(/\D/g, '');
  return der(0x17, Buffer.from(`${digits.slice(2, 14)}Z`));
}

function objectId(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  const bytes = [40 * first + second];
  for (const part of rest) {
    const sevens = [part & 0x7f];
    for (let left = part >> 7; left > 0; left >>= 7) sevens.unshift((left & 0x7f) | 0x80);
    bytes.push(...sevens);
  }
  return der(0x06, Buffer.from(bytes));
}

function sequence(...parts: Buffer[]): Buffer {
  return der(0x30, Buffer.concat(parts));
}

function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const long = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...(length < 0x80 ? [length] : long)]), content]);
}
