import { isCarried } from './carriage.ts';

describe('what a system carries', () => {
  const mapped = { products: new Map([['ESS', '0101']]), hasEvents: true };
  const all = { products: null, hasEvents: true };

  it('is everything where nobody has said anything', () => {
    expect(isCarried('ESS', undefined, null)).toBe(true);
    expect(isCarried('EVT:FINAL', undefined, null)).toBe(true);
    expect(isCarried('ESS', all, null)).toBe(true);
  });

  it('is what its map lists, under the name that the system has for it', () => {
    expect(isCarried('ESS', mapped, null)).toBe(true);
    expect(isCarried('PREM', mapped, null)).toBe(false);
    expect(isCarried('ESS', mapped, new Set(['0101']))).toBe(true);
    expect(isCarried('ESS', mapped, new Set(['ESS']))).toBe(false);
  });

  it('is what the system says, without a map', () => {
    expect(isCarried('ESS', all, new Set(['ESS']))).toBe(true);
    expect(isCarried('PREM', all, new Set(['ESS']))).toBe(false);
  });

  it('holds events unless its entry says that there are none', () => {
    expect(isCarried('EVT:FINAL', mapped, new Set(['0101']))).toBe(true);
    expect(isCarried('EVT:FINAL', { ...all, hasEvents: false }, null)).toBe(false);
    const one = { products: new Map([['EVT:FINAL', '0999']]), hasEvents: false };
    expect(isCarried('EVT:FINAL', one, null)).toBe(true);
  });
});
