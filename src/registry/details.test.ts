import { isEmail, LATITUDE_MAX, LONGITUDE_MAX, readDegrees } from './details.ts';

describe('degrees', () => {
  it.each([
    ['-1.292066', LATITUDE_MAX, '-1.292066'],
    ['5.36', LATITUDE_MAX, '5.360000'],
    ['36', LONGITUDE_MAX, '36.000000'],
    ['-0.000001', LATITUDE_MAX, '-0.000001'],
    ['-0.0', LATITUDE_MAX, '0.000000'],
    ['090', LATITUDE_MAX, '90.000000'],
    ['-180.000000', LONGITUDE_MAX, '-180.000000'],
  ])('%s up to %d are kept as %s', (text, max, kept) => {
    expect(readDegrees(text, max)).toBe(kept);
  });

  it.each([
    ['90.000001', LATITUDE_MAX],
    ['-91', LATITUDE_MAX],
    ['180.1', LONGITUDE_MAX],
    ['1.2345678', LATITUDE_MAX],
    ['1,5', LATITUDE_MAX],
    ['+1.5', LATITUDE_MAX],
    ['1.', LATITUDE_MAX],
    ['1e1', LATITUDE_MAX],
    ['', LATITUDE_MAX],
    ['NaN', LATITUDE_MAX],
  ])('%p up to %d are none', (text, max) => {
    expect(readDegrees(text, max)).toBeNull();
  });
});

describe('an e-mail address', () => {
  it.each(['amina@example.com', 'amina.d+tv@example.co.ke', 'amina@poste', 'é@exemple.ci'])(
    'is %p',
    (text) => expect(isEmail(text)).toBe(true),
  );
  it.each([
    ...['', 'amina', '@example.com', 'amina@', 'a@b@c', 'a b@example.com'],
    `${'a'.repeat(243)}@example.com`,
  ])('is not %p', (text) => expect(isEmail(text)).toBe(false));
});
