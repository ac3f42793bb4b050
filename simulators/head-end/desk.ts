/**
 * The desk where commands are taken, kept, executed and answered for. A command is ACKed when it
 * is on the disk, executed once however often it is sent, and done when its first EMM has gone
 * out; its result is on the disk before anybody hears of it.
 */

import type { CommandEnvelope, RepeatStep } from '../../src/entitlement/vip-control/messages.ts';
import type { ResultCode } from '../../src/entitlement/vip-control/results.ts';
import { classOf } from '../../src/entitlement/vip-control/results.ts';
import type { Clock, Random } from '../../src/platform/ports.ts';
import type { Air, Insertion } from './air/types.ts';
import type { Faults } from './faults.ts';
import type { Journal } from './journal.ts';
import { drawLatencyMs, type Latency } from './latency.ts';
import {
  applyRecord,
  boostsBefore,
  type CommandResult,
  type Memory,
  type StoredCommand,
} from './memory.ts';
import type { Peer } from './peer.ts';
import type { Timers } from './pulse.ts';
import {
  type Admission,
  type Admitted,
  admit,
  type CardState,
  type Execution,
  execute,
  isBoostAllowed,
  type RefreshLimit,
  served,
} from './rules.ts';

export interface Desk {
  /** Takes a command of a logged-in peer, and answers it. */
  take(peer: Peer, command: CommandEnvelope): void;
  /** Answers STATUS: the result again, ACK while there is none, NAK when never taken. */
  tell(peer: Peer, cmdId: string): void;
  /** Raises the epoch floor to that of a client that logged in. */
  raiseEpoch(epoch: number): void;
  /** Executes what was taken, but not done, before a restart. */
  resume(): void;
  /** For the commands taken from now on. */
  setLatency(latency: Latency): void;
  /** Executes nothing more. */
  stop(): void;
}

export interface DeskDeps {
  memory: Memory;
  journal: Journal;
  air: Air;
  clock: Clock;
  timers: Timers;
  random: Random;
  faults: Faults;
  /** From ACK to execution. */
  latency: Latency;
  windowMax: number;
  refreshLimit: RefreshLimit;
  /** How a change of rights is repeated. */
  profile: readonly RepeatStep[];
  admission: Omit<Admission, 'now'>;
  /** Something waits for its first broadcast. */
  onWaiting(): void;
}

const NO_ROOM_RETRY_MS = 1_000;
/** Cards changed before so many others are left to the slow cycle at a restart. */
const RESUMED_REPEATS_MAX = 20_000;

interface DeskState extends DeskDeps {
  /** Who is to hear the result of a command that has none yet. */
  listeners: Map<string, Peer>;
  /** Cancel what is to be executed when its latency is over. */
  delayed: Set<() => void>;
  stopped: boolean;
}

/** A desk over one memory, its journal, and the air. */
export function createDesk(deps: DeskDeps): Desk {
  const desk: DeskState = {
    ...deps,
    listeners: new Map(),
    delayed: new Set(),
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
    resume() {
      resumeRepeats(desk);
      for (const command of desk.memory.commands.values()) {
        if (command.pending) executeSoon(desk, command.cmdId);
      }
    },
    setLatency(latency) {
      desk.latency = latency;
    },
    stop() {
      desk.stopped = true;
      for (const cancel of desk.delayed) cancel();
    },
  };
}

function take(desk: DeskState, peer: Peer, cmd: CommandEnvelope): void {
  const { seq, cmdId } = cmd;
  const known = desk.memory.commands.get(cmdId);
  if (!known && desk.faults.strikes('drop_before_ack')) {
    peer.cut();
    return;
  }
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
  const waitMs = drawLatencyMs(desk.latency, desk.random);
  if (waitMs === 0) {
    executeNow(desk, cmdId);
    return;
  }
  executeLater(desk, cmdId, waitMs);
}

function executeLater(desk: DeskState, cmdId: string, waitMs: number): void {
  if (desk.stopped) return;
  const cancel = desk.timers.after(waitMs, () => {
    desk.delayed.delete(cancel);
    executeNow(desk, cmdId);
  });
  desk.delayed.add(cancel);
}

function executeNow(desk: DeskState, cmdId: string): void {
  const { memory, refreshLimit } = desk;
  const command = memory.commands.get(cmdId);
  if (desk.stopped || !command?.pending) return;
  const now = desk.clock.now();
  const admitted = admitAgain(desk, command, now);
  if (!admitted.ok) {
    conclude(desk, cmdId, rejection(admitted.code));
    return;
  }
  const { card } = command;
  const execution = execute(admitted.operation, {
    cmdId,
    card,
    state: memory.cards.get(card),
    epochFloor: memory.epochFloor,
    mayBoost: isBoostAllowed(boostsBefore(memory, command), refreshLimit, now),
  });
  if (execution.air) broadcast(desk, command.pending, execution.air, execution.card);
  else conclude(desk, cmdId, quietResult(desk, execution.code, memory.cards.get(card)));
}

/** Judged a second time: `notAfter` may have passed, or the catalogue changed, since. */
function admitAgain(desk: DeskState, command: StoredCommand, now: Date): Admitted {
  const { pending, revision } = command;
  if (!pending) throw new Error(`${command.cmdId} has a result`);
  const state = desk.memory.cards.get(command.card);
  const operation = served(pending);
  const isChanged = state?.epoch === revision?.epoch && state?.rev === revision?.rev;
  // What changed the card before a restart, and waits for the air alone, is not taken back.
  if (operation && state?.firstAirAt === null && isChanged) return { ok: true, operation };
  return admit(pending, { ...desk.admission, now });
}

/** The result of what needs no broadcast: refused, or so already. */
function quietResult(desk: DeskState, code: ResultCode, state?: CardState): CommandResult {
  if (classOf(code) !== 'ok') return { ...rejection(code), ...revisionOf(state) };
  const emm = state?.firstAirAt ? emmSince(desk, state.firstAirAt) : {};
  return { status: 'DONE', code, ...emm, ...revisionOf(state) };
}

/**
 * The air begins anew with the process: what was being repeated is put on it again at the instant
 * it was first broadcast, so that the repetition goes on where it would be by now.
 */
function resumeRepeats({ memory, air, profile, clock }: DeskState): void {
  const nowMs = clock.now().getTime();
  const past: { atMs: number; insertion: Insertion }[] = [];
  const profileMs = profile.reduce((sum, { forSeconds }) => sum + forSeconds, 0) * 1_000;
  for (const { card, firstAirAt } of memory.cards.values()) {
    const atMs = firstAirAt === null ? Number.NaN : Date.parse(firstAirAt);
    if (!(nowMs - atMs < profileMs)) continue;
    const content = { kind: 'rights' } as const;
    past.push({ atMs, insertion: { card, prio: 'BULK', content, repeat: 'profile' } });
  }
  past.sort((a, b) => a.atMs - b.atMs);
  for (const { atMs, insertion } of past.slice(-RESUMED_REPEATS_MAX)) {
    air.put(insertion, new Date(Math.min(atMs, nowMs)));
  }
  // Decoders that are switched on from here on have missed all this.
  air.advance(new Date(nowMs));
}

/** Puts it on air, and concludes the command when that has happened. */
function broadcast(
  desk: DeskState,
  { cmdId, target, prio, notAfter }: CommandEnvelope,
  air: NonNullable<Execution['air']>,
  state: CardState | undefined,
): void {
  const { memory, journal } = desk;
  // The air reads the rights of a card here, at the moment of broadcasting.
  if (state) applyRecord(memory, { k: 'card', state });
  let isOnAir = false;
  const insertion: Insertion = {
    card: target.id,
    prio,
    ...air,
    // Rights that come late are rights; a message that comes late is worse than none.
    ...(air.content.kind === 'message' ? { notAfterMs: Date.parse(notAfter) } : {}),
    onAir(at) {
      isOnAir = true;
      concludeOnAir(desk, cmdId, insertion, at);
    },
    // Its time has passed, and it is refused; or there was no room, and there will be.
    onMissed: () => executeLater(desk, cmdId, NO_ROOM_RETRY_MS),
  };
  desk.air.put(insertion, desk.clock.now());
  if (isOnAir) return;
  // Meanwhile an earlier command of the card may have been broadcast, with these rights.
  const changed = state && memory.cards.get(target.id);
  if (changed) journal.append({ k: 'card', state: changed }, () => undefined);
  desk.onWaiting();
}

function concludeOnAir(desk: DeskState, cmdId: string, insertion: Insertion, at: Date): void {
  const firstAirAt = at.toISOString();
  const before = desk.memory.cards.get(insertion.card);
  const { kind } = insertion.content;
  const hasRights = kind === 'rights' || kind === 'all';
  const state = hasRights && before?.firstAirAt === null ? { ...before, firstAirAt } : undefined;
  const emm = emmSince(desk, firstAirAt);
  conclude(desk, cmdId, { status: 'DONE', code: 'DONE', ...emm, ...revisionOf(before) }, state);
}

function emmSince({ profile }: DeskState, firstAirAt: string): Pick<CommandResult, 'emm'> {
  const cycleMs = (profile[0]?.everySeconds ?? 0) * 1_000;
  return { emm: { count: 1, firstAirAt, cycleMs } };
}

function revisionOf(state: CardState | undefined): Pick<CommandResult, 'cardRev'> {
  return state ? { cardRev: { epoch: state.epoch, rev: state.rev } } : {};
}

/** Writes the result down, and tells who waits for it when that is on the disk. */
function conclude(desk: DeskState, cmdId: string, result: CommandResult, state?: CardState): void {
  const { memory, journal } = desk;
  if (desk.stopped || !memory.commands.get(cmdId)?.pending) return;
  const record = { k: 'res' as const, cmdId, result, ...(state ? { state } : {}) };
  applyRecord(memory, record);
  journal.append(record, () => tellResult(desk, cmdId, result));
}

function tellResult({ listeners, faults }: DeskState, cmdId: string, result: CommandResult): void {
  const listener = listeners.get(cmdId);
  if (!listener) return;
  listeners.delete(cmdId);
  listener.inFlight -= 1;
  if (!listener.isOpen()) return;
  if (faults.strikes('drop_after_exec')) {
    listener.cut();
    return;
  }
  const sendings = faults.strikes('dup_res') ? 2 : 1;
  for (let n = 0; n < sendings; n += 1) listener.send({ t: 'RES', cmdId, ...result, dup: false });
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
