import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/**
 * Whether the process runs. A zombie, which is dead but not yet collected by its parent, does
 * not: Linux /proc/PID/stat, the letter after the name in parentheses.
 */
export function isProcessAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  const stat = readOrNothing(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  const state = stat?.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
  return state !== undefined && state !== 'Z' && state !== 'X';
}

/** Whether the process works in `dir`: Postgres makes its data folder its working folder. */
export function isProcessIn(pid: number, dir: string): boolean {
  const cwd = readOrNothing(() => readlinkSync(`/proc/${pid}/cwd`));
  if (cwd !== undefined) return cwd === dir;
  const words = readOrNothing(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8'))?.split('\0');
  return words?.includes(dir) ?? false;
}

/** The ids of all living processes that work in `dir` or below it. */
export function processesBelow(dir: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      const cwd = readOrNothing(() => readlinkSync(`/proc/${pid}/cwd`));
      return (cwd === dir || cwd?.startsWith(`${dir}/`)) && isProcessAlive(pid);
    });
}

function readOrNothing(read: () => string): string | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
