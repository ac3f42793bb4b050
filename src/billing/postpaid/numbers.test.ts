import { parseDay } from '../../platform/day.ts';
import { fiscalYear, numberText } from './numbers.ts';

describe('the fiscal year', () => {
  it('is named after the calendar year in which it starts', () => {
    expect(fiscalYear(parseDay('2026-01-01'), 1)).toBe(2026);
    expect(fiscalYear(parseDay('2026-12-31'), 1)).toBe(2026);
    expect(fiscalYear(parseDay('2026-06-30'), 7)).toBe(2025);
    expect(fiscalYear(parseDay('2026-07-01'), 7)).toBe(2026);
  });
});

describe('the format of numbers', () => {
  it('says what stands around the digits, and how many there are', () => {
    const read = numberText('INV-{year}-{number:6}', 2026);
    expect(read).toEqual({ before: 'INV-2026-', digits: 6, after: '' });
    const turned = numberText('{number}/{year}/CI', 2026);
    expect(turned).toEqual({ before: '', digits: 1, after: '/2026/CI' });
  });

  it('needs a place for the number', () => {
    expect(() => numberText('INV-{year}', 2026)).toThrow('Not a format of numbers');
  });
});
