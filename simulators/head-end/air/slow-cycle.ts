/** The round over all cards that never ends: it heals whoever missed everything else. */

export interface SlowCycle {
  /** Begins the first round. */
  start(atMs: number): void;
  dueMs(): number;
  /** The card that is broadcast at `atMs`; undefined: there are no cards, and it looks later. */
  take(atMs: number): string | undefined;
  /** What was due before `endMs`, each card at its last time; `count` is with the times before. */
  skip(endMs: number): { last: { card: string; atMs: number }[]; count: number };
}

export interface SlowCycleOptions {
  cards(): Iterable<string>;
  /** Room for one EMM. */
  slotMs: number;
  roundMsMin: number;
}

/** How soon it looks again for cards when there are none. */
const LOOK_AGAIN_MS = 1_000;

/** A cycle that has not started. A card that is added comes with the next round. */
export function createSlowCycle(options: SlowCycleOptions): SlowCycle {
  let round: string[] = [];
  let position = 0;
  let dueMs = Infinity;
  let paceMs = LOOK_AGAIN_MS;

  function beginRound(): void {
    round = [...options.cards()];
    position = 0;
    paceMs =
      round.length === 0
        ? LOOK_AGAIN_MS
        : Math.max(options.slotMs, options.roundMsMin / round.length);
  }

  return {
    start(atMs) {
      dueMs = atMs;
    },
    dueMs: () => dueMs,
    take(atMs) {
      if (position >= round.length) beginRound();
      const card = round[position];
      position += 1;
      dueMs = atMs + paceMs;
      return card;
    },
    skip(endMs) {
      if (dueMs >= endMs) return { last: [], count: 0 };
      if (position >= round.length) beginRound();
      const times = Math.ceil((endMs - dueMs) / paceMs);
      const firstMs = dueMs;
      dueMs += times * paceMs;
      const { length } = round;
      if (length === 0) return { last: [], count: 0 };
      const shown = Math.min(times, length);
      const last = Array.from({ length: shown }, (_, n) => {
        const nth = times - shown + n;
        return { card: round[(position + nth) % length] ?? '', atMs: firstMs + nth * paceMs };
      });
      position = (position + times) % length;
      return { last, count: times };
    },
  };
}
