import fc from 'fast-check';
import { DateTime } from 'luxon';
import { nextTerm, type Run, type TermLength } from '../subscriptions/rules.ts';
import {
  type DueStep,
  decideReminder,
  dueSteps,
  isShown,
  QUIET_FROM_HOUR,
  QUIET_UNTIL_HOUR,
  REMINDER_HOUR,
  type ReminderFacts,
} from './rules.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const NAIROBI = 'Africa/Nairobi';

const iso = (at: Date): string => at.toISOString().slice(0, 16);
const steps = (at: string, timeZone: string) => dueSteps(new Date(`${at}:00Z`), timeZone);

/** `d0 ..2026-11-23T21:00`: the step, and the paid end it is for. */
const lines = (due: readonly DueStep[]) =>
  due.map(({ step, endsBy }) => `${step} ..${iso(endsBy)}`);

describe('the steps that are due', () => {
  it('are for terms whose last day is today, tomorrow and in three days', () => {
    const due = steps('2026-11-23T06:00', NAIROBI); // 09:00 there
    expect(lines(due)).toEqual([
      'd0 ..2026-11-23T21:00',
      'd1 ..2026-11-24T21:00',
      'd3 ..2026-11-26T21:00',
    ]);
    expect(due.map(({ endsAfter }) => iso(endsAfter))).toEqual([
      '2026-11-22T21:00',
      '2026-11-23T21:00',
      '2026-11-25T21:00',
    ]);
    expect(due.map(({ notAfter }) => iso(notAfter))).toEqual(Array(3).fill('2026-11-23T17:00'));
    expect(due.map(({ dayFrom }) => iso(dayFrom))).toEqual(Array(3).fill('2026-11-22T21:00'));
  });

  it('are due from nine in the morning to eight in the evening, by the clock on the wall', () => {
    const open = (at: string, timeZone: string) => steps(at, timeZone).length > 0;
    for (const [timeZone, from, until] of [
      [NAIROBI, '2026-11-23T06:00', '2026-11-23T17:00'],
      ['Africa/Abidjan', '2026-11-23T09:00', '2026-11-23T20:00'],
      // An hour back for Ramadan, from 15 February 2026 at three in the morning.
      ['Africa/Casablanca', '2026-02-14T08:00', '2026-02-14T19:00'],
      ['Africa/Casablanca', '2026-02-15T09:00', '2026-02-15T20:00'],
      // The nights in which summer time begins and ends.
      ['Europe/Paris', '2027-03-28T07:00', '2027-03-28T18:00'],
      ['Europe/Paris', '2026-10-25T08:00', '2026-10-25T19:00'],
    ] as const) {
      const minuteBefore = (at: string) =>
        iso(new Date(new Date(`${at}:00Z`).getTime() - MINUTE_MS));
      expect([timeZone, open(minuteBefore(from), timeZone), open(from, timeZone)]).toEqual([
        timeZone,
        false,
        true,
      ]);
      expect([timeZone, open(minuteBefore(until), timeZone), open(until, timeZone)]).toEqual([
        timeZone,
        true,
        false,
      ]);
    }
  });

  it('never fall into the quiet hours', () => {
    expect(REMINDER_HOUR).toBeGreaterThanOrEqual(QUIET_UNTIL_HOUR);
    expect(QUIET_FROM_HOUR).toBeGreaterThan(REMINDER_HOUR);
  });
});

const DAY_FROM = new Date('2026-11-22T21:00:00Z');
const facts: ReminderFacts = {
  length: { kind: 'month' },
  boughtAt: new Date('2026-10-23T11:00:00Z'),
  isSuspended: false,
  price: 65_000n,
  renewalCost: null,
  credit: 0n,
  phone: { isStopped: false, textsToday: 0 },
};
const decide = (step: DueStep['step'], known: Partial<ReminderFacts> = {}) =>
  decideReminder({ step, dayFrom: DAY_FROM }, { ...facts, ...known });

describe('the decision', () => {
  const saidFor = (length: TermLength) =>
    (['d3', 'd1', 'd0'] as const).filter((step) => decide(step, { length }) === 'sent');

  it('leaves out the steps that a short term has no room for', () => {
    expect(saidFor({ kind: 'month' })).toEqual(['d3', 'd1', 'd0']);
    expect(saidFor({ kind: 'week' })).toEqual(['d1', 'd0']);
    expect(saidFor({ kind: 'day' })).toEqual(['d0']);
    expect(saidFor({ kind: 'days', days: 2 })).toEqual(['d0']);
    expect(saidFor({ kind: 'days', days: 3 })).toEqual(['d1', 'd0']);
    expect(saidFor({ kind: 'days', days: 14 })).toEqual(['d3', 'd1', 'd0']);
    expect(saidFor({ kind: 'year' })).toEqual(['d3', 'd1', 'd0']);
    expect(saidFor({ kind: '10d' })).toEqual(['d1', 'd0']);
  });

  it('says nothing on the day of a payment', () => {
    expect(decide('d1', { boughtAt: DAY_FROM })).toBe('just_paid');
    expect(decide('d1', { boughtAt: new Date(DAY_FROM.getTime() - 1) })).toBe('sent');
  });

  it('says nothing when the wallet renews by itself, and does when it cannot', () => {
    expect(decide('d3', { renewalCost: 65_000n, credit: 65_000n })).toBe('renews');
    expect(decide('d3', { renewalCost: 65_000n, credit: 64_999n })).toBe('sent');
    expect(decide('d3', { credit: 65_000n })).toBe('sent');
  });

  it('says nothing to a suspended card, or where there is nothing to buy', () => {
    expect(decide('d0', { isSuspended: true })).toBe('suspended');
    expect(decide('d0', { price: null })).toBe('not_sold');
    expect(['suspended', 'not_sold', 'renews'].map((why) => isShown(why as 'renews'))).toEqual([
      false,
      false,
      false,
    ]);
  });

  it('goes to the screen alone without a phone, after STOP, and after two texts in a day', () => {
    const alone = [
      decide('d0', { phone: null }),
      decide('d0', { phone: { isStopped: true, textsToday: 0 } }),
      decide('d0', { phone: { isStopped: false, textsToday: 2 } }),
    ];
    expect(alone).toEqual(['no_phone', 'stopped', 'capped']);
    expect(alone.every(isShown)).toBe(true);
    expect(decide('d0', { phone: { isStopped: false, textsToday: 1 } })).toBe('sent');
  });
});

describe('the reminders of a subscriber', () => {
  const timeZones = [NAIROBI, 'Africa/Abidjan', 'Africa/Casablanca', 'Europe/Paris'] as const;
  const length: fc.Arbitrary<TermLength> = fc.oneof(
    fc.constantFrom<TermLength>({ kind: 'day' }, { kind: 'week' }, { kind: 'month' }),
    fc.integer({ min: 1, max: 40 }).map((days): TermLength => ({ kind: 'days', days })),
  );
  const start = fc.date({
    min: new Date('2026-01-01T00:00:00Z'),
    max: new Date('2028-12-31T00:00:00Z'),
    noInvalidDate: true,
  });

  interface Cycle {
    length: TermLength;
    boughtAt: Date;
    paidUntil: Date;
    /** The next payment; a day after the end when there is none. */
    overAt: Date;
  }

  interface Purchase {
    length: TermLength;
    /** Hours until the next purchase. */
    hours: number;
  }

  function cyclesOf(timeZone: string, from: Date, purchases: readonly Purchase[]): Cycle[] {
    let run: Run = { runFrom: null, paidUntil: null, baseDate: null, anchorDay: null };
    let at = from.getTime();
    return purchases.map((purchase, index) => {
      const boughtAt = new Date(at);
      run = nextTerm(run, purchase.length, boughtAt, timeZone).run;
      const paidUntil = run.paidUntil ?? from;
      const isLast = index === purchases.length - 1;
      at = isLast ? paidUntil.getTime() + DAY_MS : at + purchase.hours * HOUR_MS;
      return { length: purchase.length, boughtAt, paidUntil, overAt: new Date(at) };
    });
  }

  /** When each step is said, looking every so often while the cycle lasts. */
  function saidIn(cycle: Cycle, timeZone: string, everyMs: number): Map<string, Date> {
    const decided = new Set<string>();
    const said = new Map<string, Date>();
    const { length, boughtAt, paidUntil } = cycle;
    // Nothing is due before; long runs are not looked through.
    const first = Math.max(boughtAt.getTime(), paidUntil.getTime() - 6 * DAY_MS);
    for (let ms = first; ms < cycle.overAt.getTime(); ms += everyMs) {
      const at = new Date(ms);
      const due = dueSteps(at, timeZone).filter(
        ({ step, endsAfter, endsBy }) =>
          !decided.has(step) && paidUntil > endsAfter && paidUntil <= endsBy,
      );
      for (const one of due) {
        decided.add(one.step);
        if (decideReminder(one, { ...facts, length, boughtAt }) === 'sent') said.set(one.step, at);
      }
    }
    return said;
  }

  it('are three a cycle at the most, by day, each on its day, and only while it is paid', () => {
    const lives = fc.record({
      timeZone: fc.constantFrom(...timeZones),
      start,
      purchases: fc.array(fc.record({ length, hours: fc.nat({ max: 900 }) }), {
        minLength: 1,
        maxLength: 4,
      }),
      /** A slow one stands for a service that is down for hours. */
      everyMs: fc.integer({ min: HOUR_MS / 2, max: 15 * HOUR_MS }),
    });
    fc.assert(
      fc.property(lives, ({ timeZone, start: from, purchases, everyMs }) => {
        for (const cycle of cyclesOf(timeZone, from, purchases)) {
          const said = saidIn(cycle, timeZone, everyMs);
          expect(said.size).toBeLessThanOrEqual(3);
          for (const [step, at] of said) {
            const local = DateTime.fromJSDate(at, { zone: timeZone });
            const last = DateTime.fromMillis(cycle.paidUntil.getTime() - 1, { zone: timeZone });
            const days = last.startOf('day').diff(local.startOf('day'), 'days').days;
            expect(`d${Math.round(days)}`).toBe(step);
            expect(local.hour >= 9 && local.hour < 20).toBe(true);
            expect(at < cycle.paidUntil && at < cycle.overAt).toBe(true);
          }
        }
      }),
    );
  });

  it('are all three for a month, when we look every hour', () => {
    fc.assert(
      fc.property(fc.constantFrom(...timeZones), start, (timeZone, from) => {
        const [cycle] = cyclesOf(timeZone, from, [{ length: { kind: 'month' }, hours: 0 }]);
        const said = cycle ? saidIn(cycle, timeZone, HOUR_MS) : new Map();
        expect([...said.keys()]).toEqual(['d3', 'd1', 'd0']);
      }),
      { numRuns: 50 },
    );
  });
});
