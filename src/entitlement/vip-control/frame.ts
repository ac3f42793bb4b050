/**
 * One frame of the VIP Control link: a 4-byte big-endian length, then that many bytes of UTF-8
 * holding one JSON object. What cannot be read is an answer, never an exception: the peer is
 * another company's machine.
 */

export interface FrameDecoder {
  /** Takes the next bytes, however they were cut, and gives every object completed by them. */
  push(chunk: Uint8Array): DecodeResult;
}

export type JsonObject = Record<string, unknown>;

export type FrameError = 'oversize' | 'bad_utf8' | 'bad_json' | 'not_object';

/** `messages` came before the error and are good; after an error the decoder stays in it. */
export type DecodeResult =
  | { ok: true; messages: JsonObject[] }
  | { ok: false; error: FrameError; messages: JsonObject[] };

export type EncodeResult = { ok: true; bytes: Buffer } | { ok: false; error: 'oversize' };

/** The longest JSON text of one frame. */
export const FRAME_BYTES_MAX = 65_536;

const HEADER_BYTES = 4;
const EMPTY = Buffer.alloc(0);
// A BOM is left in place, so that JSON.parse refuses it: the protocol has none.
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** One object as a frame; `oversize` when its JSON is longer than `FRAME_BYTES_MAX`. */
export function encodeFrame(message: object): EncodeResult {
  const json = JSON.stringify(message);
  const length = Buffer.byteLength(json);
  if (length > FRAME_BYTES_MAX) return { ok: false, error: 'oversize' };
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + length);
  bytes.writeUInt32BE(length, 0);
  bytes.write(json, HEADER_BYTES);
  return { ok: true, bytes };
}

/** A decoder for one connection; it keeps at most one unfinished frame. */
export function createFrameDecoder(): FrameDecoder {
  let rest: Buffer = EMPTY;
  let failed: FrameError | undefined;

  return {
    push(chunk) {
      if (failed) return { ok: false, error: failed, messages: [] };
      const bytes = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk]);
      const messages: JsonObject[] = [];
      let frame = frameAt(bytes, 0);
      let end = 0;
      while (frame && typeof frame.content !== 'string') {
        messages.push(frame.content);
        end = frame.end;
        frame = frameAt(bytes, end);
      }
      rest = bytes.subarray(end);
      if (typeof frame?.content !== 'string') return { ok: true, messages };
      failed = frame.content;
      rest = EMPTY;
      return { ok: false, error: failed, messages };
    },
  };
}

interface Frame {
  content: JsonObject | FrameError;
  /** The offset of the byte after it. */
  end: number;
}

/** The frame that begins at `offset`; `undefined` while it is not whole. */
function frameAt(bytes: Buffer, offset: number): Frame | undefined {
  const start = offset + HEADER_BYTES;
  if (bytes.length < start) return undefined;
  const end = start + bytes.readUInt32BE(offset);
  if (end - start > FRAME_BYTES_MAX) return { content: 'oversize', end };
  return bytes.length < end ? undefined : { content: readObject(bytes.subarray(start, end)), end };
}

/** The one JSON object that these bytes are, or what is wrong with them. */
export function readObject(bytes: Buffer): JsonObject | FrameError {
  let text: string;
  try {
    text = UTF8.decode(bytes);
  } catch {
    return 'bad_utf8';
  }
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as JsonObject) : 'not_object';
  } catch {
    return 'bad_json';
  }
}
