/**
 * A session of VIP Control over HTTP: what a socket would bring by itself is fetched. Everything
 * above it – window, timers, outcomes – is the same.
 */
import { RESULT_GIVE_UP_MS } from './flight.ts';
import { createHeartbeat, type Heartbeat } from './heartbeat.ts';
import type { Exchanged, HttpExchange } from './http-exchange.ts';
import {
  type Ack,
  type ClientMessage,
  type Hello,
  parseServerMessage,
  type ServerMessage,
  type Welcome,
} from './messages.ts';
import type { Session, SessionEvents } from './session.ts';

/** How long after its ACK a result is first fetched; then twice as long each time. */
export const FETCH_MS_MIN = 100;
export const FETCH_MS_MAX = 5_000;

type SessionMessage = Exclude<ServerMessage, Welcome>;

interface HttpConnection {
  exchange: HttpExchange;
  after: (ms: number, fn: () => void) => () => void;
  events: SessionEvents;
  hello: Hello;
  sessionId: string | undefined;
  ended: boolean;
  seq: number;
  lastSeqSeen: number;
  heartbeat: Heartbeat;
  /** Results that are being waited for, by cmdId. */
  fetches: Map<string, Fetch>;
  close(): void;
}

interface Fetch {
  /** Our sending was the one that was taken: its result is no repetition, though it is fetched. */
  isFirst: boolean;
  /** The wait before the next STATUS. */
  waitMs: number;
  waitedMs: number;
  cancel: (() => void) | undefined;
}

/** Says HELLO; `after` is the link's own timer. */
export function openHttpSession(
  deps: { exchange: HttpExchange; after: HttpConnection['after'] },
  hello: Hello,
  events: SessionEvents,
): Session {
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  const connection: HttpConnection = {
    ...{ ...deps, events, hello },
    sessionId: undefined,
    ended: false,
    seq: 0,
    lastSeqSeen: 0,
    heartbeat: createHeartbeat(),
    fetches: new Map(),
    close() {
      deps.exchange.close();
      resolve();
    },
  };
  transmit(connection, hello);
  return {
    sendCommand(command) {
      connection.seq += 1;
      transmit(connection, { ...command, seq: connection.seq });
    },
    send: (message) => transmit(connection, message),
    tick(stepMs) {
      if (connection.ended) return;
      const due = connection.heartbeat.tick(stepMs, connection.sessionId !== undefined);
      if (due === 'ping') transmit(connection, { t: 'PING' });
      else if (due !== 'nothing') end(connection, due);
    },
    end: (code, reason) => partFrom(connection, code, reason),
    lastSeqSeen: () => connection.lastSeqSeen,
    cut: connection.close,
    closed,
  };
}

function transmit(connection: HttpConnection, message: ClientMessage): void {
  if (connection.ended) return;
  void connection.exchange
    .post(message, connection.sessionId)
    .then((answer) => receive(connection, message, answer));
}

function receive(connection: HttpConnection, sent: ClientMessage, answer: Exchanged): void {
  if (connection.ended) return;
  if (!answer.ok) {
    end(connection, answer.reason);
    return;
  }
  connection.heartbeat.heard();
  const parsed = parseServerMessage(answer.json);
  if (parsed.ok) hear(connection, sent, parsed.message);
  else if (parsed.error === 'malformed') partFrom(connection, 'PROTOCOL', 'malformed_message');
  hearMore(connection, sent, answer.json.t);
}

function hear(connection: HttpConnection, sent: ClientMessage, message: ServerMessage): void {
  if (message.t === 'WELCOME') welcome(connection, sent, message);
  else take(connection, sent, message);
}

/** What a head-end tells unasked comes instead of PONG, one thing an answer. */
function hearMore(connection: HttpConnection, sent: ClientMessage, type: unknown): void {
  if (sent.t === 'PING' && type !== 'PONG') transmit(connection, { t: 'PING' });
}

function welcome(connection: HttpConnection, sent: ClientMessage, message: Welcome): void {
  if (sent.t !== 'HELLO' || message.nonce !== connection.hello.nonce) {
    partFrom(connection, 'PROTOCOL', 'unexpected_welcome');
    return;
  }
  connection.sessionId = message.sessionId;
  connection.events.onWelcome(message);
}

function take(connection: HttpConnection, sent: ClientMessage, message: SessionMessage): void {
  if (message.t === 'BYE') {
    end(connection, 'bye', message.code);
  } else if (connection.sessionId === undefined) {
    partFrom(connection, 'PROTOCOL', 'message_before_welcome');
  } else if (!answers(sent, message)) {
    partFrom(connection, 'PROTOCOL', 'answer_to_another');
  } else {
    if (sent.t === 'CMD') connection.lastSeqSeen = Math.max(connection.lastSeqSeen, sent.seq);
    connection.events.onMessage(keepFetching(connection, message));
    if (isNotLoggedIn(message)) end(connection, 'not_logged_in');
  }
}

/** Goes on waiting for the result of a command, or no longer; gives the message as it counts. */
function keepFetching(connection: HttpConnection, message: SessionMessage): SessionMessage {
  if (message.t === 'ACK') fetchLater(connection, message);
  if (message.t !== 'RES' && message.t !== 'NAK') return message;
  const isFirst = connection.fetches.get(message.cmdId)?.isFirst === true;
  stopFetching(connection, message.cmdId);
  return message.t === 'RES' && isFirst ? { ...message, dup: false } : message;
}

/** Commands say so by themselves: they make the link begin a new session. */
function isNotLoggedIn(message: ServerMessage): boolean {
  if (message.t !== 'ANSWER' || message.answer.op !== 'REFUSED') return false;
  return message.answer.code === 'NOT_LOGGED_IN';
}

/** Whether this may come back for that. */
function answers(sent: ClientMessage, message: ServerMessage): boolean {
  if ('cmdId' in message) return 'cmdId' in sent && sent.cmdId === message.cmdId;
  return message.t !== 'ANSWER' || (sent.t === 'QUERY' && sent.qid === message.qid);
}

function fetchLater(connection: HttpConnection, { cmdId, status }: Ack): void {
  const known = connection.fetches.get(cmdId);
  if (known?.cancel) return;
  const isFirst = status === 'ACCEPTED';
  const fetch = known ?? { isFirst, waitMs: FETCH_MS_MIN, waitedMs: 0, cancel: undefined };
  // Nobody waits for it any longer.
  if (fetch.waitedMs >= RESULT_GIVE_UP_MS) {
    connection.fetches.delete(cmdId);
    return;
  }
  connection.fetches.set(cmdId, fetch);
  const { waitMs } = fetch;
  fetch.cancel = connection.after(waitMs, () => {
    fetch.cancel = undefined;
    fetch.waitedMs += waitMs;
    fetch.waitMs = Math.min(2 * waitMs, FETCH_MS_MAX);
    transmit(connection, { t: 'STATUS', cmdId });
  });
}

function stopFetching(connection: HttpConnection, cmdId: string): void {
  connection.fetches.get(cmdId)?.cancel?.();
  connection.fetches.delete(cmdId);
}

/** Says BYE, as far as there is anybody to say it to, and ends. */
function partFrom(connection: HttpConnection, ...[code, reason]: Parameters<Session['end']>): void {
  if (connection.ended) return;
  const { exchange, sessionId, close } = connection;
  finish(connection, reason, code);
  if (sessionId === undefined) close();
  else void exchange.post({ t: 'BYE', code }, sessionId).then(close);
}

function end(connection: HttpConnection, reason: string, code?: string): void {
  connection.close();
  finish(connection, reason, code);
}

function finish(connection: HttpConnection, reason: string, code?: string): void {
  if (connection.ended) return;
  connection.ended = true;
  for (const cmdId of [...connection.fetches.keys()]) stopFetching(connection, cmdId);
  connection.events.onEnded(reason, code);
}
