import fc from 'fast-check';
import { hasLuhnDigit, withLuhnDigit } from './luhn.ts';

describe('the Luhn digit', () => {
  it.each(['79927398713', '4111111111111111', '18', '0'])('of %s is right', (number) => {
    expect(hasLuhnDigit(number)).toBe(true);
    expect(withLuhnDigit(number.slice(0, -1))).toBe(number);
  });

  const digits = fc.stringMatching(/^\d{1,20}$/);

  it('is there after it was added, and is the only one that fits', () => {
    fc.assert(
      fc.property(digits, (text) => {
        const fitting = [...'0123456789'].filter((digit) => hasLuhnDigit(text + digit));
        expect(fitting.map((digit) => text + digit)).toEqual([withLuhnDigit(text)]);
      }),
    );
  });

  it('shows one wrong digit, and two neighbours swapped (but for 0 and 9)', () => {
    fc.assert(
      fc.property(digits, fc.nat(), fc.integer({ min: 1, max: 9 }), (text, at, by) => {
        const number = withLuhnDigit(text);
        const i = at % number.length;
        const wrong = (Number(number[i]) + by) % 10;
        expect(hasLuhnDigit(number.slice(0, i) + wrong + number.slice(i + 1))).toBe(false);
        const [a = '', b = ''] = number.slice(i, i + 2);
        if (b === '' || a === b || ['09', '90'].includes(a + b)) return;
        expect(hasLuhnDigit(number.slice(0, i) + b + a + number.slice(i + 2))).toBe(false);
      }),
    );
  });
});
