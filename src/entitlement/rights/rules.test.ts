import {
  AIR_MARGIN_MS,
  EVENT_AIR_MARGIN_MS_MAX,
  offAirAt,
  type Right,
  rightsFor,
} from './rules.ts';

/** Goal: which rights come of what billing says. Days of November 2026, at midnight UTC. */
const day = (n: number): Date => new Date(Date.UTC(2026, 10, n));
const right = (product: string, from: number, to: number): Right => ({
  product,
  from: day(from),
  to: day(to),
});
const FROM = new Date('2026-11-23T11:02:00Z');
const TO = new Date('2026-12-23T21:00:00Z');
const NOTHING = { main: null, graceHours: 0, events: [], at: day(10) };

describe('the rights of a card', () => {
  it('are in date or to come, by product, with events among them', () => {
    const own = [right('SPORT', 12, 20), right('ESS', 1, 20), right('OLD', 1, 9)];
    const events = [right('EVT:FIGHT', 11, 12), right('EVT:OLD', 1, 9)];
    expect(rightsFor({ ...NOTHING, own, events })).toEqual([
      right('ESS', 1, 20),
      right('EVT:FIGHT', 11, 12),
      right('SPORT', 12, 20),
    ]);
  });

  it('are good for the grace where the terms end, and not where a plan ended before', () => {
    const own = [right('ESS', 1, 20), right('PREM', 1, 15)];
    expect(rightsFor({ ...NOTHING, own, graceHours: 48 })).toEqual([
      right('ESS', 1, 22),
      right('PREM', 1, 15),
    ]);
    const ended = { ...NOTHING, own: [right('ESS', 1, 9)], graceHours: 48 };
    expect(rightsFor(ended)).toEqual([right('ESS', 1, 11)]);
    expect(rightsFor({ ...ended, at: day(12) })).toEqual([]);
    expect(rightsFor({ ...NOTHING, own: [], graceHours: 48 })).toEqual([]);
  });

  it('of a card that hangs on another are what both share', () => {
    const own = [right('ESS', 5, 30), right('KIDS', 5, 30)];
    const main = [right('ESS', 1, 12), right('ESS', 14, 20), right('SPORT', 1, 20)];
    expect(rightsFor({ ...NOTHING, own, main })).toEqual([
      right('ESS', 5, 12),
      right('ESS', 14, 20),
    ]);
    expect(rightsFor({ ...NOTHING, own, main: [] })).toEqual([]);
  });
});

describe('the margin of the air', () => {
  const ends = (product: string, airMarginMs?: number) =>
    offAirAt({ product, to: TO }, airMarginMs).toISOString();

  it('is six hours, or what the head-end gives', () => {
    expect(ends('ESS')).toBe('2026-12-24T03:00:00.000Z');
    expect(ends('ESS', 60_000)).toBe('2026-12-23T21:01:00.000Z');
    expect(ends('ESS', 0)).toBe(TO.toISOString());
  });

  it('is a quarter of an hour at most for a pay-per-view event', () => {
    expect(ends('EVT:DERBY')).toBe('2026-12-23T21:15:00.000Z');
    expect(ends('EVT:DERBY', 60_000)).toBe('2026-12-23T21:01:00.000Z');
  });
});

describe('a right that has ended', () => {
  const later = (ms: number) => new Date(TO.getTime() + ms);
  const ess = { product: 'ESS', from: FROM, to: TO };
  const derby = { ...ess, product: 'EVT:DERBY' };
  const setAt = (at: Date) => rightsFor({ ...NOTHING, own: [ess], events: [derby], at });

  it('stays through its margin, with the end that was sold', () => {
    expect(setAt(TO)).toEqual([ess, derby]);
    expect(setAt(later(EVENT_AIR_MARGIN_MS_MAX - 1))).toEqual([ess, derby]);
    expect(setAt(later(EVENT_AIR_MARGIN_MS_MAX))).toEqual([ess]);
    expect(setAt(later(AIR_MARGIN_MS - 1))).toEqual([ess]);
    expect(setAt(later(AIR_MARGIN_MS))).toEqual([]);
  });
});
