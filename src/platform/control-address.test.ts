import { resolve } from 'node:path';
import { readControlAddress } from './control-address.ts';

const names = { ca: 'ca.pem', cert: 'own.pem', key: 'own.key' };
const files = { ca: resolve('ca.pem'), cert: resolve('own.pem'), key: resolve('own.key') };

describe('the address of a head-end', () => {
  it.each([
    ['tcp://127.0.0.1:7700', { transport: 'tcp', host: '127.0.0.1', port: 7700 }],
    ['tcp://localhost:7700', { transport: 'tcp', host: 'localhost', port: 7700 }],
    ['http://[::1]:8080/x', { transport: 'http', host: '::1', port: 8080, path: '/x' }],
  ])('without protection is one of this machine: %s', (url, address) => {
    expect(readControlAddress({ url })).toEqual({ ok: true, address });
  });

  it.each([
    ['tls://cas.example:7701', { transport: 'tls', host: 'cas.example', port: 7701 }],
    ['https://cas.example', { transport: 'https', host: 'cas.example', port: 443, path: '/vcp' }],
    ['https://[2001:db8::1]:9/a', { transport: 'https', host: '2001:db8::1', port: 9, path: '/a' }],
  ])('elsewhere needs an authority, a certificate and a key: %s', (url, address) => {
    expect(readControlAddress({ url, ...names })).toEqual({
      ok: true,
      address: { ...address, files },
    });
    for (const missing of ['ca', 'cert', 'key']) {
      const some = { url, ...names, [missing]: undefined };
      expect(readControlAddress(some)).toEqual({ ok: false, error: 'files_missing' });
    }
  });

  it.each(['tcp://10.0.0.7:7700', 'http://cas.example:80', 'tcp://127.0.0.1.example:7700'])(
    'is not reached in the open over a network unless that is said: %s',
    (url) => {
      expect(readControlAddress({ url })).toEqual({ ok: false, error: 'plain_not_allowed' });
      expect(readControlAddress({ url, allowPlain: true })).toMatchObject({ ok: true });
    },
  );

  it('over a line that uses no certificate takes none', () => {
    const read = readControlAddress({ url: 'tcp://127.0.0.1:7700', ca: 'ca.pem' });
    expect(read).toEqual({ ok: false, error: 'files_unused' });
  });

  it.each([
    ...['', 'cas.example:7700', 'ftp://cas.example', 'tls://cas.example', 'tls://:7700'],
    ...['tcp://127.0.0.1:70000', 'tcp://127.0.0.1:0', 'tls://cas.example:1/path'],
    ...['https://user:word@cas.example', 'https://cas.example/?a=1', 'https://cas.example/#a'],
  ])('that cannot be one is refused: %s', (url) => {
    expect(readControlAddress({ url, ...names })).toEqual({ ok: false, error: 'bad_url' });
  });
});
