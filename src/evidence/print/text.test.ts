import fc from 'fast-check';
import { linesOf, printable } from './text.ts';

/** Goal: nothing that is written vanishes, whatever it is and however wide. */
const WIN_ANSI = new TextDecoder('windows-1252');

describe('text for paper', () => {
  it('keeps every character that WinAnsi has', () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, n) => n).slice(0x20);
    const all = [...WIN_ANSI.decode(bytes)].filter((one) => !/[\x7f-\x9f\xad]/.test(one));
    expect(all).toHaveLength(256 - 0x20 - 1 - 5 - 1);
    expect(printable(all.join(''))).toBe(all.join(''));
    expect(printable('Télé Évasion, n° 3: 5 € – « œuvre »')).toBe(
      'Télé Évasion, n° 3: 5 € – « œuvre »',
    );
  });

  it('writes what it has not as its code point', () => {
    expect(printable('ኢ日\n\t\u00ad😀')).toBe('[U+12A2][U+65E5][U+000A][U+0009][U+00AD][U+1F600]');
    expect(printable('e\u0301')).toBe('é');
    expect(printable('\ud800')).toBe('[U+D800]');
  });

  it('breaks lines without losing a character, none wider than it may be', () => {
    const widthOf = (part: string) => part.length;
    expect(linesOf('one two  three', 7, widthOf)).toEqual(['one two  ', 'three']);
    expect(linesOf('one two', 6, widthOf)).toEqual(['one ', 'two']);
    expect(linesOf('abcdefghij', 4, widthOf)).toEqual(['abcd', 'efgh', 'ij']);
    expect(linesOf('', 4, widthOf)).toEqual(['']);
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), fc.integer({ min: 1, max: 20 }), (text, width) => {
        const lines = linesOf(text, width, widthOf);
        expect(lines.join('')).toBe(text);
        for (const line of lines) expect(line.trimEnd().length).toBeLessThanOrEqual(width);
      }),
    );
  });
});
