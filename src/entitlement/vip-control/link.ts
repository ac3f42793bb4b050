/** The link to one head-end: keeps a session up, and brings every command to an outcome. */
import { connect as connectTcp } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock, Logger, Random } from '../../platform/ports.ts';
import * as platformTimers from '../../platform/timers.ts';
import { type Command, type CommandOutcome, toWire } from './command.ts';
import { encodeFrame } from './frame.ts';
import {
  type Ack,
  type Capabilities,
  type Evt,
  type Flow,
  type Hello,
  type Nak,
  PROTOCOL_VERSION,
  parseClientMessage,
  type Res,
  type ServerMessage,
  type Welcome,
} from './messages.ts';
import type { AnswerTo, Query } from './queries.ts';
import { createQuestions, type Questions } from './questions.ts';
import { classOf } from './results.ts';
import { type OpenSession, openSession, type Session } from './session.ts';
import { createTraffic, type Traffic } from './traffic.ts';

/** A driver of the house (`../cas/driver.ts`) that speaks VIP Control. */
export interface VipControlLink {
  /** Resolves by `notAfter` and a tick, never rejects; under way already: the first's promise. */
  send(command: Command): Promise<CommandOutcome>;
  /** Answered, or `REFUSED`: with `AWAY` when there is no session, `TIMEOUT` after 30 s. */
  ask<Q extends Query>(query: Q): Promise<AnswerTo<Q['op']>>;
  state(): 'connected' | 'connecting' | 'closed';
  /** What the head-end can do, as it said last; `undefined` before the first log-in. */
  capabilities(): Capabilities | undefined;
  /** Each time a session is up: what waited for it may be sent at once. */
  onConnected(listener: () => void): () => void;
  /** Each EVT. */
  onEvent(listener: (event: Evt) => void): () => void;
  /** Says BYE; everything pending resolves, commands as unknown. */
  close(): Promise<void>;
}

export interface Timers {
  after(ms: number, fn: () => void): () => void;
  every(ms: number, fn: () => void): () => void;
}

export interface VipControlLinkDeps {
  host: string;
  port: number;
  /** Names this sender at the head-end, which keeps one session for it. */
  clientId: string;
  casId: string;
  /** The epoch of our database; raised after it was restored from a backup. */
  epoch: () => number;
  clock: Clock;
  random: Random;
  logger: Logger;
  timers?: Timers;
  /** A fresh socket per attempt, plain or TLS; may still be connecting. */
  connect?: () => Duplex;
  /** What carries sessions instead of a socket; `connect` then has no say. */
  open?: OpenSession;
}

export const TICK_MS = 500;
export const BACKOFF_MS_MIN = 100;
export const BACKOFF_MS_MAX = 5_000;
/** Only a session that lived this long makes the next back-off start from the beginning. */
const STABLE_SESSION_MS = 5_000;
/** How long an ending socket may take to flush before it is cut. */
const LINGER_MS = 1_000;
const SKEW_WARN_MS = 5_000;
/** Further apart than this, dates of rights mean different things on the two sides. */
export const SKEW_MS_MAX = 60_000;

/** Reasons to part that knocking harder does not cure. */
const NEEDS_PERSON = new Set(['PROTOCOL', 'UNRECOVERABLE', 'NOT_ALLOWED', 'CLOCK_SKEW']);
/** Nor are certificates, as OpenSSL and Node name what is wrong with them. */
const OF_CERTIFICATES = /CERT|_SSL_|_TLS_|VERIFY|SIGNATURE/;
const PLACE_TAKEN = new Set(['TAKEN_OVER', 'SESSION_EXISTS']);

interface LinkState {
  deps: VipControlLinkDeps;
  timers: Timers;
  traffic: Traffic;
  questions: Questions;
  connected: Set<() => void>;
  events: Set<(event: Evt) => void>;
  state: 'connected' | 'connecting' | 'closed';
  session: Session | undefined;
  /** The session, or the last one while it is closing. */
  latest: Session | undefined;
  capabilities: Capabilities | undefined;
  /** Whether to push out another live session of ours: yes, until one pushed us out. */
  takeover: boolean;
  attempts: number;
  sessionAgeMs: number;
  cancelReconnect: () => void;
}

/** Opens a link, which connects at once and for as long as it is not closed. */
export function createVipControlLink(deps: VipControlLinkDeps): VipControlLink {
  const timers = deps.timers ?? platformTimers;
  const link: LinkState = {
    deps,
    timers,
    traffic: createTraffic(deps),
    questions: createQuestions(),
    connected: new Set(),
    events: new Set(),
    state: 'connecting',
    session: undefined,
    latest: undefined,
    capabilities: undefined,
    takeover: true,
    attempts: 0,
    sessionAgeMs: 0,
    cancelReconnect: () => undefined,
  };
  const cancelTick = timers.every(TICK_MS, () => {
    link.sessionAgeMs += TICK_MS;
    link.session?.tick(TICK_MS);
    link.traffic.tick(TICK_MS);
    link.questions.tick(TICK_MS);
  });
  connect(link);

  return {
    send: async (command) => send(link, command),
    ask: (query) =>
      link.questions.ask(link.state === 'connected' ? link.session : undefined, query),
    state: () => link.state,
    capabilities: () => link.capabilities,
    onConnected: (listener) => listen(link.connected, listener),
    onEvent: (listener) => listen(link.events, listener),
    async close() {
      if (link.state === 'closed') return;
      link.state = 'closed';
      cancelTick();
      link.cancelReconnect();
      link.session?.end('CLOSING', 'closing');
      link.traffic.close();
      await link.latest?.closed;
    },
  };
}

function listen<Listener>(listeners: Set<Listener>, listener: Listener): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

function send(link: LinkState, command: Command): CommandOutcome | Promise<CommandOutcome> {
  const { clock, epoch, logger } = link.deps;
  const wire = toWire(command, epoch(), clock.now());
  // A command the head-end cannot read would cost the session, again at every replay.
  const longest = { ...wire, seq: Number.MAX_SAFE_INTEGER };
  if (!parseClientMessage(longest) || !encodeFrame(longest).ok) {
    logger.error('vipcontrol.command_malformed', { cmdId: command.cmdId, op: command.op });
    return { kind: 'rejected', code: 'PROTOCOL', class: classOf('PROTOCOL') };
  }
  return link.traffic.submit(wire, command.notAfter, command.onAccepted);
}

function connect(link: LinkState): void {
  const { deps } = link;
  const hello: Hello = {
    t: 'HELLO',
    v: PROTOCOL_VERSION,
    clientId: deps.clientId,
    casId: deps.casId,
    nonce: deps.random.hex(16),
    epoch: deps.epoch(),
    takeover: link.takeover,
    ...(link.latest ? { lastSeqSeen: link.latest.lastSeqSeen() } : {}),
  };
  link.sessionAgeMs = 0;
  const session: Session = openOn(deps, hello, {
    onWelcome: (welcome) => logIn(link, hello, welcome),
    onMessage: (message) => receive(link, message),
    onEnded(reason, code) {
      void session.closed.then(link.timers.after(LINGER_MS, session.cut));
      loseSession(link, reason, code);
    },
  });
  link.session = session;
  link.latest = session;
}

function receive(link: LinkState, message: Exclude<ServerMessage, Welcome>): void {
  if (message.t === 'ANSWER') link.questions.receive(message);
  else if (message.t === 'EVT') for (const listener of link.events) listener(message);
  else if (isAboutCommands(message) && link.traffic.receive(message) === 'resync') {
    link.session?.end('CLOSING', 'resync');
  }
}

function isAboutCommands(message: ServerMessage): message is Ack | Nak | Res | Flow {
  return ['ACK', 'NAK', 'RES', 'FLOW'].includes(message.t);
}

function openOn(deps: VipControlLinkDeps, ...begin: Parameters<OpenSession>): Session {
  if (deps.open) return deps.open(...begin);
  return openSession(deps.connect ? deps.connect() : connectPlain(deps), ...begin);
}

function connectPlain({ host, port }: VipControlLinkDeps): Duplex {
  return connectTcp({ host, port, noDelay: true });
}

function logIn(link: LinkState, hello: Hello, welcome: Welcome): void {
  const { clock, logger } = link.deps;
  const skewMs = Date.parse(welcome.serverTime) - clock.now().getTime();
  if (Math.abs(skewMs) > SKEW_MS_MAX) {
    link.session?.end('CLOCK_SKEW', 'clock_skew');
    return;
  }
  if (Math.abs(skewMs) > SKEW_WARN_MS) logger.warn('vipcontrol.clock_skew', { skewMs });
  if (welcome.epoch > hello.epoch) {
    // Every set of rights we send will be refused as stale.
    logger.error('vipcontrol.epoch_behind', { own: hello.epoch, headEnd: welcome.epoch });
  }
  if (!link.session) return;
  link.state = 'connected';
  link.takeover = true;
  link.capabilities = welcome.caps;
  // How much of the session before each side has seen of the other.
  const { lastSeqSeen } = hello;
  const { sessionId, lastCmdSeq } = welcome;
  logger.info('vipcontrol.connected', { sessionId, lastSeqSeen, lastCmdSeq });
  link.traffic.attach(link.session, welcome.caps);
  for (const listener of link.connected) listener();
}

function loseSession(link: LinkState, reason: string, code?: string): void {
  link.traffic.detach();
  link.questions.detach();
  link.session = undefined;
  if (link.state === 'closed') return;
  if (link.state === 'connected' && link.sessionAgeMs >= STABLE_SESSION_MS) link.attempts = 0;
  link.state = 'connecting';
  // The newer process wins; we come back only when the place is free.
  if (code === 'TAKEN_OVER') link.takeover = false;
  const needsPerson = NEEDS_PERSON.has(code ?? '') || OF_CERTIFICATES.test(reason);
  const isPatient = needsPerson || PLACE_TAKEN.has(code ?? '');
  const delayMs = reconnectDelay(link, isPatient);
  const fields = { reason, code, delayMs };
  if (needsPerson) {
    link.deps.logger.error('vipcontrol.disconnected', fields);
  } else {
    link.deps.logger.warn('vipcontrol.disconnected', fields);
  }
  link.attempts += 1;
  link.cancelReconnect = link.timers.after(delayMs, () => connect(link));
}

/** Milliseconds to the next attempt: doubling, jittered so that many links do not knock at once. */
function reconnectDelay(link: LinkState, isPatient: boolean): number {
  const doubled = Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** link.attempts);
  const delayMs = isPatient ? BACKOFF_MS_MAX : doubled;
  return Math.round(delayMs * (0.5 + link.deps.random.fraction() / 2));
}
