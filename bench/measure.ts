/** Figures: rounds in which every variant has its turn, medians and how far apart they lay. */

export interface Result {
  name: string;
  value: number;
  unit: string;
  baseline: number;
  /** Ours over the baseline. */
  ratio: number;
  /** How far the rounds lay apart: (largest - smallest) / median. */
  spread: number;
}

export interface Plan {
  rounds: number;
  seconds: number;
  /** Of figures that do a fixed amount of work. */
  size: 'small' | 'full';
}

export interface Variant {
  name: string;
  /** Per second, or whatever the figure is. */
  run(seconds: number): Promise<number>;
}

/** The middle of a list of figures. */
export function median(figures: readonly number[]): number {
  const sorted = [...figures].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}

export const spreadOf = (figures: readonly number[]): number =>
  (Math.max(...figures) - Math.min(...figures)) / median(figures);

/**
 * Runs every variant once a round; each round begins with another one, so that none is always
 * first. `before` puts the database in the same state ahead of each.
 */
export async function interleave(
  variants: readonly Variant[],
  { rounds, seconds }: Plan,
  before: () => Promise<void> = async () => undefined,
): Promise<Map<string, number[]>> {
  const figures = new Map<string, number[]>(variants.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < variants.length; turn++) {
      const variant = variants[(round + turn) % variants.length];
      if (!variant) continue;
      await before();
      const figure = await variant.run(seconds);
      figures.get(variant.name)?.push(figure);
      process.stderr.write(`  round ${round + 1}: ${variant.name} ${format(figure)}\n`);
    }
  }
  return figures;
}

/** Compares the figures of a variant with one number. */
export function resultOf(
  name: string,
  unit: string,
  figures: readonly number[],
  baseline: number,
): Result {
  const value = median(figures);
  return { name, value, unit, baseline, ratio: value / baseline, spread: spreadOf(figures) };
}

export function format(figure: number): string {
  if (figure >= 100) return Math.round(figure).toLocaleString('en');
  return figure.toPrecision(3);
}

/** The results as lines of a table. */
export function table(results: readonly Result[]): string {
  const percent = (share: number) => `${(100 * share).toFixed(0)} %`;
  const rows = [
    ['name', 'ours', 'unit', 'baseline', 'ratio', 'spread'],
    ...results.map((r) => [
      r.name,
      format(r.value),
      r.unit,
      format(r.baseline),
      r.ratio.toFixed(2),
      percent(r.spread),
    ]),
  ];
  const widths = rows[0]?.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0))) ?? [];
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
