import * as fc from 'fast-check';
import { decodeFile, parseCsv } from './csv.ts';

describe('separated values', () => {
  it('reads quotes, doubled quotes, line ends in cells and the last separator', () => {
    const text = '\uFEFFa,"b, ""c""\r\nd",e\r\n\n,\n1,2,\n"open';
    expect(parseCsv(text)).toEqual({
      ok: true,
      rows: [['a', 'b, "c"\r\nd', 'e'], ['', ''], ['1', '2', ''], ['open']],
    });
  });

  it('reads back every table that it could have written', () => {
    const row = fc.array(fc.string(), { minLength: 2, maxLength: 5 });
    fc.assert(
      fc.property(fc.array(row), (rows) => {
        const quote = (cell: string) => `"${cell.replaceAll('"', '""')}"`;
        const text = rows.map((cells) => cells.map(quote).join(';')).join('\r\n');
        expect(parseCsv(text, ';')).toEqual({ ok: true, rows });
      }),
    );
  });

  it('reads UTF-8, and windows-1252 where that is not valid UTF-8', () => {
    expect(decodeFile(new TextEncoder().encode('café'))).toBe('café');
    expect(decodeFile(Uint8Array.of(0x63, 0x61, 0x66, 0xe9, 0x80))).toBe('café€');
  });
});
