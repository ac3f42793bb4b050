/** One connected client of the head-end: frames in, frames out, and its place in the sequence. */
import type { Socket } from 'node:net';
import { createFrameDecoder, encodeFrame } from '../../src/entitlement/vip-control/frame.ts';
import {
  type ByeCode,
  type ClientMessage,
  parseClientMessage,
  type ServerMessage,
} from '../../src/entitlement/vip-control/messages.ts';
import { createWire, type Wire, type WireDeps } from './faults/wire.ts';

export interface Peer {
  /** Set by its HELLO. */
  clientId: string | undefined;
  /** Whether its commands come one after another, numbered without a gap. */
  isSequenced: boolean;
  /** The `seq` of its last command. */
  lastSeq: number;
  /** Commands taken for it that have no result yet. */
  inFlight: number;
  /** Questions of it that have no answer yet. */
  asking: number;
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
  faults: WireDeps,
): Peer {
  let open = true;
  const wire = createWire(socket, faults);
  const peer: Peer = {
    clientId: undefined,
    isSequenced: true,
    lastSeq: 0,
    inFlight: 0,
    asking: 0,
    isOpen: () => open,
    send(message) {
      if (open) write(wire, message);
    },
    end(code) {
      if (!open) return;
      write(wire, { t: 'BYE', code });
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
  socket.on('drain', () => socket.resume());
  socket.on('error', () => undefined);
  socket.on('close', () => {
    open = false;
    events.onClosed(peer);
  });
  socket.on('data', (chunk) => {
    if (wire.isDead()) return;
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

function write(wire: Wire, message: ServerMessage): void {
  const frame = encodeFrame(message);
  if (!frame.ok) throw new Error(`VIP Control message ${message.t} does not fit a frame`);
  wire.send(frame.bytes);
}
