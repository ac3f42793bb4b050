/** What happened, in order: a hash of all of it, and the words of it where somebody reads them. */
import { createHash } from 'node:crypto';

export interface Trace {
  /** One thing that happened. */
  note(line: string): void;
  /** The same of what somebody did, or what broke: what a reader wants to see first. */
  tell(line: string): void;
  /** One more fault of this kind was injected. */
  fault(kind: string): void;
  act(name: string): void;
  /** Since when each line has an instant before it, in seconds. */
  startClock(elapsedMs: () => number): void;
  counts(): { faults: Record<string, number>; acts: Record<string, number> };
  /** Of all lines so far. */
  hash(): string;
  lines(): readonly TraceLine[];
}

export interface TraceLine {
  text: string;
  isTold: boolean;
}

/** A trace; without `keep`, its lines are hashed and forgotten. */
export function createTrace({ keep }: { keep: boolean }): Trace {
  const hash = createHash('sha256');
  const lines: TraceLine[] = [];
  const faults: Record<string, number> = {};
  const acts: Record<string, number> = {};
  let elapsedMs = () => 0;
  const add = (line: string, isTold: boolean): void => {
    const text = `${(elapsedMs() / 1_000).toFixed(3).padStart(8)} ${line}`;
    hash.update(`${text}\n`);
    if (keep) lines.push({ text, isTold });
  };
  const count = (counts: Record<string, number>, name: string): void => {
    counts[name] = (counts[name] ?? 0) + 1;
  };
  return {
    note: (line) => add(line, false),
    tell: (line) => add(line, true),
    fault(kind) {
      count(faults, kind);
      add(`fault ${kind}`, true);
    },
    act: (name) => count(acts, name),
    startClock(clock) {
      elapsedMs = clock;
    },
    counts: () => ({ faults, acts }),
    hash: () => hash.copy().digest('hex'),
    lines: () => lines,
  };
}
