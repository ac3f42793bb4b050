/**
 * What a head-end remembers: the cards, the commands, the highest epoch. It is changed only by
 * records, the same ones that lie in the journal, so that a restart ends in the same state.
 */
import { z } from 'zod';
import {
  type CommandEnvelope,
  parseOperation,
  type Res,
} from '../../src/entitlement/vip-control/messages.ts';
import type { Revision } from '../../src/entitlement/vip-control/operations.ts';
import type { LogLine } from '../../src/entitlement/vip-control/queries.ts';
import type { AirOrder } from './air/types.ts';
import { blankCard, type CardState, type StbState } from './card-state.ts';

export interface StoredCommand {
  cmdId: string;
  op: string;
  /** The number of its target, which is mostly a card. */
  card: string;
  /** Who gave it. */
  client: string;
  atMs: number;
  revision?: Revision;
  /** What an OSD put on the screen. */
  text?: string;
  /** How long a REFRESH was asked to repeat; such ones count against the card's limit. */
  boostSeconds?: number;
  /** The whole command, until it is executed. */
  pending?: CommandEnvelope;
  result?: CommandResult;
  /** It has changed what it changes, and this is to be broadcast before it has a result. */
  waitsFor?: readonly AirOrder[];
}

/** States as they are after a change. */
export interface Changed {
  cards?: readonly CardState[];
  stbs?: readonly StbState[];
}

export type CommandResult = Omit<Res, 't' | 'cmdId' | 'dup'>;

export type JournalRecord = (
  | { k: 'epoch'; epoch: number }
  /** A card or a decoder was changed, and by no command. */
  | { k: 'card'; state: CardState }
  | { k: 'stb'; state: StbState }
  /** A command was taken, from that client. */
  | { k: 'cmd'; atMs: number; cmd: CommandEnvelope; client: string }
  /** It was executed, and waits for the air. */
  | ({ k: 'change'; cmdId: string; air: readonly AirOrder[] } & Changed)
  /** It is on air, or was refused; with what it changed, where that was not written before. */
  | ({ k: 'res'; cmdId: string; result: CommandResult } & Changed)
  /** A command and its result in one, as compaction leaves them. */
  | { k: 'done'; command: StoredCommand }
  /** Nothing but a line of the log. */
  | { k: 'log' }
) & { line?: LogLine };

export interface Memory {
  cards: Map<string, CardState>;
  stbs: Map<string, StbState>;
  /** The cards that are paired with each decoder. */
  cardsOf: Map<string, Set<string>>;
  /** Whether there is a list of known cards and of known decoders: one was registered. */
  registered: { cards: boolean; stbs: boolean };
  /** How many changes of a card there were. */
  change: number;
  /** When anything of each card was broadcast last, since the start. */
  lastAirMs: Map<string, number>;
  /** By cmdId, oldest first. */
  commands: Map<string, StoredCommand>;
  /** Of each card, its boosted refreshes of the last day, oldest first. */
  boosts: Map<string, Set<StoredCommand>>;
  epochFloor: number;
}

/** How long a cmdId is remembered at least, unless `COMMANDS_REMEMBERED_MAX` is reached before. */
export const COMMAND_MEMORY_MS = 7 * 24 * 3_600_000;
export const COMMANDS_REMEMBERED_MAX = 500_000;
const BOOST_MEMORY_MS = 24 * 3_600_000;

const recordHead = z.object({
  k: z.enum(['epoch', 'card', 'stb', 'cmd', 'change', 'res', 'done', 'log']),
});

/** A head-end that has seen nothing yet. */
export function createMemory(): Memory {
  return {
    ...{ cards: new Map(), stbs: new Map(), cardsOf: new Map(), lastAirMs: new Map() },
    ...{ commands: new Map(), boosts: new Map(), epochFloor: 0, change: 0 },
    registered: { cards: false, stbs: false },
  };
}

/** A line of the journal; `undefined` when it is not one we wrote whole. */
export function parseRecord(line: string): JournalRecord | undefined {
  try {
    const value: unknown = JSON.parse(line);
    // We wrote the line ourselves: a whole one is right, and only wholeness is in doubt.
    return recordHead.safeParse(value).success ? (value as JournalRecord) : undefined;
  } catch {
    return undefined;
  }
}

/** Applies one record; the only way memory changes. */
export function applyRecord(memory: Memory, record: JournalRecord): void {
  switch (record.k) {
    case 'epoch':
      memory.epochFloor = Math.max(memory.epochFloor, record.epoch);
      return;
    case 'card':
      setCard(memory, record.state);
      return;
    case 'stb':
      setStb(memory, record.state);
      return;
    case 'cmd':
      remember(memory, storedCommand(record));
      return;
    case 'done':
      remember(memory, record.command);
      return;
    case 'change':
    case 'res':
      applyChanged(memory, record);
      applyOutcome(memory.commands.get(record.cmdId), record);
      return;
    case 'log':
  }
}

function applyChanged(memory: Memory, { cards = [], stbs = [] }: Changed): void {
  for (const state of cards) setCard(memory, state);
  for (const state of stbs) setStb(memory, state);
}

function applyOutcome(
  command: StoredCommand | undefined,
  record: Extract<JournalRecord, { k: 'change' | 'res' }>,
): void {
  if (!command) return;
  if (record.k === 'change') {
    command.waitsFor = record.air;
    return;
  }
  command.result = record.result;
  delete command.pending;
  delete command.waitsFor;
}

function setCard(memory: Memory, given: CardState): void {
  const { cards, cardsOf } = memory;
  // A journal of before cards had pairings, and more, says nothing of these.
  const state = given.stbs === undefined ? { ...blankCard(given.card), ...given } : given;
  const { card, stbs } = state;
  for (const stb of cards.get(card)?.stbs ?? []) cardsOf.get(stb)?.delete(card);
  for (const stb of stbs) cardsOf.set(stb, (cardsOf.get(stb) ?? new Set()).add(card));
  cards.set(card, state);
  memory.change = Math.max(memory.change, state.change);
  if (state.isRegistered) memory.registered.cards = true;
}

function setStb(memory: Memory, state: StbState): void {
  memory.stbs.set(state.stb, state);
  if (state.isRegistered) memory.registered.stbs = true;
}

/** When anything of a card was broadcast last; ISO 8601. */
export function lastAirOf({ lastAirMs }: Memory, { card, firstAirAt }: CardState): string | null {
  const lastMs = lastAirMs.get(card);
  return lastMs === undefined ? firstAirAt : new Date(lastMs).toISOString();
}

/** The shortest list of records that rebuilds this memory; commands older than a week are left. */
export function* compactRecords(memory: Memory, now: Date): Generator<JournalRecord> {
  yield { k: 'epoch', epoch: memory.epochFloor };
  for (const state of memory.stbs.values()) yield { k: 'stb', state };
  for (const state of memory.cards.values()) yield { k: 'card', state };
  const oldestMs = now.getTime() - COMMAND_MEMORY_MS;
  for (const command of memory.commands.values()) {
    const { cmdId, atMs, client, pending, waitsFor } = command;
    if (pending) yield { k: 'cmd', atMs, cmd: pending, client };
    else if (atMs >= oldestMs) yield { k: 'done', command };
    if (waitsFor) yield { k: 'change', cmdId, air: waitsFor };
  }
}

/** When each boosted refresh of the same card came before this one, that was not refused. */
export function boostsBefore(memory: Memory, command: StoredCommand): number[] {
  const earlierMs: number[] = [];
  for (const boost of memory.boosts.get(command.card) ?? []) {
    if (boost === command) break;
    // One that waits for its broadcast has no result yet, and counts.
    if (boost.result === undefined || boost.result.code === 'DONE') earlierMs.push(boost.atMs);
  }
  return earlierMs;
}

function storedCommand(record: Extract<JournalRecord, { k: 'cmd' }>): StoredCommand {
  const { atMs, cmd, client } = record;
  const { epoch, rev } = cmd;
  return {
    cmdId: cmd.cmdId,
    op: cmd.op,
    card: cmd.target.id,
    client,
    atMs,
    ...(epoch === undefined || rev === undefined ? {} : { revision: { epoch, rev } }),
    ...shownArgs(cmd),
    pending: cmd,
  };
}

function shownArgs(cmd: CommandEnvelope): Pick<StoredCommand, 'text' | 'boostSeconds'> {
  // ENTITLE is nearly all there is, and shows nothing of this.
  const operation = cmd.op === 'ENTITLE' ? undefined : parseOperation(cmd);
  if (operation?.op === 'OSD') return { text: operation.args.text };
  if (operation?.op !== 'REFRESH') return {};
  return { boostSeconds: operation.args.boostSeconds };
}

function remember(memory: Memory, command: StoredCommand): void {
  memory.commands.set(command.cmdId, command);
  if (command.boostSeconds) noteBoost(memory, command);
  if (memory.commands.size <= COMMANDS_REMEMBERED_MAX) return;
  for (const [cmdId, oldest] of memory.commands) {
    if (oldest.pending) continue;
    memory.commands.delete(cmdId);
    memory.boosts.get(oldest.card)?.delete(oldest);
    return;
  }
}

function noteBoost({ boosts }: Memory, command: StoredCommand): void {
  const ofCard = boosts.get(command.card) ?? new Set();
  for (const earlier of ofCard) {
    if (earlier.atMs < command.atMs - BOOST_MEMORY_MS) ofCard.delete(earlier);
  }
  boosts.set(command.card, ofCard.add(command));
}
