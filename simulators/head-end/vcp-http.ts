/**
 * VIP Control by HTTP: each request carries one message of a client, its answer one of ours. A
 * session lives in a header; what it has to be told unasked waits for its next PING.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import {
  type ByeCode,
  type ClientMessage,
  parseClientMessage,
  type ServerMessage,
} from '../../src/entitlement/vip-control/messages.ts';
import { type Answer, readJson, refuseForeign, reply } from './http-answers.ts';
import type { Peer } from './peer.ts';
import type { Timers } from './pulse.ts';

/** Handles one request. */
export type VcpHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

export interface VcpHttpDeps {
  timers: Timers;
  /** Whether anybody is let in. */
  isUp(): boolean;
  /** A new client knocks: it has no name yet. */
  enter(peer: Peer): void;
  receive(peer: Peer, message: ClientMessage): void;
  leave(peer: Peer): void;
}

const SESSION_HEADER = 'vcp-session';
const SILENCE_MS_MAX = 45_000;
/** How long somebody whose place was taken is told so. */
const TAKEN_OVER_MS = 600_000;
const REQUESTS_AT_ONCE_MAX = 8;
const UNASKED_MAX = 100;

interface Wait {
  /** Whether a message answers the request. */
  isFor(message: ServerMessage): boolean;
  /** Undefined: there will be no answer. */
  answer(message: ServerMessage | undefined): void;
}

interface Session {
  peer: Peer;
  waits: Wait[];
  /** What it is to be told with its next PINGs. */
  unasked: ServerMessage[];
  /** Set once it is over. */
  bye?: ByeCode;
  cancelTimer(): void;
  onOver(): void;
}

interface State extends VcpHttpDeps {
  sessions: Map<string, Session>;
}

const anyObject = z.looseObject({});

/** A handler that keeps the sessions of its clients. */
export function createVcpHandler(deps: VcpHttpDeps): VcpHandler {
  const state: State = { ...deps, sessions: new Map() };
  return async (request, response) => {
    const answer = await answerTo(state, request).catch(() => undefined);
    if (!answer) {
      response.destroy();
      return;
    }
    if (answer[0] === 413) response.setHeader('connection', 'close');
    reply(response, answer);
  };
}

async function answerTo(state: State, request: IncomingMessage): Promise<Answer | undefined> {
  if (request.method !== 'POST') return [405, { error: 'POST only.' }];
  const refusal = refuseForeign(request);
  if (refusal) return refusal;
  const id = request.headers[SESSION_HEADER];
  const session = typeof id === 'string' ? state.sessions.get(id) : undefined;
  const body = await readJson(request, anyObject);
  if (!state.isUp()) {
    session?.peer.cut();
    return [503, { error: 'VIP Control is down.' }];
  }
  if (!body.ok && body.answer[0] === 413) return body.answer;
  const message = body.ok ? parseClientMessage(body.value) : undefined;
  if (!message || message.t === 'PONG') {
    session?.peer.end('PROTOCOL');
    return [400, { t: 'BYE', code: 'PROTOCOL' }];
  }
  if (session) return await converse(state, session, message);
  if (message.t !== 'HELLO' || id !== undefined) return [200, notLoggedIn(message)];
  return await logIn(state, message);
}

function notLoggedIn(message: ClientMessage): ServerMessage {
  const code = 'NOT_LOGGED_IN';
  if (message.t === 'CMD') return { t: 'NAK', seq: message.seq, cmdId: message.cmdId, code };
  if (message.t === 'STATUS') return { t: 'NAK', cmdId: message.cmdId, code };
  if (message.t !== 'QUERY') return { t: 'BYE', code };
  return { t: 'ANSWER', qid: message.qid, answer: { op: 'REFUSED', code } };
}

async function logIn(state: State, hello: ClientMessage): Promise<Answer | undefined> {
  const session: Session = {
    ...{ peer: createHttpPeer(() => session), waits: [], unasked: [] },
    ...{ cancelTimer: () => undefined, onOver: () => undefined },
  };
  const { peer } = session;
  state.enter(peer);
  if (session.bye !== undefined) return [200, { t: 'BYE', code: session.bye }];
  const welcome = await ask(state, session, hello);
  if (welcome?.t !== 'WELCOME') {
    state.leave(peer);
    return welcome && [200, welcome];
  }
  state.sessions.set(welcome.sessionId, session);
  session.onOver = () => {
    state.leave(peer);
    finish(state, welcome.sessionId, session);
  };
  rest(state, session);
  return [200, welcome];
}

function createHttpPeer(sessionOf: () => Session): Peer {
  const over = (code: ByeCode | undefined) => {
    const session = sessionOf();
    const { peer, waits } = session;
    if (!peer.isOpen()) return;
    session.bye = code ?? 'NOT_LOGGED_IN';
    for (const { answer } of waits.splice(0)) answer(code && { t: 'BYE', code });
    session.onOver();
  };
  return {
    ...{ clientId: undefined, lastSeq: 0, inFlight: 0, asking: 0, isSequenced: false },
    isOpen: () => sessionOf().bye === undefined,
    send(message) {
      const { waits, unasked } = sessionOf();
      const at = waits.findIndex((wait) => wait.isFor(message));
      const [wait] = at < 0 ? [] : waits.splice(at, 1);
      if (wait) wait.answer(message);
      else if (message.t === 'FLOW' || message.t === 'EVT') {
        unasked.push(message);
        if (unasked.length > UNASKED_MAX) unasked.shift();
      }
    },
    end: over,
    cut: () => over(undefined),
  };
}

/** Keeps the name of a session that was taken over, and forgets any other. */
function finish({ sessions, timers }: State, id: string, session: Session): void {
  session.cancelTimer();
  if (session.bye !== 'TAKEN_OVER') sessions.delete(id);
  else session.cancelTimer = timers.after(TAKEN_OVER_MS, () => void sessions.delete(id));
}

async function converse(
  state: State,
  session: Session,
  message: ClientMessage,
): Promise<Answer | undefined> {
  if (session.bye !== undefined) return [200, { t: 'BYE', code: session.bye }];
  if (session.waits.length >= REQUESTS_AT_ONCE_MAX) return [503, { error: 'Too much at once.' }];
  const unasked = message.t === 'PING' ? session.unasked.shift() : undefined;
  session.cancelTimer();
  const answer = unasked ?? (await ask(state, session, message));
  rest(state, session);
  return answer && [200, answer];
}

/** A session ends when nothing is asked of it for a while. */
function rest({ timers }: State, session: Session): void {
  session.cancelTimer();
  if (session.bye !== undefined || session.waits.length > 0) return;
  session.cancelTimer = timers.after(SILENCE_MS_MAX, () => session.peer.end('CLOSING'));
}

function ask(
  state: State,
  session: Session,
  message: ClientMessage,
): Promise<ServerMessage | undefined> {
  return new Promise((answer) => {
    session.waits.push({ isFor: answers(message), answer });
    state.receive(session.peer, message);
  });
}

function answers(asked: ClientMessage): Wait['isFor'] {
  return (told) => {
    switch (asked.t) {
      case 'HELLO':
        return told.t === 'WELCOME';
      case 'CMD':
        return (told.t === 'ACK' || told.t === 'NAK') && told.cmdId === asked.cmdId;
      case 'STATUS':
        return 'cmdId' in told && told.cmdId === asked.cmdId;
      case 'QUERY':
        return told.t === 'ANSWER' && told.qid === asked.qid;
      default:
        return told.t === 'PONG';
    }
  };
}
