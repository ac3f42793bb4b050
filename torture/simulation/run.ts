/** Many seeds over several workers; the results come back in the order of the seeds. */
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import type { SeedOptions, SeedResult } from './seed.ts';
import type { FromWorker, ToWorker } from './worker.ts';

export interface RunOptions {
  seeds: readonly number[];
  workers: number;
  options: SeedOptions;
  /** In the order in which they end. */
  onResult(result: SeedResult): void;
  /** Hands out no more seeds. */
  stop: AbortSignal;
}

const WORKER = join(import.meta.dirname, 'worker.ts');

/** Lives through all seeds. Rejects when a worker dies: its seed stands in the error. */
export async function runSeeds(run: RunOptions): Promise<void> {
  const waiting = [...run.seeds];
  const count = Math.min(run.workers, waiting.length);
  await Promise.all(Array.from({ length: count }, () => work(run, waiting)));
}

function work({ options, onResult, stop }: RunOptions, waiting: number[]): Promise<void> {
  // Workers end by themselves: a signal to the group must not kill their Postgres first.
  const child: ChildProcess = fork(WORKER, { detached: true });
  let current: number | undefined;
  const say = (message: ToWorker) => child.send(message);
  const next = (): void => {
    current = stop.aborted ? undefined : waiting.shift();
    say(current === undefined ? { kind: 'end' } : { kind: 'seed', seed: current, options });
  };
  return new Promise((resolve, reject) => {
    child.on('message', (message: FromWorker) => {
      if (message.kind === 'result') onResult(message.result);
      next();
    });
    child.on('exit', (code) => {
      if (current === undefined && code === 0) resolve();
      else reject(new Error(`a worker ended with ${code} at seed ${current ?? 'none'}`));
    });
  });
}
