/** One object there, one object back: a POST of the HTTP transport. */
import { type Agent as HttpAgent, request as httpRequest, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { FRAME_BYTES_MAX, type JsonObject, readObject } from './frame.ts';
import type { ClientMessage } from './messages.ts';

export interface HttpExchange {
  /** Never rejects; `reason` says why there is no answer. */
  post(message: ClientMessage, sessionId: string | undefined): Promise<Exchanged>;
  /** Gives up whatever is under way. */
  close(): void;
}

export type Exchanged = { ok: true; json: JsonObject } | { ok: false; reason: string };

export interface HttpPlace {
  host: string;
  port: number;
  path: string;
  /** Keeps the connections of one session; one of `node:https` where `isSecured`. */
  agent: HttpAgent;
  isSecured: boolean;
}

/** POSTs to a head-end, over the connections of the agent it is given. */
export function createHttpExchange({ isSecured, ...place }: HttpPlace): HttpExchange {
  const closing = new AbortController();
  const request = isSecured ? httpsRequest : httpRequest;
  return {
    post(message, sessionId) {
      const body = Buffer.from(JSON.stringify(message));
      const options: RequestOptions = {
        ...place,
        method: 'POST',
        signal: closing.signal,
        headers: {
          'content-type': 'application/json',
          'content-length': body.length,
          ...(sessionId === undefined ? {} : { 'vcp-session': sessionId }),
        },
      };
      return new Promise((resolve) => {
        const fail = (error: NodeJS.ErrnoException) =>
          resolve({ ok: false, reason: error.code ?? error.message });
        const call = request(options, (response) => {
          readBody(response).then(
            (bytes) => resolve(bytes ? judge(response.statusCode, bytes) : tooLong(call)),
            fail,
          );
        });
        call.on('error', fail);
        call.end(body);
      });
    },
    close() {
      closing.abort();
      place.agent.destroy();
    },
  };
}

async function readBody(response: AsyncIterable<Buffer>): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response) {
    length += chunk.length;
    if (length > FRAME_BYTES_MAX) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function tooLong(call: { destroy(): unknown }): Exchanged {
  call.destroy();
  return { ok: false, reason: 'oversize' };
}

function judge(status: number | undefined, bytes: Buffer): Exchanged {
  const json = readObject(bytes);
  if (status !== 200) return { ok: false, reason: `http_${status}` };
  return typeof json === 'string' ? { ok: false, reason: json } : { ok: true, json };
}
