import * as fc from 'fast-check';
import { field, fieldsAt, fieldsOf, lexemeOf, listAt, parseJson, textAt } from './json.ts';

const fieldsIn = (text: string) => {
  const parsed = parseJson(text);
  return fieldsOf(parsed.ok ? parsed.value : undefined);
};

describe('json from outside', () => {
  it('keeps numbers as they were written', () => {
    const fields = fieldsIn('{"a": 1.00, "b": 9007199254740993.10, "c": -1e3}');
    expect(lexemeOf(field(fields, 'a'))).toBe('1.00');
    expect(lexemeOf(field(fields, 'b'))).toBe('9007199254740993.10');
    expect(lexemeOf(field(fields, 'c'))).toBe('-1e3');
  });

  it('reads ids and times that a serializer turned into floats', () => {
    const fields = fieldsIn('{"a": 254708374149.0, "b": 2.54708374149E11, "c": 1.5, "d": -7}');
    expect(textAt(fields, 'a')).toBe('254708374149');
    expect(textAt(fields, 'b')).toBe('254708374149');
    expect(textAt(fields, 'c')).toBe('1.5');
    expect(textAt(fields, 'd')).toBe('-7');
  });

  it('finds keys trimmed and in any case', () => {
    const fields = fieldsIn('{" invoiceNumber ": " X1 ", "TRANSID": "", "list": {"a": 1}}');
    expect(textAt(fields, 'InvoiceNumber')).toBe('X1');
    expect(textAt(fields, 'TransID')).toBeNull();
    expect(listAt(fields, 'LIST')).toHaveLength(1);
    expect(fieldsAt(fields, 'transid').size).toBe(0);
  });

  it('refuses deep nesting before parsing, and broken text', () => {
    expect(parseJson('['.repeat(33) + ']'.repeat(33))).toEqual({ ok: false, error: 'too_deep' });
    expect(parseJson('{"a":'.repeat(200_000))).toEqual({ ok: false, error: 'too_deep' });
    expect(parseJson('['.repeat(32) + ']'.repeat(32)).ok).toBe(true);
    expect(parseJson(`{"a":"${'['.repeat(100)}\\"["}`).ok).toBe(true);
    expect(parseJson('{"a":}')).toEqual({ ok: false, error: 'malformed' });
    expect(parseJson(' '.repeat(5_000_000))).toEqual({ ok: false, error: 'too_large' });
  });

  it('is not moved by keys of prototypes', () => {
    const fields = fieldsIn('{"__proto__": {"polluted": 1}, "constructor": "x"}');
    expect(textAt(fields, 'toString')).toBeNull();
    expect(textAt(fields, 'constructor')).toBe('x');
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it('reads the same values as JSON.parse does', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.double())), (object) => {
        const text = JSON.stringify(object);
        const parsed = parseJson(`\uFEFF${text}`);
        expect(parsed.ok).toBe(true);
        for (const [key, value] of Object.entries(JSON.parse(text) as object)) {
          const found = parsed.ok ? (parsed.value as Record<string, never>)[key] : undefined;
          expect(typeof value === 'number' ? Number(lexemeOf(found)) : found).toBe(value);
        }
      }),
    );
  });
});
