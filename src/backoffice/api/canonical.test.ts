import fc from 'fast-check';
import { canonical, differences, etagOf, namesTag } from './canonical.ts';

const shuffled = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(shuffled);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).reverse();
  return Object.fromEntries(entries.map(([key, item]) => [key, shuffled(item)]));
};

describe('one text for one value', () => {
  it('does not know the order of keys', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(canonical(shuffled(value))).toBe(canonical(value));
        expect(differences(value, shuffled(value))).toEqual([]);
      }),
    );
  });

  it('differs for different values, and says where', () => {
    expect(differences({ a: { b: 1, c: 2 } }, { a: { b: 1, c: 3 }, d: 4 })).toEqual(['a.c', 'd']);
    expect(differences([1], [2])).toEqual(['.']);
    expect(canonical({ a: 1n })).toBe(canonical({ a: '1' }));
  });

  it('has a tag that headers name', () => {
    const tag = etagOf({ a: 1 });
    expect(tag).toMatch(/^"[\w-]{22}"$/);
    expect(namesTag(`"x", W/${tag}`, tag)).toBe(true);
    expect(namesTag('*', tag)).toBe(true);
    expect(namesTag('"x"', tag)).toBe(false);
  });
});
