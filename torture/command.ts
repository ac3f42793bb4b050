/** What the commands that do damage share: how they begin and end, and how their options read. */
import { writeFileSync } from 'node:fs';

/**
 * Reads the settings, then runs the command until it is done or asked to stop. Exit code 0: `run`
 * says that all was well; 1: it was not; 2: the command was not understood.
 */
export async function runCommand<Settings>(
  read: () => Settings,
  run: (settings: Settings, stop: AbortSignal) => Promise<boolean>,
): Promise<void> {
  let settings: Settings;
  try {
    settings = read();
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 2;
    return;
  }
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => stopping.abort());
  }
  try {
    if (!(await run(settings, stopping.signal))) process.exitCode = 1;
  } catch (error) {
    console.error(error);
    process.exitCode = 1;
  }
}

/** An option that is a whole number from 1 on; throws a sentence when it is not. */
export function wholeOption(name: string, written: string, max: number): number {
  const value = Number(written);
  if (Number.isInteger(value) && value >= 1 && value <= max) return value;
  throw new Error(`--${name} must be a whole number from 1 to ${max}`);
}

/** An option that lists some of the words that are known; throws a sentence when it does not. */
export const listOption = <Word extends string>(
  name: string,
  written: string,
  known: readonly Word[],
): Word[] =>
  written.split(',').map((one) => {
    const word = known.find((each) => each === one);
    if (!word) throw new Error(`--${name} must be a list of ${known.join(', ')}`);
    return word;
  });

/** Writes what came of it to the file of `--json`, where one was named. */
export function writeReport(file: string | undefined, report: object): void {
  if (file) writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
}
