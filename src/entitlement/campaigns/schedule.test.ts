import fc from 'fast-check';
import { wallTime } from '../../platform/calendar.ts';
import { type Schedule, schedule } from './content.ts';
import { type Occurrence, occurrenceFrom, type Plan, scheduleFault } from './schedule.ts';

const ZONE = 'Africa/Nairobi';
const START = new Date('2026-12-01T08:00:00Z');
const HOUR_MS = 3_600_000;

const plan = (wanted: unknown, more: Partial<Plan> = {}): Plan => ({
  ...{ schedule: schedule.parse(wanted), quiet: null, timeZone: ZONE, startedAt: START },
  ...{ seed: 'seed', validSeconds: 3_600, ...more },
});

/** All of them, or the first so many. */
function all(of: Plan, most = 1_000): Occurrence[] {
  const found: Occurrence[] = [];
  for (let next = occurrenceFrom(of, 0); next && found.length < most; ) {
    found.push(next);
    next = occurrenceFrom(of, next.n + 1);
  }
  return found;
}
const times = (of: Plan, most?: number) =>
  all(of, most).map(({ dueAt }) => dueAt.toISOString().slice(0, 16));

describe('a schedule', () => {
  it('shows once at its instant, or as soon as it is started', () => {
    expect(times(plan({ kind: 'once', at: '2026-12-05T17:00:00Z' }))).toEqual(['2026-12-05T17:00']);
    expect(times(plan({ kind: 'once' }))).toEqual(['2026-12-01T08:00']);
  });

  it('repeats every so many minutes until its end, which is not one of them', () => {
    const every = { kind: 'repeat', every: 20, unit: 'minute', until: '2026-12-01T09:00:00Z' };
    expect(times(plan(every))).toEqual([
      '2026-12-01T08:00',
      '2026-12-01T08:20',
      '2026-12-01T08:40',
    ]);
  });

  it('repeats at a time of day of the site, from tomorrow on when today’s is over', () => {
    const daily = { kind: 'repeat', every: 2, unit: 'day', until: '2026-12-08T00:00:00Z' };
    expect(times(plan({ ...daily, at: '19:30' }))).toEqual([
      '2026-12-01T16:30',
      '2026-12-03T16:30',
      '2026-12-05T16:30',
      '2026-12-07T16:30',
    ]);
    expect(times(plan({ ...daily, at: '06:00' }), 1)).toEqual(['2026-12-02T03:00']);
  });

  it('keeps its time on the wall where clocks change', () => {
    const daily = { kind: 'repeat', every: 1, unit: 'day', until: '2027-04-01T00:00:00Z' };
    const of = plan({ ...daily, at: '19:30' }, { timeZone: 'Africa/Casablanca' });
    expect(all(of).every(({ dueAt }) => wallTime(dueAt, of.timeZone) === 19.5 * HOUR_MS)).toBe(
      true,
    );
  });

  it('leaves out what falls into quiet hours, and ends what runs into them', () => {
    const hourly = { kind: 'repeat', every: 1, unit: 'hour', until: '2026-12-02T08:00:00Z' };
    const quiet = { from: '22:30', to: '07:00' };
    const of = plan(hourly, { quiet });
    expect(times(of)).not.toContain('2026-12-01T20:00');
    expect(times(of).slice(-2)).toEqual(['2026-12-02T06:00', '2026-12-02T07:00']);
    const last = all(of).find(({ dueAt }) => dueAt.toISOString() === '2026-12-01T19:00:00.000Z');
    expect(last?.notAfter).toEqual(new Date('2026-12-01T19:30:00Z'));
  });

  it('is refused when it is over, too often, too long, or quiet', () => {
    const fault = (wanted: unknown, quiet: Plan['quiet'] = null) =>
      scheduleFault(schedule.parse(wanted) as Schedule, { quiet, timeZone: ZONE }, START);
    expect(fault({ kind: 'once', at: '2026-12-01T07:59:00Z' })).toBe('over');
    const night = { kind: 'once', at: '2026-12-01T20:00:00Z' };
    expect(fault(night, { from: '22:00', to: '06:00' })).toBe('quiet');
    expect(fault(night, { from: '01:00', to: '06:00' })).toBeNull();
    const repeat = { kind: 'repeat', every: 4, unit: 'minute', until: '2026-12-01T09:00:00Z' };
    expect(fault(repeat)).toBe('too_often');
    expect(fault({ ...repeat, every: 5 })).toBeNull();
    expect(fault({ ...repeat, every: 5, at: '08:00' })).toBe('at_of_days');
    expect(fault({ ...repeat, until: '2026-12-01T08:00:00Z' })).toBe('over');
    expect(fault({ ...repeat, until: '2028-12-01T08:00:00Z' })).toBe('too_long');
  });
});

describe('showings by chance', () => {
  const random = (perDay: number, window: { from: string; to: string }) => ({
    ...{ kind: 'random', perDay, window, from: '2026-12-01T21:00:00Z' },
    until: '2026-12-11T21:00:00Z',
  });

  it('lie inside the window of each day, one in each part of it, in their order', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 48 }),
        fc.integer({ min: 0, max: 22 }),
        fc.string(),
        (perDay, hour, seed) => {
          const two = (n: number) => String(n).padStart(2, '0');
          const window = { from: `${two(hour)}:00`, to: `${two(hour + 1)}:00` };
          const of = plan(random(perDay, window), { seed });
          const found = all(of);
          expect(found).toHaveLength(10 * perDay);
          const walls = found.map(({ dueAt }) => wallTime(dueAt, ZONE) - hour * HOUR_MS);
          expect(walls.every((ms) => ms >= 0 && ms < HOUR_MS)).toBe(true);
          const slots = walls.slice(0, perDay).map((ms) => Math.floor((ms * perDay) / HOUR_MS));
          expect(new Set(slots).size).toBe(perDay);
          // Asked again from anywhere, each is at the same instant.
          expect(occurrenceFrom(of, perDay)).toEqual(found[perDay]);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('are at other instants under another seed', () => {
    const wanted = random(3, { from: '18:00', to: '22:00' });
    expect(times(plan(wanted))).not.toEqual(times(plan(wanted, { seed: 'other' })));
  });
});
