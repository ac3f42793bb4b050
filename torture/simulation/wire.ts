/**
 * The wire between the product and the head-end: streams in memory, with what wires do to what
 * they carry. Bytes keep their order; whole results of the head-end may be told late or twice.
 */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import {
  createFrameDecoder,
  encodeFrame,
  type JsonObject,
} from '../../src/entitlement/vip-control/frame.ts';
import type { Random } from '../../src/platform/ports.ts';
import { below } from '../random.ts';
import { type Life, type VirtualTime, within } from './time.ts';

/** What may happen to bytes under way, each in so many of a thousand. */
export interface WireFaults {
  cut: number;
  slow: number;
  split: number;
  /** Of the head-end's results. */
  late: number;
  twice: number;
}

export const CALM_WIRE: WireFaults = { cut: 0, slow: 0, split: 0, late: 0, twice: 0 };

export interface Wire {
  /** A fresh connection of this life to the head-end; refused while that is away. */
  connect(life: Life): Duplex;
  /** Who takes connections from now on, as a part of which life; null: nobody. */
  serve(server: { life: Life; accept(socket: Socket): void } | null): void;
  setFaults(faults: WireFaults): void;
  /** Cuts all connections; those of one life alone when it is given. Returns how many. */
  cutAll(life?: Life): number;
  /** Nothing comes through any more, and nobody is told. Returns how many connections. */
  goSilent(): number;
}

export interface WireDeps {
  time: VirtualTime;
  random: Random;
  /** Counts what went wrong on purpose. */
  onFault(kind: string): void;
  trace(line: string): void;
  /** What a harness breaks on purpose in a message to the head-end. */
  rewrite(message: JsonObject): JsonObject;
}

interface End {
  life: Life;
  stream: Duplex;
  /** Nothing is delivered before this, so that bytes keep their order. */
  freeAtMs: number;
}

interface Link {
  client: End;
  server: End;
  isOpen: boolean;
  isSilent: boolean;
}

interface State {
  deps: WireDeps;
  faults: WireFaults;
  server: Parameters<Wire['serve']>[0];
  links: Set<Link>;
}

const LATENCY_MS_MAX = 20;
const SLOW_MS_MAX = 4_000;
const LATE_MS_MAX = 70_000;

/** A wire to a head-end that is not there yet. */
export function createWire(deps: WireDeps): Wire {
  const state: State = { deps, faults: CALM_WIRE, server: null, links: new Set() };
  return {
    connect: (life) => connect(state, life),
    serve(server) {
      state.server = server;
    },
    setFaults(faults) {
      state.faults = faults;
    },
    cutAll(life) {
      const links = [...state.links].filter(({ client }) => !life || client.life === life);
      for (const link of links) cut(state, link);
      return links.length;
    },
    goSilent() {
      for (const link of state.links) link.isSilent = true;
      return state.links.size;
    },
  };
}

function connect(state: State, life: Life): Duplex {
  const { server } = state;
  if (!server) return refused(life);
  const link: Link = {
    client: endOf(
      life,
      (chunk) => fromClient(state, link, chunk),
      () => cut(state, link),
    ),
    server: endOf(
      server.life,
      (chunk) => fromServer(state, link, chunk),
      () => cut(state, link),
    ),
    isOpen: true,
    isSilent: false,
  };
  state.links.add(link);
  const socket = asSocket(link.server);
  within(server.life, () => server.accept(socket));
  return link.client.stream;
}

/** A connection that nobody takes. */
function refused(life: Life): Duplex {
  const { stream } = endOf(
    life,
    () => undefined,
    () => undefined,
  );
  const error = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
  within(life, () => setTimeout(() => stream.destroy(error), 1));
  return stream;
}

function endOf(life: Life, send: (chunk: Buffer) => void, close: () => void): End {
  const stream = new Duplex({
    allowHalfOpen: false,
    read: () => undefined,
    write(chunk: Buffer, _encoding, done) {
      send(chunk);
      done();
    },
    final(done) {
      // What was written before it is under way, and comes first.
      setTimeout(close, LATENCY_MS_MAX);
      done();
    },
    destroy(error, done) {
      close();
      done(error);
    },
  });
  return { life, stream, freeAtMs: 0 };
}

/** With what else a socket of `node:net` has, as far as the head-end uses it. */
function asSocket({ stream }: End): Socket {
  const extras = {
    setNoDelay: () => stream,
    setTimeout(ms: number, onSilence: () => void) {
      let timer = setTimeout(onSilence, ms);
      stream.on('data', () => {
        clearTimeout(timer);
        timer = setTimeout(onSilence, ms);
      });
      stream.once('close', () => clearTimeout(timer));
      return stream;
    },
  };
  return Object.assign(stream, extras) as unknown as Socket;
}

function fromClient(state: State, link: Link, chunk: Buffer): void {
  const { messages } = createFrameDecoder().push(chunk);
  for (const message of messages) note(state, '>', message);
  const bytes = messages.map((message) => frameOf(state.deps.rewrite(message)));
  carry(state, link, link.server, Buffer.concat(bytes));
}

/** Message by message: a head-end may tell results late, or twice. */
function fromServer(state: State, link: Link, chunk: Buffer): void {
  const { faults, deps } = state;
  for (const message of createFrameDecoder().push(chunk).messages) {
    note(state, '<', message);
    const bytes = frameOf(message);
    const isResult = message.t === 'RES';
    if (isResult && strikes(state, 'late', faults.late)) {
      const lateMs = below(deps.random, LATE_MS_MAX);
      within(link.client.life, () =>
        setTimeout(() => carry(state, link, link.client, bytes), lateMs),
      );
      continue;
    }
    carry(state, link, link.client, bytes);
    if (isResult && strikes(state, 'twice', faults.twice)) carry(state, link, link.client, bytes);
  }
}

function note({ deps }: State, way: string, { t, op, cmdId, code, rev }: JsonObject): void {
  deps.trace(`wire ${way} ${[t, op, cmdId, code, rev].filter(Boolean).join(' ')}`);
}

function frameOf(message: JsonObject): Buffer {
  const frame = encodeFrame(message);
  if (!frame.ok) throw new Error(frame.error);
  return frame.bytes;
}

function carry(state: State, link: Link, to: End, chunk: Buffer): void {
  const { faults, deps } = state;
  if (!link.isOpen || link.isSilent) return;
  const nowMs = deps.time.elapsedMs();
  const isSlow = strikes(state, 'slow', faults.slow);
  const latencyMs = 1 + below(deps.random, isSlow ? SLOW_MS_MAX : LATENCY_MS_MAX);
  to.freeAtMs = Math.max(to.freeAtMs, nowMs + latencyMs);
  const isCut = strikes(state, 'cut', faults.cut);
  const isSplit = isCut || strikes(state, 'split', faults.split);
  const at = isSplit ? 1 + below(deps.random, chunk.length - 1) : chunk.length;
  deliver(state, link, to, chunk.subarray(0, at));
  if (isCut) within(to.life, () => setTimeout(() => cut(state, link), latencyMs));
  else if (isSplit) deliver(state, link, to, chunk.subarray(at));
}

function deliver({ deps }: State, link: Link, to: End, bytes: Buffer): void {
  const waitMs = to.freeAtMs - deps.time.elapsedMs();
  within(to.life, () =>
    setTimeout(() => {
      if (link.isOpen && !link.isSilent && !to.stream.destroyed) to.stream.push(bytes);
    }, waitMs),
  );
}

function strikes({ deps }: State, kind: string, perThousand: number): boolean {
  if (perThousand === 0 || below(deps.random, 1_000) >= perThousand) return false;
  deps.onFault(`wire_${kind}`);
  return true;
}

/** Both ends learn it, those that live. */
function cut({ deps, links }: State, link: Link): void {
  if (!link.isOpen) return;
  link.isOpen = false;
  links.delete(link);
  deps.trace('wire cut');
  for (const { life, stream } of [link.client, link.server]) {
    // A dead process learns nothing, and of a silent wire nobody does.
    if (!life.isAlive || link.isSilent) continue;
    within(life, () => setTimeout(() => stream.destroy(), 1));
  }
}
