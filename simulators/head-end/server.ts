/** A VIP Control head-end, put together: door, desk, air, journal and log. */
import type { Priority } from '../../src/entitlement/vip-control/messages.ts';
import { systemRandom } from '../../src/platform/system.ts';
import * as platformTimers from '../../src/platform/timers.ts';
import { createAir } from './air/air.ts';
import { REPETITION_PROFILE } from './air/carousel.ts';
import type { Air, AirEvent, Service } from './air/types.ts';
import { BACKLOG_EMMS, watchBacklog } from './backlog.ts';
import type { ConsoleWrite } from './console.ts';
import { createDesk } from './desk.ts';
import { openDoor } from './door.ts';
import { createFaults, type Faults } from './faults/faults.ts';
import type { Loss } from './faults/loss.ts';
import { airInTime, skewedClock } from './faults/skew.ts';
import { createTelling } from './faults/telling.ts';
import {
  type HeadEnd,
  MAIL_CHARS_MAX,
  OSD_CHARS_MAX,
  type VipControlServerDeps,
} from './head-end.ts';
import { type Journal, openJournal } from './journal.ts';
import type { Latency } from './latency.ts';
import { openLog } from './log.ts';
import { createMemory } from './memory.ts';
import { createPulse } from './pulse.ts';
import { createQuestions } from './questions.ts';
import { createReports, type Reports } from './reports.ts';
import type { RefreshLimit } from './rules.ts';
import { enter, leave, receive, setFlow, tellWindow, welcome } from './sessions.ts';
import { createVcpHandler, type VcpHandler } from './vcp-http.ts';
import { cardsOnAir, type Readings, readings, stateOf } from './views.ts';

export interface VipControlServer extends Readings {
  port: number;
  /** Ends all sessions, finishes the journal and closes; what waits is executed at next start. */
  stop(): Promise<void>;
  /** What is broadcast, and the decoders that receive it. */
  air: Air;
  /** The line-up. */
  services: readonly Service[];
  /** Hears what happens on air until the returned function is called; must not throw. */
  onAirEvent(listener: (event: AirEvent) => void): () => void;
  /** Back-pressure: a smaller (or again larger) window for everybody, from now on. */
  setFlow(window: number, retryAfterMs?: number): void;
  /** VIP Control down: all sessions are cut and no new one is let in; the air goes on. */
  setLink(isUp: boolean): Promise<void>;
  isLinkUp(): boolean;
  /** What goes wrong. */
  faults: Pick<Faults, 'set' | 'heal' | 'list'>;
  /** Down and up again: sessions, carousel, and what it lost are gone; homes do not notice. */
  restart(loss: Loss): Promise<void>;
  /** What it is busy with. */
  status(): HeadEndStatus;
  /** For the commands taken from now on. */
  setLatency(latency: Latency): void;
  /** VIP Control by HTTP: answers a request for it, of whatever port. */
  vcp: VcpHandler;
  /** What an auditor asks, from the log. */
  report: Reports;
  /** Somebody changes a card at the console, without a command; false when that cannot be. */
  writeByConsole(write: ConsoleWrite): boolean;
  /** Refuses to grant these products, and no others that it knows, from now on. */
  setGoneProducts(products: Iterable<string>): void;
  /** The public half of the key its log is signed with, PEM. */
  logKey: string;
  /** False once the journal could not be written: nothing more is taken. */
  isHealthy(): boolean;
}

export interface HeadEndStatus {
  /** Clients that are logged in, with the commands of each that have no result yet. */
  sessions: { clientId: string; inFlight: number; lastSeq: number }[];
  /** As it was told last. */
  window: number;
  maxWindow: number;
  /** Taken commands that wait to be executed because that goes slowly. */
  waiting: Readonly<Record<Priority, number>>;
  cards: number;
  commands: number;
}

const LATENCY_MS = 20;
const WINDOW_COMMANDS_MAX = 256;
const REFRESH_LIMIT: RefreshLimit = { perHour: 3, perDay: 10 };

/** Listens and reads the data file; rejects when either is impossible. */
export async function createVipControlServer(
  deps: VipControlServerDeps,
): Promise<VipControlServer> {
  // The port first: a second process started by mistake must not touch the file of the first.
  const door = deps.door ?? (await openDoor(deps.host, deps.port, deps.tls));
  const memory = createMemory();
  let onFailure: (error: unknown) => void = () => undefined;
  let onRotated: (firstLine: number) => void = () => undefined;
  const shutDoor = async (error: unknown) => {
    await door.close();
    throw error;
  };
  const log = await (deps.openLog ?? openLog)(deps.dataFile, {
    ...(deps.logFileBytesMax === undefined ? {} : { fileBytesMax: deps.logFileBytesMax }),
    onRotated: (firstLine) => onRotated(firstLine),
    onFailure: (error) => onFailure(error),
  }).catch(shutDoor);
  const readJournal = (loss: Loss) =>
    (deps.openJournal ?? openJournal)(deps.dataFile, memory, {
      ...{ now: deps.clock.now(), log, loss },
      onFailure: (error) => onFailure(error),
    });
  const journal = await readJournal({ lose: 'nothing' }).catch(shutDoor);
  const headEnd = assemble(deps, { memory, journal, log, door });
  onRotated = (firstLine) => announce(headEnd, 'log_rotated', { n: firstLine - 1 });
  onFailure = (error) => fail(headEnd, error);
  door.admit((socket) => welcome(headEnd, socket));
  headEnd.desk.resume();
  return {
    port: door.port,
    stop: () => stop(headEnd),
    ...readings(memory),
    air: headEnd.air,
    services: deps.services ?? [],
    onAirEvent(listener) {
      headEnd.listeners.add(listener);
      return () => void headEnd.listeners.delete(listener);
    },
    setFlow: (window, retryAfterMs) => setFlow(headEnd, window, retryAfterMs),
    setLink: door.setOpen,
    isLinkUp: door.isOpen,
    faults: headEnd.faults,
    restart: (loss) => restart(headEnd, () => readJournal(loss)),
    status: () => status(headEnd),
    setLatency: headEnd.desk.setLatency,
    vcp: createVcpHandler({
      timers: deps.timers ?? platformTimers,
      isUp: door.isOpen,
      enter: (peer) => enter(headEnd, peer),
      receive: (peer, message) => receive(headEnd, peer, message),
      leave: (peer) => leave(headEnd, peer),
    }),
    report: async (name, query) => {
      await headEnd.desk.settle();
      return await createReports({ log, services: deps.services ?? [] })(name, query);
    },
    writeByConsole: headEnd.desk.writeByConsole,
    setGoneProducts: headEnd.desk.setGoneProducts,
    logKey: log.publicKey,
    isHealthy: () => headEnd.isHealthy,
  };
}

async function stop(headEnd: HeadEnd): Promise<void> {
  const { door, log } = headEnd;
  headEnd.faults.heal();
  headEnd.pulse.stop();
  headEnd.telling.stop();
  headEnd.desk.stop();
  door.admit((socket) => socket.destroy());
  for (const peer of headEnd.peers) peer.end('CLOSING');
  await door.close();
  await headEnd.journal.close();
  await log.close();
}

/** Tells everybody who is logged in what nobody of them asked for. */
function announce(
  { sessions }: Pick<HeadEnd, 'sessions'>,
  kind: string,
  detail: Record<string, unknown>,
): void {
  for (const peer of sessions.values()) peer.send({ t: 'EVT', kind, detail });
}

function fail(headEnd: HeadEnd, error: unknown): void {
  headEnd.isHealthy = false;
  headEnd.deps.logger.error('headend.journal_failed', { error: String(error) });
  for (const peer of headEnd.peers) peer.cut();
}

/** Everything that is not on the disk is gone, but for the homes and the faults. */
async function restart(headEnd: HeadEnd, readJournal: () => Promise<Journal>): Promise<void> {
  const { door, desk, telling, memory, air, journal } = headEnd;
  const wasUp = door.isOpen();
  desk.stop();
  telling.stop();
  await door.setOpen(false);
  await journal.close();
  Object.assign(memory, createMemory());
  air.clear();
  headEnd.journal = await readJournal();
  desk.restart(headEnd.journal);
  await door.setOpen(wasUp);
}

function status({ sessions, desk, memory, maxWindow, ...headEnd }: HeadEnd): HeadEndStatus {
  return {
    sessions: [...sessions].map(([clientId, { inFlight, lastSeq }]) => {
      return { clientId, inFlight, lastSeq };
    }),
    window: headEnd.toldWindow,
    maxWindow,
    waiting: desk.waiting(),
    cards: memory.cards.size,
    commands: memory.commands.size,
  };
}

function assemble(
  deps: VipControlServerDeps,
  { memory, journal, log, door }: Pick<HeadEnd, 'memory' | 'journal' | 'log' | 'door'>,
): HeadEnd {
  const { timers = platformTimers, random = systemRandom } = deps;
  const profile = deps.profile ?? REPETITION_PROFILE;
  const maxWindow = deps.maxWindow ?? WINDOW_COMMANDS_MAX;
  const knownProducts = deps.knownProducts ? new Set(deps.knownProducts) : undefined;
  const listeners: HeadEnd['listeners'] = new Set();
  const air = createAir({
    ...(deps.kbitPerSecond === undefined ? {} : { kbitPerSecond: deps.kbitPerSecond }),
    profile,
    stateOf: (card) => stateOf(memory, card, deps.pairedWith),
    cards: () => cardsOnAir(memory),
    onBroadcast: (card, atMs) => memory.lastAirMs.set(card, atMs),
    services: deps.services ?? [],
    onEvent(event) {
      for (const listener of listeners) listener(event);
    },
  });
  const faults = createFaults({ random, timers });
  const sessions: HeadEnd['sessions'] = new Map();
  const sessionOf = (clientId: string) => sessions.get(clientId);
  const telling = createTelling({ faults, random, timers, sessionOf });
  const clock = skewedClock(deps.clock, faults);
  const desk = createDesk({
    ...{ memory, journal, clock, timers, random, faults, telling },
    air: airInTime(air, deps.clock),
    latency: deps.latencyMs ?? LATENCY_MS,
    windowMax: maxWindow,
    refreshLimit: deps.refreshLimit ?? REFRESH_LIMIT,
    profile,
    admission: {
      osdMax: deps.osdMax ?? OSD_CHARS_MAX,
      mailMax: deps.mailMax ?? MAIL_CHARS_MAX,
      knownCard: deps.knownCard ?? (() => true),
      services: deps.services ?? [],
      isListed: deps.isListed ?? false,
      ...(knownProducts ? { knownProducts } : {}),
      ...(deps.knownRegions ? { knownRegions: new Set(deps.knownRegions) } : {}),
    },
    log,
    onWaiting: () => pulse.hurry(),
    onForeignWrite: (detail) => announce({ sessions }, 'foreign_write', { ...detail }),
  });
  const backlog = watchBacklog({
    ...{ air, clock: deps.clock, level: deps.backlogEmms ?? BACKLOG_EMMS },
    tell: (told) => announce({ sessions }, 'emm_backlog', { ...told }),
  });
  const pulse = createPulse({ air, clock: deps.clock, timers, onBeat: backlog.look });
  const headEnd: HeadEnd = {
    ...{ deps, memory, journal, door, desk, telling, clock, air, pulse, faults, listeners },
    ...{
      backlog,
      log,
      ask: createQuestions({ memory, log, settle: desk.settle }),
      lastSeqs: new Map(),
    },
    ...{ profile, maxWindow, knownProducts, sessions },
    wire: { faults, random, timers },
    peers: new Set(),
    window: maxWindow,
    toldWindow: maxWindow,
    isHealthy: true,
  };
  faults.onChange(() => tellWindow(headEnd));
  return headEnd;
}
