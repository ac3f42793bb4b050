/**
 * The EMM carousel: what is broadcast when. One EMM is one packet of 188 bytes, so the bandwidth
 * gives a number of slots a second. First broadcasts go before repeats, and the slow cycle over
 * all cards takes the slots that are left. Time is virtual: nothing happens but in `put` and
 * `advance`.
 */
import type { RepeatStep } from '../../../src/entitlement/vip-control/messages.ts';
import { type Broadcast, createSlots, SLOTS_PER_GUARANTEED } from './slots.ts';
import type { AirOptions, Backlog, CarouselView, Insertion } from './types.ts';

export interface Carousel {
  /** Puts an insertion in the queue, and broadcasts all that fits until `now`. */
  put(insertion: Insertion, now: Date): void;
  /** Broadcasts all that fits until `now`; an earlier `now` than before does nothing. */
  advance(now: Date): void;
  /** When something goes out next; the slow cycle may be up to a second late. */
  nextAt(): Date | undefined;
  view(): CarouselView;
  backlog(): Backlog;
}

export interface CarouselOptions
  extends Pick<AirOptions, 'kbitPerSecond' | 'slowCycleSecondsMin' | 'profile' | 'cards'> {
  onBroadcast(broadcast: Broadcast): void;
}

/** How a change is repeated by itself before only the slow cycle carries it. */
export const REPETITION_PROFILE: readonly RepeatStep[] = [
  { everySeconds: 10, forSeconds: 300 },
  { everySeconds: 60, forSeconds: 3_600 },
];

const PACKET_BITS = 188 * 8;
const SLOW_CYCLE_SECONDS_MIN = 300;
const SLOW_LATE_MS_MAX = 1_000;

/** An empty carousel; its time begins with the first call. Throws on options out of range. */
export function createCarousel(options: CarouselOptions): Carousel {
  const { kbitPerSecond, slowCycleSecondsMin = SLOW_CYCLE_SECONDS_MIN, profile } = options;
  const periods = [slowCycleSecondsMin, ...profile.map(({ everySeconds }) => everySeconds)];
  if ((kbitPerSecond ?? 1) <= 0 || periods.some((seconds) => seconds < 1)) {
    throw new RangeError('a carousel needs some bandwidth, and periods of a second or more');
  }
  // A kbit a second is a bit a millisecond.
  const slotMs = kbitPerSecond === undefined ? 0 : PACKET_BITS / kbitPerSecond;
  const slots = createSlots({ ...options, slotMs, roundMsMin: slowCycleSecondsMin * 1_000 });
  const arrivals: Insertion[] = [];
  let clockMs: number | undefined;
  let running = false;

  /** What a callback puts in while this runs is served before it ends, not within the callback. */
  function run(now: Date): void {
    if (running) return;
    running = true;
    try {
      if (clockMs === undefined) slots.start(now.getTime());
      clockMs = Math.max(clockMs ?? 0, now.getTime());
      slots.playUntil(clockMs);
      while (arrivals.length > 0) {
        for (const insertion of arrivals.splice(0)) slots.enter(insertion, clockMs);
        slots.playUntil(clockMs);
      }
    } finally {
      running = false;
    }
  }

  return {
    put(insertion, now) {
      arrivals.push(insertion);
      run(now);
    },
    advance: run,
    nextAt() {
      const atMs = Math.min(slots.nextMs(), slots.slowDueMs() + SLOW_LATE_MS_MAX);
      return atMs === Infinity ? undefined : new Date(Math.ceil(atMs));
    },
    backlog: slots.backlog,
    view() {
      const waiting = slots.waiting();
      const emmPerSecond = slotMs === 0 ? null : 1_000 / slotMs;
      const busy = Object.values(waiting).some((count) => count > 0);
      const left = roomLeft(emmPerSecond ?? Infinity, slots.repeatsPerSecond(), busy);
      let cards = 0;
      for (const _ of options.cards()) cards += 1;
      return {
        emmPerSecond,
        waiting,
        repeating: slots.repeating(),
        periods: slots.repeatPeriods(),
        slowCycleSeconds: cards === 0 ? null : Math.max(slowCycleSecondsMin, cards / left),
        broadcast: slots.broadcasts(),
      };
    },
  };
}

/** EMMs a second for the slow cycle: what repeats leave, but always its guaranteed share. */
function roomLeft(perSecond: number, repeatsPerSecond: number, busy: boolean): number {
  const guaranteed = perSecond / SLOTS_PER_GUARANTEED;
  return busy ? guaranteed : Math.max(guaranteed, perSecond - repeatsPerSecond);
}
