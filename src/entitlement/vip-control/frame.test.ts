import fc from 'fast-check';
import { createFrameDecoder, encodeFrame, FRAME_BYTES_MAX } from './frame.ts';

function bytesOf(message: object): Buffer {
  const frame = encodeFrame(message);
  if (!frame.ok) throw new Error(frame.error);
  return frame.bytes;
}

function rawFrame(body: Uint8Array): Buffer {
  const header = Buffer.alloc(4);
  header.writeUInt32BE(body.length);
  return Buffer.concat([header, body]);
}

const objects = fc
  .dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue())
  .map((value) => JSON.parse(JSON.stringify(value)));

describe('frames', () => {
  it('decode to the same sequence however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(objects), fc.infiniteStream(fc.nat(40)), (messages, cuts) => {
        const bytes = Buffer.concat(messages.map(bytesOf));
        const decoder = createFrameDecoder();
        const decoded: object[] = [];
        let offset = 0;
        for (const length of cuts) {
          if (offset >= bytes.length) break;
          const result = decoder.push(bytes.subarray(offset, offset + length));
          expect(result.ok).toBe(true);
          decoded.push(...result.messages);
          offset += length;
        }
        expect(decoded).toEqual(messages);
      }),
    );
  });

  it('decode whatever garbage comes without throwing', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 50 })), (chunks) => {
        const decoder = createFrameDecoder();
        for (const chunk of chunks) decoder.push(chunk);
      }),
    );
  });

  it('may be as long as the limit and not one byte longer', () => {
    const overhead = '{"a":""}'.length;
    const longest = { a: 'x'.repeat(FRAME_BYTES_MAX - overhead) };
    expect(createFrameDecoder().push(bytesOf(longest)).messages).toEqual([longest]);
    expect(encodeFrame({ a: `${longest.a}x` })).toEqual({ ok: false, error: 'oversize' });
  });

  it('that announce too many bytes are refused before those come', () => {
    const header = Buffer.alloc(4);
    header.writeUInt32BE(FRAME_BYTES_MAX + 1);
    expect(createFrameDecoder().push(header)).toMatchObject({ ok: false, error: 'oversize' });
  });

  it.each([
    ['bad_utf8', Buffer.from([0x22, 0xc3, 0x28, 0x22])],
    ['bad_json', Buffer.from('{"t":')],
    ['bad_json', Buffer.alloc(0)],
    ['bad_json', Buffer.from('\ufeff{}')],
    ['not_object', Buffer.from('[1]')],
    ['not_object', Buffer.from('null')],
    ['not_object', Buffer.from('"text"')],
  ])('answer %s and stay in the error, giving what came before', (error, body) => {
    const decoder = createFrameDecoder();
    const result = decoder.push(Buffer.concat([bytesOf({ good: 1 }), rawFrame(body)]));
    expect(result).toEqual({ ok: false, error, messages: [{ good: 1 }] });
    expect(decoder.push(bytesOf({ good: 2 }))).toEqual({ ok: false, error, messages: [] });
  });
});
