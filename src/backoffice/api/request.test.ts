import type { IncomingMessage } from 'node:http';
import { acceptsJson, bearerToken, givenRequestId } from './request.ts';

const asking = (headers: Record<string, string>) => ({ headers }) as unknown as IncomingMessage;

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

  it('keeps the caller’s id when it can stand in a log', () => {
    expect(givenRequestId(asking({ 'x-request-id': 'req-12345678' }))).toBe('req-12345678');
    expect(givenRequestId(asking({ 'x-request-id': 'a\nb' }))).toBeNull();
    expect(givenRequestId(asking({}))).toBeNull();
  });
});
