/** A VIP Control head-end: log-in, one session a client, and the desk behind it. */
import { randomUUID } from 'node:crypto';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import {
  type ByeCode,
  type ClientMessage,
  type Hello,
  OPERATIONS,
  PROTOCOL_VERSION,
} from '../../src/entitlement/vip-control/messages.ts';
import type { Clock, Logger } from '../../src/platform/ports.ts';
import { createDesk, type Desk } from './desk.ts';
import { type Journal, openJournal } from './journal.ts';
import { createMemory, type Memory, type StoredCommand } from './memory.ts';
import { createPeer, type Peer } from './peer.ts';
import type { CardState } from './rules.ts';

export interface VipControlServer {
  port: number;
  /** Ends all sessions, finishes the journal and closes; what waits is executed at next start. */
  stop(): Promise<void>;
  card(number: string): CardState | undefined;
  cards(): CardState[];
  /** The last commands, newest first, of one card or of all. */
  commands(query?: { card?: string; limit?: number }): StoredCommand[];
  /** Back-pressure: a smaller (or again larger) window for everybody, from now on. */
  setFlow(window: number, retryAfterMs?: number): void;
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
  /** Absent: any casId may log in. */
  casId?: string;
  /** Absent: every product is known. */
  knownProducts?: Iterable<string>;
  /** Absent: every card is known. */
  knownCard?: (card: string) => boolean;
  /** From taking a command to having it on air. */
  latencyMs?: number;
  osdMax?: number;
  maxWindow?: number;
}

const LATENCY_MS = 20;
const OSD_CHARS_MAX = 160;
const WINDOW_COMMANDS_MAX = 256;
const PEERS_MAX = 256;
const PRODUCTS_BYTES_MAX = 32_768;
const COMMANDS_LISTED = 50;

interface HeadEnd {
  deps: VipControlServerDeps;
  memory: Memory;
  desk: Desk;
  /** The one live session of each client. */
  sessions: Map<string, Peer>;
  maxWindow: number;
  window: number;
  knownProducts: ReadonlySet<string> | undefined;
}

/** Listens and reads the data file; rejects when either is impossible. */
export async function createVipControlServer(
  deps: VipControlServerDeps,
): Promise<VipControlServer> {
  // The port first: a second process started by mistake must not touch the file of the first.
  let accept = (socket: Socket): void => void socket.destroy();
  const server = createServer((socket) => accept(socket));
  const port = await listen(server, deps);
  const memory = createMemory();
  const peers = new Set<Peer>();
  let healthy = true;
  const journal = await openJournal(deps.dataFile, memory, {
    now: deps.clock.now(),
    onFailure(error) {
      healthy = false;
      deps.logger.error('headend.journal_failed', { error: String(error) });
      for (const peer of peers) peer.cut();
    },
  }).catch((error: unknown) => {
    server.close();
    throw error;
  });
  const headEnd = assemble(deps, memory, journal);
  accept = (socket) => {
    const peer = createPeer(socket, {
      onMessage: (from, message) => receive(headEnd, from, message),
      onClosed(gone) {
        peers.delete(gone);
        leave(headEnd, gone);
      },
    });
    peers.add(peer);
    if (!healthy || peers.size > PEERS_MAX) peer.end('MAINTENANCE');
  };
  headEnd.desk.resume();
  return {
    port,
    async stop() {
      headEnd.desk.stop();
      const closed = new Promise((done) => server.close(done));
      for (const peer of peers) peer.end('CLOSING');
      await closed;
      await journal.close();
    },
    ...readings(memory),
    setFlow: (window, retryAfterMs) => setFlow(headEnd, window, retryAfterMs),
    isHealthy: () => healthy,
  };
}

function assemble(deps: VipControlServerDeps, memory: Memory, journal: Journal): HeadEnd {
  const maxWindow = deps.maxWindow ?? WINDOW_COMMANDS_MAX;
  const knownProducts = deps.knownProducts ? new Set(deps.knownProducts) : undefined;
  const desk = createDesk({
    memory,
    journal,
    clock: deps.clock,
    latencyMs: deps.latencyMs ?? LATENCY_MS,
    windowMax: maxWindow,
    admission: {
      osdMax: deps.osdMax ?? OSD_CHARS_MAX,
      knownCard: deps.knownCard ?? (() => true),
      ...(knownProducts ? { knownProducts } : {}),
    },
  });
  const sessions = new Map<string, Peer>();
  return { deps, memory, desk, sessions, maxWindow, window: maxWindow, knownProducts };
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

function listen(server: Server, { port, host }: VipControlServerDeps): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
  });
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
      supports: [...OPERATIONS, 'STATUS'],
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
