/** Tables on paper: their header comes again on each page. */
import { heightOf, INK, type Paper, type Style } from './paper.ts';

export interface Table {
  columns: readonly string[];
  rows: readonly (readonly (string | number)[])[];
}

interface Column {
  x: number;
  width: number;
  isNumber: boolean;
}

const GAP = 12;
const PAD = 2;
/** A narrow table is opened up by this a column, so that its header can breathe. */
const LOOSE = 30;
const DECIMAL = /^-?\d+\.\d+$/;

/** After so many rows other work goes on: a long table takes seconds. */
const ROWS_A_TURN = 50;

/** Writes a table; columns of numbers stand to the right, numbers of cards are no numbers. */
export async function printTable(
  paper: Paper,
  table: Table,
  style: Style = { size: 8.5 },
): Promise<void> {
  const bold: Style = { ...style, font: 'bold' };
  const natural = table.columns.map((name) => paper.widthOf(name, bold));
  for await (const row of unhurried(table.rows)) {
    for (const [n, cell] of row.entries()) {
      natural[n] = Math.max(natural[n] ?? 0, paper.widthOf(String(cell), style));
    }
  }
  const columns = columnsOf(paper, table, natural);
  const width = (columns.at(-1)?.x ?? 0) + (columns.at(-1)?.width ?? 0) + GAP / 2;
  const cellsOf = (row: readonly (string | number)[], face: Style) =>
    columns.map((column, n) => paper.lines(String(row[n] ?? ''), column.width, face));
  const header = cellsOf(table.columns, bold);
  const headerHeight = heightIn(header, bold);
  const printHeader = () => {
    const band = { x: paper.left, y: paper.y, width, height: headerHeight };
    paper.band(band, INK.band);
    printCells(paper, columns, header, bold);
    paper.rule({ x: paper.left, y: paper.y, width });
  };
  const oneLine = heightOf(style) + 2 * PAD;
  paper.makeRoom(headerHeight + oneLine);
  printHeader();
  for await (const row of unhurried(table.rows)) {
    const cells = cellsOf(row, style);
    if (paper.makeRoom(heightIn(cells, style))) printHeader();
    printCells(paper, columns, cells, style, printHeader);
    paper.rule({ x: paper.left, y: paper.y, width });
  }
}

const linesIn = (cells: readonly string[][]): number =>
  Math.max(1, ...cells.map((lines) => lines.length));

const heightIn = (cells: readonly string[][], style: Style): number =>
  linesIn(cells) * heightOf(style) + 2 * PAD;

/** Line by line: a row that no page holds goes on under the next header. */
function printCells(
  paper: Paper,
  columns: readonly Column[],
  cells: readonly string[][],
  style: Style,
  printHeader?: () => void,
): void {
  paper.y += PAD;
  for (let n = 0; n < linesIn(cells); n += 1) {
    if (printHeader && paper.makeRoom(heightOf(style) + PAD)) printHeader();
    for (const [at, { x, width, isNumber }] of columns.entries()) {
      const text = cells[at]?.[n] ?? '';
      if (text === '') continue;
      const shift = isNumber ? width - paper.widthOf(text.trimEnd(), style) : 0;
      paper.put(text, { x: paper.left + x + shift, y: paper.y }, style);
    }
    paper.y += heightOf(style);
  }
  paper.y += PAD;
}

async function* unhurried<T>(rows: readonly T[]): AsyncGenerator<T> {
  for (const [n, row] of rows.entries()) {
    if (n % ROWS_A_TURN === ROWS_A_TURN - 1) await new Promise(setImmediate);
    yield row;
  }
}

/** As wide as what is in them; where that is too much, the widest give. */
function columnsOf(paper: Paper, { rows }: Table, natural: readonly number[]): Column[] {
  const room = paper.width - natural.length * GAP;
  const sum = natural.reduce((total, width) => total + width, 0);
  const loose = Math.max(0, Math.min(LOOSE, (room - sum) / natural.length));
  const most = mostOf(natural, room);
  let x = GAP / 2;
  return natural.map((width, n) => {
    const column = {
      ...{ x, width: Math.min(width, most) + loose + 0.01 },
      isNumber: isNumeric(rows.map((row) => row[n] ?? '')),
    };
    x += column.width + GAP;
    return column;
  });
}

/** The width that no column may go beyond, so that together they fit. */
function mostOf(widths: readonly number[], room: number): number {
  let left = room;
  const sorted = [...widths].sort((a, b) => a - b);
  for (const [n, width] of sorted.entries()) {
    const share = left / (sorted.length - n);
    if (width > share) return share;
    left -= width;
  }
  return room;
}

function isNumeric(cells: readonly (string | number)[]): boolean {
  const said = cells.filter((cell) => cell !== '');
  return said.length > 0 && said.every((one) => typeof one === 'number' || DECIMAL.test(one));
}
