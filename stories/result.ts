/** What becomes of a case when it is told. */

export type Mode = 'pure' | 'postgres';

export interface Difference {
  at: string;
  expected: unknown;
  computed: unknown;
}

export interface CaseResult {
  id: string;
  mode: Mode;
  pass: boolean;
  differences: Difference[];
  /** Expectations met by their alternative, under the rule that it names. */
  deliberate?: { at: string; under: unknown }[];
}

/** A case that cannot be told as written. */
export class BadCase extends Error {}
