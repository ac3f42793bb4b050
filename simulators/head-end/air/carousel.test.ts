/** When what goes out: priorities, the repetition profile, coalescing, the slow cycle, jumps. */
import type { Priority } from '../../../src/entitlement/vip-control/messages.ts';
import { type CarouselOptions, createCarousel, REPETITION_PROFILE } from './carousel.ts';
import type { Insertion } from './types.ts';

const START_MS = Date.parse('2026-11-23T13:00:00Z');
const at = (seconds: number) => new Date(START_MS + seconds * 1_000);
const names = (count: number) => Array.from({ length: count }, (_, n) => `card-${n}`);

interface Sent {
  card: string;
  kind: string;
  why: string;
  second: number;
}

function setUp(options: Partial<CarouselOptions> = {}) {
  const sent: Sent[] = [];
  const carousel = createCarousel({
    profile: REPETITION_PROFILE,
    cards: () => [],
    onBroadcast: ({ card, content: { kind }, why, atMs }) =>
      void sent.push({ card, kind, why, second: (atMs - START_MS) / 1_000 }),
    ...options,
  });
  carousel.advance(at(0));
  const seconds = (card: string) =>
    sent.filter((one) => one.card === card).map(({ second }) => second);
  return { carousel, sent, seconds };
}

const rights = (card: string, more: Partial<Insertion> = {}): Insertion => ({
  card,
  prio: 'SALE',
  content: { kind: 'rights' },
  repeat: 'profile',
  ...more,
});

const message = (card: string, id: string, more: Partial<Insertion> = {}): Insertion =>
  rights(card, {
    prio: 'MESSAGE',
    content: { kind: 'message', message: { id, text: 'Hi', durationSeconds: 20, forced: false } },
    ...more,
  });

const steps = (everySeconds: number, from: number, to: number) =>
  Array.from({ length: (to - from) / everySeconds + 1 }, (_, n) => from + n * everySeconds);

const TABLE = [
  // kbit/s, cards, EMM a second, seconds of one round: the budget of the domain study.
  [50, 100_000, 33, 50 * 60],
  [50, 300_000, 33, 150 * 60],
  [100, 100_000, 66, 25 * 60],
  [100, 300_000, 66, 75 * 60],
  [250, 100_000, 166, 10 * 60],
  [250, 300_000, 166, 30 * 60],
  [500, 100_000, 332, 5 * 60],
  [500, 300_000, 332, 15 * 60],
] as const;

describe('the slow cycle', () => {
  it.each(TABLE)('at %i kbit/s reaches each of %i cards once a round', (...row) => {
    const [kbitPerSecond, count, emmPerSecond, roundSeconds] = row;
    const cards = names(count);
    let again: number | undefined;
    let broadcasts = 0;
    const carousel = createCarousel({
      profile: REPETITION_PROFILE,
      kbitPerSecond,
      slowCycleSecondsMin: 1,
      cards: () => cards,
      onBroadcast({ card, atMs }) {
        if (again === undefined) broadcasts += 1;
        if (card === 'card-0' && atMs > START_MS) again ??= (atMs - START_MS) / 1_000;
      },
    });
    for (let minute = 0; again === undefined && minute < 200; minute += 10) {
      carousel.advance(at(minute * 60));
    }
    expect(Math.floor(carousel.view().emmPerSecond ?? 0)).toBe(emmPerSecond);
    expect(broadcasts).toBe(count + 1);
    expect(Math.abs((again ?? 0) / roundSeconds - 1)).toBeLessThan(0.02);
    expect(carousel.view().slowCycleSeconds).toBeCloseTo(again ?? 0, 1);
  });

  it('is never faster than it may be, however few the cards', () => {
    const { carousel, seconds } = setUp({ cards: () => names(3), kbitPerSecond: 100 });
    carousel.advance(at(700));
    expect(seconds('card-0')).toEqual([0, 300, 600]);
    expect(seconds('card-1')).toEqual([100, 400, 700]);
    expect(carousel.view().slowCycleSeconds).toBe(300);
  });

  it('goes on where bandwidth has no limit, and takes new cards into the next round', () => {
    let cards = names(1);
    const { carousel, seconds } = setUp({ cards: () => cards, slowCycleSecondsMin: 10 });
    cards = names(2);
    carousel.advance(at(25));
    expect(seconds('card-0')).toEqual([0, 10, 20]);
    expect(seconds('card-1')).toEqual([15, 25]);
    expect(carousel.view()).toMatchObject({ emmPerSecond: null, slowCycleSeconds: 10 });
  });

  it('is nothing without cards, and looks again for some', () => {
    let cards: string[] = [];
    const { carousel, sent } = setUp({ cards: () => cards, kbitPerSecond: 50 });
    carousel.advance(at(60));
    expect(sent).toEqual([]);
    expect(carousel.view().slowCycleSeconds).toBeNull();
    cards = names(1);
    carousel.advance(at(61));
    expect(sent).toMatchObject([{ card: 'card-0', why: 'slow' }]);
  });
});

describe('the repetition profile', () => {
  it('is every 10 s for 5 min, every 60 s for an hour, and then nothing', () => {
    const { carousel, seconds } = setUp();
    carousel.put(rights('4021'), at(5));
    expect(carousel.nextAt()).toEqual(at(7)); // It looks for cards once a second, a second late.
    for (let second = 5; second <= 5_000; second += 7) carousel.advance(at(second));
    const expected = [...steps(10, 0, 300), ...steps(60, 360, 3_900)];
    expect(seconds('4021')).toEqual(expected.map((second) => second + 5));
    expect(carousel.view()).toMatchObject({ repeating: 0, broadcast: expected.length });
  });

  it('begins anew with the next change', () => {
    const { carousel, seconds } = setUp();
    carousel.put(rights('4021'), at(0));
    carousel.advance(at(905));
    carousel.put(rights('4021', { prio: 'REFRESH' }), at(905));
    carousel.advance(at(935));
    expect(seconds('4021').slice(-5)).toEqual([900, 905, 915, 925, 935]);
    expect(carousel.view().repeating).toBe(1);
  });

  it('is dense for as long as a boost, and then goes on where it would have been', () => {
    const { carousel, seconds } = setUp();
    carousel.put(rights('4021'), at(0));
    carousel.advance(at(600));
    carousel.put(rights('4021', { repeat: { boostSeconds: 30 } }), at(601));
    carousel.advance(at(800));
    expect(seconds('4021').slice(-6)).toEqual([601, 611, 621, 631, 691, 751]);
  });

  it('does not follow a boost of nothing: that is one broadcast', () => {
    const { carousel, seconds } = setUp();
    carousel.put(rights('4021', { repeat: { boostSeconds: 0 } }), at(0));
    carousel.put(rights('4022', { repeat: { boostSeconds: 20 } }), at(0));
    carousel.advance(at(1_000));
    expect(seconds('4021')).toEqual([0]);
    expect(seconds('4022')).toEqual([0, 10, 20]);
  });

  it('is not that of messages: three times in all, and never after their time', () => {
    const { carousel, seconds } = setUp();
    carousel.put(message('4021', 'm1'), at(0));
    carousel.put(message('4022', 'm2', { notAfterMs: at(15).getTime() }), at(0));
    carousel.advance(at(1_000));
    expect(seconds('4021')).toEqual([0, 10, 20]);
    expect(seconds('4022')).toEqual([0, 10]);
    expect(carousel.view().repeating).toBe(0);
  });
});

describe('an insertion', () => {
  it('is broadcast before `put` returns where bandwidth has no limit', () => {
    const { carousel } = setUp();
    const onAir = jest.fn();
    carousel.put(rights('4021', { onAir }), at(3));
    expect(onAir.mock.calls).toEqual([[at(3)]]);
  });

  it('goes out by priority, and within one in the order it came', () => {
    const { carousel, sent } = setUp({ kbitPerSecond: 1 });
    const order: Priority[] = ['SALE', 'BULK', 'MESSAGE', 'REFRESH', 'SALE', 'BULK'];
    for (const [n, prio] of order.entries()) {
      carousel.put(rights(`${prio}-${n}`, { prio, repeat: { boostSeconds: 0 } }), at(0));
    }
    expect(carousel.view().waiting).toEqual({ SALE: 1, REFRESH: 1, MESSAGE: 1, BULK: 2 });
    expect(carousel.nextAt()).toEqual(at(1.504));
    carousel.advance(at(20));
    expect(sent.map(({ card }) => card)).toEqual([
      'SALE-0',
      'SALE-4',
      'REFRESH-3',
      'MESSAGE-2',
      'BULK-1',
      'BULK-5',
    ]);
    expect(sent.at(-1)?.second).toBeCloseTo(5 * 1.504, 6);
  });

  it('joins one that waits for the same card: one broadcast, all are told, best priority', () => {
    const { carousel, sent } = setUp({ kbitPerSecond: 1 });
    const told: string[] = [];
    const put = (card: string, prio: Priority) =>
      carousel.put(rights(card, { prio, onAir: () => told.push(`${card} ${prio}`) }), at(0));
    put('first', 'SALE');
    put('other', 'REFRESH');
    put('4021', 'BULK');
    put('4021', 'SALE');
    put('4021', 'REFRESH');
    carousel.put(message('4021', 'm1'), at(0));
    expect(carousel.view().waiting).toEqual({ SALE: 1, REFRESH: 1, MESSAGE: 1, BULK: 0 });
    carousel.advance(at(9));
    expect(told).toEqual(['first SALE', '4021 BULK', '4021 SALE', '4021 REFRESH', 'other REFRESH']);
    expect(sent.filter(({ card, why }) => card === '4021' && why === 'first')).toMatchObject([
      { kind: 'rights' },
      { kind: 'message' },
    ]);
  });

  it('is missed when its time passes while it waits', () => {
    const { carousel, sent } = setUp({ kbitPerSecond: 1 });
    const told: string[] = [];
    carousel.put(rights('4021'), at(0));
    carousel.put(
      message('4022', 'm1', {
        notAfterMs: at(1).getTime(),
        onAir: () => told.push('on air'),
        onMissed: () => told.push('missed'),
      }),
      at(0),
    );
    carousel.advance(at(5));
    expect(told).toEqual(['missed']);
    expect(sent.map(({ card }) => card)).toEqual(['4021']);
  });

  it('may be put in by the callback of another', () => {
    const { carousel, seconds } = setUp();
    const onAir = () => carousel.put(rights('4022'), at(0));
    carousel.put(rights('4021', { onAir }), at(0));
    expect(seconds('4022')).toEqual([0]);
  });
});

describe('a carousel that is too small', () => {
  it('serves first broadcasts before repeats, but always leaves a share to the rest', () => {
    // One slot a second. Two new cards a second are twice what fits.
    const { carousel, sent } = setUp({ kbitPerSecond: 1.504, cards: () => ['slow'] });
    for (let second = 0; second < 400; second += 1) {
      carousel.put(rights(`a-${second}`), at(second));
      carousel.put(rights(`b-${second}`), at(second));
    }
    const share = (why: string) => sent.filter((one) => one.why === why).length / sent.length;
    expect(share('first')).toBeGreaterThan(0.9);
    expect(share('repeat')).toBeGreaterThan(0.04);
    expect(sent.filter(({ why }) => why === 'slow').length).toBeGreaterThanOrEqual(2);
    expect(carousel.view().slowCycleSeconds).toBe(300);
  });

  it('keeps a share for the slow cycle when repeats alone would fill it', () => {
    const cards = names(1_000);
    const { carousel, sent } = setUp({
      kbitPerSecond: 1.504,
      cards: () => cards,
      slowCycleSecondsMin: 1,
    });
    for (let n = 0; n < 100; n += 1) carousel.put(rights(`new-${n}`), at(n));
    carousel.advance(at(200));
    expect(carousel.view().slowCycleSeconds).toBe(20_000);
    const before = sent.length;
    carousel.advance(at(300));
    const later = sent.slice(before).filter(({ why }) => why === 'slow');
    expect(later).toHaveLength(5);
  });

  it('refuses figures that make no sense', () => {
    expect(() => setUp({ kbitPerSecond: 0 })).toThrow(RangeError);
    expect(() => setUp({ slowCycleSecondsMin: 0 })).toThrow(RangeError);
    expect(() => setUp({ profile: [{ everySeconds: 0, forSeconds: 9 }] })).toThrow(RangeError);
  });
});

describe('a jump of the clock', () => {
  it('by a month is quick, and loses nothing that somebody could still need', () => {
    const cards = names(20_000);
    const { carousel, sent } = setUp({ kbitPerSecond: 500, cards: () => cards });
    for (let n = 0; n < 2_000; n += 1) carousel.put(rights(`new-${n}`), at(0));
    carousel.put(message('4021', 'm1'), at(0));
    carousel.advance(at(30 * 86_400));
    expect(carousel.view()).toMatchObject({ waiting: { SALE: 0, MESSAGE: 0 }, repeating: 0 });
    expect(sent.length).toBeLessThan(500_000);
    const heard = new Set(sent.map(({ card, why }) => `${card} ${why}`));
    for (const wanted of ['4021 first', 'new-1999 repeat', 'card-0 slow', 'card-19999 slow']) {
      expect(heard).toContain(wanted);
    }
    // What was passed over is counted all the same.
    expect(carousel.view().broadcast).toBeGreaterThan(2_000 * 91 + 8_640 * 15_000);
  });

  it('goes on with each repetition where it would have been', () => {
    const { carousel, seconds } = setUp();
    const slow = setUp();
    carousel.put(rights('4021'), at(0));
    slow.carousel.put(rights('4021'), at(0));
    for (let second = 0; second <= 3_800; second += 50) slow.carousel.advance(at(second));
    carousel.advance(at(3_800));
    expect(seconds('4021').slice(-58)).toEqual(slow.seconds('4021').slice(-58));
    expect(carousel.view()).toEqual(slow.carousel.view());
  });

  it('leaves out no card of the slow cycle, however long its round', () => {
    const cards = names(10_000);
    const play = (beatSeconds: number) => {
      const { carousel, sent } = setUp({ kbitPerSecond: 1.504, cards: () => cards });
      for (let second = 0; second <= 6 * 3_600; second += beatSeconds) carousel.advance(at(second));
      return { sent: sent.map(({ card }) => card), view: carousel.view() };
    };
    const jumps = play(2 * 3_600);
    expect(jumps).toEqual(play(600));
    expect(jumps.view.slowCycleSeconds).toBeCloseTo(10_000, 3);
  });

  it('backwards changes nothing', () => {
    const { carousel, seconds } = setUp();
    carousel.put(rights('4021'), at(100));
    carousel.advance(at(50));
    carousel.put(rights('4022'), at(50));
    expect(seconds('4022')).toEqual([100]);
  });
});
