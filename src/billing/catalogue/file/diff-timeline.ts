/** Where two histories of one thing differ: from when on, and what is said of it. */

export interface Timeline<V = unknown> {
  /** Days on which either history may change. */
  dates: readonly string[];
  before(date: string): V | null;
  after(date: string): V | null;
  isSame(a: V, b: V): boolean;
  /** What holds and what would have; null: nothing. */
  say(after: V | null, before: V | null): string;
}

export interface Change {
  from: string;
  sentence: string;
}

/** The days from which on something else holds than the old history says. */
export function timelineChanges(timeline: Timeline): Change[] {
  const { before, after, say } = timeline;
  const isSame = (a: unknown, b: unknown): boolean =>
    a === null || b === null ? a === b : timeline.isSame(a, b);
  const changes: Change[] = [];
  let last: { was: unknown; is: unknown } = { was: null, is: null };
  for (const from of [...new Set(timeline.dates)].sort()) {
    const [was, is] = [before(from), after(from)];
    const differed = !isSame(last.was, last.is);
    const isNews = !isSame(was, last.was) || !isSame(is, last.is);
    if (isNews && !isSame(was, is)) changes.push({ from, sentence: say(is, was) });
    else if (isNews && differed)
      changes.push({ from, sentence: `${say(is, null)} This is as before.` });
    last = { was, is };
  }
  return changes;
}
