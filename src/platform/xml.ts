/**
 * A small strict reader for the flat XML of telecom systems: elements by local name, text, CDATA,
 * the five entities and character references. Attributes are checked and dropped. A document type
 * is refused before anything is parsed, so there is nothing to expand or to fetch.
 */

import { type Fields, fieldsFrom, type Json } from './json.ts';

export interface XmlElement {
  /** Local name: the namespace prefix is dropped. */
  name: string;
  /** All text directly inside, entities resolved. */
  text: string;
  children: XmlElement[];
}

export type XmlResult =
  | { ok: true; root: XmlElement }
  | { ok: false; error: 'doctype' | 'too_large' | 'too_deep' | 'malformed' };

const XML_CHARS_MAX = 256 * 1024;
const XML_DEPTH_MAX = 32;

const NAME = '[A-Za-z_][\\w.-]*(?::[A-Za-z_][\\w.-]*)?';
const ATTRIBUTES = `(?:\\s+${NAME}\\s*=\\s*(?:"[^"<]*"|'[^'<]*'))*`;
/** One token at a time: comment, instruction, CDATA, end tag, start tag, text. */
const TOKEN = new RegExp(
  '<!--(?:(?!--)[\\s\\S])*-->|<\\?[\\s\\S]*?\\?>|<!\\[CDATA\\[([\\s\\S]*?)\\]\\]>' +
    `|</(${NAME})\\s*>|<(${NAME})${ATTRIBUTES}\\s*(/?)>|([^<]+)`,
  'y',
);

/**
 * Parses a document. Errors: `doctype` (a document type or entity declaration anywhere, also
 * behind NUL bytes), `too_large`, `too_deep`, `malformed`.
 */
export function parseXml(text: string): XmlResult {
  if (/<!(?:doctype|entity|element|attlist|notation)/i.test(text.replaceAll('\0', ''))) {
    return { ok: false, error: 'doctype' };
  }
  if (text.length > XML_CHARS_MAX) return { ok: false, error: 'too_large' };
  const top: XmlElement = { name: '', text: '', children: [] };
  const open: { element: XmlElement; tag: string }[] = [{ element: top, tag: '' }];
  const source = text.replace(/^\uFEFF/, '');
  const token = new RegExp(TOKEN);
  while (token.lastIndex < source.length) {
    const match = token.exec(source);
    if (match === null) return { ok: false, error: 'malformed' };
    if (!takeToken(match, open)) return { ok: false, error: 'malformed' };
    if (open.length > XML_DEPTH_MAX + 1) return { ok: false, error: 'too_deep' };
  }
  const root = top.children[0];
  if (open.length !== 1 || root === undefined || top.children.length !== 1) {
    return { ok: false, error: 'malformed' };
  }
  return top.text.trim() === '' ? { ok: true, root } : { ok: false, error: 'malformed' };
}

function takeToken(match: RegExpExecArray, open: { element: XmlElement; tag: string }[]): boolean {
  const [, cdata, endTag, startTag, selfClosing, text] = match;
  const inside = open.at(-1);
  if (inside === undefined) return false;
  if (endTag !== undefined) {
    open.pop();
    return inside.tag === endTag;
  }
  if (startTag !== undefined) {
    const name = startTag.slice(startTag.indexOf(':') + 1);
    const element: XmlElement = { name, text: '', children: [] };
    inside.element.children.push(element);
    if (selfClosing !== '/') open.push({ element, tag: startTag });
    return true;
  }
  if (cdata !== undefined) inside.element.text += cdata;
  if (text === undefined) return true;
  const plain = resolveEntities(text);
  if (plain === null) return false;
  inside.element.text += plain;
  return true;
}

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
]);

/** The text with its references resolved; null when one is unknown. */
function resolveEntities(text: string): string | null {
  let known = true;
  const plain = text.replace(/&(?:#(\d{1,7})|#[xX]([\da-fA-F]{1,6})|(\w{1,8}));|&/g, (...found) => {
    const [, decimal, hex, name] = found as (string | undefined)[];
    const code = decimal ? Number(decimal) : hex ? Number.parseInt(hex, 16) : Number.NaN;
    const char = code <= 0x10ffff ? String.fromCodePoint(code) : ENTITIES.get(name ?? '');
    if (char === undefined) known = false;
    return char ?? '';
  });
  return known ? plain : null;
}

/** The first element of that local name, in any case, the root included; null when none is. */
export function findElement(root: XmlElement, name: string): XmlElement | null {
  const wanted = name.toLowerCase();
  const queue = [root];
  // The list grows while it is walked: level by level through the document.
  for (const element of queue) {
    if (element.name.toLowerCase() === wanted) return element;
    for (const child of element.children) queue.push(child);
  }
  return null;
}

/** The texts of an element's children as fields. */
export function elementFields(element: XmlElement): Fields {
  return fieldsFrom(element.children.map((child): [string, Json] => [child.name, child.text]));
}

/** Text made safe for element content and attribute values. */
export function escapeXml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&apos;');
}
