import fc from 'fast-check';
import { createVault } from '../people/vault.ts';
import { readCursor, writeCursor } from './cursor.ts';

const vault = createVault('a secret that is long enough for all');
const other = createVault('another secret, long enough as well');

describe('a cursor', () => {
  const key = fc.record({
    at: fc.date({ min: new Date(0), max: new Date('2199-01-01'), noInvalidDate: true }),
    id: fc.bigInt({ min: 1n, max: 9_223_372_036_854_775_807n }),
  });

  it('is read as it was written, for the same list and by the same secret alone', () => {
    fc.assert(
      fc.property(key, (place) => {
        const cursor = writeCursor(vault, 'GET /cards', place);
        expect(cursor).toMatch(/^[\w.-]{1,100}$/);
        expect(readCursor(vault, 'GET /cards', cursor)).toEqual(place);
        expect(readCursor(vault, 'GET /staff', cursor)).toBeNull();
        expect(readCursor(other, 'GET /cards', cursor)).toBeNull();
        expect(readCursor(vault, 'GET /cards', `${cursor}.x`)).toBeNull();
      }),
    );
  });
});
