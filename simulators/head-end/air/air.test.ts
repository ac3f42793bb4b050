/** From the head-end to the living room, and what time, switches and lost broadcasts do to it. */
import fc from 'fast-check';
import { CARD, createHome, DAY, HOUR, MINUTE, message, right } from './air.fixture.ts';
import type { AirEvent } from './types.ts';

const MONTH = right('ESS', 0, 30 * DAY);
/** Enough cards to make the slow cycle at 100 kbit/s take as long as for a small operator. */
const CROWD = Array.from({ length: 100_000 }, (_, n) => `other-${n}`);

describe('a payment', () => {
  it('brings the picture at once, and says each step', () => {
    const home = createHome();
    home.grant([MONTH]);
    const of = { card: CARD, at: '2026-11-23T13:00:00.000Z' };
    const picture = { kind: 'picture' as const, service: 'FILM', osd: null };
    expect(home.events).toEqual<AirEvent[]>([
      { type: 'broadcast', ...of, content: 'rights', first: true },
      { type: 'received', ...of, content: 'rights' },
      { type: 'screen', ...of, screen: picture },
    ]);
    expect(home.stored()).toMatchObject({ rev: 1, set: [MONTH], receivedAt: of.at });
  });

  it('reaches a decoder that is switched on 40 minutes later within one repetition', () => {
    const home = createHome({ kbitPerSecond: 100, cards: () => [CARD, ...CROWD] });
    home.wait(MINUTE, 1);
    home.turn({ power: false });
    home.grant([MONTH]);
    home.wait(40 * MINUTE + 13, 1);
    home.turn({ power: true });
    expect(home.sees()).toBe('V07');
    home.wait(60, 1);
    expect(home.sees()).toBe('FILM');
  });

  it('reaches a decoder that is switched on after 3 hours within the slow cycle', () => {
    const home = createHome({ kbitPerSecond: 100, cards: () => [CARD, ...CROWD] });
    home.turn({ power: false });
    home.grant([MONTH]);
    home.wait(3 * HOUR, 60);
    home.turn({ power: true });
    const roundSeconds = home.air.carousel().slowCycleSeconds ?? 0;
    expect(roundSeconds).toBeCloseTo(1_504, -1);
    home.wait(60, 1);
    expect(home.sees()).toBe('V07');
    home.wait(roundSeconds - 60, 1);
    expect(home.sees()).toBe('FILM');
    const healed = home.events.filter(({ type }) => type === 'received');
    expect(healed).toHaveLength(1);
  });

  it.each([{ power: false }, { signal: false }, { cardIn: false }])(
    'is not heard with %j',
    (knobs) => {
      const home = createHome();
      home.turn(knobs);
      home.grant([MONTH]);
      expect(home.stored()).toBeNull();
      expect(home.events.map(({ type }) => type)).not.toContain('received');
    },
  );

  it('is heard in a jump of 30 days, by who was on', () => {
    const on = createHome({ kbitPerSecond: 100, cards: () => [CARD, ...CROWD] });
    on.turn({ signal: false });
    on.grant([right('ESS', 0, 60 * DAY)]);
    on.turn({ signal: true });
    on.wait(30 * DAY);
    expect(on.sees()).toBe('FILM');
  });
});

describe('a suspension', () => {
  it('blackens pay channels and not free ones; its end restores what is still in date', () => {
    const home = createHome();
    const short = right('PLUS', 0, HOUR);
    home.grant([MONTH, short]);
    home.grant([MONTH, short], { suspended: 'non-payment' });
    const seen = () =>
      ['FILM', 'SPORT', 'NEWS'].map((service) => {
        home.turn({ service });
        return home.sees();
      });
    expect(seen()).toEqual(['V04', 'V04', 'NEWS']);
    home.wait(2 * HOUR, 60);
    home.grant([MONTH, short]);
    expect(seen()).toEqual(['FILM', 'V03', 'NEWS']);
  });
});

describe('pairing', () => {
  it('brings no rights, and rights bring no pairing', () => {
    const home = createHome();
    home.turn({ paired: false });
    home.grant([MONTH]);
    expect(home.sees()).toBe('V02');
    home.put({ content: { kind: 'pairing' } });
    expect(home.sees()).toBe('FILM');
    const fresh = createHome();
    fresh.rights.set(CARD, { card: CARD, epoch: 1, rev: 1, set: [MONTH] });
    fresh.put({ content: { kind: 'pairing' } });
    expect(fresh.sees()).toBe('V07');
    fresh.put({ content: { kind: 'all' } });
    expect(fresh.sees()).toBe('FILM');
  });

  it('is only made good while the decoder hears it', () => {
    const home = createHome();
    home.grant([MONTH]);
    home.turn({ paired: false, signal: false });
    home.put({ content: { kind: 'all' }, repeat: { boostSeconds: 0 } });
    home.turn({ signal: true });
    expect(home.sees()).toBe('V02');
  });

  it('with another decoder leaves this one dark', () => {
    const home = createHome();
    home.grant([MONTH]);
    home.pairs.set(CARD, ['stb-2']);
    home.put({ content: { kind: 'all' } });
    expect(home.sees()).toBe('V02');
    home.air.decoders.add({ stb: 'stb-2', card: CARD, service: 'FILM' });
    expect(home.air.decoders.list()).toMatchObject([{ stb: 'stb-2', card: CARD }]);
    home.put({ content: { kind: 'all' } });
    expect(home.sees()).toBe('FILM');
  });
});

describe('decoders', () => {
  it('are added once, known by their card, and bounded in number', () => {
    const { air, turn } = createHome();
    air.decoders.add({ stb: 'stb-1', card: 'other', service: 'NEWS', power: false });
    expect(air.decoders.list()).toMatchObject([{ stb: 'stb-1', card: CARD }]);
    expect(turn({ power: false })).toBe(true);
    expect(air.decoders.view(CARD, new Date(0))).toMatchObject({
      stb: 'stb-1',
      power: false,
      region: 'hills',
      screen: { kind: 'off' },
    });
    expect(air.decoders.turn('9', { power: true }, new Date(0))).toBe(false);
    expect(air.decoders.view('9', new Date(0))).toBeUndefined();
    const addMany = () => {
      for (let n = 0; n < 20_000; n += 1) {
        air.decoders.add({ stb: `box-${n}`, card: `card-${n}`, service: 'NEWS' });
      }
    };
    expect(addMany).toThrow(RangeError);
  });
});

describe('the time of the next advance', () => {
  it('is that of the next repeat, or of a screen that changes by itself', () => {
    const home = createHome({ cards: () => [CARD] });
    home.grant([right('ESS', 0, 7)]);
    expect(home.air.nextAt()?.toISOString()).toBe('2026-11-23T13:00:07.000Z');
    home.wait(7);
    expect(home.sees()).toBe('V03');
    expect(home.air.nextAt()?.toISOString()).toBe('2026-11-23T13:00:10.000Z');
  });
});

/** What happens to a decoder: grants come, it is switched about, time passes. */
const life = fc.array(
  fc.oneof(
    fc.record({ grantDays: fc.integer({ min: 1, max: 5 }), newEpoch: fc.boolean() }),
    fc.record({ knobs: fc.record({ power: fc.boolean(), signal: fc.boolean() }) }),
    fc.record({ knobs: fc.record({ cardIn: fc.boolean() }) }),
    fc.record({ said: fc.string() }),
    fc.record({ seconds: fc.integer({ min: 1, max: 2 * HOUR }) }),
  ),
  { maxLength: 30 },
);

type Home = ReturnType<typeof createHome>;
type Life = typeof life extends fc.Arbitrary<infer Events> ? Events : never;

function live(home: Home, events: Life) {
  let [epoch, rev] = [1, 0];
  for (const event of events) {
    if ('knobs' in event) home.turn(event.knobs);
    else if ('said' in event) home.say(message(event.said));
    else if ('seconds' in event) home.wait(event.seconds, HOUR / 2);
    else {
      [epoch, rev] = event.newEpoch ? [epoch + 1, 1] : [epoch, rev + 1];
      const set = [right('ESS', 0, event.grantDays * DAY)];
      home.rights.set(CARD, { card: CARD, epoch, rev, set });
      home.put();
    }
  }
}

describe('whatever was lost', () => {
  it('is made good once the decoder has been on for a whole slow cycle', () => {
    const cards = [...CROWD.slice(0, 300), CARD];
    fc.assert(
      fc.property(life, fc.constantFrom(5, 100, undefined), (events, kbitPerSecond) => {
        const bandwidth = kbitPerSecond === undefined ? {} : { kbitPerSecond };
        const home = createHome({ ...bandwidth, cards: () => cards });
        live(home, events);
        home.turn({ power: true, signal: true, cardIn: true });
        home.wait((home.air.carousel().slowCycleSeconds ?? 0) + 1, MINUTE);
        const { receivedAt: _, ...stored } = home.stored() ?? { receivedAt: '' };
        expect(stored).toEqual(home.rights.get(CARD) ?? {});
      }),
      { numRuns: 60 },
    );
  });

  it('never brings an older revision back', () => {
    const home = createHome({ cards: () => [] });
    home.rights.set(CARD, { card: CARD, epoch: 2, rev: 1, set: [MONTH] });
    home.put();
    for (const [epoch, rev] of [
      [1, 9],
      [2, 0],
    ] as const) {
      home.rights.set(CARD, { card: CARD, epoch, rev, set: [] });
      home.put();
    }
    expect(home.sees()).toBe('FILM');
    expect(home.stored()).toMatchObject({ epoch: 2, rev: 1 });
  });
});
