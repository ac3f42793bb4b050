/** What a request says, read strictly: tokens, headers, body. */
import type { IncomingMessage } from 'node:http';
import type { z } from 'zod';
import { readBody } from '../../platform/http/body.ts';
import { type FieldFault, type Problem, problem } from './problems.ts';

const BODY_LIMIT_BYTES = 64 * 1024;
const BODY_TIMEOUT_MS = 10_000;
const FAULTS_MAX = 20;
const REQUEST_ID = /^[\w.-]{8,64}$/;
const ANY_TYPE = new Set(['*/*', 'application/*', 'application/json', 'application/problem+json']);

/** One value of a header, or the empty text. */
export function header(req: IncomingMessage, name: string): string {
  const value = req.headers[name];
  return (Array.isArray(value) ? value[0] : value) ?? '';
}

/** The caller's own id of the request, if it can stand in a log. */
export const givenRequestId = (req: IncomingMessage): string | null => {
  const id = header(req, 'x-request-id');
  return REQUEST_ID.test(id) ? id : null;
};

/** The token behind `Bearer`, or null. */
export const bearerToken = (req: IncomingMessage): string | null =>
  /^Bearer ([\w-]{20,200})$/i.exec(header(req, 'authorization'))?.[1] ?? null;

/** Does the caller take JSON? A range with weight 0 is a refusal (RFC 9110, 12.5.1). */
export function acceptsJson(req: IncomingMessage): boolean {
  const accept = header(req, 'accept');
  if (accept === '') return true;
  return accept.split(',').some((range) => {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    return ANY_TYPE.has(type) && !parameters.some((one) => /^q=0(\.0*)?$/.test(one));
  });
}

type Read<T> = { ok: true; value: T } | { ok: false; problem: Problem };

/** The body as JSON; an empty one is an empty object. */
export async function readJson(
  req: IncomingMessage,
  limitBytes = BODY_LIMIT_BYTES,
): Promise<Read<unknown>> {
  const type = header(req, 'content-type').split(';')[0]?.trim().toLowerCase();
  const isEmpty = header(req, 'content-length') === '0' || !hasBody(req);
  if (isEmpty) return { ok: true, value: {} };
  if (type !== 'application/json') return fault('unsupported_media_type');
  const body = await readBody(req, { limitBytes, timeoutMs: BODY_TIMEOUT_MS });
  if (!body.ok) {
    const code = body.error === 'too_large' ? 'body_too_large' : 'request_timeout';
    return { ok: false, problem: problem(code, { headers: { Connection: 'close' } }) };
  }
  try {
    return {
      ok: true,
      value: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body.bytes)),
    };
  } catch {
    return fault('malformed_request');
  }
}

const hasBody = (req: IncomingMessage): boolean =>
  header(req, 'transfer-encoding') !== '' || header(req, 'content-length') !== '';

const fault = (code: 'unsupported_media_type' | 'malformed_request'): Read<never> => ({
  ok: false,
  problem: problem(code),
});

/** A value by its schema, or where and why it does not fit. */
export function check(
  schema: z.ZodType,
  value: unknown,
  where: '' | 'query' | 'path',
): { ok: true; value: unknown } | { ok: false; fields: FieldFault[] } {
  const result = schema.safeParse(value);
  if (result.success) return { ok: true, value: result.data };
  const fields = result.error.issues.slice(0, FAULTS_MAX).map(({ path, code, message }) => ({
    path: [...(where ? [where] : []), ...path.map(String)].join('.') || '.',
    code: code ?? 'invalid',
    message,
  }));
  return { ok: false, fields };
}
