/**
 * What is to be broadcast again, soonest first. Times only grow, so all that is due again after
 * the same period falls due in the order it was set: one queue a period, no sorting.
 */
import { createQueue, type Queue } from './queue.ts';
import type { Due } from './schedule.ts';

export interface Repeats<T> {
  /** Makes the item due; it must be due no sooner than the others of its period. */
  set(item: T, due: Due): void;
  /** Forgets the item. */
  clear(item: T): void;
  /** The item that is due first, and when. */
  peek(): { item: T; dueMs: number } | undefined;
  /** Takes everything out. */
  drain(): { item: T; due: Due }[];
  size(): number;
  /** How many items are due again after each period, shortest first. */
  periods(): { everyMs: number; count: number }[];
  /** How many broadcasts a second all of it takes. */
  perSecond(): number;
}

interface Lane<T> {
  queue: Queue<{ item: T; dueMs: number }>;
  live: number;
}

/** Nothing to repeat yet. */
export function createRepeats<T>(): Repeats<T> {
  const dues = new Map<T, Due>();
  const lanes = new Map<number, Lane<T>>();

  /** The first of a lane that is still meant: what was set anew or forgotten is passed over. */
  function head({ queue }: Lane<T>) {
    for (let first = queue.peek(); first; first = queue.peek()) {
      if (dues.get(first.item)?.dueMs === first.dueMs) return first;
      queue.shift();
    }
    return undefined;
  }

  const repeats: Repeats<T> = {
    set(item, due) {
      repeats.clear(item);
      dues.set(item, due);
      const lane = lanes.get(due.everyMs) ?? { queue: createQueue(), live: 0 };
      lanes.set(due.everyMs, lane);
      lane.queue.push({ item, dueMs: due.dueMs });
      lane.live += 1;
    },
    clear(item) {
      const due = dues.get(item);
      if (!due) return;
      dues.delete(item);
      const lane = lanes.get(due.everyMs);
      if (lane) lane.live -= 1;
    },
    peek() {
      let first: { item: T; dueMs: number } | undefined;
      for (const lane of lanes.values()) {
        const candidate = head(lane);
        if (candidate && candidate.dueMs < (first?.dueMs ?? Infinity)) first = candidate;
      }
      return first;
    },
    drain() {
      const all = [...dues].map(([item, due]) => ({ item, due }));
      dues.clear();
      lanes.clear();
      return all;
    },
    size: () => dues.size,
    periods() {
      const all = [...lanes].map(([everyMs, { live }]) => ({ everyMs, count: live }));
      return all.filter(({ count }) => count > 0).sort((a, b) => a.everyMs - b.everyMs);
    },
    perSecond() {
      let sum = 0;
      for (const [everyMs, { live }] of lanes) sum += (live * 1_000) / everyMs;
      return sum;
    },
  };
  return repeats;
}
