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
  type Flow,
  type Hello,
  type Nak,
  PROTOCOL_VERSION,
  parseClientMessage,
  type Res,
  type ServerMessage,
  type Welcome,
} from './messages.ts';
import { classOf } from './results.ts';
import { openSession, type Session } from './session.ts';
import { createTraffic, type Traffic } from './traffic.ts';

export interface VipControlLink {
  /**
   * Sends a command and resolves with what came of it, at the latest when its `notAfter` passes;
   * never rejects for anything the network or the head-end does. A cmdId under way already gives
   * the promise of the first call.
   */
  send(command: Command): Promise<CommandOutcome>;
  state(): 'connected' | 'connecting' | 'closed';
  /** What the head-end can do, as it said last; `undefined` before the first log-in. */
  capabilities(): Capabilities | undefined;
  /** Says BYE; everything pending resolves as unknown. */
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
  /** Each time a session is up: what waited for it may be sent at once. */
  onConnected?(): void;
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
const PLACE_TAKEN = new Set(['TAKEN_OVER', 'SESSION_EXISTS']);

interface LinkState {
  deps: VipControlLinkDeps;
  timers: Timers;
  traffic: Traffic;
  state: 'connected' | 'connecting' | 'closed';
  session: Session | undefined;
  socket: Duplex | undefined;
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
    state: 'connecting',
    session: undefined,
    socket: undefined,
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
  });
  connect(link);

  return {
    send: async (command) => send(link, command),
    state: () => link.state,
    capabilities: () => link.capabilities,
    async close() {
      if (link.state === 'closed') return;
      link.state = 'closed';
      cancelTick();
      link.cancelReconnect();
      const { socket } = link;
      link.session?.end('CLOSING', 'closing');
      link.traffic.close();
      if (socket && !socket.closed) await new Promise((done) => socket.once('close', done));
    },
  };
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
  const socket = deps.connect ? deps.connect() : connectPlain(deps);
  const hello: Hello = {
    t: 'HELLO',
    v: PROTOCOL_VERSION,
    clientId: deps.clientId,
    casId: deps.casId,
    nonce: deps.random.hex(16),
    epoch: deps.epoch(),
    takeover: link.takeover,
  };
  link.socket = socket;
  link.sessionAgeMs = 0;
  link.session = openSession(socket, hello, {
    onWelcome: (welcome) => logIn(link, hello, welcome),
    onMessage(message) {
      if (!isAboutCommands(message)) return;
      const verdict = link.traffic.receive(message);
      if (verdict === 'resync') link.session?.end('CLOSING', 'resync');
    },
    onEnded(reason, code) {
      const cancelCut = link.timers.after(LINGER_MS, () => socket.destroy());
      socket.once('close', cancelCut);
      if (socket.closed) cancelCut();
      loseSession(link, reason, code);
    },
  });
}

function isAboutCommands(message: ServerMessage): message is Ack | Nak | Res | Flow {
  return ['ACK', 'NAK', 'RES', 'FLOW'].includes(message.t);
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
  logger.info('vipcontrol.connected', { sessionId: welcome.sessionId });
  link.traffic.attach(link.session, welcome.caps);
  link.deps.onConnected?.();
}

function loseSession(link: LinkState, reason: string, code?: string): void {
  link.traffic.detach();
  link.session = undefined;
  if (link.state === 'closed') return;
  if (link.state === 'connected' && link.sessionAgeMs >= STABLE_SESSION_MS) link.attempts = 0;
  link.state = 'connecting';
  // The newer process wins; we come back only when the place is free.
  if (code === 'TAKEN_OVER') link.takeover = false;
  const delayMs = reconnectDelay(link, code);
  const fields = { reason, code, delayMs };
  if (code !== undefined && NEEDS_PERSON.has(code)) {
    link.deps.logger.error('vipcontrol.disconnected', fields);
  } else {
    link.deps.logger.warn('vipcontrol.disconnected', fields);
  }
  link.attempts += 1;
  link.cancelReconnect = link.timers.after(delayMs, () => connect(link));
}

/** Milliseconds to the next attempt: doubling, jittered so that many links do not knock at once. */
function reconnectDelay(link: LinkState, code: string | undefined): number {
  const patient = code !== undefined && (NEEDS_PERSON.has(code) || PLACE_TAKEN.has(code));
  const doubled = Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** link.attempts);
  return Math.round((patient ? BACKOFF_MS_MAX : doubled) * (0.5 + link.deps.random.fraction() / 2));
}
