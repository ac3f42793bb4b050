import * as fc from 'fast-check';
import { textAt } from './json.ts';
import { elementFields, escapeXml, findElement, parseXml } from './xml.ts';

describe('xml from outside', () => {
  it('reads elements by local name, with entities, CDATA and attributes', () => {
    const parsed = parseXml(
      '\uFEFF<?xml version="1.0"?>\n<!-- a > b --><s:Envelope xmlns:s="http://x"><s:Body>' +
        "<c2b:Request a='1'><TransID> T&amp;1&#x20AC;&#33; </TransID><Empty/>" +
        '<Raw><![CDATA[<a>&b;]]></Raw></c2b:Request></s:Body></s:Envelope>\n',
    );
    const request = parsed.ok ? findElement(parsed.root, 'request') : null;
    expect(request).not.toBeNull();
    const fields = request === null ? new Map() : elementFields(request);
    expect(textAt(fields, 'transid')).toBe('T&1€!');
    expect(textAt(fields, 'Empty')).toBeNull();
    expect(textAt(fields, 'Raw')).toBe('<a>&b;');
  });

  it('refuses a document type wherever and however it is written', () => {
    for (const text of [
      "<!DOCTYPE x [<!ENTITY a 'b'>]><x/>",
      '<?xml version="1.0"?>\n<!doctype x SYSTEM "file:///etc/passwd"><x/>',
      '<!-- x --><x><!ENTITY a "b"></x>',
      '<!\0DOC\0TYPE x><x/>',
    ]) {
      expect(parseXml(text)).toEqual({ ok: false, error: 'doctype' });
    }
  });

  it('refuses what is not well formed', () => {
    for (const text of [
      '',
      'text',
      '<a>',
      '<a></b>',
      '<a></a></a>',
      '<a/><b/>',
      '<a>&lol;</a>',
      '<a>&</a>',
      '<a>&#1114112;</a>',
      '<a b=1/>',
      '<a/>text',
      '< a/>',
      '<a><![CDATA[x</a>',
      '<x:a></y:a>',
    ]) {
      expect(parseXml(text)).toEqual({ ok: false, error: 'malformed' });
    }
    expect(parseXml('<a>'.repeat(40))).toEqual({ ok: false, error: 'too_deep' });
    expect(parseXml(`<a>${' '.repeat(300_000)}</a>`)).toEqual({ ok: false, error: 'too_large' });
  });

  it('reads back every text that it escaped', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const parsed = parseXml(`<a>${escapeXml(text)}</a>`);
        expect(parsed.ok ? parsed.root.text : null).toBe(text);
      }),
    );
  });
});
