/** What a file of postpaid cases may say (`billing-cases/2`), as far as it is executed. */
import { BadCase } from '../result.ts';

export interface Action {
  seq: number;
  on: string;
  action: string;
  at?: 'open';
  /** RFC 3339 in UTC, so that texts compare like times. */
  instant?: string;
  account?: string;
  [field: string]: unknown;
}

export type Step = { before: number } | { after: number };

export interface Item {
  type: string;
  from: string;
  to: string | null;
  amount: string;
  ref?: string;
}

export interface InvoiceExpectation {
  on: string;
  invoice: Item[];
  total: string;
  account?: string;
  nth?: number;
  payment?: string;
  as_of?: { on: string; step?: Step };
  alternative?: { under: Record<string, unknown>; invoice: Item[]; total: string };
}

export interface Check {
  on: string;
  check: string;
  value: unknown;
  account?: string;
  step?: Step;
  instant?: string;
  [field: string]: unknown;
}

export type Expectation = InvoiceExpectation | Check;

export const isCheck = (one: Expectation): one is Check => 'check' in one;

export type Config = Record<string, unknown>;

export interface Case {
  id: string;
  catalog?: string[];
  config: Config;
  timeline: Action[];
  expected: Expectation[];
}

export interface BillingFile {
  meta: { format: string; defaults: Config };
  plans: Record<string, Record<string, unknown>>;
  cases: Case[];
}

type Fields = Record<string, unknown>;

/** Reads a field that must be there. */
export function field(of: Fields, name: string): unknown {
  const value = of[name];
  if (value === undefined) throw new BadCase(`field ${name} is missing`);
  return value;
}

export function text(of: Fields, name: string): string {
  const value = field(of, name);
  if (typeof value !== 'string') throw new BadCase(`field ${name} is not a text`);
  return value;
}

export function number(of: Fields, name: string): number {
  const value = field(of, name);
  if (typeof value !== 'number') throw new BadCase(`field ${name} is not a number`);
  return value;
}

export function flag(of: Fields, name: string): boolean {
  const value = field(of, name);
  if (typeof value !== 'boolean') throw new BadCase(`field ${name} is not true or false`);
  return value;
}

export function list(of: Fields, name: string): Fields[] {
  const value = field(of, name);
  if (!Array.isArray(value)) throw new BadCase(`field ${name} is not a list`);
  return value as Fields[];
}

export function object(of: Fields, name: string): Fields {
  const value = field(of, name);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new BadCase(`field ${name} is not an object`);
  }
  return value as Fields;
}

/** One of a few words. */
export function word<W extends string>(of: Fields, name: string, words: readonly W[]): W {
  const value = text(of, name);
  const found = words.find((one) => one === value);
  if (found === undefined) throw new BadCase(`field ${name} is ${value}, not ${words.join(', ')}`);
  return found;
}

/** `read` of a field, or null where it is null or left out. */
export const orNull = <T>(
  of: Fields,
  name: string,
  read: (of: Fields, name: string) => T,
): T | null => (of[name] === undefined || of[name] === null ? null : read(of, name));
