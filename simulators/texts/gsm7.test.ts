import { partsOf, septets } from './gsm7.ts';

describe('septets', () => {
  it('counts basic characters once and extended ones twice', () => {
    expect(septets('Payé: à 5 h')).toBe(11);
    expect(septets('{5 €}')).toBe(8);
  });

  it('is null for a text that needs UCS-2', () => {
    expect(septets('fenêtre')).toBeNull();
    expect(septets('it’s')).toBeNull();
  });
});

describe('partsOf', () => {
  it.each([
    ['a'.repeat(160), 1],
    ['a'.repeat(161), 2],
    ['a'.repeat(306), 2],
    ['ê'.repeat(70), 1],
    ['ê'.repeat(71), 2],
  ])('counts the parts of a long text', (text, parts) => {
    expect(partsOf(text)).toBe(parts);
  });
});
