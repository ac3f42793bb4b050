/** The way of frames to one client, with what faults do to it on the way. */
import type { Socket } from 'node:net';
import { FRAME_BYTES_MAX } from '../../../src/entitlement/vip-control/frame.ts';
import type { Random } from '../../../src/platform/ports.ts';
import type { Timers } from '../pulse.ts';
import type { Faults } from './faults.ts';

export interface Wire {
  /** Sends a frame, in order. */
  send(frame: Buffer): void;
  /** Whether nothing is heard or said on it any more; asked whenever something was heard. */
  isDead(): boolean;
}

export interface WireDeps {
  faults: Faults;
  random: Random;
  timers: Timers;
}

/** However small its pieces are to be, a frame never makes more of them. */
const PIECES_MAX = 1_000;
/** How long messages wait for others to be sent with. */
const COALESCE_MS = 100;

const frameOf = (content: Buffer): Buffer => {
  const header = Buffer.alloc(4);
  header.writeUInt32BE(content.length);
  return Buffer.concat([header, content]);
};
const OVERSIZE = frameOf(Buffer.alloc(FRAME_BYTES_MAX + 1, ' '));
const GARBAGE = [
  frameOf(Buffer.from([0x22, 0xc3, 0x28, 0x22])),
  frameOf(Buffer.from('{"t":"RES"')),
  frameOf(Buffer.from('["RES"]')),
  frameOf(Buffer.from('{"t":"RES"}')),
];

interface State extends WireDeps {
  socket: Socket;
  dead: boolean;
  /** To be sent one by one, a turn of the event loop apart. */
  pieces: Buffer[];
  /** To be sent in one piece. */
  held: Buffer[];
  cancelHold: () => void;
}

/** The way to whoever is at the other end of an accepted socket. */
export function createWire(socket: Socket, deps: WireDeps): Wire {
  const state: State = {
    ...deps,
    socket,
    dead: false,
    pieces: [],
    held: [],
    cancelHold: () => undefined,
  };
  const isDead = () => {
    state.dead ||= deps.faults.strikes('blackhole') !== undefined;
    return state.dead;
  };
  socket.once('close', () => state.cancelHold());
  return {
    isDead,
    send(frame) {
      if (!isDead()) sendThrough(state, spoilt(deps, frame));
    },
  };
}

/** The frame, or what is sent in its place. */
function spoilt({ faults, random }: WireDeps, frame: Buffer): Buffer {
  if (faults.strikes('oversize')) return OVERSIZE;
  if (!faults.strikes('garbage')) return frame;
  return GARBAGE[Math.floor(random.fraction() * GARBAGE.length)] ?? frame;
}

function sendThrough(state: State, frame: Buffer): void {
  const { faults, held, pieces } = state;
  const together = faults.strikes('coalesce');
  if (together || held.length > 0) {
    held.push(frame);
    if (held.length === 1) state.cancelHold = state.timers.after(COALESCE_MS, () => letGo(state));
    if (!together || held.length >= together.value) letGo(state);
    return;
  }
  const apart = faults.strikes('frag');
  if (!apart && pieces.length === 0) {
    write(state.socket, frame);
    return;
  }
  const size = apart ? Math.max(apart.value, frame.length / PIECES_MAX) : frame.length;
  if (pieces.length === 0) setImmediate(() => sendPiece(state));
  for (let at = 0; at < frame.length; at += Math.ceil(size)) {
    pieces.push(frame.subarray(at, at + Math.ceil(size)));
  }
}

function letGo(state: State): void {
  state.cancelHold();
  const all = Buffer.concat(state.held.splice(0));
  if (state.pieces.length > 0) state.pieces.push(all);
  else write(state.socket, all);
}

function sendPiece(state: State): void {
  const piece = state.pieces.shift();
  if (piece && state.socket.writable) state.socket.write(piece);
  if (state.pieces.length > 0) setImmediate(() => sendPiece(state));
}

function write(socket: Socket, bytes: Buffer): void {
  // Everything written in one turn of the event loop leaves in one packet.
  if (socket.writableCorked === 0) {
    socket.cork();
    process.nextTick(() => {
      socket.uncork();
      // A client that does not read its answers is not read either.
      if (socket.writableNeedDrain) socket.pause();
    });
  }
  socket.write(bytes);
}
