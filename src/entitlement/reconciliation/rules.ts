/**
 * What differs between a card as it is wanted and as its conditional-access system holds it. Pure.
 *
 * A right may be on air from what was sold to the end of the margin of the air; what lies between
 * is no difference. Only the present and the future differ: what is over has no picture.
 */
import { offAirAt } from '../rights/rules.ts';
import type { CardRecord } from '../vip-control/queries.ts';
import { holds, type Span, union, within, without } from './spans.ts';

/**
 * A: shown there, and not to be. B: to be shown, and not there. C: both, at other dates. D: paired
 * with other decoders. E: blacklisted here, and not there.
 */
export const CLASSES = ['A', 'B', 'C', 'D', 'E'] as const;
export type DifferenceClass = (typeof CLASSES)[number];

export interface WantedPairing {
  stb: string;
  mode: 'strict' | 'list';
}

/** A card as this house wants it. */
export interface WantedCard {
  number: string;
  /** Null: known as a thing alone, or not at all. */
  cardId: bigint | null;
  siteId: bigint | null;
  /** The card is one of this system: what it may show is sent there. */
  isServed: boolean;
  desired: readonly { product: string; from: string; to: string }[];
  suspended: string | null;
  desiredRev: number;
  isBlacklisted: boolean;
  pairings: readonly WantedPairing[];
  /** When anything of it was raised, ordered or put on air last; null: never. */
  touchedAt: Date | null;
  /** Since when the system should hold this set; null: it never did. */
  settledAt: Date | null;
  /** A command about the card waits to be sent. */
  isWaiting: boolean;
}

export interface Difference {
  class: DifferenceClass;
  /** Our name of it; empty where it is no product that differs. */
  product: string;
  /** The time shown and not wanted, and the other way round; the past included. */
  excess: Span[];
  missing: Span[];
  wanted: unknown;
  found: unknown;
}

/** A card is compared when nothing of it has changed here for so long. */
export const ON_ITS_WAY_MS = 120_000;

/** A card that nobody here has ever heard of. */
export const strangeCard = (number: string): WantedCard => ({
  ...{ number, cardId: null, siteId: null, isServed: false, desired: [], suspended: null },
  ...{ desiredRev: 0, isBlacklisted: false, pairings: [], touchedAt: null, settledAt: null },
  isWaiting: false,
});

/** Too young to be compared: what was decided may be on its way. */
export const isOnItsWay = ({ touchedAt }: WantedCard, at: Date): boolean =>
  touchedAt !== null && touchedAt.getTime() > at.getTime() - ON_ITS_WAY_MS;

export interface Compared {
  at: Date;
  /** Our name of a product of the system's. */
  ourName(product: string): string;
}

/** What differs at an instant; `found`: as the system holds it, null when it never heard of it. */
export function compareCard(
  wanted: WantedCard,
  found: CardRecord | null,
  { at, ourName }: Compared,
): Difference[] {
  const shown = shownThere(found, ourName);
  if (wanted.isBlacklisted) return found?.state === 'live' ? banned(shown, found, at) : [];
  const sold = soldSpans(wanted, (to) => to);
  const aired = soldSpans(wanted, (to, product) => offAirAt({ product, to }));
  const products = [...new Set([...sold.keys(), ...shown.keys()])].sort();
  const ofRights = products.flatMap((product): Difference[] => {
    const there = shown.get(product) ?? [];
    const missing = without(sold.get(product) ?? [], there);
    const excess = without(there, aired.get(product) ?? []);
    if (isOver([...missing, ...excess], at)) return [];
    const isThere = !isOver(there, at);
    const isWanted = !isOver(aired.get(product) ?? [], at);
    return [
      {
        class: isThere ? (isWanted ? 'C' : 'A') : 'B',
        ...{ product, excess, missing, found: datesOf(there) },
        wanted: datesOf(sold.get(product) ?? []),
      },
    ];
  });
  return [...ofRights, ...pairingOf(wanted, found)];
}

/** The products that a card shows at an instant, here or there. */
export function activeProducts(
  wanted: WantedCard,
  found: CardRecord | null,
  { at, ourName }: Compared,
): string[] {
  const both = [shownThere(found, ourName), wanted.isBlacklisted ? new Map() : soldSpans(wanted)];
  const active = both.flatMap((spans) =>
    [...spans].flatMap(([product, of]) => (holds(of, at.getTime()) ? [product] : [])),
  );
  return [...new Set(active)].sort();
}

const isOver = (spans: readonly Span[], at: Date): boolean =>
  spans.every(({ toMs }) => toMs <= at.getTime());

type ByProduct = Map<string, Span[]>;

function soldSpans(
  { desired, suspended, isServed }: WantedCard,
  endOf: (to: Date, product: string) => Date = (to) => to,
): ByProduct {
  if (suspended !== null || !isServed) return new Map();
  return byProduct(
    desired.map(({ product, from, to }) => ({
      product,
      fromMs: Date.parse(from),
      toMs: endOf(new Date(to), product).getTime(),
    })),
  );
}

/** What the system lets the card show: nothing while it is suspended or out of use there. */
function shownThere(found: CardRecord | null, ourName: (product: string) => string): ByProduct {
  if (!found || found.suspended !== undefined || found.state !== 'live') return new Map();
  return byProduct(
    found.set.map(({ product, from, to }) => ({
      product: ourName(product),
      fromMs: Date.parse(from),
      toMs: Date.parse(to),
    })),
  );
}

function byProduct(rights: readonly (Span & { product: string })[]): ByProduct {
  const spans: ByProduct = new Map();
  for (const { product, fromMs, toMs } of rights) {
    spans.set(product, [...(spans.get(product) ?? []), { fromMs, toMs }]);
  }
  return new Map([...spans].map(([product, of]) => [product, union(of)]));
}

/** A card that must show nothing anywhere: what it shows, or that it could. */
function banned(shown: ByProduct, { state }: CardRecord, at: Date): Difference[] {
  const running = [...shown].filter(([, spans]) => !isOver(spans, at));
  const says = { missing: [], wanted: { state: 'blacklisted' } };
  if (running.length === 0) {
    return [{ class: 'E', product: '', excess: [], ...says, found: { state } }];
  }
  return running.map(([product, excess]) => ({
    ...{ class: 'E', product, excess, ...says },
    found: { state, rights: datesOf(excess) },
  }));
}

/** Cards out of use there, or of another system, have no pairing worth a word. */
function pairingOf(wanted: WantedCard, found: CardRecord | null): Difference[] {
  if (!wanted.isServed || (found && found.state !== 'live')) return [];
  const here = wanted.pairings.map(({ stb }) => stb).sort();
  const there = [...(found?.stbs ?? [])].sort();
  if (here.join() === there.join()) return [];
  return [
    {
      class: 'D',
      product: '',
      excess: [],
      missing: [],
      wanted: { stbs: here },
      found: { stbs: there },
    },
  ];
}

const datesOf = (spans: readonly Span[]) =>
  spans.map(({ fromMs, toMs }) => ({
    from: new Date(fromMs).toISOString(),
    to: new Date(toMs).toISOString(),
  }));

/** What the difference was since an instant: shown too much, or seen too little. */
export function spansSince(
  { class: kind, excess, missing }: Difference,
  { since, at }: { since: Date; at: Date },
): Span[] {
  return within(
    kind === 'B' ? missing : [...excess, ...(kind === 'C' ? missing : [])],
    since.getTime(),
    at.getTime(),
  );
}

/** What puts a card right at its system. */
export type Cure =
  /** Its set goes out under a revision above `aboveRev`. */
  | { kind: 'raise'; cardId: bigint; aboveRev: number }
  /** It is no card of that system: all that it shows is taken away, under this revision. */
  | { kind: 'cancel'; card: string; rev: number }
  | { kind: 'blacklist'; card: string }
  | { kind: 'unpair'; card: string; stb: string }
  | { kind: 'pair'; card: string; stb: string; mode: WantedPairing['mode'] };

/**
 * What is to be done about these differences. A command about the card that waits already is not
 * ordered again.
 */
export function curesOf(
  wanted: WantedCard,
  found: CardRecord | null,
  { differences, epoch }: { differences: readonly Difference[]; epoch: number },
): Cure[] {
  const classes = new Set(differences.map((one) => one.class));
  const { number: card, cardId, isWaiting } = wanted;
  // A revision of an earlier epoch never stands in the way of ours.
  const rev = found && found.epoch >= epoch ? found.rev : 0;
  const cures: Cure[] = [];
  if (classes.has('A') || classes.has('B') || classes.has('C')) {
    if (cardId !== null && wanted.isServed) cures.push({ kind: 'raise', cardId, aboveRev: rev });
    else if (!isWaiting) cures.push({ kind: 'cancel', card, rev: rev + 1 });
  }
  if (classes.has('E') && !isWaiting) cures.push({ kind: 'blacklist', card });
  if (classes.has('D') && !isWaiting) cures.push(...rePair(wanted, found?.stbs ?? []));
  return cures;
}

function rePair({ number: card, pairings }: WantedCard, there: readonly string[]): Cure[] {
  const here = new Set(pairings.map(({ stb }) => stb));
  return [
    ...there.filter((stb) => !here.has(stb)).map((stb) => ({ kind: 'unpair', card, stb }) as const),
    ...pairings
      .filter(({ stb }) => !there.includes(stb))
      .map(({ stb, mode }) => ({ kind: 'pair', card, stb, mode }) as const),
  ];
}

/** The system has a later revision of ours than the one that is wanted: ours would not count. */
export const isAhead = (wanted: WantedCard, found: CardRecord | null, epoch: number): boolean =>
  wanted.isServed &&
  found?.epoch === epoch &&
  found.rev > wanted.desiredRev &&
  found.state === 'live';
