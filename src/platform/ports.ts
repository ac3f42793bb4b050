/** Time, ids and randomness are values that are passed in; only this room touches the real ones. */

export interface Clock {
  now(): Date;
}

/** Unique, roughly rising 64-bit ids; a process takes them from the database in blocks. */
export interface Ids {
  take(): Promise<bigint>;
  /** `count` ids that nobody else gets, for work that makes them without waiting. */
  lend(count: number): Promise<LentIds>;
}

export interface LentIds {
  /** Throws when more are used than were lent: that is a bug. */
  next(): bigint;
  /** What was not used may be lent again. */
  giveBack(): void;
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
