/** What the head-end's two halves say to each other: the desk puts on air, decoders receive. */
import type { Priority, RepeatStep } from '../../../src/entitlement/vip-control/messages.ts';
import type {
  Revision,
  Target,
  WireOperation,
  WireRight,
} from '../../../src/entitlement/vip-control/operations.ts';

/** What an EMM with rights carries: all that the card may show, as of a revision. */
export interface CardRights extends Revision {
  card: string;
  set: readonly WireRight[];
  /** Why the card shows nothing but what is free to air. */
  suspended?: string;
  /** Counts the changes since that revision that no revision ordered: the console's, say. */
  sub?: number;
  isBlacklisted?: boolean;
}

export interface ScreenMessage {
  /** The cmdId of its command: shown once, however often it is received. */
  id: string;
  text: string;
  durationSeconds: number;
  /** Covers the picture. */
  forced: boolean;
  /** Absent: over the lower part, where it does not cover the picture. */
  position?: 'bottom' | 'top';
  /** How often it is shown, and the seconds between two beginnings; absent: once. */
  times?: number;
  intervalSeconds?: number;
}

type Args<Op extends WireOperation['op']> = Extract<WireOperation, { op: Op }>['args'];
/** A letter for the mailbox of a decoder; `id` is the cmdId of its command, as in all below. */
export type Mail = { id: string } & Args<'MAIL'>;
export type Fingerprint = { id: string } & Args<'FINGERPRINT'>;
export type ForcedTune = { id: string } & Args<'FORCE_TUNE'>;

/** The kinds that carry, at the moment of broadcasting, what the head-end knows of the card. */
export type StateKind = 'rights' | 'pairing' | 'region' | 'pin' | 'all';
export type EmmContent =
  | { kind: StateKind }
  | { kind: 'message'; message: ScreenMessage }
  | { kind: 'mail'; mail: Mail }
  | { kind: 'fingerprint'; fingerprint: Fingerprint }
  | { kind: 'tune'; tune: ForcedTune }
  /** To a decoder, whatever card is in it: whether it shows more than what is free, its PIN. */
  | { kind: 'stb'; isDenied?: boolean; pin?: 'maker' | 'given' };

/** What a card is told by an EMM that carries what the head-end knows of it. */
export interface CardOnAir {
  /** Undefined: nothing was ever granted. */
  rights: CardRights | undefined;
  /** The decoders it belongs in; undefined: any. */
  pairedWith: readonly string[] | undefined;
  /** The area it is bound to; null: none. */
  region: string | null;
  /** Null: the maker's. */
  pin: string | null;
}

/** What a command puts on air; `group`: for all of these at once, and `card` is its id. */
export interface AirOrder {
  card: string;
  group?: Exclude<Target['kind'], 'card'>;
  content: EmmContent;
  /** `profile`: by the repetition profile; else densely for so long, 0 being once. */
  repeat: 'profile' | { boostSeconds: number };
}

/** Something that is to be broadcast. */
export interface Insertion extends AirOrder {
  prio: Priority;
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
  /** What a card is told at the moment of broadcasting. */
  stateOf(card: string): CardOnAir;
  /** The cards of the slow cycle. */
  cards(): Iterable<string>;
  services: readonly Service[];
  /** Each time a decoder received something or its screen changed. */
  onEvent?(event: AirEvent): void;
  /** Each time something of a card goes out, the slow cycle too. */
  onBroadcast?(card: string, atMs: number): void;
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
  /** The carousel is empty, as after a restart; decoders in homes do not notice. */
  clear(): void;
  carousel(): CarouselView;
  backlog(): Backlog;
  decoders: Decoders;
}

/** First broadcasts that wait for room. */
export interface Backlog {
  waiting: number;
  /** The oldest of them; Infinity: none waits. */
  sinceMs: number;
}

export interface CarouselView {
  emmPerSecond: number | null;
  /** First broadcasts that wait for room, by priority. */
  waiting: Readonly<Record<Priority, number>>;
  /** Insertions that have been on air and are being repeated. */
  repeating: number;
  /** Of these, how many come again after each period. */
  periods: readonly { everyMs: number; count: number }[];
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
  /** Puts a card into a decoder by hand; it leaves the one it was in. False: no such decoder. */
  insert(stb: string, card: string, now: Date): boolean;
  /** Turns its knobs, after all that was broadcast until `now`; false: no decoder has this card. */
  turn(card: string, knobs: Partial<Knobs>, now: Date): boolean;
  /** As it stands; whoever needs it after all broadcasts until `now` advances the air first. */
  view(card: string, now: Date): DecoderView | undefined;
  /** With the screens as they were after the last advance. */
  list(): readonly { stb: string; card: string; screen: Screen }[];
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

/** A fingerprint as one decoder shows it; a covert one is there for a machine alone. */
export interface ShownFingerprint {
  id: string;
  text: string;
  mode: Fingerprint['mode'];
  xPercent: number;
  yPercent: number;
  colour?: string;
  background?: string;
}

interface Layers {
  osd: ScreenMessage | null;
  /** Over everything else. */
  fingerprint?: ShownFingerprint;
}

/** What somebody in front of the television sees. */
export type Screen =
  | { kind: 'off' }
  | ({ kind: 'picture'; service: string } & Layers)
  /** `why`: what a suspended card was told. */
  | ({ kind: 'blocked'; code: ScreenCode; why?: string } & Layers);

export interface DecoderView extends Knobs {
  stb: string;
  card: string;
  screen: Screen;
  /** What it was tuned to from afar, while that lasts. */
  tuned: string | null;
  /** Oldest first. */
  mailbox: readonly (Mail & { receivedAt: string })[];
  /** The area its card is bound to, as far as it has heard. */
  boundTo: string | null;
  pin: 'maker' | 'given';
  /** What it has received, and when; null: never anything. */
  stored: (CardRights & { receivedAt: string }) | null;
}

/** The slow cycle makes an event only when a decoder received something it did not have. */
export type AirEvent =
  | { type: 'broadcast'; card: string; at: string; content: EmmContent['kind']; first: boolean }
  | { type: 'received'; card: string; at: string; content: EmmContent['kind'] }
  | { type: 'screen'; card: string; at: string; screen: Screen };
