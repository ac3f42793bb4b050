import { hashMsisdn, isSha256Hex, toE164 } from './phone.ts';

describe('telephone numbers', () => {
  it('reads the forms that operators write', () => {
    expect(toE164('+254711000111', 'UG')).toBe('+254711000111');
    expect(toE164('254708374149', 'KE')).toBe('+254708374149');
    expect(toE164('254708374149', 'UG')).toBe('+254708374149');
    expect(toE164('0721777777', 'TZ')).toBe('+255721777777');
    expect(toE164('712345678', 'KE')).toBe('+254712345678');
    expect(toE164('00254720123123', 'KE')).toBe('+254720123123');
    expect(toE164(' 254 720-123-123 ', 'KE')).toBe('+254720123123');
    expect(toE164('tel:+254720123123', 'KE')).toBe('+254720123123');
    expect(toE164('46733123453', 'SE')).toBe('+46733123453');
    expect(toE164('254708374149', 'nowhere')).toBe('+254708374149');
  });

  it('believes nothing that is masked, hashed, alphanumeric or not whole', () => {
    for (const raw of [
      '2547 ***** 126',
      '25470****149',
      '254******867',
      '+254711XYYZZZ',
      '+254722FLOWER',
      '94c392c311d522da950619227b3361752a42042db7e1e699b26e628305c68a88',
      'MTN',
      '21512',
      '72200000',
      '+0077555112',
      '2547083741499',
      '',
      '+',
      '254708374149\0',
      '0'.repeat(64_000),
      null,
      undefined,
    ]) {
      expect(toE164(raw, 'KE')).toBeNull();
    }
  });

  it('hashes a number as Safaricom does', () => {
    const hash = '94c392c311d522da950619227b3361752a42042db7e1e699b26e628305c68a88';
    expect(hashMsisdn('+254705912645')).toBe(hash);
    expect(isSha256Hex(hash)).toBe(true);
    expect(isSha256Hex('ec59ead ***** 134b8')).toBe(false);
    expect(isSha256Hex(hash.slice(1))).toBe(false);
  });
});
