/**
 * The desk where commands are taken, kept, executed and answered for. A command is ACKed when it
 * is on the disk, executed once however often it is sent, and done when its first EMM has gone
 * out; its result is on the disk before anybody hears of it.
 */

import type {
  CommandEnvelope,
  Emm,
  RepeatStep,
} from '../../src/entitlement/vip-control/messages.ts';
import type { ResultCode } from '../../src/entitlement/vip-control/results.ts';
import { classOf } from '../../src/entitlement/vip-control/results.ts';
import type { Clock, Random } from '../../src/platform/ports.ts';
import { type Admission, admit } from './admission.ts';
import type { Air, AirOrder } from './air/types.ts';
import { type CardState, hasRights } from './card-state.ts';
import { isMoment, noteFirstAir, stamped, statesOf, touchedBy } from './changes.ts';
import { type ConsoleDeps, type ConsoleWrite, writeByConsole } from './console.ts';
import type { Faults } from './faults/faults.ts';
import { refusedFor } from './faults/gate.ts';
import { createPacer, type Pacer } from './faults/pacer.ts';
import type { Telling } from './faults/telling.ts';
import type { Journal } from './journal.ts';
import { drawLatencyMs, type Latency } from './latency.ts';
import type { HeadEndLog } from './log.ts';
import { entryOf, isLogged } from './log-entry.ts';
import {
  applyRecord,
  boostsBefore,
  type Changed,
  type CommandResult,
  type Memory,
  type StoredCommand,
} from './memory.ts';
import type { Peer } from './peer.ts';
import type { Timers } from './pulse.ts';
import { resumeRepeats } from './resume.ts';
import { execute, isBoostAllowed, type RefreshLimit } from './rules.ts';

export interface Desk {
  /** Takes a command of a logged-in peer, and answers it. */
  take(peer: Peer, command: CommandEnvelope): void;
  /** Answers STATUS: the result again, ACK while there is none, NAK when never taken. */
  tell(peer: Peer, cmdId: string): void;
  /** Raises the epoch floor to that of a client that logged in. */
  raiseEpoch(epoch: number): void;
  /** Executes what was taken, but not done, before a restart. */
  resume(): void;
  /** Changes a card without a command; false when that cannot be. */
  writeByConsole(write: ConsoleWrite): boolean;
  /** Refuses to grant these products, until it is told others. */
  setGoneProducts(products: Iterable<string>): void;
  /** When all that was done until now is on the disk. */
  settle(): Promise<void>;
  /** For the commands taken from now on. */
  setLatency(latency: Latency): void;
  /** Taken commands that wait to be executed because that goes slowly. */
  waiting: Pacer['waiting'];
  /** Executes nothing more. */
  stop(): void;
  /** Goes on after `stop`, with the journal and the memory as they were read anew. */
  restart(journal: Journal): void;
}

export interface DeskDeps {
  memory: Memory;
  journal: Journal;
  air: Air;
  clock: Clock;
  timers: Timers;
  random: Random;
  faults: Faults;
  telling: Telling;
  /** From ACK to execution. */
  latency: Latency;
  windowMax: number;
  refreshLimit: RefreshLimit;
  /** How a change of rights is repeated. */
  profile: readonly RepeatStep[];
  admission: Omit<Admission, 'now' | 'world'>;
  log: Pick<HeadEndLog, 'chain'>;
  /** Something waits for its first broadcast. */
  onWaiting(): void;
  onForeignWrite: ConsoleDeps['onForeignWrite'];
}

const NO_ROOM_RETRY_MS = 1_000;

interface DeskState extends DeskDeps {
  /** Who is to hear the result of a command that has none yet. */
  listeners: Map<string, Peer>;
  /** Cancel what is to be executed when its latency is over. */
  delayed: Set<() => void>;
  pacer: Pacer;
  goneProducts: ReadonlySet<string>;
  stopped: boolean;
}

/** A desk over one memory, its journal, and the air. */
export function createDesk(deps: DeskDeps): Desk {
  const desk: DeskState = {
    ...deps,
    listeners: new Map(),
    delayed: new Set(),
    pacer: createPacer(deps),
    goneProducts: new Set(),
    stopped: false,
  };
  return {
    take: (peer, command) => take(desk, peer, command),
    tell(peer, cmdId) {
      const known = desk.memory.commands.get(cmdId);
      if (known) answerAgain(desk, peer, known);
      else peer.send({ t: 'NAK', cmdId, code: 'UNKNOWN_COMMAND' });
    },
    raiseEpoch(epoch) {
      if (epoch <= desk.memory.epochFloor) return;
      const record = { k: 'epoch' as const, epoch };
      applyRecord(desk.memory, record);
      desk.journal.append(record, () => undefined);
    },
    resume: () => resume(desk),
    writeByConsole: (write) => !desk.stopped && writeByConsole(desk, write),
    setGoneProducts(products) {
      desk.goneProducts = new Set(products);
    },
    settle: () => new Promise((done) => desk.journal.afterAll(done)),
    setLatency(latency) {
      desk.latency = latency;
    },
    waiting: desk.pacer.waiting,
    stop() {
      desk.stopped = true;
      for (const cancel of desk.delayed) cancel();
      desk.delayed.clear();
      desk.listeners.clear();
      desk.pacer.stop();
    },
    restart(journal) {
      desk.journal = journal;
      desk.stopped = false;
      resume(desk);
    },
  };
}

function resume(desk: DeskState): void {
  resumeRepeats(desk);
  for (const command of desk.memory.commands.values()) {
    if (command.pending) executeSoon(desk, command.cmdId);
  }
}

function take(desk: DeskState, peer: Peer, cmd: CommandEnvelope): void {
  const { seq, cmdId } = cmd;
  const known = desk.memory.commands.get(cmdId);
  if (!known && desk.faults.strikes('drop_before_ack')) {
    peer.cut();
    return;
  }
  if (desk.faults.strikes('seq_skip')) peer.lastSeq -= 1;
  const now = desk.clock.now();
  const refusal = refuse(desk, peer, cmd, now);
  const client = peer.clientId ?? '';
  if (refusal !== undefined) {
    peer.send({ t: 'NAK', seq, cmdId, code: refusal });
    if (!isLogged(refusal)) return;
    const line = desk.log.chain(entryOf(cmd, { code: refusal, by: client, now }));
    desk.journal.append({ k: 'log', line }, () => undefined);
  } else if (known) {
    answerAgain(desk, peer, known, seq);
  } else {
    const record = { k: 'cmd' as const, atMs: now.getTime(), cmd, client };
    applyRecord(desk.memory, record);
    listen(desk, peer, cmdId);
    desk.journal.append(record, () => {
      peer.send({ t: 'ACK', seq, cmdId, status: 'ACCEPTED' });
      executeSoon(desk, cmdId);
    });
  }
}

function refuse(
  desk: DeskState,
  peer: Peer,
  cmd: CommandEnvelope,
  now: Date,
): ResultCode | undefined {
  const expectedSeq = peer.lastSeq + 1;
  if (peer.isSequenced && cmd.seq !== expectedSeq)
    return cmd.seq > expectedSeq ? 'SEQ_GAP' : 'SEQ_DUP';
  peer.lastSeq = cmd.seq;
  // What was taken once is answered for, whatever the rules are by now.
  if (desk.memory.commands.has(cmd.cmdId)) return undefined;
  if (peer.inFlight >= desk.windowMax) return 'WINDOW_FULL';
  const overload = refusedFor(desk);
  if (overload !== undefined) return overload;
  const admitted = admit(cmd, admissionOf(desk, now));
  return admitted.ok ? undefined : admitted.code;
}

/** A command that was taken before, asked about or sent again: no second execution. */
function answerAgain(desk: DeskState, peer: Peer, known: StoredCommand, seq?: number): void {
  const { cmdId } = known;
  if (known.pending) listen(desk, peer, cmdId);
  // Nothing is confirmed, not even a second time, before it is on the disk.
  desk.journal.afterAll(() => {
    const { result } = known;
    if (seq !== undefined || !result) {
      const number = seq === undefined ? {} : { seq };
      peer.send({ t: 'ACK', ...number, cmdId, status: 'DUPLICATE' });
    }
    if (result) peer.send({ t: 'RES', cmdId, ...result, dup: true });
  });
}

function executeSoon(desk: DeskState, cmdId: string): void {
  const waitMs = drawLatencyMs(desk.latency, desk.random);
  if (waitMs === 0) executeInTurn(desk, cmdId);
  else executeLater(desk, cmdId, waitMs);
}

function executeLater(desk: DeskState, cmdId: string, waitMs: number): void {
  if (desk.stopped) return;
  const cancel = desk.timers.after(waitMs, () => {
    desk.delayed.delete(cancel);
    executeInTurn(desk, cmdId);
  });
  desk.delayed.add(cancel);
}

function executeInTurn(desk: DeskState, cmdId: string): void {
  const pending = desk.memory.commands.get(cmdId)?.pending;
  if (desk.stopped || !pending) return;
  desk.pacer.submit(pending.prio, () => executeNow(desk, cmdId));
}

function executeNow(desk: DeskState, cmdId: string): void {
  const { memory, refreshLimit } = desk;
  const command = memory.commands.get(cmdId);
  if (desk.stopped || !command?.pending) return;
  const { pending, waitsFor } = command;
  if (waitsFor) {
    // What it has changed is not taken back, however late the air has room for it.
    broadcast(desk, pending, waitsFor, {});
    return;
  }
  const now = desk.clock.now();
  // Judged a second time: `notAfter` may have passed, or the catalogue changed, since.
  const admitted = admit(pending, admissionOf(desk, now));
  if (!admitted.ok) {
    conclude(desk, pending, rejection(admitted.code));
    return;
  }
  const { target } = pending;
  const mayBoost = isBoostAllowed(boostsBefore(memory, command), refreshLimit, now);
  const execution = execute(admitted.operation, { cmdId, target, mayBoost, now }, memory);
  const changed = stamped(memory, execution, { by: command.client, now });
  if (execution.air) broadcast(desk, pending, execution.air, changed);
  else conclude(desk, pending, quietResult(desk, pending, execution.code), changed);
}

/** The result of what needs no broadcast: refused, or so already. */
function quietResult(desk: DeskState, cmd: CommandEnvelope, code: ResultCode): CommandResult {
  const state = cardOf(desk, cmd);
  if (classOf(code) !== 'ok') return { ...rejection(code), ...revisionOf(state) };
  const isOfRights = cmd.op === 'REFRESH' || cmd.rev !== undefined;
  const emm = isOfRights && state?.firstAirAt ? emmSince(desk, state.firstAirAt) : {};
  return { status: 'DONE', code, ...emm, ...revisionOf(state) };
}

/** Puts it on air, all of it, and concludes the command when that has happened. */
function broadcast(
  desk: DeskState,
  cmd: CommandEnvelope,
  air: readonly AirOrder[],
  changed: Changed,
): void {
  const { memory, journal } = desk;
  const { cmdId, prio, notAfter } = cmd;
  const touched = touchedBy(changed, air);
  const isChange = changed.cards !== undefined || changed.stbs !== undefined;
  // The air reads the state of a card here, at the moment of broadcasting.
  if (isChange) applyRecord(memory, { k: 'change', cmdId, air, ...changed });
  let left = air.length;
  for (const order of air) {
    desk.air.put(
      {
        ...{ ...order, prio },
        // Rights that come late are rights; a message that comes late is worse than none.
        ...(isMoment(order) ? { notAfterMs: Date.parse(notAfter) } : {}),
        onAir(at) {
          noteFirstAir(memory, order, at);
          left -= 1;
          if (left > 0) return;
          const now = { ...changed, ...statesOf(memory, touched) };
          conclude(desk, cmd, resultOnAir(desk, cmd, { count: air.length, at }), now);
        },
        // Its time has passed, and it is refused; or there was no room, and there will be.
        onMissed: () => executeLater(desk, cmdId, NO_ROOM_RETRY_MS),
      },
      desk.clock.now(),
    );
  }
  if (left === 0) return;
  // Meanwhile an earlier command of the card may have been broadcast, with these rights.
  const now = { ...changed, ...statesOf(memory, touched) };
  if (isChange) journal.append({ k: 'change', cmdId, air, ...now }, () => undefined);
  desk.onWaiting();
}

function resultOnAir(
  desk: DeskState,
  cmd: CommandEnvelope,
  { count, at }: { count: number; at: Date },
): CommandResult {
  const { emm } = emmSince(desk, at.toISOString());
  const revision = revisionOf(cardOf(desk, cmd));
  return { status: 'DONE', code: 'DONE', emm: { ...emm, count }, ...revision };
}

function admissionOf({ admission, goneProducts, memory }: DeskState, now: Date): Admission {
  return { ...admission, goneProducts, world: memory, now };
}

function cardOf({ memory }: DeskState, { target }: CommandEnvelope): CardState | undefined {
  return target.kind === 'card' ? memory.cards.get(target.id) : undefined;
}

function emmSince({ profile }: DeskState, firstAirAt: string): { emm: Emm } {
  const cycleMs = (profile[0]?.everySeconds ?? 0) * 1_000;
  return { emm: { count: 1, firstAirAt, cycleMs } };
}

function revisionOf(state: CardState | undefined): Pick<CommandResult, 'cardRev'> {
  return state && hasRights(state) ? { cardRev: { epoch: state.epoch, rev: state.rev } } : {};
}

/** Writes the result down, and tells who waits for it when that is on the disk. */
function conclude(
  desk: DeskState,
  cmd: CommandEnvelope,
  result: CommandResult,
  changed: Changed = {},
): void {
  const { memory, journal, clock, log } = desk;
  const { cmdId } = cmd;
  const command = memory.commands.get(cmdId);
  if (desk.stopped || !command?.pending) return;
  const line = log.chain(entryOf(cmd, { code: result.code, by: command.client, now: clock.now() }));
  const record = { k: 'res' as const, cmdId, result, ...changed, line };
  applyRecord(memory, record);
  journal.append(record, () => tellResult(desk, cmdId, result));
}

function tellResult({ listeners, telling }: DeskState, cmdId: string, result: CommandResult): void {
  const listener = listeners.get(cmdId);
  if (!listener) return;
  listeners.delete(cmdId);
  listener.inFlight -= 1;
  telling.tell(listener, { t: 'RES', cmdId, ...result, dup: false });
}

function rejection(code: ResultCode): CommandResult {
  return { status: 'REJECTED', code };
}

function listen(desk: DeskState, peer: Peer, cmdId: string): void {
  const before = desk.listeners.get(cmdId);
  if (before === peer) return;
  if (before) before.inFlight -= 1;
  peer.inFlight += 1;
  desk.listeners.set(cmdId, peer);
}
