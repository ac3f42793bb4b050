import { maskedName } from './rules.ts';

describe('the name that a payer is shown', () => {
  it.each([
    ['Amina Diallo', 'AMINA D.'],
    ['amina  diallo ', 'AMINA D.'],
    ['Jean Luc Kouassi', 'JEAN K.'],
    ['Awa', 'AWA'],
    ['', ''],
    ['   ', ''],
    ['Élodie Étoundi', 'ÉLODIE É.'],
    ['Ngozi 𝒪kafor', 'NGOZI 𝒪.'],
  ])('of %p is %p', (name, masked) => {
    expect(maskedName(name)).toBe(masked);
  });

  it('tells no more than a first name and one letter', () => {
    expect(maskedName('Amina Diallo')).not.toContain('IALLO');
  });
});
