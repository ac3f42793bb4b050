/** What a run says on the screen. */
import type { SeedResult } from './seed.ts';

/** What somebody did and what broke, in order; with `all`, everything that happened. */
export const describeTrace = ({ lines, hash }: SeedResult, all: boolean): string =>
  [...lines.flatMap(({ text, isTold }) => (all || isTold ? [text] : [])), `trace ${hash}`].join(
    '\n',
  );

/** One seed that failed, and how to see it again. */
export const describeFailure = ({ seed, faults }: SeedResult): string =>
  [`seed ${seed} failed: npm run simulate -- --seed ${seed}`, ...faults]
    .map((line, n) => (n === 0 ? line : `  ${line}`))
    .join('\n');

/** All seeds in numbers. */
export function describeRun(results: readonly SeedResult[], seconds: number): string {
  const sum = (of: (result: SeedResult) => number): number =>
    results.reduce((total, result) => total + of(result), 0);
  const acts = together(results.map((result) => result.acts));
  const faults = together(results.map(({ injected }) => injected));
  return [
    `${results.length} seeds in ${seconds.toFixed(0)} s: ${total(acts)} acts, ` +
      `${total(faults)} faults, ${sum(({ checks }) => checks)} checks, ` +
      `${sum(({ statements }) => statements)} statements, ` +
      `${sum(({ virtualHours }) => virtualHours).toFixed(0)} virtual hours`,
    `acts: ${listed(acts)}`,
    `faults: ${listed(faults)}`,
  ].join('\n');
}

type Counts = Record<string, number>;

function together(all: readonly Counts[]): Counts {
  const counts: Counts = {};
  for (const one of all) {
    for (const [name, count] of Object.entries(one)) counts[name] = (counts[name] ?? 0) + count;
  }
  return counts;
}

const total = (counts: Counts): number => Object.values(counts).reduce((sum, n) => sum + n, 0);

const listed = (counts: Counts): string =>
  Object.entries(counts)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');
