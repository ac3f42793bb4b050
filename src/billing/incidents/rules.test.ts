import fc from 'fast-check';
import {
  costOf,
  type Given,
  type IncidentAsk,
  type IncidentCard,
  type IncidentLimits,
  type IncidentScope,
  outageDays,
  previewIncident,
} from './rules.ts';

const DAY = (n: number) => new Date(Date.UTC(2026, 10, n));
const ESSENTIAL = { product: 'ESS', from: DAY(1), to: DAY(30) };

const card = (cardId: bigint, more: Partial<IncidentCard> = {}): IncidentCard => ({
  ...{ cardId, subscriberId: cardId, siteId: 1n, running: { isFree: false }, isPaused: false },
  ...{ had: [], paid: [ESSENTIAL], monthPrice: 65_000n },
  ...more,
});
type Limits = Partial<Omit<IncidentLimits, 'secondPerson'>> & {
  secondPerson?: Partial<IncidentLimits['secondPerson']>;
};
const ask = (more: Partial<IncidentAsk> = {}): IncidentAsk => ({
  ...{ incident: 'I1', reason: 'transmitter down', scope: { kind: 'site', siteId: 1n } },
  ...{ days: 2, by: 'staff:1', on: { year: 2026, month: 11, day: 23 } },
  ...more,
});
const given = (more: Partial<Given> = {}): Given => ({
  ...{ cardId: 1n, subscriberId: 1n, by: 'staff:1', on: { year: 2026, month: 11, day: 2 } },
  ...{ days: 3, cost: 6_500n },
  ...more,
});
const NONE: IncidentLimits = {
  ...{ daysPerIncident: null, daysPerCardAndMonth: null, daysPerSubscriberAndMonth: null },
  ...{ costPerGiverAndMonth: null, secondPerson: { days: null, cost: null } },
};
const limitsOf = ({ secondPerson, ...said }: Limits = {}): IncidentLimits => ({
  ...{ ...NONE, ...said },
  secondPerson: { ...NONE.secondPerson, ...secondPerson },
});
const preview = (
  asked: IncidentAsk,
  cards: IncidentCard[],
  o: { limits?: Limits; given?: Given[] } = {},
) =>
  previewIncident(asked, {
    cards,
    given: o.given ?? [],
    limits: limitsOf(o.limits),
  });

describe('who has free days', () => {
  it('is each card whose running term is paid', () => {
    const cards = [
      card(1n),
      card(2n, { running: null }),
      card(3n, { running: { isFree: true } }),
      card(4n, { isPaused: true }),
      card(5n, { had: ['I0', 'I1'] }),
      card(6n, { siteId: 2n }),
      card(7n, { had: ['I0'] }),
    ];
    const found = preview(ask(), cards);
    expect(found.cards.map(({ cardId }) => cardId)).toEqual([1n, 7n]);
    expect(found.leftOut).toEqual([
      { cardId: 2n, why: 'not_running' },
      { cardId: 3n, why: 'free_time' },
      { cardId: 4n, why: 'paused' },
      { cardId: 5n, why: 'already_given' },
      { cardId: 6n, why: 'not_in_scope' },
    ]);
  });

  it.each<[IncidentScope, bigint[]]>([
    [{ kind: 'subscriber', subscriberId: 9n }, [1n, 2n]],
    [{ kind: 'card', cardId: 2n }, [2n]],
    [{ kind: 'site', siteId: 2n }, [3n]],
    [outage({ siteIds: [1n, 2n] }), [1n, 2n, 3n]],
    [outage({ siteIds: [1n, 2n], products: ['SPORT'] }), [2n]],
    [outage({ siteIds: [2n], products: ['SPORT'] }), []],
    // Paid up to the instant at which it began, or from the one at which it ended.
    [outage({ from: DAY(30), to: DAY(31) }), []],
    [outage({ from: new Date(0), to: DAY(1) }), []],
  ])('by scope %#', (scope, expected) => {
    const sport = { product: 'SPORT', from: DAY(5), to: DAY(30) };
    const cards = [
      card(1n, { subscriberId: 9n }),
      card(2n, { subscriberId: 9n, paid: [ESSENTIAL, sport] }),
      card(3n, { siteId: 2n }),
    ];
    expect(preview(ask({ scope }), cards).cards.map(({ cardId }) => cardId)).toEqual(expected);
  });
});

function outage(more: object): IncidentScope {
  return { kind: 'outage', siteIds: [1n], products: null, from: DAY(10), to: DAY(11), ...more };
}

describe('the cost', () => {
  it('is days of the list price, half-up for each card', () => {
    expect([costOf(65_000n, 2), costOf(100n, 1), costOf(15n, 1), costOf(14n, 1)]).toEqual([
      4_333n,
      3n,
      1n,
      0n,
    ]);
    const found = preview(ask({ days: 1 }), [
      card(1n, { monthPrice: 15n }),
      card(2n, { monthPrice: 15n }),
      card(3n, { monthPrice: null }),
    ]);
    expect(found.cost).toBe(2n);
  });
});

describe('a limit', () => {
  const refused = (error: string) => ({ decision: { kind: 'refused', error } });

  it('of days for one incident refuses it', () => {
    const limits = { daysPerIncident: 2 };
    expect(preview(ask(), [card(1n)], { limits }).decision).toEqual({ kind: 'allowed' });
    expect(preview(ask({ days: 3 }), [card(1n)], { limits })).toMatchObject(
      refused('incident_limit'),
    );
    expect(preview(ask({ days: 0 }), [card(1n)])).toMatchObject(refused('bad_days'));
    expect(preview(ask(), [])).toMatchObject(refused('nobody'));
  });

  it('of days in a month leaves the card out, and knows nothing of other months', () => {
    const limits = { daysPerCardAndMonth: 4 };
    const cards = [card(1n), card(2n)];
    const found = preview(ask(), cards, { limits, given: [given()] });
    expect(found.leftOut).toEqual([{ cardId: 1n, why: 'card_month_limit' }]);
    expect(found.cards).toHaveLength(1);
    const october = given({ on: { year: 2026, month: 10, day: 31 } });
    const lastYear = given({ on: { year: 2025, month: 11, day: 30 } });
    expect(preview(ask(), cards, { limits, given: [october, lastYear] }).leftOut).toEqual([]);
  });

  it('of one person counts all their cards, those of this incident too', () => {
    const limits = { daysPerSubscriberAndMonth: 5 };
    const cards = [1n, 2n, 3n].map((id) => card(id, { subscriberId: 9n }));
    const found = preview(ask(), [...cards].reverse(), { limits });
    expect(found.leftOut).toEqual([{ cardId: 3n, why: 'subscriber_month_limit' }]);
  });

  it('of what one giver may give away refuses all of it', () => {
    const limits = { costPerGiverAndMonth: 10833n };
    expect(preview(ask(), [card(1n)], { limits, given: [given()] }).decision.kind).toBe('allowed');
    const more = given({ cost: 6_501n });
    expect(preview(ask(), [card(1n)], { limits, given: [more] })).toMatchObject(
      refused('giver_month_limit'),
    );
    const another = given({ cost: 9_999n, by: 'staff:2' });
    expect(preview(ask(), [card(1n)], { limits, given: [another] }).decision.kind).toBe('allowed');
  });

  it('above which a second person decides says what was too much', () => {
    const limits = { secondPerson: { days: 1, cost: 4333n } };
    expect(preview(ask(), [card(1n)], { limits }).decision).toEqual({
      ...{ kind: 'second_person', because: ['days'] },
    });
    expect(preview(ask(), [card(1n), card(2n)], { limits }).decision).toEqual({
      ...{ kind: 'second_person', because: ['days', 'cost'] },
    });
    expect(preview(ask({ days: 1 }), [card(1n)], { limits }).decision.kind).toBe('allowed');
  });
});

describe('an outage', () => {
  const rule = { minutesMin: 120, daysPerStartedDay: 1 };
  const days = (hours: number) =>
    outageDays({ from: DAY(1), to: new Date(DAY(1).getTime() + hours * 3_600_000) }, rule);

  it('gives a day for each started day, and nothing below its shortest', () => {
    expect([-1, 0, 1.99, 2, 24, 24.1, 48].map(days)).toEqual([0, 0, 0, 1, 1, 2, 2]);
  });
});

describe('a preview', () => {
  it('accounts for each card once, costs their sum, and knows no order', () => {
    const cards = fc.array(
      fc.record({
        cardId: fc.bigInt(1n, 8n),
        subscriberId: fc.bigInt(1n, 3n),
        siteId: fc.bigInt(1n, 2n),
        running: fc.option(fc.record({ isFree: fc.boolean() })),
        isPaused: fc.boolean(),
        had: fc.constantFrom([], ['I1']),
        paid: fc.constant([ESSENTIAL]),
        monthPrice: fc.option(fc.bigInt(0n, 99_999n)),
      }),
      { maxLength: 10 },
    );
    const limits = fc.record({
      daysPerCardAndMonth: fc.option(fc.integer({ min: 1, max: 9 })),
      daysPerSubscriberAndMonth: fc.option(fc.integer({ min: 1, max: 9 })),
    });
    fc.assert(
      fc.property(cards, limits, fc.integer({ min: 1, max: 6 }), (any, limited, length) => {
        const unique = [...new Map(any.map((one) => [one.cardId, one])).values()];
        const found = preview(ask({ days: length }), unique, { limits: limited });
        const ids = [...found.cards, ...found.leftOut].map(({ cardId }) => cardId);
        expect([...ids].sort()).toEqual(unique.map(({ cardId }) => cardId).sort());
        expect(found.cost).toBe(found.cards.reduce((sum, { cost }) => sum + cost, 0n));
        const other = preview(ask({ days: length }), [...unique].reverse(), { limits: limited });
        expect(other).toEqual(found);
      }),
    );
  });
});
