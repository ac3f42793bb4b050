import { hash } from 'node:crypto';
import type { Pack, PackRow } from '../compliance/service.ts';
import { canonicalPack } from '../compliance/service.ts';
import { REPORTS, type ReportName } from '../reports/definitions.ts';
import { canonicalReport, type Report } from '../reports/service.ts';
import { packPdf } from './pack.ts';
import { linesOfPage, type Piece, type ReadPdf, readPdf } from './pdf-harness.ts';
import { reportPdf } from './report.ts';

/**
 * Goal: what is on paper is the report, whole, on every page known for what it is, and the same
 * bytes whenever it is printed. Method: the files are read back, page by page.
 */
const AT = '2026-11-23T12:00:00.000Z';

function reportOf(name: ReportName, given: Pick<Report, 'columns' | 'rows'>): Report {
  const body = { name, ...REPORTS[name], at: AT, card: null, ...given };
  return { ...body, sha256: hash('sha256', canonicalReport(body)) };
}

const COLUMNS = ['kind', 'device', 'since'];
const devices = (count: number) =>
  Array.from({ length: count }, (_, n) => [
    n % 2 === 0 ? 'decoder' : 'card',
    `8021${String(n).padStart(9, '0')}`,
    new Date(Date.parse(AT) - n * 1_000).toISOString(),
  ]);

const linesIn = ({ pages }: ReadPdf): string[][] => pages.flatMap(linesOfPage);
const textIn = (read: ReadPdf): string =>
  linesIn(read)
    .map((line) => line.join(' '))
    .join('\n');
const find = (pieces: readonly Piece[], text: string): Piece => {
  const found = pieces.find((one) => one.text === text);
  if (!found) throw new Error(`No ${text}`);
  return found;
};

describe('a report on paper', () => {
  it('says what it is, whose, as of when, and by which query', async () => {
    const report = reportOf('active', { columns: ['product', 'cards'], rows: [['all', 3]] });
    const read = readPdf(await reportPdf(report, 'Télé Savane'));
    expect(linesIn(read).slice(0, 9)).toEqual([
      ['VIP Billing', 'Télé Savane'],
      ['Report: active'],
      [expect.stringMatching(/^Cards with at least one product .* operator’s$/)],
      ['rule, without the margin of the air.'],
      ['As of', `${AT} (UTC)`],
      ['Query version', String(REPORTS.active.version)],
      ['Rows', '1'],
      ['SHA-256', report.sha256],
      ['product', 'cards'],
    ]);
    expect(linesIn(read).slice(9, 11)).toEqual([['all', '3'], ['End of the report; rows: 1.']]);
    expect(linesIn(read).at(-1)).toEqual(['SHA-256', report.sha256, 'page 1 of 1']);
    expect(read.info).toMatchObject({
      ...{ Title: 'Report: active', Author: 'Télé Savane', CreationDate: 'D:20261123120000Z' },
      Subject: `SHA-256 ${report.sha256}`,
    });
  });

  it('is the same bytes again, and other bytes for another report', async () => {
    const report = reportOf('blacklisted', { columns: COLUMNS, rows: devices(100) });
    const print = () => reportPdf(report, 'Savane TV');
    const [first, again] = [await print(), await print()];
    expect(hash('sha256', first)).toBe(hash('sha256', again));
    const other = reportOf('blacklisted', { columns: COLUMNS, rows: devices(101) });
    expect(readPdf(await reportPdf(other, 'Savane TV')).id).not.toBe(readPdf(first).id);
    expect(first.toString('latin1')).not.toContain('ModDate');
  });

  it('is the same bytes on every machine', async () => {
    const report = reportOf('active', { columns: ['product', 'cards'], rows: [['all', 3]] });
    // Another layout, or another version of the library, is told in the changelog.
    expect(hash('sha256', await reportPdf(report, 'Télé Savane'))).toBe(
      'ca07bca47fa604f9264c1e91c007077cace449b4d753f473c1332c25cf2d800f',
    );
  });

  it('has every row once on many pages, each with its header, number and hash', async () => {
    const report = reportOf('blacklisted', { columns: COLUMNS, rows: devices(2_000) });
    const read = readPdf(await reportPdf(report, null));
    const { pages } = read;
    expect(pages.length).toBeGreaterThan(30);
    const rows: string[][] = [];
    for (const [n, page] of pages.entries()) {
      const lines = linesOfPage(page);
      const header = lines.findIndex((line) => line.join() === COLUMNS.join());
      expect(header).toBeGreaterThan(0);
      if (n > 0) expect(lines[0]).toEqual([`Report: blacklisted, as of ${AT}`]);
      expect(lines.at(-1)).toEqual(['SHA-256', report.sha256, `page ${n + 1} of ${pages.length}`]);
      rows.push(
        ...lines
          .slice(header + 1)
          .filter((line) => line.length === 3)
          .slice(0, -1),
      );
      // Nothing runs into the foot.
      const [lowest, ...others] = [...new Set(page.map(({ y }) => y))].sort((a, b) => a - b);
      expect((others[0] ?? 0) - (lowest ?? 0)).toBeGreaterThan(15);
    }
    expect(rows).toEqual(report.rows);
  });

  it('sets numbers to the right, and numbers of devices to the left', async () => {
    const report = reportOf('monthly', {
      columns: ['kind', 'code', 'cards', 'empty', 'mean'],
      rows: [
        ['bouquet', '7', 1, '', '0.50'],
        ['channel', '4021', 1_000_000, '', '100000.25'],
      ],
    });
    const [page = []] = readPdf(await reportPdf(report, null)).pages;
    const digit = 0.556 * find(page, '1000000').size;
    const moved = (from: string, to: string) => find(page, from).x - find(page, to).x;
    // The first `1` may be the version of the query.
    const one = page.filter(({ text }) => text === '1').at(-1)?.x ?? 0;
    expect(one - find(page, '1000000').x).toBeCloseTo(6 * digit, 1);
    expect(moved('0.50', '100000.25')).toBeCloseTo(5 * digit, 1);
    expect(moved('7', '4021')).toBeCloseTo(0, 3);
    const right = (text: string, em: number) => find(page, text).x + em * find(page, text).size;
    expect(right('cards', 2.612)).toBeCloseTo(right('1000000', 7 * 0.556), 0);
  });

  it('shows what its fonts lack as code points, and long words over several lines', async () => {
    const long = 'LONG'.repeat(60);
    const rows = [
      ['ኢትዮ-été', 'KE', long],
      ['a"b,c\nd', '', '日本'],
    ];
    const report = reportOf('bouquets', { columns: ['bouquet', 'country', 'channel'], rows });
    const [page = []] = readPdf(await reportPdf(report, 'ኢቢሲ')).pages;
    const text = page.map((piece) => piece.text).join('\n');
    expect(text).toContain('[U+12A2][U+1275][U+12EE]-été');
    expect(text).toContain('a"b,c[U+000A]d');
    expect(text).toContain('[U+65E5][U+672C]');
    expect(text).toContain('[U+12A2][U+1262][U+1232]');
    const { x } = page.find((piece) => piece.text.startsWith('LONGLONG')) as Piece;
    const parts = page.filter((piece) => piece.x === x && /^[LONG]+$/.test(piece.text));
    expect(parts.length).toBeGreaterThan(1);
    expect(parts.map((piece) => piece.text).join('')).toBe(long);
    expect(text).not.toContain('�');
  });

  it('carries a row that no page holds over to the next', async () => {
    const long = Array.from({ length: 3_000 }, (_, n) => `W${n}`).join(' ');
    const rows = [
      ['A', long],
      ['B', 'end'],
    ];
    const read = readPdf(
      await reportPdf(reportOf('card', { columns: ['product', 'since'], rows }), null),
    );
    expect(read.pages.length).toBeGreaterThan(2);
    expect(textIn(read).match(/W\d+/g)).toHaveLength(3_000);
    const headers = linesIn(read).filter((line) => line.join() === 'product,since');
    expect(headers).toHaveLength(read.pages.length);
  });

  it('allows to read and to print, and nothing else', async () => {
    const report = reportOf('suspended', { columns: ['cards'], rows: [] });
    const bytes = await reportPdf(report, null);
    const { permissions, pages } = readPdf(bytes);
    const bit = (number: number) => ((permissions >>> (number - 1)) & 1) === 1;
    // ISO 32000-1, table 22: print, change, copy, annotate, forms, read aloud, assemble, print
    // well.
    expect([3, 4, 5, 6, 9, 10, 11, 12].map(bit)).toEqual([
      ...[true, false, false, false, false, true, false, true],
    ]);
    expect(bytes.toString('latin1')).not.toContain(report.sha256);
    expect(textIn({ ...readPdf(bytes), pages })).toContain('End of the report; rows: 0.');
  });
});

describe('the compliance pack on paper', () => {
  const row = (number: string, more: Partial<PackRow>): PackRow => ({
    ...{ number, requirement: `What ${number} asks`, status: 'met', reasons: [], evidence: [] },
    ...more,
  });
  const body: Omit<Pack, 'sha256'> = {
    ...{ version: 1, at: AT, knownUntil: null },
    rows: [
      row('C-1', {
        status: 'not met',
        reasons: ['There is no declaration.'],
        evidence: [
          { what: 'Declared', found: [{ id: 'a', vendor: null }], source: 'SELECT 1\n  x' },
        ],
      }),
      row('C-2', {
        evidence: [
          {
            what: 'By month',
            found: [
              { op: 'A', rows: 9 },
              { op: 'B', rows: 10 },
            ],
            source: 'q2',
          },
          { what: 'Capped', found: [{ op: 'A' }, { op: 'B' }, 'and 7 more rows'], source: 'q3' },
          { what: 'Nothing', found: [], source: 'q4' },
          { what: 'Kept', found: 24, source: 'VIP_X' },
        ],
      }),
      row('D-1', { status: 'not applicable', reasons: ['It is another’s.'] }),
    ],
  };
  const pack: Pack = { ...body, sha256: hash('sha256', canonicalPack(body)) };

  it('says of each requirement how it stands, why, on what, and by which query', async () => {
    const bytes = await packPdf(pack, 'Savane TV');
    expect(hash('sha256', await packPdf(pack, 'Savane TV'))).toBe(hash('sha256', bytes));
    const read = readPdf(bytes);
    const lines = linesIn(read);
    expect(lines).toContainEqual(['In all', '1 met, 0 part, 1 not met, 1 not applicable']);
    expect(lines).toContainEqual(['C-1', 'not met', 'What C-1 asks']);
    const rest = lines.slice(lines.findIndex(([one]) => one === 'C-1  What C-1 asks'));
    expect(rest.slice(0, 24).map((line) => line.join(' | '))).toEqual([
      ...['C-1  What C-1 asks', 'not met', 'There is no declaration.', 'Declared'],
      ...['{"id":"a","vendor":null}', 'SELECT 1', '  x'],
      ...['C-2  What C-2 asks', 'met', 'By month', 'op | rows', 'A | 9', 'B | 10', 'q2'],
      ...['Capped', '{"op":"A"}', '{"op":"B"}', '"and 7 more rows"', 'q3'],
      ...['Nothing', '[]', 'q4', 'Kept', '24'],
    ]);
    expect(lines.at(-1)).toEqual(['SHA-256', pack.sha256, expect.stringMatching(/^page 1 of \d$/)]);
  });
});
