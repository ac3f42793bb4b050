/** Foreign programs and child processes of a bench; all end with it. */
import { execFileSync, fork, spawn } from 'node:child_process';
import { once } from 'node:events';

/** What is missing of pgbench and wrk, as one sentence; null when both are there. */
export function missingTools(): string | null {
  const packages = { pgbench: 'postgresql', wrk: 'wrk' };
  const missing = Object.entries(packages).filter(([tool]) => !isThere(tool));
  if (missing.length === 0) return null;
  const names = missing.map(([tool, from]) => `${tool} (Debian package ${from})`);
  return `The bench compares with ${names.join(' and ')}, which is not installed here.`;
}

function isThere(tool: string): boolean {
  try {
    execFileSync(tool, ['--version'], { stdio: 'ignore' });
    return true;
  } catch (error) {
    // wrk answers --version with its version and an exit code of 1.
    return (error as NodeJS.ErrnoException).code !== 'ENOENT';
  }
}

/** Runs a tool to its end and resolves to what it printed; rejects when it failed. */
export async function runTool(
  tool: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<string> {
  const child = spawn(tool, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  const end = () => child.kill();
  process.once('exit', end);
  let said = '';
  let errors = '';
  child.stdout.on('data', (bytes) => (said += bytes));
  child.stderr.on('data', (bytes) => (errors += bytes));
  const [code] = await once(child, 'close');
  process.removeListener('exit', end);
  if (code !== 0) throw new Error(`${tool} failed: ${errors || said}`);
  return said;
}

/** A process of ours beside the bench, told once what to do. */
export interface Helper<Answer> {
  answer: Answer;
  /** Asks for what it has noted since it was last asked, where it notes anything. */
  ask<Noted>(): Promise<Noted>;
  stop(): Promise<void>;
  /** Ends it at once, wherever it is. */
  kill(): Promise<void>;
}

const HELPER_MS_MAX = 60_000;

/**
 * Starts a file of this folder as a process of its own and waits for its first message. It ends
 * when its channel to us closes, so it never outlives the bench.
 */
export async function startHelper<Answer>(file: string, task: unknown): Promise<Helper<Answer>> {
  const child = fork(new URL(file, import.meta.url), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const gone = once(child, 'exit');
  child.send(task as object);
  const late = AbortSignal.timeout(HELPER_MS_MAX);
  const first = once(child, 'message', { signal: late });
  const ended = gone.then(([code]): never => {
    throw new Error(`${file} ended with code ${code}`);
  });
  // Whoever asks hears of it.
  ended.catch(() => undefined);
  const [answer] = await Promise.race([first, ended]);
  return {
    answer: answer as Answer,
    async ask<Noted>() {
      const next = once(child, 'message');
      child.send({});
      const [noted] = await Promise.race([next, ended]);
      return noted as Noted;
    },
    async stop() {
      if (child.connected) child.disconnect();
      await gone;
    },
    async kill() {
      child.kill('SIGKILL');
      await gone;
    },
  };
}
