import {
  dayOfInstant,
  firstBillingDate,
  formatDay,
  parseDay,
  plusMonths,
  plusPeriods,
} from './day.ts';

/** Goal: calendar arithmetic by hand-checked dates. Method: dates in, dates out. */
describe('days', () => {
  const first = (start: string, period: 'monthly' | 'annual' | 'weekly', day: number): string =>
    formatDay(firstBillingDate(parseDay(start), period, day));

  it('refuse dates that are not in the calendar', () => {
    expect(() => parseDay('2023-02-29')).toThrow('No such date');
    expect(() => parseDay('2023-2-1')).toThrow('Not a date');
  });

  it('clamp a day of the month to its length, without drifting', () => {
    const start = parseDay('2023-01-31');
    const ends = [1, 2, 3].map((months) => formatDay(plusMonths(start, months, 31)));
    expect(ends).toEqual(['2023-02-28', '2023-03-31', '2023-04-30']);
    expect(formatDay(plusPeriods(parseDay('2024-02-29'), 'annual', 1, 29))).toBe('2025-02-28');
    expect(formatDay(plusPeriods(parseDay('2024-02-29'), 'annual', 4, 29))).toBe('2028-02-29');
  });

  it('start billing on the billing day of the month, or a period later', () => {
    expect(first('2012-02-16', 'annual', 30)).toBe('2012-02-29');
    expect(first('2012-01-31', 'annual', 30)).toBe('2013-01-30');
    expect(first('2012-03-04', 'monthly', 3)).toBe('2012-04-03');
    expect(first('2012-03-04', 'weekly', 3)).toBe('2012-03-04');
  });

  it('are local to the account', () => {
    const at = new Date('2018-12-01T00:25:00Z');
    expect(formatDay(dayOfInstant(at, 'America/Los_Angeles'))).toBe('2018-11-30');
    expect(formatDay(dayOfInstant(new Date('2013-01-20T07:30:42Z'), '-08:00'))).toBe('2013-01-19');
    expect(formatDay(dayOfInstant(at, 'Africa/Nairobi'))).toBe('2018-12-01');
  });
});
