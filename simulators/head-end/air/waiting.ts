/** What waits for its first broadcast: by priority, and within one in the order it came. */
import { PRIORITIES, type Priority } from '../../../src/entitlement/vip-control/messages.ts';
import type { Entry } from './entry.ts';
import { createQueue } from './queue.ts';

export interface Waiting {
  /** Queues an entry; one that waits already keeps its place unless `prio` is higher. */
  add(entry: Entry, prio: Priority, nowMs: number): void;
  peek(): Entry | undefined;
  /** Takes an entry out, wherever it stands. */
  take(entry: Entry): void;
  size(): number;
  /** Since when the first of each priority waits, the longest; Infinity: nothing waits. */
  sinceMs(): number;
  counts(): Record<Priority, number>;
}

/** Nobody waits yet. */
export function createWaiting(): Waiting {
  const counts: Record<Priority, number> = { SALE: 0, REFRESH: 0, MESSAGE: 0, BULK: 0 };
  const lanes = PRIORITIES.map((prio) => ({ prio, queue: createQueue<Entry>() }));
  const size = () => PRIORITIES.reduce((sum, prio) => sum + counts[prio], 0);

  function add(entry: Entry, prio: Priority, nowMs: number): void {
    if (entry.waits) {
      if (PRIORITIES.indexOf(prio) >= PRIORITIES.indexOf(entry.prio)) return;
      counts[entry.prio] -= 1;
    } else entry.sinceMs = nowMs;
    entry.waits = true;
    entry.prio = prio;
    counts[prio] += 1;
    lanes.find((lane) => lane.prio === prio)?.queue.push(entry);
  }

  function firstOf({ prio, queue }: (typeof lanes)[number]): Entry | undefined {
    // Who was taken out or moved up has left its old place in the queue behind.
    for (let entry = queue.peek(); entry; entry = queue.peek()) {
      if (entry.waits && entry.prio === prio) return entry;
      queue.shift();
    }
    return undefined;
  }

  function peek(): Entry | undefined {
    for (const lane of lanes) {
      const first = firstOf(lane);
      if (first) return first;
    }
    return undefined;
  }

  function sinceMs(): number {
    return Math.min(...lanes.map((lane) => firstOf(lane)?.sinceMs ?? Infinity));
  }

  function take(entry: Entry): void {
    if (!entry.waits) return;
    entry.waits = false;
    counts[entry.prio] -= 1;
  }

  return { add, peek, take, size, sinceMs, counts: () => ({ ...counts }) };
}
