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
import type { CardState } from './rules.ts';

export interface StoredCommand {
  cmdId: string;
  op: string;
  card: string;
  atMs: number;
  revision?: Revision;
  /** What an OSD put on the screen. */
  text?: string;
  /** How long a REFRESH was asked to repeat; such ones count against the card's limit. */
  boostSeconds?: number;
  /** The whole command, until it is executed. */
  pending?: CommandEnvelope;
  result?: CommandResult;
}

export type CommandResult = Omit<Res, 't' | 'cmdId' | 'dup'>;

export type JournalRecord =
  | { k: 'epoch'; epoch: number }
  /** The card was changed; the result of its command comes when that is on air. */
  | { k: 'card'; state: CardState }
  /** A command was taken. */
  | { k: 'cmd'; atMs: number; cmd: CommandEnvelope }
  /** It is on air, or was refused; `state` is the card after it, where that changed. */
  | { k: 'res'; cmdId: string; result: CommandResult; state?: CardState }
  /** A command and its result in one, as compaction leaves them. */
  | { k: 'done'; command: StoredCommand };

export interface Memory {
  cards: Map<string, CardState>;
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

const recordHead = z.object({ k: z.enum(['epoch', 'card', 'cmd', 'res', 'done']) });

/** A head-end that has seen nothing yet. */
export function createMemory(): Memory {
  return { cards: new Map(), commands: new Map(), boosts: new Map(), epochFloor: 0 };
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
  if (record.k === 'epoch') memory.epochFloor = Math.max(memory.epochFloor, record.epoch);
  else if (record.k === 'card') memory.cards.set(record.state.card, record.state);
  else if (record.k === 'cmd') remember(memory, storedCommand(record));
  else if (record.k === 'done') remember(memory, record.command);
  else {
    const command = memory.commands.get(record.cmdId);
    if (command) {
      command.result = record.result;
      delete command.pending;
    }
    if (record.state) memory.cards.set(record.state.card, record.state);
  }
}

/** The shortest list of records that rebuilds this memory; commands older than a week are left. */
export function* compactRecords(memory: Memory, now: Date): Generator<JournalRecord> {
  yield { k: 'epoch', epoch: memory.epochFloor };
  for (const state of memory.cards.values()) yield { k: 'card', state };
  const oldestMs = now.getTime() - COMMAND_MEMORY_MS;
  for (const command of memory.commands.values()) {
    if (command.pending) yield { k: 'cmd', atMs: command.atMs, cmd: command.pending };
    else if (command.atMs >= oldestMs) yield { k: 'done', command };
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

function storedCommand({ atMs, cmd }: { atMs: number; cmd: CommandEnvelope }): StoredCommand {
  const { epoch, rev } = cmd;
  return {
    cmdId: cmd.cmdId,
    op: cmd.op,
    card: cmd.target.id,
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
