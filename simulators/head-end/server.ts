/** A VIP Control head-end: log-in, one session a client, and the desk behind it. */
import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import {
  type ByeCode,
  type ClientMessage,
  type Hello,
  PROTOCOL_VERSION,
  type RepeatStep,
} from '../../src/entitlement/vip-control/messages.ts';
import type { Clock, Logger, Random } from '../../src/platform/ports.ts';
import { systemRandom } from '../../src/platform/system.ts';
import * as platformTimers from '../../src/platform/timers.ts';
import { createAir } from './air/air.ts';
import { REPETITION_PROFILE } from './air/carousel.ts';
import type { Air, AirEvent, CardRights, Service } from './air/types.ts';
import { createDesk, type Desk } from './desk.ts';
import { openDoor } from './door.ts';
import { createFaults, type Fault, type Faults } from './faults.ts';
import { type Journal, openJournal } from './journal.ts';
import type { Latency } from './latency.ts';
import { createMemory, type Memory, type StoredCommand } from './memory.ts';
import { createPeer, type Peer } from './peer.ts';
import { createPulse, type Pulse, type Timers } from './pulse.ts';
import { type CardState, type RefreshLimit, SERVED } from './rules.ts';

export interface VipControlServer {
  port: number;
  /** Ends all sessions, finishes the journal and closes; what waits is executed at next start. */
  stop(): Promise<void>;
  card(number: string): CardState | undefined;
  cards(): CardState[];
  /** The last commands, newest first, of one card or of all. */
  commands(query?: { card?: string; limit?: number }): StoredCommand[];
  /** What is broadcast, and the decoders that receive it. */
  air: Air;
  /** The line-up. */
  services: readonly Service[];
  /** Hears what happens on air until the returned function is called; must not throw. */
  onAirEvent(listener: (event: AirEvent) => void): () => void;
  /** Back-pressure: a smaller (or again larger) window for everybody, from now on. */
  setFlow(window: number, retryAfterMs?: number): void;
  /** VIP Control down: all sessions are cut and no new one is let in; the air goes on. */
  setLink(isUp: boolean): Promise<void>;
  isLinkUp(): boolean;
  setFault(fault: Fault): void;
  /** For the commands taken from now on. */
  setLatency(latency: Latency): void;
  /** False once the journal could not be written: nothing more is taken. */
  isHealthy(): boolean;
}

export interface VipControlServerDeps {
  /** 0 takes any free port. */
  port: number;
  host: string;
  dataFile: string;
  clock: Clock;
  logger: Logger;
  /** Absent: those of the machine. */
  timers?: Timers;
  random?: Random;
  /** Absent: any casId may log in. */
  casId?: string;
  /** Absent: every product is known. */
  knownProducts?: Iterable<string>;
  /** Absent: every card is known. */
  knownCard?: (card: string) => boolean;
  /** From taking a command to executing it; on air it is when there is room. */
  latencyMs?: Latency;
  osdMax?: number;
  maxWindow?: number;
  /** Bandwidth of the EMMs; absent: as much as there is, at once. */
  kbitPerSecond?: number;
  profile?: readonly RepeatStep[];
  services?: readonly Service[];
  /** The decoder a card belongs in; absent: any may be paired with it. */
  pairedWith?: (card: string) => string | undefined;
  refreshLimit?: RefreshLimit;
}

const LATENCY_MS = 20;
const OSD_CHARS_MAX = 160;
const WINDOW_COMMANDS_MAX = 256;
const PEERS_MAX = 256;
const PRODUCTS_BYTES_MAX = 32_768;
const COMMANDS_LISTED = 50;
const REFRESH_LIMIT: RefreshLimit = { perHour: 3, perDay: 10 };

interface HeadEnd {
  deps: VipControlServerDeps;
  memory: Memory;
  desk: Desk;
  air: Air;
  pulse: Pulse;
  faults: Faults;
  listeners: Set<(event: AirEvent) => void>;
  /** The one live session of each client. */
  sessions: Map<string, Peer>;
  peers: Set<Peer>;
  profile: readonly RepeatStep[];
  maxWindow: number;
  window: number;
  knownProducts: ReadonlySet<string> | undefined;
  isHealthy: boolean;
}

/** Listens and reads the data file; rejects when either is impossible. */
export async function createVipControlServer(
  deps: VipControlServerDeps,
): Promise<VipControlServer> {
  // The port first: a second process started by mistake must not touch the file of the first.
  const door = await openDoor(deps.host, deps.port);
  const memory = createMemory();
  let onFailure: (error: unknown) => void = () => undefined;
  const journal = await openJournal(deps.dataFile, memory, {
    now: deps.clock.now(),
    onFailure: (error) => onFailure(error),
  }).catch(async (error: unknown) => {
    await door.close();
    throw error;
  });
  const headEnd = assemble(deps, memory, journal);
  onFailure = (error) => {
    headEnd.isHealthy = false;
    deps.logger.error('headend.journal_failed', { error: String(error) });
    for (const peer of headEnd.peers) peer.cut();
  };
  door.admit((socket) => welcome(headEnd, socket));
  headEnd.desk.resume();
  return {
    port: door.port,
    async stop() {
      headEnd.pulse.stop();
      headEnd.desk.stop();
      door.admit((socket) => socket.destroy());
      for (const peer of headEnd.peers) peer.end('CLOSING');
      await door.close();
      await journal.close();
    },
    ...readings(memory),
    air: headEnd.air,
    services: deps.services ?? [],
    onAirEvent(listener) {
      headEnd.listeners.add(listener);
      return () => void headEnd.listeners.delete(listener);
    },
    setFlow: (window, retryAfterMs) => setFlow(headEnd, window, retryAfterMs),
    setLink: door.setOpen,
    isLinkUp: door.isOpen,
    setFault: headEnd.faults.set,
    setLatency: headEnd.desk.setLatency,
    isHealthy: () => headEnd.isHealthy,
  };
}

function assemble(deps: VipControlServerDeps, memory: Memory, journal: Journal): HeadEnd {
  const { clock, timers = platformTimers } = deps;
  const profile = deps.profile ?? REPETITION_PROFILE;
  const maxWindow = deps.maxWindow ?? WINDOW_COMMANDS_MAX;
  const knownProducts = deps.knownProducts ? new Set(deps.knownProducts) : undefined;
  const listeners: HeadEnd['listeners'] = new Set();
  const air = createAir({
    ...(deps.kbitPerSecond === undefined ? {} : { kbitPerSecond: deps.kbitPerSecond }),
    profile,
    rightsOf: (card) => rightsOf(memory, card),
    cards: () => cardsOnAir(memory),
    pairedWith: deps.pairedWith ?? (() => undefined),
    services: deps.services ?? [],
    onEvent(event) {
      for (const listener of listeners) listener(event);
    },
  });
  const faults = createFaults();
  const desk = createDesk({
    memory,
    journal,
    air,
    clock,
    timers,
    faults,
    random: deps.random ?? systemRandom,
    latency: deps.latencyMs ?? LATENCY_MS,
    windowMax: maxWindow,
    refreshLimit: deps.refreshLimit ?? REFRESH_LIMIT,
    profile,
    admission: {
      osdMax: deps.osdMax ?? OSD_CHARS_MAX,
      knownCard: deps.knownCard ?? (() => true),
      ...(knownProducts ? { knownProducts } : {}),
    },
    onWaiting: () => pulse.hurry(),
  });
  const pulse = createPulse({ air, clock, timers });
  return {
    ...{ deps, memory, desk, air, pulse, faults, listeners, profile, maxWindow, knownProducts },
    sessions: new Map(),
    peers: new Set(),
    window: maxWindow,
    isHealthy: true,
  };
}

function rightsOf(memory: Memory, card: string): CardRights | undefined {
  const state = memory.cards.get(card);
  if (!state) return undefined;
  const { firstAirAt: _, ...rights } = state;
  return rights;
}

/** What waits for its first broadcast does not slip out with the slow cycle before. */
function* cardsOnAir({ cards }: Memory): Generator<string> {
  for (const { card, firstAirAt } of cards.values()) {
    if (firstAirAt !== null) yield card;
  }
}

function welcome(headEnd: HeadEnd, socket: Socket): void {
  const { peers } = headEnd;
  const peer = createPeer(socket, {
    onMessage: (from, message) => receive(headEnd, from, message),
    onClosed(gone) {
      peers.delete(gone);
      leave(headEnd, gone);
    },
  });
  peers.add(peer);
  if (!headEnd.isHealthy || peers.size > PEERS_MAX) peer.end('MAINTENANCE');
}

function readings(memory: Memory): Pick<VipControlServer, 'card' | 'cards' | 'commands'> {
  return {
    card: (number) => memory.cards.get(number),
    cards: () => [...memory.cards.values()],
    commands({ card, limit = COMMANDS_LISTED } = {}) {
      const found: StoredCommand[] = [];
      for (const command of memory.commands.values()) {
        if (card === undefined || command.card === card) found.push(command);
      }
      return found.slice(-limit).reverse();
    },
  };
}

function receive(headEnd: HeadEnd, peer: Peer, message: ClientMessage): void {
  if (message.t === 'PING') peer.send({ t: 'PONG' });
  else if (message.t === 'BYE') peer.end('CLOSING');
  else if (message.t === 'HELLO') logIn(headEnd, peer, message);
  else if (message.t === 'CMD' || message.t === 'STATUS') {
    if (peer.clientId === undefined) {
      peer.send({ t: 'NAK', cmdId: message.cmdId, code: 'NOT_LOGGED_IN' });
    } else if (message.t === 'CMD') headEnd.desk.take(peer, message);
    else headEnd.desk.tell(peer, message.cmdId);
  }
}

function logIn(headEnd: HeadEnd, peer: Peer, hello: Hello): void {
  const { deps, sessions, memory } = headEnd;
  const refusal = refuseLogIn(headEnd, peer, hello);
  if (refusal !== undefined) {
    peer.end(refusal);
    return;
  }
  sessions.get(hello.clientId)?.end('TAKEN_OVER');
  peer.clientId = hello.clientId;
  sessions.set(hello.clientId, peer);
  headEnd.desk.raiseEpoch(hello.epoch);
  peer.send({
    t: 'WELCOME',
    sessionId: randomUUID(),
    nonce: hello.nonce,
    caps: {
      osdMax: deps.osdMax ?? OSD_CHARS_MAX,
      maxWindow: headEnd.maxWindow,
      supports: [...SERVED, 'STATUS'],
      repeats: [...headEnd.profile],
      ...listedProducts(headEnd.knownProducts),
    },
    serverTime: deps.clock.now().toISOString(),
    epoch: memory.epochFloor,
  });
  if (headEnd.window < headEnd.maxWindow) peer.send({ t: 'FLOW', window: headEnd.window });
  deps.logger.info('headend.session_opened', { clientId: hello.clientId, epoch: hello.epoch });
}

function refuseLogIn({ deps, sessions }: HeadEnd, peer: Peer, hello: Hello): ByeCode | undefined {
  if (peer.clientId !== undefined || hello.v !== PROTOCOL_VERSION) return 'PROTOCOL';
  if (deps.casId !== undefined && hello.casId !== deps.casId) return 'NOT_ALLOWED';
  return sessions.has(hello.clientId) && !hello.takeover ? 'SESSION_EXISTS' : undefined;
}

/** The products for WELCOME, unless there are too many for one frame. */
function listedProducts(known: ReadonlySet<string> | undefined): { products?: string[] } {
  const products = [...(known ?? [])];
  const fits = Buffer.byteLength(JSON.stringify(products)) <= PRODUCTS_BYTES_MAX;
  return known && fits ? { products } : {};
}

function leave(headEnd: HeadEnd, peer: Peer): void {
  const { clientId } = peer;
  if (clientId === undefined || headEnd.sessions.get(clientId) !== peer) return;
  headEnd.sessions.delete(clientId);
  headEnd.deps.logger.info('headend.session_closed', { clientId });
}

function setFlow(headEnd: HeadEnd, window: number, retryAfterMs?: number): void {
  headEnd.window = Math.min(window, headEnd.maxWindow);
  const pause = retryAfterMs === undefined ? {} : { retryAfterMs };
  for (const peer of headEnd.sessions.values()) {
    peer.send({ t: 'FLOW', window: headEnd.window, ...pause });
  }
}
