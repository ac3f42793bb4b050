import { parseDay } from '../../platform/day.ts';
import { countedDays, divideHalfUp, prorate } from './proration.ts';

/** Goal: no cent is lost to a way of rounding nobody chose. Method: figures by hand. */
describe('proration', () => {
  it('rounds halves up, away from zero', () => {
    expect([divideHalfUp(5n, 2n), divideHalfUp(-5n, 2n), divideHalfUp(4n, 3n)]).toEqual([
      3n,
      -3n,
      1n,
    ]);
  });

  it('rounds once, or through a ratio of nine digits', () => {
    expect(prorate(1995n, 1, 30, 'exact')).toBe(67n);
    expect(prorate(1995n, 1, 30, 'ratio_9_digits')).toBe(66n);
    expect(prorate(24_995n, 29, 31, 'exact')).toBe(23_382n);
  });

  it('counts months as long as the house says', () => {
    const days = (from: string, to: string, monthDays: number | null): number =>
      countedDays(parseDay(from), parseDay(to), monthDays);
    expect(days('2023-05-23', '2023-06-15', null)).toBe(23);
    expect(days('2023-05-23', '2023-06-15', 30)).toBe(22);
    expect(days('2023-02-23', '2023-03-15', 30)).toBe(22);
    expect(days('2023-05-23', '2023-06-15', 28)).toBe(20);
    expect(days('2023-05-31', '2023-06-15', 30)).toBe(15);
    expect(days('2023-05-15', '2023-08-15', 30)).toBe(90);
  });
});
