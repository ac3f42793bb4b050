/** One connected client of the head-end: frames in, frames out, and its place in the sequence. */
import type { Socket } from 'node:net';
import { createFrameDecoder, encodeFrame } from '../../src/entitlement/vip-control/frame.ts';
import {
  type ByeCode,
  type ClientMessage,
  parseClientMessage,
  type ServerMessage,
} from '../../src/entitlement/vip-control/messages.ts';

export interface Peer {
  /** Set by its HELLO. */
  clientId: string | undefined;
  /** The `seq` of its last command. */
  lastSeq: number;
  /** Commands taken for it that have no result yet. */
  inFlight: number;
  isOpen(): boolean;
  send(message: ServerMessage): void;
  /** Says BYE and ends the connection. */
  end(code: ByeCode): void;
  /** Cuts the connection without a word. */
  cut(): void;
}

/** A client PINGs every 15 s; one that is silent for longer than this is gone. */
const SILENCE_MS_MAX = 60_000;
const LINGER_MS = 1_000;

/** Speaks the protocol on an accepted socket; whatever is no message of a client ends it. */
export function createPeer(
  socket: Socket,
  events: { onMessage(peer: Peer, message: ClientMessage): void; onClosed(peer: Peer): void },
): Peer {
  let open = true;
  const peer: Peer = {
    clientId: undefined,
    lastSeq: 0,
    inFlight: 0,
    isOpen: () => open,
    send(message) {
      if (open) write(socket, message);
    },
    end(code) {
      if (!open) return;
      write(socket, { t: 'BYE', code });
      open = false;
      socket.end(() => socket.destroy());
      setTimeout(() => socket.destroy(), LINGER_MS).unref();
    },
    cut() {
      open = false;
      socket.destroy();
    },
  };
  const decoder = createFrameDecoder();
  socket.setNoDelay(true);
  socket.setTimeout(SILENCE_MS_MAX, () => peer.cut());
  // A client that does not read its answers is not read either.
  socket.on('drain', () => socket.resume());
  socket.on('error', () => undefined);
  socket.on('close', () => {
    open = false;
    events.onClosed(peer);
  });
  socket.on('data', (chunk) => {
    const decoded = decoder.push(chunk);
    for (const json of decoded.messages) {
      if (!open) return;
      const message = parseClientMessage(json);
      if (message) events.onMessage(peer, message);
      else peer.end('PROTOCOL');
    }
    if (!decoded.ok) peer.end('PROTOCOL');
  });
  return peer;
}

function write(socket: Socket, message: ServerMessage): void {
  const frame = encodeFrame(message);
  if (!frame.ok) throw new Error(`VIP Control message ${message.t} does not fit a frame`);
  // Everything written in one turn of the event loop leaves in one packet.
  if (socket.writableCorked === 0) {
    socket.cork();
    process.nextTick(() => {
      socket.uncork();
      if (socket.writableNeedDrain) socket.pause();
    });
  }
  socket.write(frame.bytes);
}
