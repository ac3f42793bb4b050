import type { IncomingMessage } from 'node:http';
import { acceptsJson, bearerToken, givenRequestId, remoteOf } from './request.ts';

const asking = (headers: Record<string, string>, remoteAddress = '::ffff:10.0.0.9') =>
  ({ headers, socket: { remoteAddress } }) as unknown as IncomingMessage;

describe('what a request says', () => {
  it.each([
    ['', true],
    ['*/*', true],
    ['text/html, application/json;q=0.5', true],
    ['application/*', true],
    ['application/problem+json', true],
    ['text/html', false],
    ['application/json;q=0', false],
    ['text/html, */*;q=0.0', false],
  ])('takes JSON with Accept %p: %p', (accept, expected) => {
    expect(acceptsJson(asking(accept ? { accept } : {}))).toBe(expected);
  });

  it('has a token behind Bearer alone', () => {
    const token = `vips_${'a'.repeat(43)}`;
    expect(bearerToken(asking({ authorization: `Bearer ${token}` }))).toBe(token);
    expect(bearerToken(asking({ authorization: `bearer ${token}` }))).toBe(token);
    for (const authorization of ['', token, `Basic ${token}`, `Bearer ${token} x`, 'Bearer x']) {
      expect(bearerToken(asking({ authorization }))).toBeNull();
    }
  });

  it('comes from who is connected, or from who our own proxies saw', () => {
    const forwarded = { 'x-forwarded-for': '6.6.6.6, 41.90.1.1, 10.0.0.1' };
    expect(remoteOf(asking(forwarded), 0)).toBe('10.0.0.9');
    expect(remoteOf(asking(forwarded), 2)).toBe('41.90.1.1');
    expect(remoteOf(asking({}), 1)).toBe('10.0.0.9');
  });

  it('keeps the caller’s id when it can stand in a log', () => {
    expect(givenRequestId(asking({ 'x-request-id': 'req-12345678' }))).toBe('req-12345678');
    expect(givenRequestId(asking({ 'x-request-id': 'a\nb' }))).toBeNull();
    expect(givenRequestId(asking({}))).toBeNull();
  });
});
