/**
 * Gathers items into batches without waiting for a clock: what comes in one turn of the event loop
 * is written together, and what comes during a write is the next batch.
 */

export interface Gather<T> {
  /** Resolves when the item's batch was written, or given up. */
  add(item: T): Promise<void>;
}

export interface GatherDeps<T> {
  itemsMax: number;
  write(items: T[]): Promise<void>;
  /** A batch could not be written; it is not tried again. */
  onError(error: unknown, items: T[]): void;
}

/** One batch is written at a time. */
export function createGather<T>({ itemsMax, write, onError }: GatherDeps<T>): Gather<T> {
  const waiting: { item: T; done: () => void }[] = [];
  let writing = false;

  const flush = async (): Promise<void> => {
    while (waiting.length > 0) {
      const batch = waiting.splice(0, itemsMax);
      const items = batch.map(({ item }) => item);
      try {
        await write(items);
      } catch (error) {
        onError(error, items);
      }
      for (const { done } of batch) done();
    }
    writing = false;
  };
  return {
    add(item) {
      return new Promise((done) => {
        waiting.push({ item, done });
        if (writing) return;
        writing = true;
        setImmediate(() => void flush());
      });
    },
  };
}
