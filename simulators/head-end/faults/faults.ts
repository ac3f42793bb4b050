/** The faults in force: what goes wrong with the next commands, and until when. */
import type { Random } from '../../../src/platform/ports.ts';
import type { Timers } from '../pulse.ts';
import { type Fault, type FaultKind, kindOf } from './kinds.ts';

export interface FaultInForce {
  kind: FaultKind;
  /** In the unit of its kind; 0 where it takes none. */
  value: number;
  percent: number;
  /** How many more it meets; null: any number. */
  left: number | null;
  /** How many it has met. */
  met: number;
}

export interface Faults {
  /** Puts it in force, in place of one of the same kind. */
  set(fault: Fault): void;
  /** Ends one kind, or all. */
  heal(kind?: FaultKind): void;
  /** Whether this fault meets what happens now; if so, one time less is left. */
  strikes(kind: FaultKind): FaultInForce | undefined;
  /** One that lasts, without counting. */
  inForce(kind: FaultKind): FaultInForce | undefined;
  list(): FaultInForce[];
  /** Is called after every change but a strike that leaves the fault in force. */
  onChange(listener: () => void): void;
}

/** No fault, until one is set. Chance and time are handed in, so that a run can be repeated. */
export function createFaults(deps: { random: Random; timers: Timers }): Faults {
  const present = new Map<FaultKind, FaultInForce & { cancelEnd(): void }>();
  const listeners: (() => void)[] = [];
  const changed = () => {
    for (const listener of listeners) listener();
  };
  const end = (kind: FaultKind) => {
    present.get(kind)?.cancelEnd();
    if (present.delete(kind)) changed();
  };
  return {
    set(fault) {
      const { kind, forSeconds } = fault;
      present.get(kind)?.cancelEnd();
      const cancelEnd =
        forSeconds === undefined
          ? () => undefined
          : deps.timers.after(forSeconds * 1_000, () => end(kind));
      present.set(kind, { ...inForceFrom(fault), cancelEnd });
      changed();
    },
    heal(kind) {
      for (const ended of kind === undefined ? [...present.keys()] : [kind]) end(ended);
    },
    strikes(kind) {
      const fault = present.get(kind);
      if (!fault) return undefined;
      if (fault.percent < 100 && deps.random.fraction() * 100 >= fault.percent) return undefined;
      fault.met += 1;
      if (fault.left !== null) fault.left -= 1;
      if (fault.left === 0) end(kind);
      return fault;
    },
    inForce: (kind) => present.get(kind),
    list: () => [...present.values()].map(({ cancelEnd: _, ...fault }) => fault),
    onChange: (listener) => void listeners.push(listener),
  };
}

function inForceFrom({ kind, value, times, percent, forSeconds }: Fault): FaultInForce {
  const { lasts, value: takes, percent: normal } = kindOf(kind);
  const isEndless = lasts || forSeconds !== undefined || percent !== undefined;
  return {
    kind,
    value: value ?? takes?.normal ?? 0,
    percent: percent ?? normal ?? 100,
    left: times ?? (isEndless ? null : 1),
    met: 0,
  };
}
