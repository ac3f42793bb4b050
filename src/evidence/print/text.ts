/** Text as the fonts that every reader of PDF has can show it (WinAnsi), and broken into lines. */

/** Beside ASCII and Latin-1. */
const FURTHER = new Set('ƒ–—‘’‚“”„†‡•…‰‹›€™ŒœŠšŸŽžˆ˜');
const LATIN = /^[\x20-\x7e\xa0-\xac\xae-\xff]$/;

/**
 * The text with whatever the fonts lack, an end of line too, written as its code point:
 * `[U+12A0]`. Nothing is left out, and nothing is put in the place of something else.
 */
export const printable = (text: string): string =>
  [...text.normalize('NFC')]
    .map((one) => (LATIN.test(one) || FURTHER.has(one) ? one : `[${nameOf(one)}]`))
    .join('');

const nameOf = (char: string): string =>
  `U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;

/**
 * Lines of at most `width`, as `widthOf` measures: broken behind a space, or within a word that is
 * too wide by itself. Joined they are the text again.
 */
export function linesOf(text: string, width: number, widthOf: (part: string) => number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.match(/[^ ]* *| +/g) ?? []) {
    if (line !== '' && widthOf((line + word).trimEnd()) > width) {
      lines.push(line);
      line = '';
    }
    line += word;
    while (widthOf(line.trimEnd()) > width) {
      const fits = charsWithin(line, width, widthOf);
      lines.push(line.slice(0, fits));
      line = line.slice(fits);
    }
  }
  return line === '' && lines.length > 0 ? lines : [...lines, line];
}

/** How many characters go into a line: one at least. */
function charsWithin(text: string, width: number, widthOf: (part: string) => number): number {
  let low = 1;
  let high = text.length;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (widthOf(text.slice(0, middle)) <= width) low = middle;
    else high = middle - 1;
  }
  return low;
}
