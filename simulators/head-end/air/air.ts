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
  const emptyCarousel = () =>
    createCarousel({ ...options, onBroadcast: (broadcast) => onBroadcast(state, broadcast) });
  let carousel = emptyCarousel();
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
    clear() {
      carousel = emptyCarousel();
    },
    carousel: () => carousel.view(),
    backlog: () => carousel.backlog(),
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
    insert(stb, card, now) {
      const found = [...byCard.values()].find(({ decoder }) => decoder.stb === stb);
      if (!found || found.decoder.card === card) return found !== undefined;
      advance(now);
      const { decoder } = found;
      byCard.delete(decoder.card);
      removeCard(state, card);
      // What a card may show is kept in the card; all else is the decoder's.
      const { stored, rights, boundTo } = createDecoder({ ...decoder.knobs, stb, card }, undefined);
      Object.assign(decoder, { card, stored, rights, boundTo });
      byCard.set(card, found);
      look(state, found, state.clockMs);
      return true;
    },
    view(card, now) {
      const decoder = byCard.get(card)?.decoder;
      return decoder && viewOf(decoder, lineUp, now);
    },
    list() {
      return [...byCard.values()].map(({ decoder: { stb, card }, shown }) => {
        return { stb, card, screen: shown };
      });
    },
  };
}

function viewOf(decoder: Decoder, lineUp: LineUp, now: Date): DecoderView {
  const { stb, card, knobs, stored, mailbox, boundTo, pin, tuned } = decoder;
  const nowMs = now.getTime();
  return {
    ...{ stb, card, ...knobs, screen: screenOf(decoder, lineUp, nowMs), stored },
    ...{ mailbox, boundTo, pin },
    tuned: tuned && nowMs < tuned.untilMs ? tuned.service : null,
  };
}

/** A decoder that loses its card is of no interest any more. */
function removeCard({ byCard, stbs }: State, card: string): void {
  const former = byCard.get(card);
  if (!former) return;
  stbs.delete(former.decoder.stb);
  byCard.delete(card);
}

function addDecoder(state: State, added: NewDecoder): void {
  const { options, lineUp, byCard, stbs, clockMs } = state;
  if (stbs.has(added.stb)) return;
  if (stbs.size >= DECODERS_MAX) throw new RangeError(`more than ${DECODERS_MAX} decoders`);
  removeCard(state, added.card);
  const told = options.stateOf(added.card);
  const decoder = createDecoder(added, told.pairedWith);
  if (added.upToDate) receive(decoder, { kind: 'rights' }, told, clockMs);
  stbs.add(added.stb);
  byCard.set(added.card, {
    decoder,
    shown: screenOf(decoder, lineUp, clockMs),
    changesMs: Infinity,
  });
}

function onBroadcast(state: State, broadcast: Broadcast): void {
  const { card, group, content, atMs, why } = broadcast;
  const { onEvent, stateOf } = state.options;
  if (group === undefined) state.options.onBroadcast?.(card, atMs);
  const hearers = hearersOf(state, broadcast);
  // Most of what is ever broadcast: the slow cycle, to a card that nobody watches.
  if (why === 'slow' && hearers.length === 0) return;
  const event = { at: new Date(atMs).toISOString(), content: content.kind };
  if (why !== 'slow') onEvent?.({ type: 'broadcast', card, ...event, first: why === 'first' });
  for (const hearer of hearers) {
    const { decoder } = hearer;
    const isNew = receive(decoder, content, stateOf(decoder.card), atMs);
    if (isNew || why !== 'slow') onEvent?.({ type: 'received', card: decoder.card, ...event });
    if (isNew) look(state, hearer, atMs);
  }
}

/** The decoders that hear it: the one the card is in, or all of the group. */
function hearersOf({ byCard }: State, { card, group }: Broadcast): Watched[] {
  if (group === undefined) {
    const watched = byCard.get(card);
    return watched && hears(watched.decoder) ? [watched] : [];
  }
  return [...byCard.values()].filter(({ decoder }) => {
    if (group === 'stb' && decoder.stb !== card) return false;
    if (group === 'region' && decoder.boundTo !== card) return false;
    return hears(decoder);
  });
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
