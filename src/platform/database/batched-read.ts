/**
 * Reads that many callers make at the same time, made together: the keys of one turn of the event
 * loop, and those that arrive while a read is running, go out as one query.
 */

export interface BatchedReadOptions<K, V> {
  /** Answers any number of distinct keys; a key without an entry reads as `undefined`. */
  load(keys: readonly K[]): Promise<ReadonlyMap<K, V>>;
  /** Most keys in one query. */
  keysMax: number;
  /** Queries under way at once. */
  lanes: number;
}

/** A function that reads one key; calls at the same time share queries and equal keys. */
export function createBatchedRead<K, V>({ load, keysMax, lanes }: BatchedReadOptions<K, V>) {
  interface Reader {
    resolve(value: V | undefined): void;
    reject(error: unknown): void;
  }
  let waiting = new Map<K, Reader[]>();
  let busy = 0;

  const run = async (batch: ReadonlyMap<K, Reader[]>): Promise<void> => {
    try {
      const values = await load([...batch.keys()]);
      for (const [key, readers] of batch) for (const r of readers) r.resolve(values.get(key));
    } catch (error) {
      for (const readers of batch.values()) for (const r of readers) r.reject(error);
    }
  };
  const pump = (): void => {
    while (busy < lanes && waiting.size > 0) {
      const batch = new Map([...waiting].slice(0, keysMax));
      if (batch.size === waiting.size) waiting = new Map();
      else for (const key of batch.keys()) waiting.delete(key);
      busy += 1;
      void run(batch).then(() => {
        busy -= 1;
        pump();
      });
    }
  };
  return (key: K): Promise<V | undefined> =>
    new Promise((resolve, reject) => {
      const readers = waiting.get(key);
      if (readers) {
        readers.push({ resolve, reject });
        return;
      }
      waiting.set(key, [{ resolve, reject }]);
      if (waiting.size === 1) setImmediate(pump);
    });
}
