/** What is a difference and what is none, from which instants, and what it is worth. */
import fc from 'fast-check';
import type { Bouquet, Catalogue, Site } from '../../billing/catalogue/rules.ts';
import { AIR_MARGIN_MS, EVENT_AIR_MARGIN_MS_MAX } from '../rights/rules.ts';
import type { CardRecord } from '../vip-control/queries.ts';
import {
  compareCard,
  curesOf,
  isOnItsWay,
  ON_ITS_WAY_MS,
  spansSince,
  strangeCard,
  type WantedCard,
} from './rules.ts';
import { varianceOf } from './run-store.ts';
import { holds, type Span, union, within, without } from './spans.ts';
import { secondsOf, worthOf } from './value.ts';

const AT = new Date('2026-12-01T12:00:00.000Z');
const HOUR_MS = 3_600_000;
const instant = (hours: number) => new Date(AT.getTime() + hours * HOUR_MS).toISOString();
const right = (product: string, from: number, to: number) => ({
  ...{ product, from: instant(from), to: instant(to) },
});
const wantedCard = (more: Partial<WantedCard> = {}): WantedCard => ({
  ...{ ...strangeCard('40210000010'), cardId: 1n, siteId: 1n, isServed: true, desiredRev: 3 },
  ...more,
});
const record = (more: Partial<CardRecord> = {}): CardRecord => ({
  ...{ card: '40210000010', epoch: 1, rev: 3, set: [], state: 'live', stbs: [], region: null },
  ...{ change: 1, changedAt: instant(-1), writtenBy: 'us', lastAirAt: null, ...more },
});
const compare = (wanted: WantedCard, found: CardRecord | null) =>
  compareCard(wanted, found, { at: AT, ourName: (name) => (name === '0101' ? 'ESS' : name) });
const classes = (wanted: WantedCard, found: CardRecord | null) =>
  compare(wanted, found).map((one) => `${one.class} ${one.product}`.trim());

const MARGIN_H = AIR_MARGIN_MS / HOUR_MS;
const EVENT_H = EVENT_AIR_MARGIN_MS_MAX / HOUR_MS;

describe('stretches of time', () => {
  const spans = fc.array(
    fc.tuple(fc.nat(30), fc.nat(30)).map(([fromMs, length]) => ({ fromMs, toMs: fromMs + length })),
    { maxLength: 6 },
  );
  const instants = Array.from({ length: 62 }, (_, n) => n);

  it('are joined, taken from each other and cut, instant by instant', () => {
    fc.assert(
      fc.property(spans, spans, fc.nat(60), fc.nat(60), (a, b, from, to) => {
        for (const at of instants) {
          expect(holds(union(a), at)).toBe(holds(a, at));
          expect(holds(without(a, b), at)).toBe(holds(a, at) && !holds(b, at));
          expect(holds(within(a, from, to), at)).toBe(holds(a, at) && from <= at && at < to);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('are left without touching each other', () => {
    fc.assert(
      fc.property(spans, (some) => {
        const joined: Span[] = union(some);
        for (const [n, { fromMs }] of joined.entries()) {
          expect(fromMs).toBeGreaterThan(joined[n - 1]?.toMs ?? -1);
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('a card', () => {
  const sold = wantedCard({ desired: [right('ESS', -10, 20)] });

  it('is as wanted from what was sold to the end of the margin of the air', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 100 }), (percent) => {
        const to = 20 + (MARGIN_H * percent) / 100;
        expect(classes(sold, record({ set: [right('ESS', -10, to)] }))).toEqual([]);
      }),
    );
    const event = wantedCard({ desired: [right('EVT:FINAL', -1, 2)] });
    const airs = (to: number) => record({ set: [right('EVT:FINAL', -1, to)] });
    expect(classes(event, airs(2 + EVENT_H))).toEqual([]);
    expect(classes(event, airs(2 + EVENT_H + 0.1))).toEqual(['C EVT:FINAL']);
  });

  it.each<[string, Partial<WantedCard>, Partial<CardRecord> | null, string[]]>([
    ['a product too much', {}, { set: [right('ESS', -10, 20), right('PREM', 0, 9)] }, ['A PREM']],
    ['the name of the system', {}, { set: [right('0101', -10, 20)] }, []],
    ['a card that it never heard of', {}, null, ['B ESS']],
    ['a product too little', {}, { set: [] }, ['B ESS']],
    ['an end too early', {}, { set: [right('ESS', -10, 19)] }, ['C ESS']],
    ['an end too late', {}, { set: [right('ESS', -10, 27)] }, ['C ESS']],
    ['another beginning, which is over', {}, { set: [right('ESS', -2, 20)] }, []],
    ['a gap to come', {}, { set: [right('ESS', -2, 3), right('ESS', 4, 20)] }, ['C ESS']],
    ['what is over', {}, { set: [right('ESS', -10, 20), right('OLD', -9, 0)] }, []],
    ['suspended there alone', {}, { set: [right('ESS', -10, 20)], suspended: 'x' }, ['B ESS']],
    ['suspended here alone', { suspended: 'x' }, { set: [right('ESS', -10, 20)] }, ['A ESS']],
    ['retired there', {}, { state: 'retired' }, ['B ESS']],
    ['of another system', { isServed: false }, { set: [right('ESS', -10, 20)] }, ['A ESS']],
    ['another decoder', { desired: [] }, { stbs: ['S1'] }, ['D']],
    ['no decoder', { desired: [], pairings: [{ stb: 'S1', mode: 'strict' }] }, {}, ['D']],
    [
      'blacklisted here alone',
      { isBlacklisted: true },
      { set: [right('ESS', -10, 20)] },
      ['E ESS'],
    ],
    ['blacklisted here, and dark', { isBlacklisted: true }, {}, ['E']],
    ['blacklisted on both sides', { isBlacklisted: true }, { state: 'blacklisted' }, []],
  ])('with %s', (_title, wanted, found, differs) => {
    expect(classes({ ...sold, ...wanted }, found && record(found))).toEqual(differs);
  });

  it('is on its way for two minutes after anything of it changed here', () => {
    const touched = (agoMs: number) => wantedCard({ touchedAt: new Date(AT.getTime() - agoMs) });
    expect(isOnItsWay(touched(ON_ITS_WAY_MS - 1), AT)).toBe(true);
    expect(isOnItsWay(touched(ON_ITS_WAY_MS), AT)).toBe(false);
    expect(isOnItsWay(wantedCard(), AT)).toBe(false);
  });

  it('is raised above what the system has under our epoch, and above nothing of an older', () => {
    const found = (epoch: number) => record({ epoch, rev: 9, set: [] });
    const cures = (epoch: number) =>
      curesOf(sold, found(epoch), { differences: compare(sold, found(epoch)), epoch: 2 });
    expect(cures(2)).toEqual([{ kind: 'raise', cardId: 1n, aboveRev: 9 }]);
    expect(cures(1)).toEqual([{ kind: 'raise', cardId: 1n, aboveRev: 0 }]);
  });

  it('that a command waits for is not ordered about again', () => {
    const banned = wantedCard({ isBlacklisted: true, isWaiting: true });
    const differences = compare(banned, record());
    expect(curesOf(banned, record(), { differences, epoch: 1 })).toEqual([]);
  });
});

describe('the value of a difference', () => {
  const DAY_H = 24;
  const month = (from: string, amount: bigint | null) => ({ from: new Date(from), amount });
  const bouquet = (siteId: bigint, prices: ReturnType<typeof month>[]): [bigint, Bouquet] => [
    siteId,
    {
      ...{ id: siteId, siteId, code: 'B', name: 'B', kind: 'bouquet', products: ['ESS'] },
      ...{ prices: { month: prices }, categoryPrices: new Map(), taxes: [], addOn: null },
    },
  ];
  const catalogue = {
    sites: new Map([
      [1n, { currency: 'KES' } as Site],
      [2n, { currency: 'XOF' } as Site],
    ]),
    bouquets: new Map([
      bouquet(1n, [month('2026-01-01T00:00:00Z', 300n), month(instant(-DAY_H), 600n)]),
      bouquet(2n, [month('2026-01-01T00:00:00Z', 9_000n)]),
    ]),
    events: new Map(),
  } satisfies Pick<Catalogue, 'sites' | 'bouquets' | 'events'>;
  const hours = (from: number, to: number): Span => ({
    fromMs: Date.parse(instant(from)),
    toMs: Date.parse(instant(to)),
  });

  it('is the list price of each of its days, at the site of the card', () => {
    const worth = (siteId: bigint | null, spans: Span[], product = 'ESS') =>
      worthOf(catalogue, product, { siteId, spans });
    expect(worth(1n, [hours(-DAY_H, 0)])).toEqual({ amount: 20n, currency: 'KES' });
    // One day at the old price and one at the new.
    expect(worth(1n, [hours(-2 * DAY_H, 0)])).toEqual({ amount: 30n, currency: 'KES' });
    expect(worth(2n, [hours(-DAY_H, 0)])).toEqual({ amount: 300n, currency: 'XOF' });
    expect(worth(null, [hours(-DAY_H, 0)])).toEqual({ amount: 20n, currency: 'KES' });
    expect(worth(1n, [], 'NONE')).toBeNull();
  });

  it('is of the time that was, not of the time to come', () => {
    const [leak] = compare(wantedCard(), record({ set: [right('ESS', -5, 900)] }));
    if (!leak) throw new Error('Nothing differs');
    const spans = spansSince(leak, { since: new Date(instant(-2)), at: AT });
    expect(secondsOf(spans)).toBe(7_200n);
    expect(secondsOf(spansSince(leak, { since: AT, at: AT }))).toBe(0n);
  });
});

describe('the variance', () => {
  it.each([
    [0, 0, 0],
    [1_000, 0, 0],
    [1_000, 5, 5_000],
    [0, 2, 1_000_000],
  ])('of %d active cards of which %d differ is %d millionths', (active, differing, ppm) => {
    expect(varianceOf({ active, differing })).toBe(ppm);
  });
});
