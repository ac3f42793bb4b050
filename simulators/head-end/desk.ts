/**
 * The desk where commands are taken, kept, executed and answered for. A command is ACKed when it
 * is on the disk, executed once however often it is sent, and its result is on the disk before
 * anybody hears of it.
 */

import type { CommandEnvelope } from '../../src/entitlement/vip-control/messages.ts';
import type { ResultCode } from '../../src/entitlement/vip-control/results.ts';
import { classOf } from '../../src/entitlement/vip-control/results.ts';
import type { Clock } from '../../src/platform/ports.ts';
import type { Journal } from './journal.ts';
import { applyRecord, type CommandResult, type Memory, type StoredCommand } from './memory.ts';
import type { Peer } from './peer.ts';
import { type Admission, admit, execute } from './rules.ts';

export interface Desk {
  /** Takes a command of a logged-in peer, and answers it. */
  take(peer: Peer, command: CommandEnvelope): void;
  /** Answers STATUS: the result again, ACK while there is none, NAK when never taken. */
  tell(peer: Peer, cmdId: string): void;
  /** Raises the epoch floor to that of a client that logged in. */
  raiseEpoch(epoch: number): void;
  /** Executes what was taken, but not executed, before a restart. */
  resume(): void;
  /** Executes nothing more. */
  stop(): void;
}

export interface DeskDeps {
  memory: Memory;
  journal: Journal;
  clock: Clock;
  /** From ACK to execution. */
  latencyMs: number;
  windowMax: number;
  admission: Omit<Admission, 'now'>;
}

/** The first step of the repetition profile: each EMM every 10 s. */
const EMM_CYCLE_MS = 10_000;

interface DeskState extends DeskDeps {
  /** Who is to hear the result of a command that has none yet. */
  listeners: Map<string, Peer>;
  stopped: boolean;
}

/** A desk over one memory and its journal. */
export function createDesk(deps: DeskDeps): Desk {
  const desk: DeskState = { ...deps, listeners: new Map(), stopped: false };
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
    resume() {
      for (const command of desk.memory.commands.values()) {
        if (command.pending) executeSoon(desk, command.cmdId);
      }
    },
    stop() {
      desk.stopped = true;
    },
  };
}

function take(desk: DeskState, peer: Peer, cmd: CommandEnvelope): void {
  const { seq, cmdId } = cmd;
  const known = desk.memory.commands.get(cmdId);
  const now = desk.clock.now();
  const refusal = refuse(desk, peer, cmd, now);
  if (refusal !== undefined) {
    peer.send({ t: 'NAK', seq, cmdId, code: refusal });
  } else if (known) {
    answerAgain(desk, peer, known, seq);
  } else {
    const record = { k: 'cmd' as const, atMs: now.getTime(), cmd };
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
  if (cmd.seq !== expectedSeq) return cmd.seq > expectedSeq ? 'SEQ_GAP' : 'SEQ_DUP';
  peer.lastSeq = cmd.seq;
  // What was taken once is answered for, whatever the rules are by now.
  if (desk.memory.commands.has(cmd.cmdId)) return undefined;
  if (peer.inFlight >= desk.windowMax) return 'WINDOW_FULL';
  const admitted = admit(cmd, { ...desk.admission, now });
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
  if (desk.latencyMs === 0) executeNow(desk, cmdId);
  else setTimeout(() => executeNow(desk, cmdId), desk.latencyMs).unref();
}

function executeNow(desk: DeskState, cmdId: string): void {
  const { memory, journal } = desk;
  const pending = memory.commands.get(cmdId)?.pending;
  if (desk.stopped || !pending) return;
  const { result, state } = resultOf(desk, pending);
  const record = { k: 'res' as const, cmdId, result, ...(state ? { state } : {}) };
  applyRecord(memory, record);
  journal.append(record, () => {
    const listener = desk.listeners.get(cmdId);
    if (!listener) return;
    desk.listeners.delete(cmdId);
    listener.inFlight -= 1;
    listener.send({ t: 'RES', cmdId, ...result, dup: false });
  });
}

function resultOf(desk: DeskState, cmd: CommandEnvelope) {
  const { memory, admission } = desk;
  const now = desk.clock.now();
  // Judged a second time: `notAfter` may have passed, or the catalogue changed, since.
  const admitted = admit(cmd, { ...admission, now });
  if (!admitted.ok) return { result: rejection(admitted.code) };
  const card = cmd.target.id;
  const before = memory.cards.get(card);
  const target = { card, state: before, epochFloor: memory.epochFloor };
  const { code, card: state, emmCount } = execute(admitted.operation, target, now);
  const after = state ?? before;
  const cardRev = after ? { cardRev: { epoch: after.epoch, rev: after.rev } } : {};
  if (classOf(code) !== 'ok') return { result: { ...rejection(code), ...cardRev } };
  const firstAirAt = code === 'DONE_NOOP' && after ? after.firstAirAt : now.toISOString();
  const emm = emmCount === 0 ? {} : { emm: { count: emmCount, firstAirAt, cycleMs: EMM_CYCLE_MS } };
  const result: CommandResult = { status: 'DONE', code, ...emm, ...cardRev };
  return { result, ...(state ? { state } : {}) };
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
