import type { IncomingMessage } from 'node:http';
import { remoteOf } from './remote.ts';

const asking = (headers: Record<string, string>, remoteAddress = '::ffff:10.0.0.9') =>
  ({ headers, socket: { remoteAddress } }) as unknown as IncomingMessage;

describe('a request', () => {
  it('comes from who is connected, or from who our own proxies saw', () => {
    const forwarded = { 'x-forwarded-for': '6.6.6.6, 41.90.1.1, 10.0.0.1' };
    expect(remoteOf(asking(forwarded), 0)).toBe('10.0.0.9');
    expect(remoteOf(asking(forwarded), 2)).toBe('41.90.1.1');
    expect(remoteOf(asking({}), 1)).toBe('10.0.0.9');
  });
});
