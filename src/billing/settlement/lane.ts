/** Commands that wait for a connection, and the batches that take them away. */
import type { Command, Outcome } from './commands.ts';

export interface Waiting {
  command: Command;
  answer(outcome: Outcome): void;
}

export interface LaneOptions {
  /** Batches that run at the same time. */
  batches: number;
  /** Of one batch; asked for each. */
  commandsMax(): number;
  /** More than this waiting is turned away. */
  queueMax: number;
  /** Answers everybody in the batch. Never rejects. */
  run(batch: readonly Waiting[]): Promise<void>;
  /** May another batch start beside so many of this lane? It is asked again at `pump`. */
  mayStart?(running: number): boolean;
  /** Called when nothing is in hand any more. */
  onIdle?(): void;
}

export interface Lane {
  /** Queues a command; `unavailable` when too many wait or the lane is closed. */
  add(command: Command): Promise<Outcome>;
  /** Starts what may start now. */
  pump(): void;
  waiting(): number;
  /** Commands that were added and are not answered yet. */
  inHand(): number;
  /** Waits for what is in hand; later commands are `unavailable`. */
  close(): Promise<void>;
}

/** Opens a lane. */
export function createLane(options: LaneOptions): Lane {
  const { batches, commandsMax, queueMax, run } = options;
  const mayStart = options.mayStart ?? (() => true);
  const queue: Waiting[] = [];
  let busy = 0;
  let inHand = 0;
  let closed = false;
  let idle: (() => void) | null = null;

  /** Free connections share what waits, so that one long batch does not starve the others. */
  const pump = (): void => {
    while (busy < batches && queue.length > 0 && mayStart(busy)) {
      const share = Math.ceil(queue.length / (batches - busy));
      const batch = queue.splice(0, Math.min(share, commandsMax()));
      busy += 1;
      void run(batch).finally(() => {
        busy -= 1;
        inHand -= batch.length;
        if (inHand === 0) idle?.();
        pump();
        if (inHand === 0) options.onIdle?.();
      });
    }
  };
  return {
    add(command) {
      if (closed || queue.length >= queueMax) return Promise.resolve({ kind: 'unavailable' });
      return new Promise((answer) => {
        queue.push({ command, answer });
        inHand += 1;
        // Callers of the same turn of the event loop share a batch.
        if (queue.length === 1) queueMicrotask(pump);
        else if (busy < batches && queue.length >= commandsMax()) pump();
      });
    },
    pump,
    waiting: () => queue.length,
    inHand: () => inHand,
    async close() {
      closed = true;
      if (inHand > 0) {
        await new Promise<void>((resolve) => {
          idle = resolve;
        });
      }
    },
  };
}
