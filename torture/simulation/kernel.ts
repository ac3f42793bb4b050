/**
 * What makes everything happen: one thing at a time, chosen by the seed among what could happen
 * next. Nothing else in the process decides an order, so that a seed is always the same life.
 */
import type { Random } from '../../src/platform/ports.ts';
import type { Statements } from './statements.ts';
import { settle, type VirtualTime } from './time.ts';

export interface Kernel {
  /** Lets so much time pass. */
  runFor(ms: number): Promise<void>;
  /** Done before anything else, at the next moment: killing, starting. */
  soon(act: () => Promise<void> | void): void;
  /** The database answers nobody for so long. */
  stall(ms: number): void;
}

/** How often something goes on though a statement could run: a database takes its time. */
const STATEMENT_FIRST = 0.96;
const IMMEDIATE_FIRST = 0.9;

/** A kernel over virtual time and the statements of all processes. */
export function createKernel(deps: {
  time: VirtualTime;
  statements: Statements;
  random: Random;
}): Kernel {
  const { time, statements, random } = deps;
  const tasks: (() => Promise<void> | void)[] = [];
  let stalledUntilMs = 0;

  /** One thing; false when all that is left lies behind `endMs`. */
  const step = async (endMs: number): Promise<boolean> => {
    const task = tasks.shift();
    if (task) {
      await task();
      return true;
    }
    if (time.hasImmediates() && random.fraction() < IMMEDIATE_FIRST) {
      time.runImmediate();
      return true;
    }
    const canRun = time.elapsedMs() >= stalledUntilMs && statements.ready() > 0;
    if (canRun && random.fraction() < STATEMENT_FIRST) {
      await statements.step();
      return true;
    }
    const nextMs = time.nextAtMs();
    time.fireNext(endMs);
    return nextMs !== null && nextMs <= endMs;
  };
  return {
    async runFor(ms) {
      const endMs = time.elapsedMs() + ms;
      for (let more = true; more; ) {
        await settle();
        more = await step(endMs);
      }
    },
    soon: (act) => void tasks.push(act),
    stall(ms) {
      stalledUntilMs = time.elapsedMs() + ms;
    },
  };
}
