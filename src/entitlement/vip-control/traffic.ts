/**
 * The commands of a link: the queue, the window, and every command in flight until its outcome.
 * It outlives sessions: what has no result when one ends is asked about, then sent again with the
 * same cmdId, on the next.
 */
import type { Clock, Logger } from '../../platform/ports.ts';
import { type CommandOutcome, outcomeOfResult, type UnnumberedCommand } from './command.ts';
import { createFlight, type Flight, nextStep } from './flight.ts';
import type { Ack, Capabilities, Flow, Nak, Res } from './messages.ts';
import { classOf } from './results.ts';
import type { Session } from './session.ts';
import { createWaitingQueue, type WaitingQueue } from './waiting.ts';

export interface Traffic {
  /** Queues a command; the promise resolves no later than `notAfter`, give or take a tick. */
  submit(wire: UnnumberedCommand, notAfter: Date, onAccepted?: () => void): Promise<CommandOutcome>;
  /** A session is up: asks about all that is in flight, then sends what waits. */
  attach(session: Session, caps: Capabilities): void;
  detach(): void;
  /** Takes an answer; `resync` when the session is out of step and must be begun anew. */
  receive(message: Ack | Nak | Res | Flow): 'taken' | 'resync';
  tick(stepMs: number): void;
  /** Resolves everything as unknown, now and from now on. */
  close(): void;
}

/** Commands that may wait for the window; over it `submit` answers `WINDOW_FULL`. */
export const WAITING_COMMANDS_MAX = 4_096;
/** The longest pause a head-end may ask for by FLOW or NAK. */
export const HOLD_MS_MAX = 60_000;
const WINDOW_FULL_HOLD_MS = 1_000;

interface TrafficState {
  clock: Clock;
  logger: Logger;
  session: Session | undefined;
  window: number;
  windowMax: number;
  holdUntilMs: number;
  elapsedMs: number;
  closed: boolean;
  waiting: WaitingQueue<Flight>;
  flights: Map<string, Flight>;
  outcomes: Map<string, Promise<CommandOutcome>>;
}

/** The traffic of one link; `clock` is asked only about `notAfter`. */
export function createTraffic(deps: { clock: Clock; logger: Logger }): Traffic {
  const state: TrafficState = {
    clock: deps.clock,
    logger: deps.logger,
    session: undefined,
    window: 0,
    windowMax: 0,
    holdUntilMs: 0,
    elapsedMs: 0,
    closed: false,
    waiting: createWaitingQueue(WAITING_COMMANDS_MAX),
    flights: new Map(),
    outcomes: new Map(),
  };
  return {
    submit: (...command) => submit(state, ...command),
    attach: (session, caps) => attach(state, session, caps),
    detach() {
      state.session = undefined;
    },
    receive: (message) => receive(state, message),
    tick: (stepMs) => tick(state, stepMs),
    close() {
      state.closed = true;
      state.session = undefined;
      for (const flight of state.waiting.remove(() => true)) resolveUnknown(state, flight);
      for (const flight of [...state.flights.values()]) resolveUnknown(state, flight);
    },
  };
}

function submit(
  state: TrafficState,
  ...[wire, notAfter, onAccepted]: Parameters<Traffic['submit']>
): Promise<CommandOutcome> {
  if (state.closed) return Promise.resolve({ kind: 'unknown', sent: false });
  const underWay = state.outcomes.get(wire.cmdId);
  if (underWay) return underWay;
  const { promise, resolve } = Promise.withResolvers<CommandOutcome>();
  if (!state.waiting.add(wire.prio, createFlight(wire, notAfter, resolve, onAccepted))) {
    return Promise.resolve({ kind: 'retry', code: 'WINDOW_FULL' });
  }
  state.outcomes.set(wire.cmdId, promise);
  sendWaiting(state);
  return promise;
}

function attach(state: TrafficState, session: Session, caps: Capabilities): void {
  state.session = session;
  state.windowMax = caps.maxWindow;
  state.window = caps.maxWindow;
  state.holdUntilMs = 0;
  for (const flight of state.flights.values()) ask(state, session, flight);
  sendWaiting(state);
}

function receive(state: TrafficState, message: Ack | Nak | Res | Flow): 'taken' | 'resync' {
  if (message.t === 'FLOW') {
    state.window = Math.min(message.window, state.windowMax);
    hold(state, message.retryAfterMs ?? 0);
    sendWaiting(state);
    return 'taken';
  }
  const flight = state.flights.get(message.cmdId);
  // A second or very late answer: its command has had its outcome.
  if (!flight) return 'taken';
  if (message.t === 'NAK') return receiveNak(state, flight, message);
  if (message.t === 'ACK') {
    flight.phase = 'accepted';
    if (flight.acceptedAtMs === undefined) flight.onAccepted?.();
    flight.acceptedAtMs ??= state.elapsedMs;
  } else {
    const outcome = outcomeOfResult(message);
    if (classOf(message.code) === 'fatal') logFatal(state, flight, message.code);
    settle(state, flight, outcome);
    sendWaiting(state);
  }
  return 'taken';
}

function receiveNak(state: TrafficState, flight: Flight, nak: Nak): 'taken' | 'resync' {
  const { code, retryAfterMs } = nak;
  const resultClass = classOf(code);
  if (code === 'UNKNOWN_COMMAND') {
    // Only as the answer to STATUS: otherwise two machines could repeat themselves without end.
    if (flight.phase === 'asked') launch(state, flight);
    return 'taken';
  }
  if (code === 'WINDOW_FULL') {
    state.flights.delete(nak.cmdId);
    flight.sent = false;
    state.waiting.putBack(flight.wire.prio, flight);
    hold(state, retryAfterMs ?? WINDOW_FULL_HOLD_MS);
    return 'taken';
  }
  if (resultClass === 'sequence') return 'resync';
  if (resultClass === 'transient') {
    const pause = retryAfterMs === undefined ? {} : { retryAfterMs };
    settle(state, flight, { kind: 'retry', code, ...pause });
  } else {
    // "Not taken, because all is well" makes no sense: somebody has to look.
    const rejectedAs = resultClass === 'ok' ? 'fatal' : resultClass;
    if (rejectedAs === 'fatal') logFatal(state, flight, code);
    settle(state, flight, { kind: 'rejected', code, class: rejectedAs });
  }
  sendWaiting(state);
  return 'taken';
}

function tick(state: TrafficState, stepMs: number): void {
  state.elapsedMs += stepMs;
  const nowMs = state.clock.now().getTime();
  const isOver = (flight: Flight) => flight.notAfterMs <= nowMs;
  for (const flight of state.waiting.remove(isOver)) resolveUnknown(state, flight);
  for (const flight of [...state.flights.values()]) {
    if (isOver(flight)) resolveUnknown(state, flight);
    else takeStep(state, flight);
  }
  sendWaiting(state);
}

function takeStep(state: TrafficState, flight: Flight): void {
  const step = nextStep(flight, state.elapsedMs);
  const { cmdId, op } = flight.wire;
  if (step === 'give_up') {
    state.logger.error('vipcontrol.command_given_up', { cmdId, op });
    resolveUnknown(state, flight);
  } else if (step === 'alarm') {
    flight.alarmed = true;
    state.logger.warn('vipcontrol.command_slow', { cmdId, op });
  } else if (state.session && step === 'ask') {
    ask(state, state.session, flight);
  } else if (step === 'resend') {
    launch(state, flight);
  }
}

function sendWaiting(state: TrafficState): void {
  const { session, waiting, flights } = state;
  if (!session || state.elapsedMs < state.holdUntilMs) return;
  while (flights.size < state.window) {
    const flight = waiting.take();
    if (!flight) return;
    flights.set(flight.wire.cmdId, flight);
    launch(state, flight);
  }
}

function launch(state: TrafficState, flight: Flight): void {
  if (!state.session) return;
  flight.sent = true;
  flight.phase = 'sent';
  flight.askedAtMs = state.elapsedMs;
  state.session.sendCommand(flight.wire);
}

function ask(state: TrafficState, session: Session, flight: Flight): void {
  flight.phase = 'asked';
  flight.askedAtMs = state.elapsedMs;
  session.send({ t: 'STATUS', cmdId: flight.wire.cmdId });
}

function hold(state: TrafficState, pauseMs: number): void {
  state.holdUntilMs = state.elapsedMs + Math.min(pauseMs, HOLD_MS_MAX);
}

function resolveUnknown(state: TrafficState, flight: Flight): void {
  settle(state, flight, { kind: 'unknown', sent: flight.sent });
}

function settle(state: TrafficState, flight: Flight, outcome: CommandOutcome): void {
  state.flights.delete(flight.wire.cmdId);
  state.outcomes.delete(flight.wire.cmdId);
  flight.resolve(outcome);
}

function logFatal(state: TrafficState, flight: Flight, code: string): void {
  state.logger.error('vipcontrol.command_fatal', { cmdId: flight.wire.cmdId, code });
}
