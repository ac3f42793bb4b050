/** Drivers opened by their address, against a head-end behind certificates. */
import { rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:tls';
import type { ControlFiles } from '../../platform/control-address.ts';
import { silentLogger } from '../../platform/log.ts';
import {
  createTestAuthority,
  type TestCertificate,
  writeTestFiles,
} from '../../platform/test-certificates.ts';
import { createFrameDecoder, encodeFrame } from '../vip-control/frame.ts';
import { createFakeRandom, createFakeTime, until } from '../vip-control/testing.ts';
import { openDriver } from './open.ts';

const authority = createTestAuthority();
const stranger = createTestAuthority('Somebody else');
const client = authority.issue('vip-billing');
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function filesOf(ca: TestCertificate, own: TestCertificate): ControlFiles {
  const { folder, files } = writeTestFiles(ca, own);
  cleanups.push(() => rmSync(folder, { recursive: true }));
  return files;
}

interface Server extends TestCertificate {
  maxVersion?: 'TLSv1.1' | 'TLSv1.2';
}

/** A head-end that welcomes whoever shows a certificate of the authority. */
async function listen(own: Server): Promise<{ port: number; versions: (string | null)[] }> {
  const versions: (string | null)[] = [];
  const sockets = new Set<Socket>();
  const server = createServer(
    {
      ...own,
      minVersion: 'TLSv1',
      ca: authority.cert,
      requestCert: true,
      rejectUnauthorized: true,
    },
    (socket) => {
      versions.push(socket.getProtocol());
      const decoder = createFrameDecoder();
      socket.on('error', () => undefined);
      socket.on('data', (chunk) => {
        for (const { t, nonce } of decoder.push(chunk).messages) {
          if (t !== 'HELLO') continue;
          const caps = { osdMax: 160, maxWindow: 4, supports: [] };
          const serverTime = '2026-11-23T13:00:00Z';
          const frame = encodeFrame({
            t: 'WELCOME',
            sessionId: 's',
            nonce,
            caps,
            serverTime,
            epoch: 1,
          });
          if (frame.ok) socket.write(frame.bytes);
        }
      });
    },
  );
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((closed) => server.close(closed));
  });
  return { port: (server.address() as AddressInfo).port, versions };
}

function open(port: number, files: ControlFiles, host = '127.0.0.1') {
  const time = createFakeTime();
  const failures: string[] = [];
  const note = (level: string) => (event: string, fields?: Record<string, unknown>) =>
    void failures.push(`${level}: ${fields?.reason ?? event}`);
  const driver = openDriver({
    address: { transport: 'tls', host, port, files },
    ...{ clientId: 'dispatcher-1', casId: 'main', epoch: () => 1, clock: time.clock },
    ...{ random: createFakeRandom(), timers: time.timers },
    logger: { ...silentLogger, error: note('error'), warn: note('warn') },
  });
  cleanups.push(driver.close);
  return { driver, failures, time };
}

describe('a driver behind certificates', () => {
  it('connects where both sides are who they say, over TLS 1.3 or, if it must, 1.2', async () => {
    for (const maxVersion of [undefined, 'TLSv1.2'] as const) {
      const own = authority.issue('127.0.0.1');
      const { port, versions } = await listen({ ...own, ...(maxVersion ? { maxVersion } : {}) });
      const { driver } = open(port, filesOf(authority, client));
      await until(() => driver.state() === 'connected');
      expect(versions).toEqual([maxVersion ?? 'TLSv1.3']);
    }
  });

  const day = 86_400_000;
  const [from, to] = [new Date(Date.now() - 2 * day), new Date(Date.now() - day)];
  it.each<[string, Server, string]>([
    ['an authority unknown to us', stranger.issue('127.0.0.1'), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    ['another name', authority.issue('head-end.example'), 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['a date that has passed', authority.issue('127.0.0.1', { from, to }), 'CERT_HAS_EXPIRED'],
  ])('does not speak to a head-end of %s', async (_title, own, reason) => {
    const { port } = await listen(own);
    const { driver, failures } = open(port, filesOf(authority, client));
    await until(() => failures.length === 1);
    expect(failures).toEqual([`error: ${reason}`]);
    expect(driver.state()).toBe('connecting');
  });

  it('reads its files for each connection: a renewed certificate needs no restart', async () => {
    const { port } = await listen(authority.issue('127.0.0.1'));
    const files = filesOf(authority, authority.issue('vip-billing', { from, to }));
    const { driver, failures, time } = open(port, files);
    const passUntil = (isTrue: () => boolean) =>
      until(() => {
        time.advance(25);
        return isTrue();
      });
    await passUntil(() => failures.length > 0);
    expect(driver.state()).toBe('connecting');
    // Half renewed: the key is still the old one's, and what was read before serves on.
    const renewed = authority.issue('vip-billing');
    writeFileSync(files.cert, renewed.cert);
    await passUntil(() => failures.includes('error: vipcontrol.files_unusable'));
    expect(driver.state()).toBe('connecting');
    writeFileSync(files.key, renewed.key);
    await passUntil(() => driver.state() === 'connected');
  });

  it('is not let in with a certificate of another authority', async () => {
    const { port } = await listen(authority.issue('127.0.0.1'));
    const { driver, failures } = open(port, filesOf(authority, stranger.issue('vip-billing')));
    await until(() => failures.length === 1);
    // TLS 1.3 tells a client late, or not at all, that it was not let in.
    expect(failures).toEqual(['warn: closed_by_peer']);
    expect(driver.state()).toBe('connecting');
    expect(driver.capabilities()).toBeUndefined();
  });
});

describe('the files of a driver', () => {
  it.each<[string, keyof ControlFiles, string | null, RegExp]>([
    [
      'is missing',
      'ca',
      null,
      /^The authority for VIP Control, .*ca\.pem, cannot be read \(ENOENT\)\.$/,
    ],
    ['is no certificate', 'cert', 'hello', /^The certificate .* holds no certificate in PEM\.$/],
    [
      'is damaged',
      'ca',
      '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
      /^The authority .* holds a damaged certificate\.$/,
    ],
    ['is no key', 'key', 'hello', /^The key .* holds no private key .* without a password\.$/],
    [
      'is the key of another',
      'key',
      stranger.key,
      /^The key .* does not belong to the certificate/,
    ],
  ])('are refused at the start, by name, when one %s', (_title, which, content, sentence) => {
    const files = filesOf(authority, client);
    if (content === null) rmSync(files[which]);
    else writeFileSync(files[which], content);
    expect(() => open(1, files)).toThrow(sentence);
  });
});
