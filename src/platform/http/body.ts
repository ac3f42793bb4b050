import type { IncomingMessage } from 'node:http';
import { after } from '../timers.ts';

export interface BodyOptions {
  limitBytes: number;
  timeoutMs: number;
}

export type Body =
  | { ok: true; bytes: Buffer }
  /** `head`: what had come by then, at most `limitBytes`. */
  | { ok: false; error: 'too_large' | 'timeout' | 'aborted'; head: Buffer };

const NOTHING = Buffer.alloc(0);

/**
 * The body of a request, byte for byte, for doors that verify a signature over it. Never rejects.
 * After `too_large` or `timeout` the rest is not read: answer with `Connection: close`.
 */
export function readBody(req: IncomingMessage, options: BodyOptions): Promise<Body> {
  return new Promise((resolve) => {
    // Nearly every body comes in one piece: it is handed on as it is.
    let bytes: Buffer = NOTHING;
    let rest: Buffer[] | undefined;
    let length = 0;

    const all = () => (rest ? Buffer.concat([bytes, ...rest]) : bytes);
    const finish = (body: Body) => {
      cancelTimer();
      req.off('data', onData).off('end', onEnd).off('close', onAbort).off('error', onAbort);
      // An error event that nobody hears would end the process.
      req.on('error', () => undefined);
      resolve(body);
    };
    const refuse = (error: 'too_large' | 'timeout' | 'aborted') => {
      if (error !== 'aborted') req.pause();
      finish({ ok: false, error, head: all().subarray(0, options.limitBytes) });
    };
    const onData = (chunk: Buffer) => {
      if (length === 0) bytes = chunk;
      else if (rest) rest.push(chunk);
      else rest = [chunk];
      length += chunk.length;
      if (length > options.limitBytes) refuse('too_large');
    };
    const onEnd = () => finish({ ok: true, bytes: all() });
    const onAbort = () => refuse('aborted');

    const cancelTimer = after(options.timeoutMs, () => refuse('timeout'));
    if (req.destroyed && !req.readableEnded) onAbort();
    else req.on('data', onData).on('end', onEnd).on('close', onAbort).on('error', onAbort);
  });
}
