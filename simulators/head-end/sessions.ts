/** Who is at a head-end: log-in, one session a client, and what each says. */
import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import {
  type ByeCode,
  type ClientMessage,
  type Hello,
  PROTOCOL_VERSION,
  type QueryMessage,
} from '../../src/entitlement/vip-control/messages.ts';
import { OPERATIONS } from '../../src/entitlement/vip-control/operations.ts';
import type { ResultCode } from '../../src/entitlement/vip-control/results.ts';
import { type HeadEnd, MAIL_CHARS_MAX, OSD_CHARS_MAX } from './head-end.ts';
import { createPeer, type Peer } from './peer.ts';
import { QUESTIONS } from './questions.ts';

const FINGERPRINT_MODES = ['overt', 'covert'];
const QUERIES_AT_ONCE_MAX = 16;
const PEERS_MAX = 256;
const PRODUCTS_BYTES_MAX = 32_768;

/** Takes in whoever has come through the door. */
export function welcome(headEnd: HeadEnd, socket: Socket): void {
  const events = {
    onMessage: (from: Peer, message: ClientMessage) => receive(headEnd, from, message),
    onClosed: (gone: Peer) => leave(headEnd, gone),
  };
  enter(headEnd, createPeer(socket, events, headEnd.wire));
}

/** Counts a peer among those that are here. */
export function enter({ peers, isHealthy }: HeadEnd, peer: Peer): void {
  peers.add(peer);
  if (!isHealthy || peers.size > PEERS_MAX) peer.end('MAINTENANCE');
}

/** Does what a peer says. */
export function receive(headEnd: HeadEnd, peer: Peer, message: ClientMessage): void {
  if (message.t === 'PING') peer.send({ t: 'PONG' });
  else if (message.t === 'BYE') peer.end('CLOSING');
  else if (message.t === 'HELLO') logIn(headEnd, peer, message);
  else if (message.t === 'CMD' || message.t === 'STATUS') {
    if (peer.clientId === undefined) {
      peer.send({ t: 'NAK', cmdId: message.cmdId, code: 'NOT_LOGGED_IN' });
    } else if (message.t === 'CMD') headEnd.desk.take(peer, message);
    else headEnd.desk.tell(peer, message.cmdId);
  } else if (message.t === 'QUERY') void answer(headEnd, peer, message);
}

async function answer({ ask }: HeadEnd, peer: Peer, { qid, query }: QueryMessage): Promise<void> {
  const refuse = (code: ResultCode) =>
    peer.send({ t: 'ANSWER', qid, answer: { op: 'REFUSED', code } });
  if (peer.clientId === undefined) return refuse('NOT_LOGGED_IN');
  if (peer.asking >= QUERIES_AT_ONCE_MAX) return refuse('BUSY');
  peer.asking += 1;
  const told = await ask(query).catch(() => ({ op: 'REFUSED', code: 'INTERNAL' }) as const);
  peer.asking -= 1;
  peer.send({ t: 'ANSWER', qid, answer: told });
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
  const lastCmdSeq = headEnd.lastSeqs.get(hello.clientId);
  peer.send({
    t: 'WELCOME',
    sessionId: randomUUID(),
    nonce: hello.nonce,
    caps: {
      osdMax: deps.osdMax ?? OSD_CHARS_MAX,
      mailMax: deps.mailMax ?? MAIL_CHARS_MAX,
      fpModes: FINGERPRINT_MODES,
      maxWindow: headEnd.maxWindow,
      supports: [...OPERATIONS, ...QUESTIONS, 'STATUS'],
      repeats: [...headEnd.profile],
      ...listedProducts(headEnd.knownProducts),
    },
    serverTime: headEnd.clock.now().toISOString(),
    epoch: memory.epochFloor,
    ...(lastCmdSeq === undefined ? {} : { lastCmdSeq }),
  });
  if (headEnd.toldWindow < headEnd.maxWindow) {
    peer.send({ t: 'FLOW', window: headEnd.toldWindow });
  }
  const backlog = headEnd.backlog.standing();
  if (backlog) peer.send({ t: 'EVT', kind: 'emm_backlog', detail: { ...backlog } });
  headEnd.telling.greet(peer);
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

/** Forgets a peer that has gone. */
export function leave(headEnd: HeadEnd, peer: Peer): void {
  const { clientId } = peer;
  headEnd.peers.delete(peer);
  if (clientId === undefined || headEnd.sessions.get(clientId) !== peer) return;
  headEnd.sessions.delete(clientId);
  headEnd.lastSeqs.set(clientId, peer.lastSeq);
  headEnd.deps.logger.info('headend.session_closed', { clientId });
}

/** A smaller, or again larger, window for everybody, from now on. */
export function setFlow(headEnd: HeadEnd, window: number, retryAfterMs?: number): void {
  headEnd.window = Math.min(window, headEnd.maxWindow);
  headEnd.toldWindow = windowNow(headEnd);
  const pause = retryAfterMs === undefined ? {} : { retryAfterMs };
  for (const peer of headEnd.sessions.values()) {
    peer.send({ t: 'FLOW', window: headEnd.toldWindow, ...pause });
  }
}

function windowNow({ faults, window }: HeadEnd): number {
  return faults.inForce('load') ? Math.min(window, 1) : window;
}

/** Tells everybody the window when a fault has changed it. */
export function tellWindow(headEnd: HeadEnd): void {
  if (windowNow(headEnd) !== headEnd.toldWindow) setFlow(headEnd, headEnd.window);
}
