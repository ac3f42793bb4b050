/** Stretches of time, for comparing rights: half-open, in milliseconds since 1970. Pure. */

export interface Span {
  fromMs: number;
  toMs: number;
}

/** The same instants as spans that neither touch nor overlap, oldest first. */
export function union(spans: readonly Span[]): Span[] {
  const sorted = spans
    .filter(({ fromMs, toMs }) => fromMs < toMs)
    .sort((a, b) => a.fromMs - b.fromMs || a.toMs - b.toMs);
  const joined: Span[] = [];
  for (const { fromMs, toMs } of sorted) {
    const last = joined.at(-1);
    if (last && fromMs <= last.toMs) last.toMs = Math.max(last.toMs, toMs);
    else joined.push({ fromMs, toMs });
  }
  return joined;
}

/** What lies in some and in none of the others. */
export function without(some: readonly Span[], others: readonly Span[]): Span[] {
  let rest = union(some);
  for (const { fromMs, toMs } of others) {
    rest = rest.flatMap((span) =>
      union([
        { fromMs: span.fromMs, toMs: Math.min(span.toMs, fromMs) },
        { fromMs: Math.max(span.fromMs, toMs), toMs: span.toMs },
      ]),
    );
  }
  return rest;
}

/** What of the spans lies between two instants. */
export function within(spans: readonly Span[], fromMs: number, toMs: number): Span[] {
  return union(
    spans.map((span) => ({
      fromMs: Math.max(span.fromMs, fromMs),
      toMs: Math.min(span.toMs, toMs),
    })),
  );
}

/** Does one of them hold the instant? */
export const holds = (spans: readonly Span[], atMs: number): boolean =>
  spans.some(({ fromMs, toMs }) => fromMs <= atMs && atMs < toMs);
