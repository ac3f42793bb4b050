/** What the head-end's two halves say to each other: the desk puts on air, decoders receive. */
import type { Priority, RepeatStep } from '../../../src/entitlement/vip-control/messages.ts';
import type { Revision, WireRight } from '../../../src/entitlement/vip-control/operations.ts';

/** What an EMM with rights carries: all that the card may show, as of a revision. */
export interface CardRights extends Revision {
  card: string;
  set: readonly WireRight[];
  /** Why the card shows nothing but what is free to air. */
  suspended?: string;
}

export interface ScreenMessage {
  /** The cmdId of its command: shown once, however often it is received. */
  id: string;
  text: string;
  durationSeconds: number;
  /** Covers the picture. */
  forced: boolean;
}

export type EmmContent =
  | { kind: 'rights' }
  /** Binds the card to its decoder anew. */
  | { kind: 'pairing' }
  | { kind: 'all' }
  | { kind: 'message'; message: ScreenMessage };

/** Something that is to be broadcast to one card. */
export interface Insertion {
  card: string;
  prio: Priority;
  content: EmmContent;
  /** `profile`: by the repetition profile; else densely for so long, 0 being once. */
  repeat: 'profile' | { boostSeconds: number };
  /** Never broadcast after this. */
  notAfterMs?: number;
  /** Called when its first EMM has gone out. */
  onAir?(at: Date): void;
  /** Called instead when it will never go out: `notAfterMs` passed first, or there is no room. */
  onMissed?(): void;
}

export interface AirOptions {
  /** Absent: as much as there is, at once. */
  kbitPerSecond?: number;
  /** A round over all cards takes no less, however few they are; absent: 300, at least 1. */
  slowCycleSecondsMin?: number;
  profile: readonly RepeatStep[];
  /** What a card has at the moment of broadcasting; undefined: nothing was ever granted. */
  rightsOf(card: string): CardRights | undefined;
  /** The cards of the slow cycle. */
  cards(): Iterable<string>;
  /** The decoder a card belongs in; undefined: anyone. */
  pairedWith(card: string): string | undefined;
  services: readonly Service[];
  /** Each time a decoder received something or its screen changed. */
  onEvent?(event: AirEvent): void;
}

/** A programme of the line-up; `product` null is free to air. */
export interface Service {
  code: string;
  name: string;
  product: string | null;
  /** Absent: to be had everywhere. */
  regions?: readonly string[];
}

export interface Air {
  /** Joins the queue; what fits is broadcast before this returns. */
  put(insertion: Insertion, now: Date): void;
  /** Broadcasts all that fits until `now`; never goes back. */
  advance(now: Date): void;
  /** When it should be advanced at the latest: something goes out, or a screen changes by time. */
  nextAt(): Date | undefined;
  carousel(): CarouselView;
  decoders: Decoders;
}

export interface CarouselView {
  emmPerSecond: number | null;
  /** First broadcasts that wait for room, by priority. */
  waiting: Readonly<Record<Priority, number>>;
  /** Insertions that have been on air and are being repeated. */
  repeating: number;
  /** How long one round over all cards takes at the present load. */
  slowCycleSeconds: number | null;
  broadcast: number;
}

export interface Decoders {
  /**
   * Adds one, switched on unless it says otherwise; the same `stb` again is left as it is, and a
   * card that was in another decoder leaves that one. Throws above 20,000 decoders.
   */
  add(decoder: NewDecoder): void;
  /** Turns its knobs, after all that was broadcast until `now`; false: no decoder has this card. */
  turn(card: string, knobs: Partial<Knobs>, now: Date): boolean;
  /** As it stands; whoever needs it after all broadcasts until `now` advances the air first. */
  view(card: string, now: Date): DecoderView | undefined;
  list(): readonly { stb: string; card: string }[];
}

export interface NewDecoder {
  stb: string;
  card: string;
  service: string;
  region?: string;
  power?: boolean;
  /** It was on all the time: it holds what its card has now. */
  upToDate?: boolean;
}

/** What a person can do to a decoder. */
export interface Knobs {
  power: boolean;
  signal: boolean;
  cardIn: boolean;
  /** Code of the programme it is tuned to. */
  service: string;
  /** Where it stands; a card is bound to the region it was sold in when rights say so. */
  region: string;
  /** false: it has forgotten which card it belongs to. */
  paired: boolean;
  blacklisted: boolean;
  /** Its clock against ours. */
  clockOffsetMs: number;
}

/** V01 no card, V02 not paired, V03 not subscribed or expired, V04 suspended, V05 blacklisted,
 *  V06 no signal, V07 waiting for rights, V08 wrong region. */
export type ScreenCode = 'V01' | 'V02' | 'V03' | 'V04' | 'V05' | 'V06' | 'V07' | 'V08';

/** What somebody in front of the television sees. */
export type Screen =
  | { kind: 'off' }
  | { kind: 'picture'; service: string; osd: ScreenMessage | null }
  /** `why`: what a suspended card was told. */
  | { kind: 'blocked'; code: ScreenCode; why?: string; osd: ScreenMessage | null };

export interface DecoderView extends Knobs {
  stb: string;
  card: string;
  screen: Screen;
  /** What it has received, and when; null: never anything. */
  stored: (CardRights & { receivedAt: string }) | null;
}

/** The slow cycle makes an event only when a decoder received something it did not have. */
export type AirEvent =
  | { type: 'broadcast'; card: string; at: string; content: EmmContent['kind']; first: boolean }
  | { type: 'received'; card: string; at: string; content: EmmContent['kind'] }
  | { type: 'screen'; card: string; at: string; screen: Screen };
