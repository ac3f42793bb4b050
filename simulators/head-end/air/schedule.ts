/** When an EMM that has been on air is broadcast again. Instants and periods in milliseconds. */
import type { RepeatStep } from '../../../src/entitlement/vip-control/messages.ts';

/** Steps one after another, each with the instant it ends at. */
export type Schedule = readonly RunningStep[];

interface RunningStep {
  everyMs: number;
  untilMs: number;
}

export interface Due {
  dueMs: number;
  everyMs: number;
}

/** The steps as they run when the first broadcast was at `atMs`; nothing is due after `endMs`. */
export function begin(steps: readonly RepeatStep[], atMs: number, endMs: number): Schedule {
  let untilMs = atMs;
  return steps.map((step) => {
    untilMs += step.forSeconds * 1_000;
    return { everyMs: step.everySeconds * 1_000, untilMs: Math.min(untilMs, endMs) };
  });
}

/** `fresh`, and then what of `before` lasts longer. */
export function followedBy(fresh: Schedule, before: Schedule): Schedule {
  const freshEndMs = fresh.at(-1)?.untilMs ?? Number.NEGATIVE_INFINITY;
  return [...fresh, ...before.filter(({ untilMs }) => untilMs > freshEndMs)];
}

/** The broadcast after the one at `atMs`; undefined: that was the last. */
export function dueAfter(schedule: Schedule, atMs: number): Due | undefined {
  for (const { everyMs, untilMs } of schedule) {
    if (atMs + everyMs <= untilMs) return { dueMs: atMs + everyMs, everyMs };
  }
  return undefined;
}

/** The last broadcast before `endMs` when one is at `atMs`, and how many there were in all. */
export function lastBefore(
  schedule: Schedule,
  atMs: number,
  endMs: number,
): { atMs: number; count: number } {
  let lastMs = atMs;
  let count = 1;
  for (const { everyMs, untilMs } of schedule) {
    const roomMs = Math.min(untilMs, endMs - 1) - lastMs;
    const times = Math.max(0, Math.floor(roomMs / everyMs));
    lastMs += times * everyMs;
    count += times;
    if (untilMs >= endMs) break;
  }
  return { atMs: lastMs, count };
}
