/** Draws a screen as wide as a feature phone shows it. */

const COLUMNS = 32;

/** The frame's lines; words are broken only when one is wider than the screen. */
export function drawScreen(text: string): string[] {
  const rows = text.split('\n').flatMap((line) => wrap(line));
  return [
    `╭${'─'.repeat(COLUMNS + 2)}╮`,
    ...rows.map((row) => `│ ${row.padEnd(COLUMNS)} │`),
    `╰${'─'.repeat(COLUMNS + 2)}╯`,
  ];
}

function wrap(line: string): string[] {
  const rows: string[] = [];
  let left = line;
  while (left.length > COLUMNS) {
    const blank = left.lastIndexOf(' ', COLUMNS);
    const cut = blank > 0 ? blank : COLUMNS;
    rows.push(left.slice(0, cut));
    left = left.slice(cut).replace(/^ /, '');
  }
  return [...rows, left];
}
