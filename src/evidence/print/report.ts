/** A report on paper. */
import type { Report } from '../reports/service.ts';
import { printHead } from './head.ts';
import { INK, openPaper, type Style } from './paper.ts';
import { printTable } from './table.ts';

/** Said under a table, where it ends: what is below a cut page is missed. */
export const NOTE: Style = { size: 8, color: INK.faint };

/** What is said of characters that the fonts do not have. */
export const BEYOND_FONTS =
  'A character that the fonts of this file do not have is written as its code point, [U+12A0]; ' +
  'JSON and CSV have it as it is.';

/**
 * The report as a PDF: the same report gives the same bytes, whenever and wherever it is printed.
 * `operator`: whose it is, by the catalogue then in force.
 */
export async function reportPdf(report: Report, operator: string | null): Promise<Buffer> {
  const { name, version, definition, at, card, columns, rows, sha256 } = report;
  const subject = { title: `Report: ${name}`, operator, at, sha256 };
  const paper = openPaper(subject);
  printHead(paper, subject, {
    says: definition,
    facts: [
      ['As of', `${at} (UTC)`],
      ['Query version', String(version)],
      ...(card === null ? [] : [['Card', card] as const]),
      ['Rows', String(rows.length)],
    ],
  });
  await printTable(paper, { columns, rows });
  paper.y += 8;
  paper.paragraph(`End of the report; rows: ${rows.length}.`, NOTE);
  paper.paragraph(
    'The SHA-256 is of the report’s JSON without spaces with name, version, definition, at, ' +
      `card, columns and rows, in this order. ${BEYOND_FONTS}`,
    NOTE,
  );
  return await paper.finish();
}
