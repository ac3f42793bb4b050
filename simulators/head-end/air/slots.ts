/** The slots of a carousel, and who gets the next one. Instants in milliseconds. */
import type { Priority, RepeatStep } from '../../../src/entitlement/vip-control/messages.ts';
import { ask, type Entry, keyOf, newEntry, scheduleFrom } from './entry.ts';
import { createRepeats } from './repeats.ts';
import { type Due, dueAfter, lastBefore } from './schedule.ts';
import { createSlowCycle } from './slow-cycle.ts';
import type { AirOrder, Backlog, Insertion } from './types.ts';
import { createWaiting } from './waiting.ts';

export interface Slots {
  start(atMs: number): void;
  /** Queues an insertion; it goes out with the next `playUntil`. */
  enter(insertion: Insertion, nowMs: number): void;
  /** Fills all slots that begin by then. */
  playUntil(nowMs: number): void;
  /** When the next broadcast is due; Infinity: none but the slow cycle's. */
  nextMs(): number;
  slowDueMs(): number;
  waiting(): Record<Priority, number>;
  backlog(): Backlog;
  repeating(): number;
  repeatsPerSecond(): number;
  repeatPeriods(): { everyMs: number; count: number }[];
  broadcasts(): number;
}

export interface Broadcast extends Pick<AirOrder, 'card' | 'content'> {
  group: AirOrder['group'];
  atMs: number;
  why: 'first' | 'repeat' | 'slow';
}

export interface SlotsOptions {
  /** How long one EMM takes; 0: there is room for any number at once. */
  slotMs: number;
  roundMsMin: number;
  profile: readonly RepeatStep[];
  cards(): Iterable<string>;
  onBroadcast(broadcast: Broadcast): void;
}

/** Of so many slots one is kept for repeats and one for the slow cycle, whatever waits. */
export const SLOTS_PER_GUARANTEED = 20;
/** After a jump of the clock the last hour is played slot by slot, what was before in one go. */
const EXACT_MS_MAX = 3_600_000;
/** Insertions that wait or are repeated; further ones are missed. */
const ENTRIES_MAX = 500_000;

interface State extends SlotsOptions {
  entries: Map<string, Entry>;
  queue: ReturnType<typeof createWaiting>;
  repeats: ReturnType<typeof createRepeats<Entry>>;
  slow: ReturnType<typeof createSlowCycle>;
  freeAtMs: number;
  slots: number;
  broadcasts: number;
}

/** Slots with nothing in them. */
export function createSlots(options: SlotsOptions): Slots {
  const state: State = {
    ...options,
    entries: new Map(),
    queue: createWaiting(),
    repeats: createRepeats(),
    slow: createSlowCycle(options),
    freeAtMs: 0,
    slots: 0,
    broadcasts: 0,
  };
  const { queue, repeats, slow } = state;
  return {
    start(atMs) {
      state.freeAtMs = atMs;
      slow.start(atMs);
    },
    enter: (insertion, nowMs) => enter(state, insertion, nowMs),
    playUntil(nowMs) {
      if (nowMs - state.freeAtMs > EXACT_MS_MAX) skipUntil(state, nowMs - EXACT_MS_MAX);
      while (step(state, nowMs));
    },
    nextMs() {
      if (queue.size() > 0) return state.freeAtMs;
      return Math.max(state.freeAtMs, repeats.peek()?.dueMs ?? Infinity);
    },
    slowDueMs: slow.dueMs,
    waiting: queue.counts,
    backlog: () => ({ waiting: queue.size(), sinceMs: queue.sinceMs() }),
    repeating: repeats.size,
    repeatsPerSecond: repeats.perSecond,
    repeatPeriods: repeats.periods,
    broadcasts: () => state.broadcasts,
  };
}

function enter(state: State, insertion: Insertion, nowMs: number): void {
  const { entries, repeats, queue } = state;
  const key = keyOf(insertion);
  const known = entries.get(key);
  if (!known && entries.size >= ENTRIES_MAX) {
    insertion.onMissed?.();
    return;
  }
  const entry = known ?? newEntry(key, insertion);
  entries.set(key, entry);
  entry.content = insertion.content;
  // Slots that passed while nobody wanted them are gone.
  state.freeAtMs = Math.max(state.freeAtMs, nowMs);
  repeats.clear(entry);
  ask(entry, insertion);
  queue.add(entry, insertion.prio, nowMs);
}

/** Fills the next slot if it begins by `untilMs`; false: none does. */
function step(state: State, untilMs: number): boolean {
  const { slow, slotMs } = state;
  const first = firstInTime(state);
  const again = state.repeats.peek();
  const dueMs = Math.min(again?.dueMs ?? Infinity, slow.dueMs());
  const atMs = first ? state.freeAtMs : Math.max(state.freeAtMs, dueMs);
  if (atMs > untilMs) return false;
  const repeat = again !== undefined && again.dueMs <= atMs ? again.item : undefined;
  const turn = whoseTurn(state.slots % SLOTS_PER_GUARANTEED, {
    first: first !== undefined,
    repeat: repeat !== undefined,
    slow: slow.dueMs() <= atMs,
  });
  const card = turn === 'slow' ? slow.take(atMs) : undefined;
  state.freeAtMs = atMs;
  if (turn === 'slow' && card === undefined) return true;
  state.freeAtMs += slotMs;
  state.slots += 1;
  if (card !== undefined) send(state, { ...slowly(card), atMs });
  else if (turn === 'first' && first) broadcastFirst(state, first, atMs);
  else if (repeat) broadcastAgain(state, repeat, atMs, 'repeat');
  return true;
}

/** First broadcasts, repeats, slow cycle; but one slot of a row is another's before all. */
function whoseTurn(slot: number, has: Record<Broadcast['why'], boolean>): Broadcast['why'] {
  if (slot === SLOTS_PER_GUARANTEED - 1 && has.slow) return 'slow';
  if (slot === SLOTS_PER_GUARANTEED / 2 && has.repeat) return 'repeat';
  if (has.first) return 'first';
  return has.repeat ? 'repeat' : 'slow';
}

/** The first that waits; those whose time has passed are dropped on the way. */
function firstInTime(state: State): Entry | undefined {
  const { queue } = state;
  for (let entry = queue.peek(); entry; entry = queue.peek()) {
    if (state.freeAtMs <= entry.notAfterMs) return entry;
    queue.take(entry);
    state.entries.delete(entry.key);
    for (const { onMissed } of entry.asked) onMissed?.();
  }
  return undefined;
}

function broadcastFirst(state: State, entry: Entry, atMs: number): void {
  const { asked } = entry;
  state.queue.take(entry);
  entry.schedule = scheduleFrom(entry, atMs, state.profile);
  entry.asked = [];
  broadcastAgain(state, entry, atMs, 'first');
  for (const { onAir } of asked) onAir?.(new Date(atMs));
}

function broadcastAgain(state: State, entry: Entry, atMs: number, why: 'first' | 'repeat'): void {
  const due = dueAfter(entry.schedule, atMs);
  if (due) state.repeats.set(entry, due);
  else drop(state, entry);
  // Under load a repeat may come so late that it is no longer wanted.
  if (atMs > entry.notAfterMs) return;
  const { card, group, content } = entry;
  send(state, { card, group, content, atMs, why });
}

/** What the slow cycle carries of a card. */
function slowly(card: string): Omit<Broadcast, 'atMs'> {
  return { card, group: undefined, content: { kind: 'rights' }, why: 'slow' };
}

function drop(state: State, entry: Entry): void {
  state.repeats.clear(entry);
  state.entries.delete(entry.key);
}

function send(state: State, broadcast: Broadcast): void {
  state.broadcasts += 1;
  state.onBroadcast(broadcast);
}

/**
 * Passes over the time until `endMs` as if each repeat had had its slot when it was due. Of all
 * that was due, only the last time of each entry and card is broadcast: who receives that one has
 * what the others would have brought.
 */
function skipUntil(state: State, endMs: number): void {
  const { queue, repeats, slow } = state;
  // What waits goes out slot by slot, and may take all of the time.
  while (queue.size() > 0 && step(state, endMs));
  if (queue.size() > 0) return;
  const skipped: Broadcast[] = [];
  const kept: { entry: Entry; due: Due }[] = [];
  for (const { item: entry, due } of repeats.drain()) {
    const next = due.dueMs < endMs ? skipEntry(state, { entry, due, endMs }, skipped) : due;
    if (next) kept.push({ entry, due: next });
    else drop(state, entry);
  }
  kept.sort((a, b) => a.due.dueMs - b.due.dueMs);
  for (const { entry, due } of kept) repeats.set(entry, due);
  const { last, count } = slow.skip(endMs);
  state.broadcasts += count - last.length;
  for (const at of last) skipped.push({ ...slowly(at.card), atMs: at.atMs });
  state.freeAtMs = Math.max(state.freeAtMs, endMs);
  for (const broadcast of skipped) send(state, broadcast);
}

/** Adds the entry's last broadcast before `endMs` to `skipped`; the one after it is returned. */
function skipEntry(
  state: State,
  { entry, due, endMs }: { entry: Entry; due: Due; endMs: number },
  skipped: Broadcast[],
): Due | undefined {
  const { card, group, content, schedule } = entry;
  const last = lastBefore(schedule, due.dueMs, endMs);
  state.broadcasts += last.count - 1;
  skipped.push({ card, group, content, atMs: last.atMs, why: 'repeat' });
  return dueAfter(schedule, last.atMs);
}
