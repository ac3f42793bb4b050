import { instantAfter } from './duration.ts';

const FROM = new Date('2026-01-31T10:00:00Z');

describe('a duration', () => {
  it.each([
    ['P1D', '2026-02-01T10:00:00.000Z'],
    ['PT3H30M', '2026-01-31T13:30:00.000Z'],
    ['P1M', '2026-02-28T10:00:00.000Z'],
    ['P1Y', '2027-01-31T10:00:00.000Z'],
    ['P-1D', '2026-01-30T10:00:00.000Z'],
  ])('%s leads on by the calendar', (text, expected) => {
    expect(instantAfter(FROM, text)?.toISOString()).toBe(expected);
  });

  it.each(['', '1 day', 'P1X', `P${'9'.repeat(30)}Y`, `P1D${' '.repeat(40)}`])(
    '%j is none',
    (text) => expect(instantAfter(FROM, text)).toBeNull(),
  );
});
