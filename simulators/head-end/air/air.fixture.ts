/** A small head-end for tests: one card, its decoder, a line-up, and a clock in seconds. */
import type { WireRight } from '../../../src/entitlement/vip-control/operations.ts';
import { createAir } from './air.ts';
import { REPETITION_PROFILE } from './carousel.ts';
import type {
  AirEvent,
  AirOptions,
  CardOnAir,
  CardRights,
  Insertion,
  Knobs,
  ScreenMessage,
  Service,
} from './types.ts';

export const START_MS = Date.parse('2026-11-23T13:00:00Z');
export const CARD = '4021';
export const MINUTE = 60;
export const HOUR = 3_600;
export const DAY = 86_400;

const LINE_UP: readonly Service[] = [
  { code: 'NEWS', name: 'Free news', product: null },
  { code: 'FILM', name: 'Films', product: 'ESS' },
  { code: 'SPORT', name: 'Sport', product: 'PLUS' },
  { code: 'FINAL', name: 'The final', product: 'EVT:FINAL' },
  { code: 'LOCAL', name: 'Coast films', product: 'ESS', regions: ['coast'] },
];

/** The instant so many seconds after the start. */
export const at = (seconds: number) => new Date(START_MS + seconds * 1_000);

/** A right from one second to another. */
export const right = (product: string, from: number, to: number): WireRight => ({
  product,
  from: at(from).toISOString(),
  to: at(to).toISOString(),
});

export function message(id: string, more: Partial<ScreenMessage> = {}): ScreenMessage {
  return { id, text: `Text ${id}`, durationSeconds: 30, forced: false, ...more };
}

/** An air with the decoder of `CARD` switched on and tuned to a pay channel. */
export function createHome(options: Partial<AirOptions> = {}) {
  const rights = new Map<string, CardRights>();
  const pairs = new Map<string, string[]>();
  const told = new Map<string, Partial<CardOnAir>>();
  const events: AirEvent[] = [];
  const air = createAir({
    profile: REPETITION_PROFILE,
    stateOf: (card) => ({
      ...{ rights: rights.get(card), pairedWith: pairs.get(card), region: null, pin: null },
      ...told.get(card),
    }),
    cards: () => rights.keys(),
    services: LINE_UP,
    onEvent: (event) => void events.push(event),
    ...options,
  });
  let second = 0;
  const now = () => at(second);
  air.advance(now());
  air.decoders.add({ stb: 'stb-1', card: CARD, service: 'FILM', region: 'hills' });

  const put = (more: Partial<Insertion> = {}) =>
    air.put(
      { card: CARD, prio: 'SALE', content: { kind: 'rights' }, repeat: 'profile', ...more },
      now(),
    );
  return {
    air,
    rights,
    pairs,
    told,
    events,
    put,
    /** Lets time pass as it does, beat by beat. */
    wait(seconds: number, beat = seconds) {
      for (const end = second + seconds; second < end; ) {
        second = Math.min(end, second + beat);
        air.advance(now());
      }
    },
    /** Grants the card a new set, and broadcasts it. */
    grant(set: readonly WireRight[], more: { suspended?: string } = {}) {
      const rev = (rights.get(CARD)?.rev ?? 0) + 1;
      rights.set(CARD, { card: CARD, epoch: 1, rev, set, ...more });
      put();
    },
    say: (said: ScreenMessage) =>
      put({ prio: 'MESSAGE', content: { kind: 'message', message: said } }),
    turn: (knobs: Partial<Knobs>) => air.decoders.turn(CARD, knobs, now()),
    stored: () => air.decoders.view(CARD, now())?.stored,
    /** What is seen, in a word: the programme, the code, or `off`. */
    sees() {
      const screen = air.decoders.view(CARD, now())?.screen;
      if (screen?.kind === 'picture') return screen.service;
      return screen?.kind === 'blocked' ? screen.code : screen?.kind;
    },
    osd() {
      const screen = air.decoders.view(CARD, now())?.screen;
      return screen && screen.kind !== 'off' ? screen.osd : null;
    },
  };
}
