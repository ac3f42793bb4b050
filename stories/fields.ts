/** Reads the fields of what a case says; whatever is not as it must be throws a BadCase. */
import { BadCase } from './result.ts';

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
