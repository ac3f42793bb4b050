import fc from 'fast-check';
import { publicRef } from './ref.ts';

describe('a public reference', () => {
  it.each([
    [0n, '00000'],
    [31n, '0000Z'],
    [32n, '00010'],
    [32n ** 5n - 1n, 'ZZZZZ'],
    [32n ** 5n, '100000'],
    [2n ** 63n - 1n, '7ZZZZZZZZZZZZ'],
  ])('of %d is %s', (id, text) => {
    expect(publicRef(id)).toBe(text);
  });

  it('is another for each id, later for later ones, without I, L, O and U', () => {
    const id = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n });
    fc.assert(
      fc.property(id, id, (a, b) => {
        const [one, other] = [publicRef(a), publicRef(b)].map((text) => text.padStart(13, '0'));
        expect(one).toMatch(/^[0-9A-HJKMNP-TV-Z]{13}$/);
        expect((one ?? '') < (other ?? '')).toBe(a < b);
      }),
    );
  });
});
