/** Doors where both sides show a certificate. */
import { request } from 'node:https';
import { connect, type TLSSocket } from 'node:tls';
import { createFrameDecoder, encodeFrame } from '../../src/entitlement/vip-control/frame.ts';
import { createTestAuthority } from '../../src/platform/test-certificates.ts';
import { closeLater, setUp, tearDown } from './head-end-harness.ts';
import { hello } from './raw-client.ts';
import { openVcpPort } from './vcp-port.ts';

afterEach(tearDown);

const HOST = '127.0.0.1';
const authority = createTestAuthority();
const known = authority.issue(HOST);
const stranger = createTestAuthority('Another authority').issue(HOST);
const tls = { ...known, ca: authority.cert };
const guests = [
  ['without a certificate', {}],
  ['with one of another authority', stranger],
] as const;

/** The first answer to a log-in; rejects when the connection ends before. */
function logInOver(socket: TLSSocket): Promise<unknown> {
  const decoder = createFrameDecoder();
  const frame = encodeFrame(hello());
  return new Promise((answered, failed) => {
    socket.on('data', (chunk) => {
      answered(decoder.push(chunk).messages[0]);
      socket.destroy();
    });
    socket.on('error', failed);
    socket.on('close', () => failed(new Error('closed')));
    if (frame.ok) socket.write(frame.bytes);
  });
}

describe('the door for sockets', () => {
  const open = async () => {
    const { house, link } = await setUp({ tls });
    // It knows nothing of certificates, and stays outside.
    await link.close();
    return { port: house.headEnd.port, host: HOST, ca: authority.cert };
  };

  it('lets in whom its authority knows', async () => {
    const socket = connect({ ...(await open()), ...known });
    expect(await logInOver(socket)).toMatchObject({ t: 'WELCOME' });
  });

  it.each(guests)('lets nobody in %s', async (_, guest) => {
    const socket = connect({ ...(await open()), ...guest });
    await expect(logInOver(socket)).rejects.toThrow();
  });
});

describe('the door for requests', () => {
  const open = async () => {
    const { house, link } = await setUp();
    await link.close();
    const door = await openVcpPort(house.headEnd.vcp, { host: HOST, port: 0, tls });
    closeLater(door.stop);
    return door.port;
  };
  const post = (port: number, guest: object) =>
    new Promise((answered, failed) => {
      const headers = { 'content-type': 'application/json' };
      const options = { method: 'POST', headers, ca: authority.cert, ...guest };
      request(`https://${HOST}:${port}/vcp`, options, (response) => {
        response.resume();
        answered(response.statusCode);
      })
        .on('error', failed)
        .end(JSON.stringify(hello({ takeover: true })));
    });

  it('lets in whom its authority knows', async () => {
    expect(await post(await open(), known)).toBe(200);
  });

  it.each(guests)('lets nobody in %s', async (_, guest) => {
    await expect(post(await open(), guest)).rejects.toThrow();
  });
});
