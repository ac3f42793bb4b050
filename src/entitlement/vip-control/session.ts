/** One connection to a head-end, from HELLO to its end: framing, log-in, sequence, heartbeat. */
import type { Duplex } from 'node:stream';
import type { UnnumberedCommand } from './command.ts';
import { createFrameDecoder, encodeFrame } from './frame.ts';
import { createHeartbeat, type Heartbeat } from './heartbeat.ts';
import {
  type ByeCode,
  type ClientMessage,
  type Hello,
  parseServerMessage,
  type ServerMessage,
  type Welcome,
} from './messages.ts';

export interface Session {
  /** Numbers the command and sends it. */
  sendCommand(command: UnnumberedCommand): void;
  send(message: ClientMessage): void;
  /** Must be called every `stepMs`: it sends the PINGs and notices a dead peer. */
  tick(stepMs: number): void;
  /** Says BYE and ends; `onEnded` follows at once. */
  end(code: ByeCode, reason: string): void;
  /** The last `seq` that an ACK or NAK has answered; 0 when none. */
  lastSeqSeen(): number;
  /** Lets go of what still lingers after the end. */
  cut(): void;
  /** Resolves when nothing of it is open any more. */
  closed: Promise<void>;
}

export interface SessionEvents {
  onWelcome(welcome: Welcome): void;
  onMessage(message: Exclude<ServerMessage, Welcome>): void;
  /** Exactly once. `code` is that of the BYE, whichever side said it. */
  onEnded(reason: string, code?: string): void;
}

/** Begins a session with this HELLO, on whatever carries it. */
export type OpenSession = (hello: Hello, events: SessionEvents) => Session;

interface Connection {
  socket: Duplex;
  events: SessionEvents;
  nonce: string;
  welcomed: boolean;
  ended: boolean;
  seq: number;
  lastSeqSeen: number;
  heartbeat: Heartbeat;
}

/** Starts a session on a fresh, possibly still connecting, socket. */
export function openSession(socket: Duplex, hello: Hello, events: SessionEvents): Session {
  const connection: Connection = {
    socket,
    events,
    nonce: hello.nonce,
    welcomed: false,
    ended: false,
    seq: 0,
    lastSeqSeen: 0,
    heartbeat: createHeartbeat(),
  };
  const decoder = createFrameDecoder();
  socket.on('data', (chunk: Buffer) => {
    if (connection.ended) return;
    connection.heartbeat.heard();
    const decoded = decoder.push(chunk);
    for (const json of decoded.messages) {
      const parsed = parseServerMessage(json);
      if (parsed.ok) receive(connection, parsed.message);
      else if (parsed.error === 'malformed') breakOff(connection, 'malformed_message');
    }
    if (!decoded.ok) breakOff(connection, decoded.error);
  });
  // What went wrong is worth a log line; 'close' always follows.
  let failure = 'closed_by_peer';
  socket.on('error', (error: NodeJS.ErrnoException) => {
    failure = error.code ?? error.message;
  });
  const closed = new Promise<void>((done) => {
    socket.on('close', () => {
      finish(connection, failure);
      done();
    });
  });
  transmit(connection, hello);

  return {
    sendCommand(command) {
      connection.seq += 1;
      transmit(connection, { ...command, seq: connection.seq });
    },
    send: (message) => transmit(connection, message),
    tick: (stepMs) => tick(connection, stepMs),
    end(code, reason) {
      sayBye(connection, code);
      finish(connection, reason, code);
    },
    lastSeqSeen: () => connection.lastSeqSeen,
    cut: () => void socket.destroy(),
    closed,
  };
}

function receive(connection: Connection, message: ServerMessage): void {
  if (connection.ended) return;
  if (message.t === 'BYE') {
    connection.socket.destroy();
    finish(connection, 'bye', message.code);
  } else if (message.t === 'PING') {
    transmit(connection, { t: 'PONG' });
  } else if (message.t === 'WELCOME') {
    // A WELCOME for another HELLO means that something stands between us and the head-end.
    if (connection.welcomed || message.nonce !== connection.nonce) {
      breakOff(connection, 'unexpected_welcome');
      return;
    }
    connection.welcomed = true;
    connection.events.onWelcome(message);
  } else if (connection.welcomed) {
    if (message.t === 'ACK' || message.t === 'NAK') {
      connection.lastSeqSeen = Math.max(connection.lastSeqSeen, message.seq ?? 0);
    }
    connection.events.onMessage(message);
  } else {
    breakOff(connection, 'message_before_welcome');
  }
}

function tick(connection: Connection, stepMs: number): void {
  if (connection.ended) return;
  const due = connection.heartbeat.tick(stepMs, connection.welcomed);
  if (due === 'ping') transmit(connection, { t: 'PING' });
  else if (due !== 'nothing') {
    connection.socket.destroy();
    finish(connection, due);
  }
}

/** The peer broke the protocol: tell it so and leave. */
function breakOff(connection: Connection, reason: string): void {
  if (connection.ended) return;
  sayBye(connection, 'PROTOCOL');
  finish(connection, reason, 'PROTOCOL');
}

function sayBye(connection: Connection, code: ByeCode): void {
  if (connection.ended) return;
  const { socket } = connection;
  transmit(connection, { t: 'BYE', code });
  socket.end(() => socket.destroy());
}

function finish(connection: Connection, reason: string, code?: string): void {
  if (connection.ended) return;
  connection.ended = true;
  connection.events.onEnded(reason, code);
}

function transmit(connection: Connection, message: ClientMessage): void {
  const { socket } = connection;
  if (connection.ended || !socket.writable) return;
  const frame = encodeFrame(message);
  // Commands are measured before they are queued and all else is small by its schema.
  if (!frame.ok) throw new Error(`VIP Control message ${message.t} does not fit a frame`);
  // Everything written in one turn of the event loop leaves in one packet.
  if (socket.writableCorked === 0) {
    socket.cork();
    process.nextTick(() => socket.uncork());
  }
  socket.write(frame.bytes);
}
