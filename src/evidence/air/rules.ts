/**
 * What a card showed when, from the commands that were executed for it. Pure. Instants are in
 * milliseconds since 1970; `NEVER` is the end of what has none.
 */
import { offAirAt } from '../../entitlement/rights/rules.ts';

export const NEVER: number = Number.POSITIVE_INFINITY;

/** Stand where products do: a card that is suspended, and one that ever showed anything. */
export const SUSPENDED = '!suspended';
export const SEEN = '!seen';

/** A right; exclusive of its end. */
export interface Right {
  product: string;
  from: number;
  to: number;
}

/** A set of rights that the head-end executed. */
export interface Executed {
  epoch: number;
  rev: number;
  /** Since when it is on the air. */
  at: number;
  /** As it was broadcast. */
  set: readonly Right[];
  isSuspended: boolean;
  /** How much longer than sold its rights are broadcast. */
  marginMs: number;
}

/** All that a card showed at a time; exclusive of its end. At no instant a card has two. */
export interface Span {
  /** Sorted, at least one; or `SUSPENDED` or `SEEN` alone. */
  products: readonly string[];
  from: number;
  to: number;
  /** Since when it had each of the products without a break. */
  since: readonly number[];
}

/** A card after the last set that counted; `open`: what ends at its instant or later. */
export interface AirCard {
  epoch: number;
  rev: number;
  at: number;
  open: readonly Span[];
}

/** A span that is new, or ends otherwise than before (`before`; null: it was not there). */
export interface AirChange extends Span {
  before: number | null;
}

/** Products in one text, and back: no product's code has a space. */
export const shownText = (products: readonly string[]): string => products.join(' ');
export const shownProducts = (text: string): string[] => text.split(' ');

/** What tells a card's spans apart. */
export const keyOf = ({ products, from }: Span): string => `${shownText(products)} ${from}`;

/**
 * What a set changes, and the card after it; null for one that is not later than the last, which
 * was heard of late. A set is never on the air before the one before it.
 */
export function execute(
  card: AirCard | null,
  executed: Executed,
): { card: AirCard; changes: AirChange[] } | null {
  const { epoch, rev } = executed;
  if (card && (epoch < card.epoch || (epoch === card.epoch && rev <= card.rev))) return null;
  const at = Math.max(executed.at, card?.at ?? executed.at);
  const known = card?.open ?? [];
  const spans = new Map(known.map((span) => [keyOf(span), span]));
  const put = (span: Span) => void spans.set(keyOf(span), span);
  const began = known.filter(({ from, to }) => from < Math.min(at, to));
  const wasSeen = began.some(isSeen);
  for (const span of known) {
    if (span.to > at && !(wasSeen && isSeen(span))) put({ ...span, to: Math.max(span.from, at) });
  }
  const running = began.find((span) => !isSeen(span) && span.to >= at);
  const next = planned(executed, at, running);
  for (const span of next) put(span);
  const first = next[0];
  if (first && !wasSeen) put(lone(SEEN, first.from));
  return { card: { epoch, rev, at, open: openFrom(spans, at) }, changes: changesOf(known, spans) };
}

const isSeen = ({ products }: Span): boolean => products[0] === SEEN;

const lone = (product: string, from: number): Span => {
  return { products: [product], from, to: NEVER, since: [from] };
};

const openFrom = (spans: ReadonlyMap<string, Span>, at: number): Span[] =>
  [...spans.values()].filter(({ to }) => to >= at);

function changesOf(known: readonly Span[], spans: ReadonlyMap<string, Span>): AirChange[] {
  const before = new Map(known.map((span) => [keyOf(span), span]));
  return [...spans].flatMap(([key, span]) => {
    const old = before.get(key);
    const isSame = old?.to === span.to && old.since.every((since, n) => since === span.since[n]);
    return isSame ? [] : [{ ...span, before: old?.to ?? null }];
  });
}

/**
 * What a set comes to from an instant on, if nothing else is said: in order, touching or apart.
 * What goes on as it ran keeps its beginning.
 */
function planned(executed: Executed, at: number, running: Span | undefined): Span[] {
  if (executed.isSuspended) return [suspended(at, running)];
  const sold = soldFrom(executed, at);
  const edges = [...new Set(sold.flatMap(({ from, to }) => [from, to]))].sort((a, b) => a - b);
  const spans: Span[] = [];
  for (const [n, from] of edges.entries()) {
    const to = edges[n + 1] ?? from;
    const shown = sold.filter((right) => right.from <= from && from < right.to);
    if (from === to || shown.length === 0) continue;
    const products = [...new Set(shown.map(({ product }) => product))].sort();
    const last = spans.at(-1) ?? (running && { ...running, to: at });
    const goesOn = last?.to === from ? last : undefined;
    const since = products.map((one) => goesOn?.since[goesOn.products.indexOf(one)] ?? from);
    if (goesOn && isSameSet(goesOn.products, products)) spans.splice(-1, 1, { ...goesOn, to });
    else spans.push({ products, from, to, since });
  }
  return spans;
}

const suspended = (at: number, running: Span | undefined): Span =>
  running?.products[0] === SUSPENDED ? { ...running, to: NEVER } : lone(SUSPENDED, at);

const isSameSet = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((product, n) => product === b[n]);

/** The rights as they were sold, from an instant on. */
function soldFrom({ set, marginMs }: Executed, at: number): Right[] {
  const endOf = ({ product, to }: Right) =>
    2 * to - offAirAt({ product, to: new Date(to) }, marginMs).getTime();
  return set
    .map((right) => ({ ...right, from: Math.max(right.from, at), to: endOf(right) }))
    .filter(({ from, to }) => from < to);
}
