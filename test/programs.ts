/** Suites that need a program which not every machine has. */
import { execFileSync } from 'node:child_process';

/** Whether the program can be run here; it must know `--version`. */
export function isInstalled(program: string): boolean {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Stands for a suite that cannot run: skipped, and said so; a failure where CI=true. */
export function skipSuite(suite: string, program: string): void {
  const title = `${suite}: skipped: ${program} is not installed`;
  if (process.env.CI !== 'true') {
    it.skip(title, () => undefined);
    return;
  }
  it(title, () => {
    throw new Error(`${program} must be installed where CI=true`);
  });
}
