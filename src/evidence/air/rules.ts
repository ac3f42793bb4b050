/**
 * What a card showed when, from the commands that were executed for it. Pure. Instants are in
 * milliseconds since 1970; `NEVER` is the end of what has none.
 */
import { offAirAt } from '../../entitlement/rights/rules.ts';

export const NEVER: number = Number.POSITIVE_INFINITY;

/** Products that are none. */
export const ANY = '*';
export const SUSPENDED = '!suspended';
export const OFF = '!off';

/** Exclusive of its end. */
export interface Span {
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
  set: readonly Span[];
  isSuspended: boolean;
  /** How much longer than sold its rights are broadcast. */
  marginMs: number;
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
  const spans = card?.open ?? [];
  const book = openBook(spans);
  const isBefore = ({ from, to }: Span) => from < Math.min(at, to);
  const running = spans.filter((span) => isBefore(span) && span.to >= at);
  for (const span of spans) if (span.to > at) book.put(span, Math.max(span.from, at));
  for (const span of planned(executed, at, spans.some(isBefore))) {
    const goesOn = running.find(({ product }) => span.from === at && product === span.product);
    book.put(goesOn ?? span, span.to);
  }
  return { card: { epoch, rev, at, open: book.spans(at) }, changes: book.changes() };
}

/** Spans that are given another end, or their first. */
function openBook(known: readonly Span[]) {
  const before = new Map(known.map((span) => [keyOf(span), span.to]));
  const spans = new Map(known.map((span) => [keyOf(span), span]));
  return {
    put: (span: Span, to: number) => void spans.set(keyOf(span), { ...span, to }),
    spans: (at: number) => [...spans.values()].filter(({ to }) => to >= at),
    changes: (): AirChange[] =>
      [...spans]
        .map(([key, span]) => ({ ...span, before: before.get(key) ?? null }))
        .filter((change) => change.before !== change.to),
  };
}

const keyOf = ({ product, from }: Span): string => `${product}|${from}`;

/** What a set comes to from an instant on, if nothing else is said. */
function planned(executed: Executed, at: number, wasSeen: boolean): Span[] {
  if (executed.isSuspended) return [{ product: SUSPENDED, from: at, to: NEVER }];
  const sold = executed.set
    .map((span) => ({ ...span, from: Math.max(span.from, at), to: soldUntil(span, executed) }))
    .filter(({ from, to }) => from < to);
  const products = [...new Set(sold.map(({ product }) => product))];
  const each = products.flatMap((product) =>
    merged(
      product,
      sold.filter((span) => span.product === product),
    ),
  );
  const any = merged(ANY, sold);
  return [...each, ...any, ...gapsOf(any, at, wasSeen)];
}

function soldUntil({ product, to }: Span, { marginMs }: Executed): number {
  const longerMs = offAirAt({ product, to: new Date(to) }, marginMs).getTime() - to;
  return to - longerMs;
}

function merged(product: string, spans: readonly Span[]): Span[] {
  const result: Span[] = [];
  for (const { from, to } of [...spans].sort((a, b) => a.from - b.from)) {
    const last = result.at(-1);
    if (last && from <= last.to) last.to = Math.max(last.to, to);
    else result.push({ product, from, to });
  }
  return result;
}

/** When the card has nothing: from its first product on, and from now on if it was seen before. */
function gapsOf(any: readonly Span[], at: number, wasSeen: boolean): Span[] {
  const gaps: Span[] = [];
  let from = wasSeen ? at : (any[0]?.from ?? NEVER);
  for (const span of any) {
    if (from < span.from) gaps.push({ product: OFF, from, to: span.from });
    from = span.to;
  }
  if (from < NEVER) gaps.push({ product: OFF, from, to: NEVER });
  return gaps;
}
