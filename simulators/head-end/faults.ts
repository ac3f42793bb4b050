/** Faults on demand: what goes wrong with the next commands. */

export const FAULT_KINDS = ['none', 'drop_before_ack', 'drop_after_exec', 'dup_res'] as const;

/**
 * `drop_before_ack`: the connection is cut and the command not taken. `drop_after_exec`: it is
 * executed, and the connection cut instead of telling. `dup_res`: its result is told twice.
 */
export type FaultKind = (typeof FAULT_KINDS)[number];

export interface Fault {
  kind: FaultKind;
  /** How many commands it meets. */
  times: number;
}

export interface Faults {
  /** Replaces the one before. */
  set(fault: Fault): void;
  /** Whether this fault is due now; if so, one time less is left. */
  strikes(kind: FaultKind): boolean;
}

/** No fault, until one is set. */
export function createFaults(): Faults {
  let current: Fault = { kind: 'none', times: 0 };
  return {
    set(fault) {
      current = { ...fault };
    },
    strikes(kind) {
      if (current.kind !== kind || current.times < 1) return false;
      current.times -= 1;
      return true;
    },
  };
}
