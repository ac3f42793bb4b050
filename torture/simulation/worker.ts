/** One worker: a Postgres of its own, and the seeds that it is handed, one after the other. */
import { createBase } from './base.ts';
import { runSeed, type SeedOptions, type SeedResult } from './seed.ts';
import { startServer } from './server.ts';

export type ToWorker = { kind: 'seed'; seed: number; options: SeedOptions } | { kind: 'end' };
export type FromWorker = { kind: 'ready' } | { kind: 'result'; result: SeedResult };

const say = (message: FromWorker) => process.send?.(message);

async function main(): Promise<void> {
  const server = await startServer();
  const base = await createBase();
  // A promise that nobody waits for is a defect of whoever began it.
  const strays: string[] = [];
  process.on('unhandledRejection', (error) => strays.push(String((error as Error).stack)));
  let isLiving = false;
  let isEnding = false;
  let isStopped = false;
  /** Not within a seed: there even the timers that stopping needs are virtual. */
  const end = async () => {
    isEnding = true;
    if (isLiving || isStopped) return;
    isStopped = true;
    await server.stop();
    process.exit();
  };
  process.on('disconnect', () => void end());
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void end());
  process.on('message', async (message: ToWorker) => {
    if (message.kind === 'end') {
      await end();
      return;
    }
    isLiving = true;
    const result = await runSeed(base, message.seed, message.options);
    isLiving = false;
    if (isEnding) {
      await end();
      return;
    }
    result.faults.push(...strays.splice(0));
    say({ kind: 'result', result });
  });
  say({ kind: 'ready' });
}

await main();
