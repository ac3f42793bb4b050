import { EVENT_GRACE_MS_MAX, GRACE_MS, graceEnd, rightsFor } from './rules.ts';

const FROM = new Date('2026-11-23T11:02:00Z');
const TO = new Date('2026-12-23T21:00:00Z');
const later = (date: Date, ms: number) => new Date(date.getTime() + ms);

describe('the grace of a right', () => {
  const ends = (product: string, graceMs?: number) =>
    graceEnd({ product, to: TO }, graceMs).toISOString();

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

describe('the rights of a card', () => {
  const derby = { product: 'EVT:DERBY', from: FROM, to: TO };
  const subscription = { products: ['SPORT', 'ESS'], from: FROM, to: TO };
  const productsAt = (at: Date) =>
    rightsFor({ subscription, events: [derby], at }).map(({ product }) => product);

  it('are its bouquet and its events, each to its paid end', () => {
    expect(rightsFor({ subscription, events: [derby], at: FROM })).toEqual([
      { product: 'ESS', from: FROM, to: TO },
      derby,
      { product: 'SPORT', from: FROM, to: TO },
    ]);
    expect(rightsFor({ subscription: null, events: [], at: FROM })).toEqual([]);
  });

  it('stay through the grace of each, with the end that was paid for', () => {
    expect(productsAt(TO)).toEqual(['ESS', 'EVT:DERBY', 'SPORT']);
    expect(productsAt(later(TO, EVENT_GRACE_MS_MAX - 1))).toEqual(['ESS', 'EVT:DERBY', 'SPORT']);
    expect(productsAt(later(TO, EVENT_GRACE_MS_MAX))).toEqual(['ESS', 'SPORT']);
    expect(productsAt(later(TO, GRACE_MS - 1))).toEqual(['ESS', 'SPORT']);
    expect(productsAt(later(TO, GRACE_MS))).toEqual([]);
    const at = later(TO, GRACE_MS - 1);
    expect(rightsFor({ subscription, events: [], at })[0]).toMatchObject({ from: FROM, to: TO });
  });
});
