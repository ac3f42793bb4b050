/** Time, ids and randomness are values that are passed in; only this room touches the real ones. */

export interface Clock {
  now(): Date;
}

/** Unique, roughly rising 64-bit ids; a process takes them from the database in blocks. */
export interface Ids {
  /** Synchronous: `reserve(n)` must have been awaited for at least as many before. */
  next(): bigint;
  reserve(count: number): Promise<void>;
}

export interface Random {
  /** `bytes` random bytes as lower-case hex. */
  hex(bytes: number): string;
  /** A number in [0, 1). */
  fraction(): number;
}

export interface Logger {
  /** `event` is a stable dotted name (`payment.settled`); fields are data, never prose. */
  info(event: string, fields?: Record<string, unknown>): void;
  warn(event: string, fields?: Record<string, unknown>): void;
  error(event: string, fields?: Record<string, unknown>): void;
}
