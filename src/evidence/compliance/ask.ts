/**
 * How a requirement is looked into: every look at the database is written down as the query that
 * was asked and the rows that came, so that an auditor can ask the same again.
 */
import type { Pool } from 'pg';
import type { Anchors } from '../anchors.ts';

export interface Evidence {
  /** What it shows, in words. */
  what: string;
  /** Rows of a query, or what a tool or a setting says. */
  found: unknown;
  /** The query, the command or the setting: where it can be had again. */
  source: string;
}

/** What was found out about a requirement; each list in sentences. */
export interface Verdict {
  /** It is broken: `not met`. */
  wrong: string[];
  /** It cannot be shown wholly here: `part`. */
  missing: string[];
  /** Why it is nothing that this product could do: `not applicable`. */
  outside?: string;
}

/** One person's way of working: who may do what, and how they are let in. */
export interface PeopleRules {
  roles: { role: string; permissions: number }[];
  /** Pairs of permissions that nobody may hold together. */
  conflicts: number;
  passwordCharsMin: number;
  freeTries: number;
  sessionIdleMinutes: number;
}

/** What the settings of this installation say. */
export interface Installation {
  keepMonths: number;
  /** Anchors outside the database and what is wrong with them; null: none are written. */
  anchors: { read: Anchors } | null;
  /** How each conditional-access system is reached; null: this process does not know. */
  links: { cas: string; transport: string }[] | null;
  /** Sites, by code, that put to use listed devices alone. */
  listedSites: readonly string[];
  requireTotp: boolean;
  people: PeopleRules;
}

export interface Asking {
  pool: Pool;
  /** The instant of the pack. */
  at: Date;
  /** Up to when it is known what was on the air; null: nothing is. */
  known: Date | null;
  installation: Installation;
  /** Asks the database and writes down what came. */
  look<Row extends object>(what: string, sql: string, values?: unknown[]): Promise<Row[]>;
  /** Writes down what something else says. */
  say(what: string, found: unknown, source: string): void;
}

export type Check = (asking: Asking) => Promise<Verdict>;

/** More rows are counted, not shown. */
const ROWS_MAX = 24;

/** An asking that writes into `evidence`. */
export function createAsking(known: Omit<Asking, 'look' | 'say'>, evidence: Evidence[]): Asking {
  return {
    ...known,
    async look<Row extends object>(what: string, sql: string, values: unknown[] = []) {
      const { rows } = await known.pool.query(sql, values);
      const shown = rows.slice(0, ROWS_MAX).map(plain);
      const rest = rows.length - shown.length;
      const found = rest > 0 ? [...shown, `and ${rest} more rows`] : shown;
      evidence.push({ what, found, source: withValues(sql, values) });
      return rows as Row[];
    },
    say: (what, found, source) => void evidence.push({ what, found: plain(found), source }),
  };
}

/** As JSON holds it: instants and big numbers as text. */
const plain = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_key, one: unknown) => (typeof one === 'bigint' ? `${one}` : one)),
  );

/** The query in one line, with its values behind it. */
function withValues(sql: string, values: readonly unknown[]): string {
  const text = sql.replaceAll(/\s+/g, ' ').trim();
  return values.length === 0 ? text : `${text} -- ${JSON.stringify(plain(values))}`;
}

/** Nothing wrong and nothing missing, until something is added. */
export const verdict = (wrong: (string | false)[], missing: (string | false)[] = []): Verdict => ({
  wrong: wrong.filter((one) => one !== false),
  missing: missing.filter((one) => one !== false),
});

/** SQL: `i`, a span of the air, shows products at the instant $1. */
export const ON_AIR =
  "i.shown NOT LIKE '!%' AND i.from_at < i.to_at AND i.from_at <= $1 AND i.to_at > $1";
