/** The bounded queue in front of the window: most important first, oldest first within that. */
import { PRIORITIES, type Priority } from './messages.ts';

export interface WaitingQueue<T> {
  size(): number;
  /** Puts an item last in its priority; false when the queue is full. */
  add(priority: Priority, item: T): boolean;
  /** Puts back, first in its priority, an item that had been taken; never refused. */
  putBack(priority: Priority, item: T): void;
  take(): T | undefined;
  /** Takes out and gives every item that `leaves` says yes to. */
  remove(leaves: (item: T) => boolean): T[];
}

/** An empty queue that refuses to hold more than `itemsMax` items. */
export function createWaitingQueue<T>(itemsMax: number): WaitingQueue<T> {
  const lanes: Record<Priority, T[]> = { SALE: [], REFRESH: [], MESSAGE: [], BULK: [] };
  const size = () => PRIORITIES.reduce((sum, priority) => sum + lanes[priority].length, 0);

  return {
    size,
    add(priority, item) {
      if (size() >= itemsMax) return false;
      lanes[priority].push(item);
      return true;
    },
    putBack: (priority, item) => void lanes[priority].unshift(item),
    take() {
      const lane = PRIORITIES.find((priority) => lanes[priority].length > 0);
      return lane === undefined ? undefined : lanes[lane].shift();
    },
    remove(leaves) {
      const removed: T[] = [];
      for (const priority of PRIORITIES) {
        const kept: T[] = [];
        for (const item of lanes[priority]) (leaves(item) ? removed : kept).push(item);
        lanes[priority] = kept;
      }
      return removed;
    },
  };
}
