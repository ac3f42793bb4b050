/** The reports of an auditor, by HTTP: plain facts, each with the line of the log it is from. */
import { z } from 'zod';
import type { WireRight } from '../../src/entitlement/vip-control/operations.ts';
import type { Service } from './air/types.ts';
import { replay, type Step, shownRights } from './audit.ts';
import type { Answer } from './http-answers.ts';
import { NOT_FOUND } from './http-answers.ts';
import type { HeadEndLog } from './log.ts';

export interface ReportDeps {
  log: Pick<HeadEndLog, 'lines'>;
  services: readonly Service[];
}

/** Answers `/reports/<name>` with what the query asks for. */
export type Reports = (name: string, query: URLSearchParams) => Promise<Answer>;

const ROWS_MAX = 10_000;
const NAME_CHARS_MAX = 200;
const name = z.string().min(1).max(NAME_CHARS_MAX).exactOptional();
const day = z
  .string()
  .transform((text) => Date.parse(text))
  .refine((ms) => !Number.isNaN(ms), 'no date')
  .exactOptional();
const filterForm = z.strictObject({
  ...{ card: name, stb: name, product: name, service: name, from: day, to: day },
});
type Filter = z.infer<typeof filterForm>;

type Row = Record<string, unknown>;
interface Report {
  /** What must be given; a product may be given as its programme. */
  needs?: 'card' | 'product';
  rows(steps: AsyncIterable<Step>, filter: Filter): AsyncGenerator<Row>;
}

const REPORTS: Readonly<Record<string, Report>> = {
  /** Which card was paired with which decoder, and when no more. */
  pairings: { rows: pairings },
  /** When a decoder began to show what is paid for, and when it stopped. */
  activations: { rows: activations },
  /** What a card was given and what was taken. */
  rights: { needs: 'card', rows: rights },
  /** Which cards had a programme in a period, from when to when. */
  channel: { needs: 'product', rows: channel },
};

/** Reports from the log of a head-end. */
export function createReports({ log, services }: ReportDeps): Reports {
  return async (title, query) => {
    const report = Object.hasOwn(REPORTS, title) ? REPORTS[title] : undefined;
    if (!report) return NOT_FOUND;
    const filter = filterForm.safeParse(Object.fromEntries(query));
    if (!filter.success) return [400, { error: filter.error.issues[0]?.message ?? 'invalid' }];
    const { service } = filter.data;
    const product = services.find(({ code }) => code === service)?.product;
    const asked = { ...filter.data, ...(product ? { product } : {}) };
    if (report.needs && asked[report.needs] === undefined) {
      return [400, { error: `${report.needs} must be given.` }];
    }
    return [200, await upToMax(report.rows(replay(log.lines()), asked))];
  };
}

async function upToMax(all: AsyncGenerator<Row>): Promise<{ rows: Row[]; isWhole: boolean }> {
  const rows: Row[] = [];
  for await (const row of all) {
    if (rows.length === ROWS_MAX) return { rows, isWhole: false };
    rows.push(row);
  }
  return { rows, isWhole: true };
}

async function* pairings(steps: AsyncIterable<Step>, filter: Filter): AsyncGenerator<Row> {
  for await (const { line, cards } of within(steps, filter)) {
    for (const { before, after } of cards) {
      const { gone, come } = difference(before.stbs, after.stbs);
      const { card } = after;
      if (!isWanted(card, filter.card)) continue;
      const rows = [
        ...gone.map((stb) => ({ card, stb, is: 'unpaired' })),
        ...come.map((stb) => ({ card, stb, is: 'paired' })),
      ];
      for (const one of rows.filter(({ stb }) => isWanted(stb, filter.stb))) yield row(line, one);
    }
  }
}

async function* activations(steps: AsyncIterable<Step>, filter: Filter): AsyncGenerator<Row> {
  for await (const { line, switched } of within(steps, filter)) {
    for (const { stb, isActive } of switched) {
      if (!isWanted(stb, filter.stb)) continue;
      yield row(line, { stb, is: isActive ? 'activated' : 'deactivated' });
    }
  }
}

async function* rights(steps: AsyncIterable<Step>, filter: Filter): AsyncGenerator<Row> {
  for await (const { line, cards } of within(steps, filter)) {
    for (const { before, after } of cards) {
      if (after.card !== filter.card) continue;
      const texts = (all: readonly WireRight[]) => all.map((right) => JSON.stringify(right));
      const { gone, come } = difference(texts(shownRights(before)), texts(shownRights(after)));
      for (const right of gone) yield row(line, { is: 'taken', ...JSON.parse(right) });
      for (const right of come) yield row(line, { is: 'given', ...JSON.parse(right) });
    }
  }
}

/** Stretches in which a card had the product, as far as they lie in the period. */
async function* channel(steps: AsyncIterable<Step>, filter: Filter): AsyncGenerator<Row> {
  const open = new Map<string, { sinceMs: number; rights: readonly WireRight[] }>();
  for await (const { line, cards } of steps) {
    const atMs = Date.parse(line.at);
    for (const { after } of cards) {
      yield* stretches(after.card, open.get(after.card), atMs, filter);
      const held = shownRights(after).filter(({ product }) => product === filter.product);
      if (held.length === 0) open.delete(after.card);
      else open.set(after.card, { sinceMs: atMs, rights: held });
    }
  }
  for (const [card, held] of open) yield* stretches(card, held, Infinity, filter);
}

function* stretches(
  card: string,
  held: { sinceMs: number; rights: readonly WireRight[] } | undefined,
  endMs: number,
  { from = -Infinity, to = Infinity }: Filter,
): Generator<Row> {
  if (!held) return;
  for (const right of held.rights) {
    const beginMs = Math.max(held.sinceMs, Date.parse(right.from), from);
    const stopMs = Math.min(endMs, Date.parse(right.to), to);
    if (beginMs >= stopMs) continue;
    yield { card, from: new Date(beginMs).toISOString(), to: new Date(stopMs).toISOString() };
  }
}

async function* within(
  steps: AsyncIterable<Step>,
  { from = -Infinity, to = Infinity }: Filter,
): AsyncGenerator<Step> {
  for await (const step of steps) {
    const atMs = Date.parse(step.line.at);
    if (atMs >= from && atMs < to) yield step;
  }
}

function row({ n, at, op, by }: Step['line'], facts: Row): Row {
  return { n, at, op, by, ...facts };
}

function isWanted(number: string, wanted: string | undefined): boolean {
  return wanted === undefined || wanted === number;
}

function difference(before: readonly string[], after: readonly string[]) {
  return {
    gone: before.filter((one) => !after.includes(one)),
    come: after.filter((one) => !before.includes(one)),
  };
}
