/** What is due at once in a night: who is told what, and what must be so afterwards. */
import type pg from 'pg';
import type { House } from './house.ts';

/** A kind of automatic work that is measured. */
export interface Night {
  kind: 'prepaid' | 'postpaid';
  unit: string;
  /** When the work is done. */
  at: Date;
  /** Fills a furnished database with so many that are due; `superuser` checks no references. */
  sell(house: House, superuser: pg.Pool, count: number): Promise<void>;
  /** The baseline: one statement for $1 of them, due at $2, with ids from $3 on. */
  baseline(house: House): { text: string; values: readonly unknown[]; idsEach: number };
  /** How many rows each table has of the first `count`, and what they sum to. */
  figures(pool: pg.Pool, count: number): Promise<Record<string, unknown>>;
  /** Throws unless all `count` were done once, and the books are sound. */
  expectDone(pool: pg.Pool, count: number): Promise<void>;
}

/** What a worker is told. */
export interface NightTask {
  ownerUrl: string;
  appUrl: string;
  kind: Night['kind'];
  /** How many are due. */
  total: number;
  /** Customers from `first` on, who pay by themselves meanwhile; their months end otherwise. */
  payers: { first: number; count: number; perSecond: number } | null;
}

export interface Memory {
  /** How far the work was, 0 to 1. */
  share: number;
  rssMb: number;
  /** What is alive, after a collection of garbage. */
  heapMb: number;
}

/** What a worker says when it is done. */
export interface NightReport {
  done: number;
  seconds: number;
  memory: Memory[];
  /** Of the payments meanwhile. */
  latenciesMs: number[];
}

/** Throws what is not as it must be: every figure of `found` that is not that of `wanted`. */
export function expectFigures(
  what: string,
  found: Readonly<Record<string, unknown>>,
  wanted: Readonly<Record<string, unknown>>,
): void {
  const wrong = Object.keys({ ...found, ...wanted })
    .filter((name) => String(found[name]) !== String(wanted[name]))
    .map((name) => `${name} ${found[name]}, not ${wanted[name]}`);
  if (wrong.length > 0) throw new Error(`${what}: ${wrong.join('; ')}`);
}

/** Throws what of `found` is not 0. */
export function expectZeros(what: string, found: Readonly<Record<string, number>>): void {
  const zeros = Object.fromEntries(Object.keys(found).map((name) => [name, 0]));
  expectFigures(what, found, zeros);
}
