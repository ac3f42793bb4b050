/** Reads our PDFs for tests: opens the seal of RC4 without a password, and finds every text. */
import { hash } from 'node:crypto';

export interface Piece {
  text: string;
  /** Where its baseline begins, in points from the lower left corner. */
  x: number;
  y: number;
  font: string;
  size: number;
}

export interface ReadPdf {
  /** Of each page, in the order in which they were written. */
  pages: Piece[][];
  /** Decoded strings of the dictionary of information. */
  info: Record<string, string>;
  /** The bits of what may be done. */
  permissions: number;
  id: string;
}

const PADDING = '28bf4e5e4e758a4164004e56fffa01082e2e00b6d0683e802f0ca9fe6453697a';

/** Reads a file of `paper.ts`: version 2 of the standard handler, streams as they are. */
export function readPdf(bytes: Buffer): ReadPdf {
  const file = bytes.toString('latin1');
  const objects = objectsOf(file);
  const trailer = file.slice(file.lastIndexOf('trailer'));
  const at = (text: string, name: string): string =>
    objects.get(Number(RegExp(`/${name} (\\d+) 0 R`).exec(text)?.[1])) ?? '';
  const id = /\/ID \[<([0-9a-f]+)>/.exec(trailer)?.[1] ?? '';
  const handler = at(trailer, 'Encrypt');
  const permissions = Number(/\/P (-?\d+)/.exec(handler)?.[1]);
  const owner = /\/O <([0-9a-f]{64})>/.exec(handler)?.[1] ?? '';
  const key = fileKey(owner, permissions, id);
  const opened = (number: number): string => {
    const text = objects.get(number) ?? '';
    const start = text.indexOf('stream\n') + 7;
    const length = Number(/\/Length (\d+)/.exec(text)?.[1]);
    return rc4(objectKey(key, number), text.slice(start, start + length));
  };
  const root = at(trailer, 'Root');
  const kids = /\/Kids \[([^\]]*)\]/.exec(at(root, 'Pages'))?.[1] ?? '';
  const pages = [...kids.matchAll(/(\d+) 0 R/g)].map(([, number]) => {
    const page = objects.get(Number(number)) ?? '';
    const contents = Number(/\/Contents (\d+) 0 R/.exec(page)?.[1]);
    return piecesOf(opened(contents), fontsOf(at(page, 'Resources'), objects));
  });
  const named = [...at(trailer, 'Info').matchAll(/\/(\w+) (\d+) 0 R/g)];
  const info = named.map(([, name, number]) => {
    const sealed = literalOf(objects.get(Number(number)) ?? '');
    return [name, textOf(rc4(objectKey(key, Number(number)), sealed))];
  });
  return { pages, info: Object.fromEntries(info), permissions, id };
}

/** All objects by number, found by the table at the end: a wrong offset is an error here. */
function objectsOf(file: string): Map<number, string> {
  const start = Number(/startxref\n(\d+)\n%%EOF\s*$/.exec(file)?.[1]);
  const offsets = [...file.slice(start).matchAll(/^(\d{10}) 00000 n /gm)].map(([, at]) =>
    Number(at),
  );
  return new Map(
    offsets.map((offset, n) => {
      if (!file.startsWith(`${n + 1} 0 obj`, offset)) throw new Error(`Object ${n + 1} is away`);
      const next = Math.min(start, ...offsets.filter((other) => other > offset));
      return [n + 1, file.slice(offset, next)];
    }),
  );
}

const md5 = (bytes: Buffer): Buffer => hash('md5', bytes, 'buffer');

/** Of revision 3, 128 bits, without a password (ISO 32000-1, algorithm 2). */
function fileKey(owner: string, permissions: number, id: string): Buffer {
  const bits = Buffer.alloc(4);
  bits.writeInt32LE(permissions);
  let key = Buffer.concat([Buffer.from(PADDING + owner, 'hex'), bits, Buffer.from(id, 'hex')]);
  for (let n = 0; n < 51; n += 1) key = Buffer.from(md5(key));
  return key;
}

function objectKey(key: Buffer, number: number): Buffer {
  const suffix = Buffer.from([number & 255, (number >> 8) & 255, number >> 16, 0, 0]);
  return md5(Buffer.concat([key, suffix]));
}

function rc4(key: Buffer, text: string): string {
  const box = Uint8Array.from({ length: 256 }, (_, n) => n);
  const swap = (a: number, b: number) => {
    [box[a], box[b]] = [box[b] ?? 0, box[a] ?? 0];
  };
  for (let i = 0, j = 0; i < 256; i += 1) {
    j = (j + (box[i] ?? 0) + (key[i % key.length] ?? 0)) & 255;
    swap(i, j);
  }
  const bytes = Buffer.from(text, 'latin1');
  for (let n = 0, i = 0, j = 0; n < bytes.length; n += 1) {
    i = (i + 1) & 255;
    j = (j + (box[i] ?? 0)) & 255;
    swap(i, j);
    bytes[n] = (bytes[n] ?? 0) ^ (box[((box[i] ?? 0) + (box[j] ?? 0)) & 255] ?? 0);
  }
  return bytes.toString('latin1');
}

/** The bytes of `(…)`, its escapes undone. */
function literalOf(text: string): string {
  const inside = text.slice(text.indexOf('(') + 1, text.lastIndexOf(')'));
  const escapes: Record<string, string> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f' };
  return inside.replaceAll(/\\([\s\S])/g, (_all, one: string) => escapes[one] ?? one);
}

const textOf = (bytes: string): string => {
  const raw = Buffer.from(bytes, 'latin1');
  return bytes.startsWith('þÿ') ? raw.subarray(2).swap16().toString('utf16le') : bytes;
};

function fontsOf(resources: string, objects: ReadonlyMap<number, string>): Map<string, string> {
  const list = /\/Font <<([\s\S]*?)>>/.exec(resources)?.[1] ?? '';
  return new Map(
    [...list.matchAll(/\/(\w+) (\d+) 0 R/g)].map(([, name = '', number]) => {
      const font = objects.get(Number(number)) ?? '';
      if (!font.includes('/Encoding /WinAnsiEncoding')) throw new Error(`${name} is not WinAnsi`);
      return [name, /\/BaseFont \/([\w-]+)/.exec(font)?.[1] ?? ''];
    }),
  );
}

const SHOWN = /1 0 0 1 (\S+) (\S+) Tm\n\/(\w+) (\S+) Tf\n\[(.*?)\] TJ/g;

function piecesOf(content: string, fonts: ReadonlyMap<string, string>): Piece[] {
  return [...content.matchAll(SHOWN)].map(([, x, y, font = '', size, shown = '']) => {
    const hex = [...shown.matchAll(/<([0-9a-f]*)>/g)].map(([, part]) => part).join('');
    const text = new TextDecoder('windows-1252').decode(Buffer.from(hex, 'hex'));
    const place = { x: Number(x), y: Number(y), size: Number(size) };
    return { text, font: fonts.get(font) ?? '', ...place };
  });
}

/** Pieces that stand on one line, from left to right, the lines from the top. */
export function linesOfPage(pieces: readonly Piece[]): string[][] {
  const byLine = new Map<number, Piece[]>();
  for (const piece of pieces) byLine.set(piece.y, [...(byLine.get(piece.y) ?? []), piece]);
  return [...byLine]
    .sort(([a], [b]) => b - a)
    .map(([, line]) => line.sort((a, b) => a.x - b.x).map(({ text }) => text));
}
