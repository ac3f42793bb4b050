import fc from 'fast-check';
import { addMonths, localDate, midnight } from '../../platform/calendar.ts';
import { nextTerm, type Run, renewedTerm, type TermLength } from './rules.ts';

/**
 * Goal: where a bought term lies, to the second, in any zone and month.
 * Method: each line of a table is what is bought when, oldest first, and behind the bar the run
 * that results. `renewed` is an automatic renewal at the end.
 */
const NEVER: Run = { runFrom: null, paidUntil: null, baseDate: null, anchorDay: null };

/** `week`, `month`, or `10d`. */
function lengthOf(text: string): TermLength {
  const days = /^(\d+)d$/.exec(text)?.[1];
  if (days) return { kind: 'days', days: Number(days) };
  return { kind: text as 'day' | 'week' | 'month' };
}

const minutes = (at: Date | null): string => at?.toISOString().slice(0, 16) ?? '-';

function played(timeZone: string, acts: string): string {
  let run = NEVER;
  for (const act of acts.split(', ')) {
    const [length = '', at = ''] = act.split(' ');
    run =
      at === 'renewed'
        ? renewedTerm(run, lengthOf(length), timeZone).run
        : nextTerm(run, lengthOf(length), new Date(`${at}Z`), timeZone).run;
  }
  return `${acts} | ${minutes(run.runFrom)} to ${minutes(run.paidUntil)}`;
}

function holds(timeZone: string, table: string): void {
  const lines = table
    .split('\n')
    .map((line) =>
      line
        .replace(/\/\/.*/, '')
        .replace(/\s+/g, ' ')
        .trim(),
    )
    .filter(Boolean);
  expect(lines.map((line) => played(timeZone, line.split(' | ')[0] ?? ''))).toEqual(lines);
}

const ABIDJAN = 'Africa/Abidjan';
const NAIROBI = 'Africa/Nairobi';

describe('a term', () => {
  it('leaves the rest of its first day free and ends at a local midnight', () => {
    holds(
      NAIROBI,
      `
      day   2026-11-23T11:02 | 2026-11-23T11:02 to 2026-11-24T21:00
      week  2026-11-23T11:02 | 2026-11-23T11:02 to 2026-11-30T21:00
      month 2026-11-23T11:02 | 2026-11-23T11:02 to 2026-12-23T21:00
      10d   2026-11-23T11:02 | 2026-11-23T11:02 to 2026-12-03T21:00
      // 23:30 UTC is the 24th in Nairobi.
      day   2026-11-23T23:30 | 2026-11-23T23:30 to 2026-11-25T21:00`,
    );
    holds(
      ABIDJAN,
      `
      day   2026-11-23T23:59 | 2026-11-23T23:59 to 2026-11-25T00:00
      day   2026-11-24T00:00 | 2026-11-24T00:00 to 2026-11-26T00:00`,
    );
  });

  it('bought before the end goes on from it; at the end or later it starts at once', () => {
    holds(
      ABIDJAN,
      `
      week 2026-11-02T08:30, week 2026-11-08T19:00 | 2026-11-02T08:30 to 2026-11-17T00:00
      week 2026-11-02T08:30, week 2026-11-09T23:59 | 2026-11-02T08:30 to 2026-11-17T00:00
      week 2026-11-02T08:30, week 2026-11-10T00:00 | 2026-11-10T00:00 to 2026-11-18T00:00
      week 2026-11-02T08:30, day 2026-11-20T06:15  | 2026-11-20T06:15 to 2026-11-22T00:00
      // A renewal leaves no gap and gives no free day.
      week 2026-11-02T08:30, week renewed | 2026-11-02T08:30 to 2026-11-17T00:00`,
    );
  });

  it('of a month keeps the day of the first, clamped to the length of the month', () => {
    holds(
      ABIDJAN,
      `
      month 2027-01-31T07:00 | 2027-01-31T07:00 to 2027-03-01T00:00
      month 2027-01-31T07:00, month 2027-02-20T07:00 | 2027-01-31T07:00 to 2027-04-01T00:00
      month 2027-01-31T07:00, month renewed, month renewed | 2027-01-31T07:00 to 2027-05-01T00:00
      month 2028-01-30T07:00 | 2028-01-30T07:00 to 2028-03-01T00:00
      month 2028-01-30T07:00, month renewed | 2028-01-30T07:00 to 2028-03-31T00:00
      month 2028-02-29T07:00, month renewed | 2028-02-29T07:00 to 2028-04-30T00:00
      month 2026-12-31T07:00, month renewed | 2026-12-31T07:00 to 2027-03-01T00:00
      // 2100 is no leap year.
      month 2100-01-31T07:00 | 2100-01-31T07:00 to 2100-03-01T00:00`,
    );
  });

  it('of another kind in between, or a gap, starts the day of the month anew', () => {
    holds(
      ABIDJAN,
      `
      month 2027-01-31T07:00, day renewed, month renewed | 2027-01-31T07:00 to 2027-04-02T00:00
      month 2027-01-31T07:00, 3d renewed, month renewed | 2027-01-31T07:00 to 2027-04-04T00:00
      month 2027-01-31T07:00, month 2027-03-01T00:00 | 2027-03-01T00:00 to 2027-04-02T00:00
      day 2027-01-30T07:00, month renewed, month renewed | 2027-01-30T07:00 to 2027-04-01T00:00`,
    );
  });

  it('ends at the first instant of a day whose midnight the clocks skip', () => {
    holds(
      'Africa/Cairo', // 30 April 2027 begins at 01:00
      `
      month 2027-03-29T16:00 | 2027-03-29T16:00 to 2027-04-29T22:00
      month 2027-03-29T16:00, month renewed | 2027-03-29T16:00 to 2027-05-29T21:00
      day 2027-04-29T21:59 | 2027-04-29T21:59 to 2027-04-30T21:00
      day 2027-04-29T22:00 | 2027-04-29T22:00 to 2027-05-01T21:00`,
    );
  });

  it('has as many hours as its days have, where clocks change', () => {
    holds(
      'Africa/Cairo', // 29 October 2026 has 25 hours
      `
      day 2026-10-27T10:00 | 2026-10-27T10:00 to 2026-10-28T21:00
      day 2026-10-28T10:00 | 2026-10-28T10:00 to 2026-10-29T22:00
      week 2026-10-28T10:00 | 2026-10-28T10:00 to 2026-11-04T22:00`,
    );
    holds(
      'Africa/Casablanca', // an hour back for Ramadan, 15 February to 22 March 2026
      `
      week 2026-02-05T10:00 | 2026-02-05T10:00 to 2026-02-12T23:00
      month 2026-02-05T10:00 | 2026-02-05T10:00 to 2026-03-06T00:00
      month 2026-03-05T10:00 | 2026-03-05T10:00 to 2026-04-05T23:00`,
    );
  });

  it('ends at the first of two instants that show its wall time', () => {
    const rules = {
      timeZone: 'Africa/Cairo',
      termEnd: 'same_time',
      monthAnchor: 'kept',
      grace: { hours: 0, nextTerm: 'from_now' },
    } as const;
    // At midnight of 30 October clocks go back to 23:00.
    const { to } = nextTerm(NEVER, { kind: 'day' }, new Date('2026-10-28T20:30:00Z'), rules);
    expect(minutes(to)).toBe('2026-10-29T20:30');
    expect(minutes(midnight({ year: 2026, month: 10, day: 25 }, 'Atlantic/Azores'))).toBe(
      '2026-10-25T00:00',
    );
  });

  it('never paid has nothing to renew', () => {
    expect(() => renewedTerm(NEVER, { kind: 'week' }, ABIDJAN)).toThrow('never paid');
  });
});

describe('a term of a year, or named by its days', () => {
  it('keeps its day, clamped to the month, and goes on from it', () => {
    holds(
      ABIDJAN,
      `
      year 2026-11-23T11:02 | 2026-11-23T11:02 to 2027-11-24T00:00
      year 2028-02-29T11:02 | 2028-02-29T11:02 to 2029-03-01T00:00
      year 2028-02-29T11:02, month renewed | 2028-02-29T11:02 to 2029-03-30T00:00
      month 2027-01-31T07:00, year renewed | 2027-01-31T07:00 to 2028-03-01T00:00`,
    );
  });

  it('is as long as the same number of days', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 999 }), (days) => {
        const at = new Date('2026-11-23T11:02:00Z');
        const named = nextTerm(NEVER, { kind: `${days}d` }, at, NAIROBI);
        expect(named).toEqual(nextTerm(NEVER, { kind: 'days', days }, at, NAIROBI));
      }),
    );
  });
});

describe('terms in a row', () => {
  const zone = fc.constantFrom('Africa/Nairobi', 'Africa/Cairo', 'Africa/Casablanca', 'UTC');
  const at = fc.date({
    min: new Date('2024-01-01T00:00:00Z'),
    max: new Date('2032-12-31T00:00:00Z'),
    noInvalidDate: true,
  });
  const length: fc.Arbitrary<TermLength> = fc.oneof(
    fc.constantFrom<TermLength>({ kind: 'day' }, { kind: 'week' }, { kind: 'month' }),
    fc.integer({ min: 1, max: 45 }).map((days): TermLength => ({ kind: 'days', days })),
  );
  const acts = fc.array(fc.record({ length, hours: fc.nat({ max: 2_000 }) }), { maxLength: 12 });

  it('never shorten what is paid, never overlap, and end at a midnight', () => {
    fc.assert(
      fc.property(zone, at, acts, (timeZone, start, sales) => {
        let run: Run = NEVER;
        let ms = start.getTime();
        for (const sale of sales) {
          ms += sale.hours * 3_600_000;
          const sold = nextTerm(run, sale.length, new Date(ms), timeZone);
          const { from, to } = sold;
          expect(from.getTime()).toBe(Math.max(ms, run.paidUntil?.getTime() ?? 0));
          expect(to.getTime()).toBeGreaterThan(from.getTime());
          expect(to).toEqual(midnight(localDate(to, timeZone), timeZone));
          expect(sold.run.paidUntil).toEqual(to);
          run = sold.run;
        }
      }),
    );
  });

  it('of n months end with the day of the purchase, n months on', () => {
    fc.assert(
      fc.property(zone, at, fc.integer({ min: 1, max: 40 }), (timeZone, start, months) => {
        let run: Run = NEVER;
        for (let n = 0; n < months; n++)
          run = nextTerm(run, { kind: 'month' }, start, timeZone).run;
        const bought = localDate(start, timeZone);
        expect(run.baseDate).toEqual(addMonths(bought, months, bought.day));
        expect(run.runFrom).toEqual(start);
      }),
    );
  });

  it('end the same whenever they were bought, as long as it was in time', () => {
    fc.assert(
      fc.property(zone, at, fc.array(length, { minLength: 1, maxLength: 8 }), (tz, start, all) => {
        let atOnce: Run = NEVER;
        let renewed: Run = NEVER;
        for (const one of all) {
          atOnce = nextTerm(atOnce, one, start, tz).run;
          renewed = renewed.paidUntil
            ? renewedTerm(renewed, one, tz).run
            : nextTerm(renewed, one, start, tz).run;
        }
        expect(renewed).toEqual(atOnce);
      }),
    );
  });
});
