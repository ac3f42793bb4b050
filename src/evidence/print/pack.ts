/** The compliance pack on paper: a page to see how it stands, then what shows it. */
import { countsOf, type Pack, type PackRow, type Status } from '../compliance/service.ts';
import { printHead } from './head.ts';
import { heightOf, INK, openPaper, type Paper, type Style } from './paper.ts';
import { BEYOND_FONTS, NOTE } from './report.ts';
import { printTable, type Table } from './table.ts';

const COLORS: Record<Status, string> = {
  met: '#1d6b3a',
  part: '#8a5a00',
  'not met': '#a61b1b',
  'not applicable': INK.faint,
};
const HEADING: Style = { size: 11, font: 'bold' };
const BODY: Style = { size: 9 };
const CODE: Style = { size: 7.5, font: 'mono' };
const SOURCE: Style = { ...CODE, size: 7, color: INK.faint };
const INDENT = 10;
/** Wider rows are written as JSON. */
const COLUMNS_MAX = 6;
const CELL_CHARS_MAX = 60;

/** The whole pack as a PDF, with the source of each piece of evidence. */
export async function packPdf(pack: Pack, operator: string | null): Promise<Buffer> {
  const { version, at, knownUntil, rows, sha256 } = pack;
  const subject = { title: 'Compliance pack', operator, at, sha256 };
  const paper = openPaper(subject);
  printHead(paper, subject, {
    says: 'How each requirement stands in this installation at this instant, and what shows it.',
    facts: [
      ['As of', `${at} (UTC)`],
      ['On the air', knownUntil === null ? 'nothing is known' : `known until ${knownUntil}`],
      ['Version', String(version)],
      ['In all', countsOf(pack)],
    ],
  });
  await printTable(paper, {
    columns: ['number', 'status', 'requirement'],
    rows: rows.map(({ number, status, requirement }) => [number, status, requirement]),
  });
  for (const row of rows) await printRow(paper, row);
  paper.y += 14;
  paper.paragraph(`End of the pack; requirements: ${rows.length}.`, NOTE);
  paper.paragraph(
    'The SHA-256 is of the pack’s JSON without spaces with version, at, knownUntil and rows, in ' +
      `this order. ${BEYOND_FONTS}`,
    NOTE,
  );
  return await paper.finish();
}

async function printRow(
  paper: Paper,
  { number, requirement, status, reasons, evidence }: PackRow,
): Promise<void> {
  paper.y += 16;
  // Not a heading alone at the foot of a page.
  paper.makeRoom(heightOf(HEADING) + 4 * heightOf(BODY));
  paper.paragraph(`${number}  ${requirement}`, HEADING);
  paper.paragraph(status, { ...BODY, font: 'bold', color: COLORS[status] });
  for (const one of reasons) paper.paragraph(one, { ...BODY, color: COLORS[status] }, INDENT);
  for (const { what, found, source } of evidence) {
    paper.y += 5;
    paper.makeRoom(heightOf(BODY) + 2 * heightOf(CODE));
    paper.paragraph(what, BODY);
    await printFound(paper, found);
    for (const line of source.split('\n')) paper.paragraph(line, SOURCE, INDENT);
  }
}

/** Two rows and more as a table where it can be read so, all else as JSON. */
async function printFound(paper: Paper, found: unknown): Promise<void> {
  const table = tableOf(found);
  if (table) {
    paper.y += 2;
    await printTable(paper, table, { size: 7.5 });
    paper.y += 4;
    return;
  }
  const pieces = Array.isArray(found) && found.length > 0 ? found : [found];
  for (const one of pieces) paper.paragraph(JSON.stringify(one) ?? 'null', CODE, INDENT);
}

function tableOf(found: unknown): Table | null {
  if (!Array.isArray(found) || found.length < 2) return null;
  const [first] = found;
  if (!isRow(first)) return null;
  const columns = Object.keys(first);
  if (columns.length < 2 || columns.length > COLUMNS_MAX) return null;
  const isLike = (one: unknown) => isRow(one) && Object.keys(one).join() === columns.join();
  if (!found.every(isLike)) return null;
  const rows = found.map((one) => Object.values(one).map(cellOf));
  const isShort = rows.flat().every((cell) => String(cell).length <= CELL_CHARS_MAX);
  return isShort ? { columns, rows } : null;
}

const isRow = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const cellOf = (value: unknown): string | number =>
  typeof value === 'string' || typeof value === 'number' ? value : (JSON.stringify(value) ?? '');
