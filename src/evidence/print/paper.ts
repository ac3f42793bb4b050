/**
 * A PDF of A4 pages with the same head and foot. Its bytes follow from what is written on it alone:
 * no clock, no chance, no compression (which is not the same on every machine).
 */
import { hash } from 'node:crypto';
import { once } from 'node:events';
import PDFDocument from 'pdfkit';
import { linesOf, printable } from './text.ts';

const FONTS = { plain: 'Helvetica', bold: 'Helvetica-Bold', mono: 'Courier' } as const;
/** Points; the origin is the upper left corner. */
const A4 = { width: 595.28, height: 841.89 };
const SIDE = 48;
const TOP = 44;
const BOTTOM = 66;
const LINE = 1.3;
const SIZE = 9;
export const INK = { text: '#000000', faint: '#666666', rule: '#cccccc', band: '#eef1f5' } as const;

export interface Style {
  font?: keyof typeof FONTS;
  /** Points. */
  size?: number;
  color?: string;
}

export interface Place {
  x: number;
  y: number;
  width: number;
}

export interface Subject {
  title: string;
  /** Whose it is; null where nobody had been named yet. */
  operator: string | null;
  /** The instant it is of: it stands as the date of the file too. */
  at: string;
  /** Of the canonical text of what is printed, hexadecimal; on the foot of each page. */
  sha256: string;
}

export interface Paper {
  readonly left: number;
  readonly width: number;
  /** Where the next thing goes, from the top. */
  y: number;
  widthOf(text: string, style: Style): number;
  lines(text: string, width: number, style: Style): string[];
  /** One line at a place, whatever stands there. */
  put(text: string, at: { x: number; y: number }, style: Style): void;
  band(place: Place & { height: number }, color: string): void;
  rule(place: Place): void;
  /** Lines of text under what stands, on as many pages as it takes. */
  paragraph(text: string, style: Style, indent?: number): void;
  /** Begins a page where this height is not left; true when it did. */
  makeRoom(height: number): boolean;
  /** Foots all pages; the bytes of the file. */
  finish(): Promise<Buffer>;
}

export const heightOf = ({ size = SIZE }: Style): number => size * LINE;

/** Opens a paper; its first page is without a head. */
export function openPaper(subject: Subject): Paper {
  const doc = openDocument(subject);
  const chunks: Buffer[] = [];
  doc.on('data', (chunk: Buffer) => chunks.push(chunk));
  const fill = onChange((color) => doc.fillColor(color));
  const stroke = onChange((color) => doc.lineWidth(0.5).strokeColor(color));
  // Each page begins with the colours of PDF.
  doc.on('pageAdded', fill.forget).on('pageAdded', stroke.forget);
  const styled = ({ font = 'plain', size = SIZE }: Style) => doc.font(FONTS[font], size);
  const paper: Paper = {
    ...{ left: SIDE, width: A4.width - 2 * SIDE, y: TOP },
    widthOf: (text, style) => styled(style).widthOfString(printable(text)),
    lines(text, width, style) {
      styled(style);
      return linesOf(printable(text), width, (part) => doc.widthOfString(part));
    },
    put(text, { x, y }, style) {
      fill.set(style.color ?? INK.text);
      // By the baseline, so that fonts stand in line.
      const baseline = y + (style.size ?? SIZE);
      const options = { lineBreak: false, baseline: 'alphabetic' } as const;
      styled(style).text(printable(text).trimEnd(), x, baseline, options);
    },
    band({ x, y, width, height }, color) {
      fill.set(color);
      doc.rect(x, y, width, height).fill();
    },
    rule({ x, y, width }) {
      stroke.set(INK.rule);
      doc
        .moveTo(x, y)
        .lineTo(x + width, y)
        .stroke();
    },
    paragraph(text, style, indent = 0) {
      for (const line of paper.lines(text, paper.width - indent, style)) {
        paper.makeRoom(heightOf(style));
        paper.put(line, { x: SIDE + indent, y: paper.y }, style);
        paper.y += heightOf(style);
      }
    },
    makeRoom(height) {
      if (paper.y + height <= A4.height - BOTTOM) return false;
      doc.addPage();
      paper.y = TOP;
      paper.put(`${subject.title}, as of ${subject.at}`, { x: SIDE, y: TOP }, SMALL);
      paper.y += 18;
      return true;
    },
    async finish() {
      footPages(doc, paper, subject, () => {
        fill.forget();
        stroke.forget();
      });
      doc.end();
      await once(doc, 'end');
      return Buffer.concat(chunks);
    },
  };
  return paper;
}

const SMALL: Style = { size: 7.5, color: INK.faint };

/**
 * What may be done with the file is told to the reader’s program: reading and printing, no change.
 * RC4, since with AES the library draws random numbers. Nobody needs to know the owner’s password,
 * and nothing is kept by it: that nothing was changed is shown by the SHA-256.
 */
function openDocument({ title, operator, at, sha256 }: Subject): PDFKit.PDFDocument {
  return new PDFDocument({
    ...{ size: 'A4', margin: 0, bufferPages: true, compress: false, pdfVersion: '1.5' },
    ...{ lang: 'en', displayTitle: true },
    info: {
      ...{ Title: title, Author: printable(operator ?? ''), Subject: `SHA-256 ${sha256}` },
      ...{ Creator: 'VIP Billing', Producer: 'PDFKit', CreationDate: new Date(at) },
    },
    ownerPassword: hash('sha256', `owner of ${title} ${sha256}`).slice(0, 32),
    permissions: {
      ...{ printing: 'highResolution', contentAccessibility: true },
      ...{ modifying: false, copying: false, annotating: false },
      ...{ fillingForms: false, documentAssembly: false },
    },
  });
}

/** Says a colour only where it is another one: most of a table's bytes would be colours. */
function onChange(say: (color: string) => void) {
  let last = '';
  return {
    set(color: string) {
      if (color !== last) say(color);
      last = color;
    },
    forget() {
      last = '';
    },
  };
}

function footPages(
  doc: PDFKit.PDFDocument,
  paper: Paper,
  { sha256 }: Subject,
  onPage: () => void,
): void {
  const { start, count } = doc.bufferedPageRange();
  const y = A4.height - BOTTOM + 22;
  for (let page = start; page < start + count; page += 1) {
    doc.switchToPage(page);
    onPage();
    paper.rule({ x: SIDE, y: y - 8, width: paper.width });
    paper.put('SHA-256', { x: SIDE, y }, SMALL);
    paper.put(sha256, { x: SIDE + 40, y }, { ...SMALL, font: 'mono' });
    const number = `page ${page + 1} of ${count}`;
    const x = SIDE + paper.width - paper.widthOf(number, SMALL);
    paper.put(number, { x, y }, SMALL);
  }
}
