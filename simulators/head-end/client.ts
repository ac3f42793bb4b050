/** The head-end seen from elsewhere: its window for people and tests, with types. */
import { sleep } from '../../src/platform/timers.ts';
import type {
  AirEvent,
  CarouselView,
  DecoderView,
  Knobs,
  NewDecoder,
  Screen,
  Service,
} from './air/types.ts';
import type { CardState } from './card-state.ts';
import type { ConsoleWrite } from './console.ts';
import type { DecoderRange } from './decoder-range.ts';
import type { FaultInForce } from './faults/faults.ts';
import type { Fault, FaultKind } from './faults/kinds.ts';
import type { Latency } from './latency.ts';
import type { StoredCommand } from './memory.ts';

export { type HeadEndProcess, startHeadEndProcess } from './child.ts';

/** Calls reject when the head-end does not answer, or refuses with the sentence it gives. */
export interface HeadEndClient {
  /** The rights of a card; `rightsNow`: those that let it show a picture at this instant. */
  card(number: string): Promise<CardNow | undefined>;
  /** All cards, 100 a page; the first page is 1. */
  cards(page: number): Promise<{ pages: number; cards: CardNow[] }>;
  /** The last commands, newest first, of one card or of all. */
  commands(card?: string): Promise<StoredCommand[]>;
  services(): Promise<Service[]>;
  air(): Promise<CarouselView>;
  decoder(card: string): Promise<DecoderView | undefined>;
  decoders(): Promise<{ stb: string; card: string; screen: Screen }[]>;
  addDecoders(decoders: readonly NewDecoder[]): Promise<void>;
  /** Adds many, with numbers one after the other. */
  addRange(range: DecoderRange): Promise<void>;
  /** Turns knobs of the decoder with this card; false when there is none. */
  turn(card: string, knobs: Partial<Knobs>): Promise<boolean>;
  /** Puts a card into a decoder; false when there is no such decoder. */
  insert(stb: string, card: string): Promise<boolean>;
  setLink(isUp: boolean): Promise<void>;
  setFault(fault: Fault): Promise<void>;
  faults(): Promise<FaultInForce[]>;
  /** Ends one kind of fault, or all. */
  heal(kind?: FaultKind): Promise<void>;
  /** Down and up again; `lose` as `restart` of the window takes it. */
  restart(lose?: RestartLoss): Promise<void>;
  setLatency(latency: Latency): Promise<void>;
  setFlow(window: number, retryAfterMs?: number): Promise<void>;
  /** Changes a card at its console, without a command. */
  writeByConsole(write: ConsoleWrite): Promise<void>;
  /** Lets it refuse to grant these products, and no others, from now on. */
  setGoneProducts(gone: readonly string[]): Promise<void>;
  /** Sets its clock so far ahead of the machine's. */
  moveClock(offsetMs: number): Promise<void>;
  /**
   * Hears what happens on air, for one card or all, until the returned function is called. After
   * every connecting comes the present screen of each decoder, so that nothing stays missed.
   * `onEvent` must not throw.
   */
  events(card: string | null, onEvent: (event: AirEvent) => void): () => void;
}

/** Nothing, what was not executed, or all of the last seconds. */
export type RestartLoss = { lose?: 'nothing' | 'queue' } | { loseSeconds: number };

export type CardNow = CardState & { rightsNow: CardState['set'] };

const CALL_MS_MAX = 10_000;
const DECODERS_PER_CALL = 200;
const RECONNECT_MS = 500;
const EVENT_CHARS_MAX = 1_048_576;
const DATA = 'data: ';

/** A client of the head-end whose window is at `url`. */
export function createHeadEndClient(url: string): HeadEndClient {
  const get = <T>(path: string) => call<T>(`${url}${path}`);
  const control = (name: string, body: object) => call<object>(`${url}/control/${name}`, body);
  const must = async <T>(path: string): Promise<T> => found(path, await get<T>(path));
  const mustControl = async (name: string, body: object): Promise<void> => {
    found(name, await control(name, body));
  };
  return {
    card: (number) => get(`/cards/${encodeURIComponent(number)}`),
    cards: (page) => must(`/cards?page=${page}`),
    async commands(card) {
      const query = card === undefined ? '' : `?card=${encodeURIComponent(card)}`;
      return (await must<{ commands: StoredCommand[] }>(`/commands${query}`)).commands;
    },
    services: async () => (await must<{ services: Service[] }>('/services')).services,
    air: () => must('/air'),
    decoder: (card) => get(`/decoders/${encodeURIComponent(card)}`),
    async decoders() {
      type List = { decoders: { stb: string; card: string; screen: Screen }[] };
      return (await must<List>('/decoders')).decoders;
    },
    async addDecoders(decoders) {
      for (let first = 0; first < decoders.length; first += DECODERS_PER_CALL) {
        const some = decoders.slice(first, first + DECODERS_PER_CALL);
        await mustControl('decoders', { decoders: some });
      }
    },
    addRange: (range) => mustControl('decoders', { range }),
    turn: async (card, knobs) => (await control('decoder', { card, ...knobs })) !== undefined,
    insert: async (stb, card) => (await control('insert', { stb, card })) !== undefined,
    setLink: (up) => mustControl('link', { up }),
    setFault: (fault) => mustControl('fault', fault),
    faults: async () => (await must<{ faults: FaultInForce[] }>('/faults')).faults,
    heal: (kind) => mustControl('heal', kind === undefined ? {} : { kind }),
    restart: (loss = {}) => mustControl('restart', loss),
    setLatency: (latency) =>
      mustControl('latency', typeof latency === 'number' ? { ms: latency } : latency),
    setFlow: (window, retryAfterMs) =>
      mustControl('flow', { window, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }),
    writeByConsole: (write) => mustControl('console', write),
    setGoneProducts: (gone) => mustControl('products', { gone }),
    moveClock: (offsetMs) => mustControl('clock', { offsetMs }),
    events(card, onEvent) {
      const query = card === null ? '' : `?card=${encodeURIComponent(card)}`;
      const stopping = new AbortController();
      void follow(`${url}/events${query}`, onEvent, stopping.signal);
      return () => stopping.abort();
    },
  };
}

function found<T>(what: string, answer: T | undefined): T {
  if (answer === undefined) throw new Error(`head-end: nothing at ${what}`);
  return answer;
}

/** GET, or POST of a body; undefined when there is no such thing. */
async function call<T>(address: string, body?: object): Promise<T | undefined> {
  const response = await fetch(address, {
    signal: AbortSignal.timeout(CALL_MS_MAX),
    ...(body === undefined
      ? {}
      : {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
        }),
  });
  // The other end is ours: what it answers has the form it has.
  const answer = (await response.json()) as T & { error?: string };
  if (response.status === 404) return undefined;
  if (!response.ok) throw new Error(`head-end: ${answer.error ?? response.status}`);
  return answer;
}

async function follow(
  address: string,
  onEvent: (event: AirEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    // Lost, or not up yet: it is asked again.
    await readEvents(address, onEvent, signal).catch(() => undefined);
    await sleep(RECONNECT_MS, signal);
  }
}

/** Reads one stream of server-sent events to its end; each has one `data` line. */
async function readEvents(
  address: string,
  onEvent: (event: AirEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  const response = await fetch(address, { signal });
  if (!response.ok || !response.body) throw new Error(`events: ${response.status}`);
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of response.body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > EVENT_CHARS_MAX) throw new Error('events: one that does not end');
    for (const line of lines) {
      if (line.startsWith(DATA) && !signal.aborted) onEvent(JSON.parse(line.slice(DATA.length)));
    }
  }
}
