/** What is wrong with a file: each problem with its line, where in the file, why, and a hint. */
import { type Document, isMap, isNode, isPair, isScalar, isSeq, type LineCounter } from 'yaml';

/** Keys and list positions from the top of the file. */
export type Path = readonly (string | number)[];

export interface Problem {
  /** Counted from 1. */
  line: number;
  column: number;
  /** `bouquets.PREMIUM.prices[1].month` */
  path: string;
  reason: string;
  hint: string | null;
}

export interface Reference {
  path: Path;
  name: string;
  /** Sections of the file, any of which may hold the name. */
  sections: readonly string[];
}

export interface Problems {
  /** Points at the value that stands at `path`, or at what is nearest above it. */
  at(path: Path, reason: string, hint?: string | null): void;
  /** Points at the key itself: the key is what is wrong. */
  atKey(path: Path, reason: string, hint?: string | null): void;
  /** What the YAML parser found, at a position of the text. */
  atOffset(offset: number, reason: string): void;
  /** A name that must stand in one of these sections; judged once all is read. */
  refer(reference: Reference): void;
  references(): readonly Reference[];
  /** Is anything at `path` or below it wrong so far? */
  has(path: Path): boolean;
  /** In the order of the lines, each once. */
  list(): Problem[];
}

/** Beyond this a file is not a catalogue with faults but something else. */
const PROBLEMS_MAX = 1_000;
const HINT_WORDS_MAX = 12;

export function createProblems(document: Document, lines: LineCounter): Problems {
  const found = new Map<string, Problem>();
  const references: Reference[] = [];
  const add = (offset: number, path: Path, reason: string, hint: string | null) => {
    if (found.size >= PROBLEMS_MAX) return;
    const { line, col } = lines.linePos(offset);
    const problem = { line: Math.max(line, 1), column: Math.max(col, 1), path: pathText(path) };
    found.set(`${problem.path}\n${reason}`, { ...problem, reason, hint });
  };
  return {
    at: (path, reason, hint = null) => add(locate(document, path).value, path, reason, hint),
    atKey: (path, reason, hint = null) => add(locate(document, path).key, path, reason, hint),
    atOffset: (offset, reason) => add(offset, [], reason, null),
    refer: (reference) => references.push(reference),
    references: () => references,
    has: (path) => {
      const text = pathText(path);
      const isBelow = (other: string) =>
        other === text || other.startsWith(`${text}.`) || other.startsWith(`${text}[`);
      return [...found.values()].some((problem) => isBelow(problem.path));
    },
    list: () => [...found.values()].sort((a, b) => a.line - b.line || a.column - b.column),
  };
}

/** `bouquets.PREMIUM.prices[1].month` */
export function pathText(path: Path): string {
  return path
    .map((step, i) => (typeof step === 'number' ? `[${step}]` : i === 0 ? step : `.${step}`))
    .join('');
}

/** Offsets of the key and of the value at a path; of the last step that exists where none is. */
function locate(document: Document, path: Path): { key: number; value: number } {
  let node: unknown = document.contents;
  let spot = { key: startOf(node) ?? 0, value: startOf(node) ?? 0 };
  for (const [i, step] of path.entries()) {
    const next = stepInto(node, step);
    // A missing thing is shown at the name of what lacks it.
    if (next === null) return i === 0 ? spot : { key: spot.key, value: spot.key };
    const key = startOf(next.key) ?? startOf(next.value) ?? spot.key;
    spot = { key, value: startOf(next.value) ?? key };
    node = next.value;
  }
  return spot;
}

function stepInto(node: unknown, step: string | number): { key: unknown; value: unknown } | null {
  if (isSeq(node) && typeof step === 'number' && step < node.items.length) {
    return { key: node.items[step], value: node.items[step] };
  }
  if (!isMap(node)) return null;
  const pair = node.items.find((item) => isPair(item) && keyText(item.key) === String(step));
  return pair ? { key: pair.key, value: pair.value } : null;
}

const startOf = (node: unknown): number | null =>
  isNode(node) && node.range ? node.range[0] : null;

/** A key as it is written, also where YAML takes it for a number. */
export const keyText = (key: unknown): string =>
  isScalar(key) ? (key.source ?? String(key.value)) : String(key);

/** A hint for a word nobody knows: the nearest known one, or all if they are few. */
export function hintFor(word: string, known: readonly string[]): string | null {
  const near = nearest(word, known);
  if (near !== null) return `did you mean ${near}?`;
  if (known.length === 0 || known.length > HINT_WORDS_MAX) return null;
  return `known: ${known.join(', ')}`;
}

/** The known word that differs by the fewest slips of the pen; null when none is near. */
export function nearest(word: string, known: readonly string[]): string | null {
  const slipsMax = Math.max(1, Math.floor(word.length / 3));
  let best: { word: string; slips: number } | null = null;
  for (const candidate of known) {
    const slips = slipsBetween(word.toLowerCase(), candidate.toLowerCase());
    if (slips <= slipsMax && (best === null || slips < best.slips)) {
      best = { word: candidate, slips };
    }
  }
  return best?.word ?? null;
}

const WORD_CHARS_MAX = 60;

/** Slips: a letter too many, too few or wrong, two that changed places. Long words are far. */
function slipsBetween(a: string, b: string): number {
  if (a.length > WORD_CHARS_MAX || b.length > WORD_CHARS_MAX) return WORD_CHARS_MAX;
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  const slips = (i: number, j: number) => rows[i]?.[j] ?? WORD_CHARS_MAX;
  for (let i = 1; i <= a.length; i++) {
    rows.push([i]);
    for (let j = 1; j <= b.length; j++) {
      const isSwapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const one = Math.min(
        slips(i - 1, j),
        slips(i, j - 1),
        isSwapped ? slips(i - 2, j - 2) : WORD_CHARS_MAX,
      );
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      rows[i]?.push(Math.min(one + 1, slips(i - 1, j - 1) + same));
    }
  }
  return slips(a.length, b.length);
}
