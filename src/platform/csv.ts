/** Separated values as spreadsheets and portals export them (RFC 4180 and its variants). */

export type CsvResult =
  | { ok: true; rows: string[][] }
  | { ok: false; error: 'too_large' | 'too_many_rows' };

const CSV_CHARS_MAX = 64 * 1024 * 1024;
const CSV_ROWS_MAX = 500_000;

/**
 * Splits text into rows of cells. Quotes protect separators, line ends and doubled quotes; an
 * unclosed quote runs to the end. Lines without any character are left out. Errors: `too_large`,
 * `too_many_rows`.
 */
export function parseCsv(text: string, separator = ','): CsvResult {
  if (text.length > CSV_CHARS_MAX) return { ok: false, error: 'too_large' };
  const rows: string[][] = [];
  let cells: string[] = [];
  let at = text.startsWith('\uFEFF') ? 1 : 0;
  while (at < text.length) {
    const cell = takeCell(text, at, separator);
    cells.push(cell.value);
    at = cell.end;
    if (text[at] === separator) {
      at++;
      if (at < text.length) continue;
      cells.push('');
    }
    if (cells.length > 1 || cells[0] !== '') rows.push(cells);
    if (rows.length > CSV_ROWS_MAX) return { ok: false, error: 'too_many_rows' };
    cells = [];
    at += text.startsWith('\r\n', at) ? 2 : 1;
  }
  return { ok: true, rows };
}

function takeCell(text: string, start: number, separator: string): { value: string; end: number } {
  if (text[start] !== '"') {
    const end = endOfCell(text, start, separator);
    return { value: text.slice(start, end), end };
  }
  let value = '';
  let at = start + 1;
  for (;;) {
    const quote = text.indexOf('"', at);
    if (quote === -1) return { value: value + text.slice(at), end: text.length };
    value += text.slice(at, quote);
    if (text[quote + 1] !== '"') {
      const end = endOfCell(text, quote + 1, separator);
      return { value: value + text.slice(quote + 1, end), end };
    }
    value += '"';
    at = quote + 2;
  }
}

function endOfCell(text: string, start: number, separator: string): number {
  for (let at = start; at < text.length; at++) {
    const char = text[at];
    if (char === separator || char === '\n' || char === '\r') return at;
  }
  return text.length;
}

/** Text of an uploaded file: UTF-8 when it is valid, else windows-1252, as older portals write. */
export function decodeFile(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('windows-1252').decode(bytes);
  }
}
