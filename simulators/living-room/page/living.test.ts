import type { LivingEvent, RoadStep } from '../api.ts';
import { afterChange, type Living, nothingYet } from './living.ts';

const NOON = '2026-11-23T12:00:00.000Z';
const browserMs = Date.parse(NOON) - 5_000;
const all: LivingEvent = {
  type: 'all',
  now: NOON,
  tv: null,
  texts: [{ id: 't1', at: NOON, direction: 'in', body: 'Hello' }],
  prompt: null,
  switches: { vipControl: true, operator: 'repeats' },
  road: [],
  dark: [],
  timeToPicture: null,
};
const hear = (living: Living, event: LivingEvent) =>
  afterChange(living, { type: 'event', event, browserMs });
const step = (id: number): RoadStep => ({ id, at: NOON, step: 'sent' });

describe('what the page knows', () => {
  it('is all there is after the first event, and the time of the house', () => {
    const living = hear(nothingYet, all);
    expect(living).toMatchObject({
      connection: 'live',
      aheadMs: 5_000,
      switches: { operator: 'repeats' },
      texts: [{ id: 't1' }],
    });
  });

  it('changes in the part that an event tells of', () => {
    const living = hear(nothingYet, all);
    const dark = [{ card: '1', since: NOON, seconds: 9, why: 'decoder off' }];
    expect(hear(living, { type: 'dark', dark })).toEqual({ ...living, dark });
    expect(hear(living, { type: 'texts', texts: [] })).toEqual({ ...living, texts: [] });
    expect(hear(living, { type: 'clock', now: '2026-11-24T12:00:00.000Z' }).aheadMs).toBe(
      86_405_000,
    );
  });

  it('keeps a bounded road, newest last', () => {
    let living = hear(nothingYet, all);
    for (let id = 1; id <= 205; id += 1) {
      living = hear(living, { type: 'road', step: step(id), timeToPicture: 0.84 });
    }
    expect(living.road).toHaveLength(200);
    expect(living.road.at(-1)?.id).toBe(205);
    expect(living.timeToPicture).toBe(0.84);
  });

  it('stays in sight while the connection is lost, and goes when somebody else sits down', () => {
    const living = hear(nothingYet, all);
    expect(afterChange(living, { type: 'lost' })).toEqual({ ...living, connection: 'again' });
    expect(afterChange(living, { type: 'moved' })).toEqual({ ...nothingYet, aheadMs: 5_000 });
  });
});
