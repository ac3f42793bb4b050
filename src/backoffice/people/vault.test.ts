import fc from 'fast-check';
import { createVault } from './vault.ts';

const vault = createVault('a secret that is long enough for all');
const other = createVault('another secret, long enough as well');

describe('the vault', () => {
  it('gives back what it sealed, to who has the same secret alone', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const sealed = vault.seal(text);
        expect(vault.open(sealed)).toBe(text);
        expect(other.open(sealed)).toBeNull();
        expect(sealed).not.toBe(vault.seal(text));
      }),
    );
  });

  it('opens nothing that was changed or cut', () => {
    const sealed = vault.seal('JBSWY3DPEHPK3PXP');
    for (let at = 0; at < sealed.length; at += 1) {
      const flipped = sealed[at] === 'A' ? 'B' : 'A';
      const changed = sealed.slice(0, at) + flipped + sealed.slice(at + 1);
      // The last character holds bits that are not the text's.
      if (at < sealed.length - 1) expect(vault.open(changed)).toBeNull();
      expect(vault.open(sealed.slice(0, at))).toBeNull();
    }
  });
});
