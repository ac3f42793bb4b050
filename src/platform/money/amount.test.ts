import * as fc from 'fast-check';
import { currencyExponent, formatMinor, parseAmount, parseCurrencyAmount } from './amount.ts';

const minor = (text: string, currency: string, options = {}) => {
  const amount = parseAmount(text, currency, options);
  return amount.ok ? amount.minor : amount.error;
};

describe('amounts', () => {
  it('reads the forms that providers write into minor units', () => {
    expect(minor('5.00', 'KES')).toBe(500n);
    expect(minor('10', 'KES')).toBe(1000n);
    expect(minor(' 233.8 ', 'KES')).toBe(23380n);
    expect(minor('1000.0000', 'KES')).toBe(100000n);
    expect(minor('15000.00', 'UGX')).toBe(15000n);
    expect(minor('100', 'XOF')).toBe(100n);
    expect(minor('1.5', 'KWD')).toBe(1500n);
    expect(minor('0', 'KES')).toBe(0n);
    expect(minor('007', 'KES')).toBe(700n);
    expect(minor('90071992547409931.05', 'KES')).toBe(9007199254740993105n);
  });

  it('refuses what is not a plain amount', () => {
    for (const text of ['', '-5', '+5', '1e3', 'NaN', 'Infinity', '{50}', '1,053.00', '.5', '5.']) {
      expect(minor(text, 'KES')).toBe('not_plain');
    }
    expect(minor('0x10', 'KES')).toBe('not_plain');
    expect(minor('１０', 'KES')).toBe('not_plain');
    expect(minor('9'.repeat(100), 'KES')).toBe('not_plain');
    expect(minor('9'.repeat(19), 'KES')).toBe('too_large');
    expect(minor('10.555', 'KES')).toBe('excess_decimals');
    expect(minor('737.9934', 'UGX')).toBe('excess_decimals');
    expect(minor('10', 'KSH')).toBe('unknown_currency');
  });

  it('reads thousands only where they are allowed, and only well grouped', () => {
    expect(minor('1,053.00', 'KES', { grouped: true })).toBe(105300n);
    expect(minor('1,234,567.5', 'KES', { grouped: true })).toBe(123456750n);
    expect(minor('10,53.00', 'KES', { grouped: true })).toBe('not_plain');
    expect(minor('1053,00', 'KES', { grouped: true })).toBe('not_plain');
  });

  it('reads units of a factor as whole numbers', () => {
    expect(minor('100', 'GHS', { minorUnitFactor: 100 })).toBe(100n);
    expect(minor('500000', 'XOF', { minorUnitFactor: 100 })).toBe(5000n);
    expect(minor('150', 'XOF', { minorUnitFactor: 100 })).toBe('excess_decimals');
    expect(minor('1.50', 'GHS', { minorUnitFactor: 100 })).toBe('excess_decimals');
  });

  it('reads a currency before the number', () => {
    const reading = { ok: true, minor: 100000n, currency: 'KES' };
    expect(parseCurrencyAmount('KES 1000.0000', 'UGX')).toEqual(reading);
    expect(parseCurrencyAmount('kes1000', 'UGX')).toEqual(reading);
    expect(parseCurrencyAmount('1000', 'KES')).toEqual(reading);
    const refused = { ok: false, error: 'not_plain' };
    expect(parseCurrencyAmount('KES -10', 'UGX')).toEqual({ ...refused, currency: 'KES' });
    expect(parseCurrencyAmount('KES', 'UGX')).toEqual({ ...refused, currency: 'UGX' });
  });

  it('knows exponents and unknown codes', () => {
    expect(currencyExponent('RWF')).toEqual({ ok: true, exponent: 0 });
    expect(currencyExponent('CDF')).toEqual({ ok: true, exponent: 2 });
    expect(currencyExponent('TND')).toEqual({ ok: true, exponent: 3 });
    expect(currencyExponent('kes')).toEqual({ ok: false, error: 'unknown_currency' });
    expect(currencyExponent('')).toEqual({ ok: false, error: 'unknown_currency' });
  });

  it('formats minor units so that they read back as the same amount', () => {
    const currencies = fc.constantFrom('KES', 'UGX', 'KWD', 'CDF');
    fc.assert(
      fc.property(fc.bigInt(0n, 10n ** 17n), currencies, (amount, currency) => {
        expect(minor(formatMinor(amount, currency), currency)).toBe(amount);
      }),
    );
    expect(formatMinor(-5n, 'KES')).toBe('-0.05');
    expect(formatMinor(5000n, 'UGX')).toBe('5000');
    expect(() => formatMinor(1n, 'KSH')).toThrow(RangeError);
  });
});
