import fc from 'fast-check';
import {
  type AirCard,
  type Executed,
  execute,
  keyOf,
  type Right,
  SEEN,
  type Span,
  SUSPENDED,
} from './rules.ts';

const PRODUCTS = ['ESS', 'PREM', 'EVT:CUP'];
const HOUR_MS = 3_600_000;
const instant = fc.integer({ min: 0, max: 60 }).map((n) => n * HOUR_MS);
const right = fc
  .record({ product: fc.constantFrom(...PRODUCTS), from: instant, hours: fc.nat(30) })
  .map(({ product, from, hours }) => ({ product, from, to: from + hours * HOUR_MS }));
const executed: fc.Arbitrary<Executed> = fc.record({
  epoch: fc.constantFrom(1, 1, 1, 2),
  rev: fc.integer({ min: 1, max: 12 }),
  at: instant,
  set: fc.array(right, { maxLength: 4 }),
  isSuspended: fc.constantFrom(false, false, false, true),
  marginMs: fc.constantFrom(0, 6 * HOUR_MS),
});

const MARGIN_OF_EVENT_MS = 900_000;

/** The log told again to an instant, in the plainest words. */
function replay(log: readonly Executed[], at: number): Set<string> {
  const counted: Executed[] = [];
  for (const next of log) {
    const last = counted.at(-1);
    const isLater =
      !last || next.epoch > last.epoch || (next.epoch === last.epoch && next.rev > last.rev);
    if (isLater) counted.push({ ...next, at: Math.max(next.at, last?.at ?? 0) });
  }
  const past = counted.filter((one) => one.at <= at);
  const state = past.at(-1);
  if (!state) return new Set();
  const wasSeen = past.some((one, n) => everShown(one, one.at, past[n + 1]?.at ?? at));
  const shown = state.isSuspended ? [SUSPENDED] : shownAt(state, at);
  return new Set(shown.length > 0 || wasSeen ? [...shown, SEEN] : []);
}

const soldTo = ({ product, to }: Right, marginMs: number) =>
  to - (product.startsWith('EVT:') ? Math.min(marginMs, MARGIN_OF_EVENT_MS) : marginMs);
const shownAt = ({ set, marginMs }: Executed, at: number): string[] =>
  set
    .filter((span) => span.from <= at && at < soldTo(span, marginMs))
    .map(({ product }) => product);
const everShown = (state: Executed, from: number, to: number): boolean =>
  (state.isSuspended && from < to) ||
  (!state.isSuspended &&
    state.set.some(
      (span) => Math.max(span.from, from) < Math.min(soldTo(span, state.marginMs), to),
    ));

function spansOf(log: readonly Executed[]): Span[] {
  const spans = new Map<string, Span>();
  let card: AirCard | null = null;
  for (const next of log) {
    const done = execute(card, next);
    if (!done) continue;
    card = done.card;
    for (const { before, ...span } of done.changes) {
      const key = keyOf(span);
      expect(spans.get(key)?.to ?? null).toBe(before);
      spans.set(key, span);
    }
  }
  return [...spans.values()];
}

const runningAt = (spans: readonly Span[], at: number) =>
  spans.filter(({ from, to }) => from <= at && at < to);
const productsAt = (spans: readonly Span[], at: number) =>
  runningAt(spans, at).flatMap(({ products }) => products);

/** From where a product began, over spans that touch. */
function walkBack(spans: readonly Span[], product: string, from: number): number {
  const before = spans.find((span) => span.from < span.to && span.to === from);
  return before?.products.includes(product) ? walkBack(spans, product, before.from) : from;
}

describe('what a card showed', () => {
  it('is at every instant what a replay of the log comes to', () => {
    fc.assert(
      fc.property(fc.array(executed, { maxLength: 8 }), fc.nat(100), (log, hours) => {
        const at = hours * HOUR_MS + 1;
        const spans = spansOf(log);
        const shown = productsAt(spans, at);
        expect(new Set(shown)).toEqual(replay(log, at));
        expect(shown).toHaveLength(new Set(shown).size);
      }),
      { numRuns: 2_000 },
    );
  });

  it('is one span at a time, and says since when without a break', () => {
    fc.assert(
      fc.property(fc.array(executed, { maxLength: 8 }), fc.nat(100), (log, hours) => {
        const at = hours * HOUR_MS + 1;
        const spans = spansOf(log);
        const running = runningAt(spans, at).filter(({ products }) => products[0] !== SEEN);
        expect(running.length).toBeLessThan(2);
        for (const { products, from, since } of running) {
          const began = products.map((product) => walkBack(spans, product, from));
          expect(since).toEqual(began);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('never changes before the instant of the last set', () => {
    fc.assert(
      fc.property(fc.array(executed, { minLength: 1, maxLength: 6 }), (log) => {
        let card: AirCard | null = null;
        for (const next of log) {
          const done = execute(card, next);
          const at = Math.max(next.at, card?.at ?? 0);
          for (const { from, to, before } of done?.changes ?? []) {
            expect(before === null ? from : Math.min(before, to)).toBeGreaterThanOrEqual(at);
          }
          card = done?.card ?? card;
        }
      }),
    );
  });
});
