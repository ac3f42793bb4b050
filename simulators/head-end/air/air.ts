/** The air: a carousel on one side, decoders on the other, and nothing ever comes back. */
import { createCarousel } from './carousel.ts';
import { createDecoder, type Decoder, hears, receive, turnKnobs } from './decoder.ts';
import { type LineUp, sameScreen, screenChangesMs, screenOf } from './screen.ts';
import type { Broadcast } from './slots.ts';
import type { Air, AirOptions, Decoders, DecoderView, NewDecoder, Screen } from './types.ts';

/** Each advance looks at every decoder's next change: some 10,000 cost little. */
const DECODERS_MAX = 20_000;

interface Watched {
  decoder: Decoder;
  /** As it was reported last. */
  shown: Screen;
  /** When it may change by itself. */
  changesMs: number;
}

interface State {
  options: AirOptions;
  lineUp: LineUp;
  byCard: Map<string, Watched>;
  stbs: Set<string>;
  clockMs: number;
  /** No screen changes by itself before this. */
  nextChangeMs: number;
}

/** An air with nothing on it and nobody watching. Throws on options out of range. */
export function createAir(options: AirOptions): Air {
  const state: State = {
    options,
    lineUp: new Map(options.services.map((service) => [service.code, service])),
    byCard: new Map(),
    stbs: new Set(),
    clockMs: 0,
    nextChangeMs: Infinity,
  };
  const carousel = createCarousel({
    ...options,
    onBroadcast: (broadcast) => onBroadcast(state, broadcast),
  });
  function advance(now: Date): void {
    carousel.advance(now);
    state.clockMs = Math.max(state.clockMs, now.getTime());
    changeByTime(state);
  }
  return {
    put(insertion, now) {
      carousel.put(insertion, now);
      advance(now);
    },
    advance,
    nextAt() {
      const at = carousel.nextAt();
      const { nextChangeMs } = state;
      return nextChangeMs < (at?.getTime() ?? Infinity) ? new Date(Math.ceil(nextChangeMs)) : at;
    },
    carousel: carousel.view,
    decoders: createDecoders(state, advance),
  };
}

function createDecoders(state: State, advance: (now: Date) => void): Decoders {
  const { byCard, lineUp } = state;
  return {
    add: (decoder) => addDecoder(state, decoder),
    turn(card, knobs, now) {
      const watched = byCard.get(card);
      if (!watched) return false;
      advance(now);
      turnKnobs(watched.decoder, knobs);
      look(state, watched, state.clockMs);
      return true;
    },
    view(card, now) {
      const decoder = byCard.get(card)?.decoder;
      return decoder && viewOf(decoder, lineUp, now);
    },
    list() {
      return [...byCard.values()].map(({ decoder: { stb, card } }) => ({ stb, card }));
    },
  };
}

function viewOf(decoder: Decoder, lineUp: LineUp, now: Date): DecoderView {
  const { stb, card, knobs, stored } = decoder;
  return { stb, card, ...knobs, screen: screenOf(decoder, lineUp, now.getTime()), stored };
}

function addDecoder({ options, lineUp, byCard, stbs, clockMs }: State, added: NewDecoder): void {
  if (stbs.has(added.stb)) return;
  if (stbs.size >= DECODERS_MAX) throw new RangeError(`more than ${DECODERS_MAX} decoders`);
  const former = byCard.get(added.card);
  if (former) stbs.delete(former.decoder.stb);
  const decoder = createDecoder(added, options.pairedWith(added.card));
  if (added.upToDate) {
    const emm = { content: { kind: 'rights' }, pairedWith: undefined } as const;
    receive(decoder, { ...emm, rights: options.rightsOf(added.card) }, clockMs);
  }
  stbs.add(added.stb);
  byCard.set(added.card, {
    decoder,
    shown: screenOf(decoder, lineUp, clockMs),
    changesMs: Infinity,
  });
}

function onBroadcast(state: State, { card, content, atMs, why }: Broadcast): void {
  const watched = state.byCard.get(card);
  const hearer = watched && hears(watched.decoder) ? watched : undefined;
  // Most of what is ever broadcast: the slow cycle, to a card that nobody watches.
  if (why === 'slow' && !hearer) return;
  const { onEvent, rightsOf, pairedWith } = state.options;
  const event = { card, at: new Date(atMs).toISOString(), content: content.kind };
  if (why !== 'slow') onEvent?.({ type: 'broadcast', ...event, first: why === 'first' });
  if (!hearer) return;
  const emm = { content, rights: rightsOf(card), pairedWith: pairedWith(card) };
  const isNew = receive(hearer.decoder, emm, atMs);
  if (isNew || why !== 'slow') onEvent?.({ type: 'received', ...event });
  if (isNew) look(state, hearer, atMs);
}

/** Looks at the screens that may have changed by themselves. */
function changeByTime(state: State): void {
  if (state.clockMs < state.nextChangeMs) return;
  state.nextChangeMs = Infinity;
  for (const watched of state.byCard.values()) {
    if (watched.changesMs <= state.clockMs) look(state, watched, state.clockMs);
    state.nextChangeMs = Math.min(state.nextChangeMs, watched.changesMs);
  }
}

/** Reports the screen if it looks different from what was reported last. */
function look(state: State, watched: Watched, atMs: number): void {
  const { decoder, shown } = watched;
  const screen = screenOf(decoder, state.lineUp, atMs);
  watched.changesMs = screenChangesMs(decoder, state.lineUp, atMs);
  state.nextChangeMs = Math.min(state.nextChangeMs, watched.changesMs);
  if (sameScreen(screen, shown)) return;
  watched.shown = screen;
  const at = new Date(atMs).toISOString();
  state.options.onEvent?.({ type: 'screen', card: decoder.card, at, screen });
}
