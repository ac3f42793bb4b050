/** What a head-end keeps of a card and of a decoder, and when one state replaces another. */
import { EVENT_PRODUCT_PREFIX } from '../../src/entitlement/vip-control/messages.ts';
import type {
  Revision,
  WireOperation,
  WireRight,
} from '../../src/entitlement/vip-control/operations.ts';
import type { CardRecord } from '../../src/entitlement/vip-control/queries.ts';

export interface CardState extends Revision {
  card: string;
  /** In the one order and spelling of `canonicalSet`. */
  set: WireRight[];
  /** Why the card shows none of its set. */
  suspended?: string;
  /** Changes of what it may show since that revision that no revision ordered. */
  sub: number;
  /** When this revision was first broadcast; null: it waits for room, or there are no rights. */
  firstAirAt: string | null;
  state: CardRecord['state'];
  /** The decoders it works in, once it `isBound`; until then it works in any. */
  stbs: string[];
  isBound: boolean;
  /** No other card may be paired with its decoder. */
  isStrict: boolean;
  region: string | null;
  /** The model of decoder it was made for, where the manufacturer's file says so. */
  model?: string;
  isRegistered: boolean;
  /** Null: the maker's. */
  pin: string | null;
  /** Of the events it was given, the end that was announced first. */
  eventEnds?: Record<string, string>;
  replacedBy?: string;
  /** Which of the head-end's changes changed it last, when, and by whom. */
  change: number;
  changedAt: string;
  writtenBy: string;
}

/** A decoder the head-end has been told of. */
export interface StbState {
  stb: string;
  state: CardRecord['state'];
  isRegistered: boolean;
  model?: string;
  replacedBy?: string;
}

/** A card of which nothing was ever said. */
export function blankCard(card: string): CardState {
  return {
    ...{ card, epoch: 0, rev: 0, sub: 0, set: [], firstAirAt: null, state: 'live' },
    ...{ stbs: [], isBound: false, isStrict: false, region: null, isRegistered: false, pin: null },
    ...{ change: 0, changedAt: '', writtenBy: '' },
  };
}

/** A decoder of which nothing was ever said. */
export function blankStb(stb: string): StbState {
  return { stb, state: 'live', isRegistered: false };
}

/** Whether anything was ever said of what the card may show. */
export function hasRights({ epoch, rev, sub }: CardState): boolean {
  return epoch > 0 || rev > 0 || sub > 0;
}

/** A card with its set fits a frame, whatever else is in it. */
const SET_BYTES_MAX = 40_000;
const RIGHTS_MAX = 500;
const RIGHT_BYTES = 96;
const UTC_INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z$/;

/**
 * A set of rights in one order and one spelling, so that equal sets are equal text; `undefined`
 * when a date is not a UTC instant of the calendar or a right ends before it begins.
 */
export function canonicalSet(set: readonly WireRight[]): WireRight[] | undefined {
  const byText = new Map<string, WireRight>();
  for (const { product, from, to } of set) {
    const start = parseInstant(from);
    const end = parseInstant(to);
    if (!start || !end || end <= start) return undefined;
    const right = { product, from: start.toISOString(), to: end.toISOString() };
    byText.set(JSON.stringify(right), right);
  }
  return [...byText].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, right]) => right);
}

function parseInstant(text: string): Date | undefined {
  if (!UTC_INSTANT.test(text)) return undefined;
  const instant = new Date(text);
  if (Number.isNaN(instant.getTime())) return undefined;
  // The 30th of February is read as a day in March: only what reads back the same is a date.
  return instant.toISOString().slice(0, 19) === text.slice(0, 19) ? instant : undefined;
}

/** The right to a pay-per-view event. */
export function eventRight(event: Extract<WireOperation, { op: 'EVENT' }>['args']): WireRight {
  const { eventId, from, to } = event;
  return { product: `${EVENT_PRODUCT_PREFIX}${eventId}`, from, to };
}

/** Whether a card with this set can be told of in one frame. */
export function fitsFrame(set: readonly WireRight[]): boolean {
  if (set.length > RIGHTS_MAX) return false;
  const bytes = ({ product }: WireRight) =>
    RIGHT_BYTES + Buffer.byteLength(JSON.stringify(product));
  return set.reduce((sum, right) => sum + bytes(right), 0) <= SET_BYTES_MAX;
}

export type RevisionVerdict = 'newer' | 'same' | 'conflict' | 'stale';

/**
 * Whether what a card may show as of revision `next` may replace what it has. `epochFloor` is the
 * highest epoch any client logged in with: whatever is older was decided on a lost database.
 */
export function judgeRevision(
  card: CardState | undefined,
  next: Revision & Pick<CardState, 'set' | 'suspended'>,
  epochFloor: number,
): RevisionVerdict {
  if (next.epoch < epochFloor) return 'stale';
  if (!card || !hasRights(card) || next.epoch > card.epoch) return 'newer';
  if (next.epoch < card.epoch || next.rev < card.rev) return 'stale';
  if (next.rev > card.rev) return 'newer';
  return sameRights(card, next) ? 'same' : 'conflict';
}

/** Whether both let a card show the same. */
export function sameRights(
  a: Pick<CardState, 'set' | 'suspended'>,
  b: Pick<CardState, 'set' | 'suspended'>,
): boolean {
  return a.suspended === b.suspended && JSON.stringify(a.set) === JSON.stringify(b.set);
}

/** A card as the answer to a question; `lastAirAt`: when anything of it was broadcast last. */
export function recordOf(state: CardState, lastAirAt: string | null): CardRecord {
  const { card, epoch, rev, set, suspended, stbs, region, change, changedAt, writtenBy } = state;
  return {
    ...{ card, epoch, rev, set, ...(suspended === undefined ? {} : { suspended }) },
    ...{ state: state.state, stbs, region, change, changedAt, writtenBy, lastAirAt },
  };
}
