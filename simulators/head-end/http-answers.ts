/** The few lines of HTTP that the head-end's window needs. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { z } from 'zod';

export type Answer = [status: number, body: object];

const BODY_BYTES_MAX = 65_536;
const IS_HERE = /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/;

export const NOT_FOUND: Answer = [404, { error: 'not_found' }];

/** Sends an answer as JSON. */
export function reply(response: ServerResponse, [status, body]: Answer): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(body)}\n`);
}

/**
 * Why a request that changes something is not even read: a page of another site must not be able
 * to make it. A browser names the page in `Origin`, and does not send JSON across sites unasked.
 */
export function refuseForeign({ headers }: IncomingMessage): Answer | undefined {
  const { origin, host = '' } = headers;
  // A name that only leads to this machine may be anybody's.
  const isOwn = IS_HERE.test(host) && origin === `http://${host}`;
  if (origin !== undefined && !isOwn) return [403, { error: 'Not from another web page.' }];
  const [type = ''] = (headers['content-type'] ?? '').split(';');
  const isJson = type.trim().toLowerCase() === 'application/json';
  return isJson ? undefined : [415, { error: 'The body must be application/json.' }];
}

export type ReadBody<T> = { ok: true; value: T } | { ok: false; answer: Answer };

/** The body of a request, if it has the given form; else the answer, which names the field. */
export async function readJson<T>(
  request: IncomingMessage,
  form: z.ZodType<T>,
): Promise<ReadBody<T>> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) return refusal(413, `More than ${BODY_BYTES_MAX} bytes.`);
    chunks.push(chunk);
  }
  const json = parseJson(Buffer.concat(chunks).toString('utf8'));
  if (json === undefined) return refusal(400, 'The body is not JSON.');
  const parsed = form.safeParse(json);
  if (parsed.success) return { ok: true, value: parsed.data };
  const [issue] = parsed.error.issues;
  const field = issue?.path.join('.') || 'body';
  return refusal(400, `${field}: ${issue?.message ?? 'invalid'}.`);
}

function refusal(status: number, error: string): { ok: false; answer: Answer } {
  return { ok: false, answer: [status, { error }] };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
