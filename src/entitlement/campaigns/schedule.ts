/**
 * When a campaign is shown. Each occurrence has a number and an instant, which follow from the plan
 * alone: whoever asks, and however often, gets the same. Pure.
 */
import { createHash } from 'node:crypto';
import { addDays, atWallTime, localDate, wallTime } from '../../platform/calendar.ts';
import type { Quiet, Schedule } from './content.ts';

export interface Plan {
  schedule: Schedule;
  quiet: Quiet | null;
  timeZone: string;
  startedAt: Date;
  /** Drawn once, at the start: what is left to chance follows from it. */
  seed: string;
  validSeconds: number;
}

export interface Occurrence {
  n: number;
  dueAt: Date;
  /** Nothing of it is shown from here on: its time is over, or quiet hours begin. */
  notAfter: Date;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** Repeated more often than this, a message would be on the screen for ever. */
export const REPEAT_MS_MIN = 5 * MINUTE_MS;
/** No campaign runs longer; then somebody decides anew. */
export const RUN_MS_MAX = 366 * 24 * HOUR_MS;

type Repeat = Extract<Schedule, { kind: 'repeat' }>;

const STEP_MS = { minute: MINUTE_MS, hour: HOUR_MS, day: 24 * HOUR_MS } as const;

export type ScheduleFault = 'too_often' | 'too_long' | 'over' | 'quiet' | 'at_of_days';

/** What is wrong with a schedule that is to start at `from`; null when it can. */
export function scheduleFault(
  schedule: Schedule,
  { quiet, timeZone }: Pick<Plan, 'quiet' | 'timeZone'>,
  from: Date,
): ScheduleFault | null {
  if (schedule.kind === 'once') {
    if (schedule.at === null) return null;
    const at = new Date(schedule.at);
    if (at.getTime() < from.getTime()) return 'over';
    return isQuiet(at, quiet, timeZone) ? 'quiet' : null;
  }
  const runMs = Date.parse(schedule.until) - beginOf(schedule, from).getTime();
  if (runMs <= 0) return 'over';
  if (runMs > RUN_MS_MAX) return 'too_long';
  return schedule.kind === 'repeat' ? repeatFault(schedule) : null;
}

function repeatFault({ at, unit, every }: Repeat): ScheduleFault | null {
  if (at !== null && unit !== 'day') return 'at_of_days';
  return STEP_MS[unit] * every < REPEAT_MS_MIN ? 'too_often' : null;
}

/** The first occurrence from number `n` on that takes place; null: there is none any more. */
export function occurrenceFrom(plan: Plan, n: number): Occurrence | null {
  const begins = beginOf(plan.schedule, plan.startedAt);
  const until = plan.schedule.kind === 'once' ? null : Date.parse(plan.schedule.until);
  for (let number = n; ; number += 1) {
    const dueAt = instantOf(plan, begins, number);
    if (dueAt === null || (until !== null && dueAt.getTime() >= until)) return null;
    // Of the window of a first day some of it may be over; of quiet hours nothing is left.
    const isBefore = dueAt.getTime() < begins.getTime();
    if (!isBefore && !isQuiet(dueAt, plan.quiet, plan.timeZone)) {
      return { n: number, dueAt, notAfter: endOf(plan, dueAt) };
    }
  }
}

const beginOf = (schedule: Schedule, startedAt: Date): Date =>
  schedule.kind === 'once' || schedule.from === null
    ? startedAt
    : new Date(Math.max(Date.parse(schedule.from), startedAt.getTime()));

/** The instant of a number, whether or not it takes place; null: there is no such number. */
function instantOf({ schedule, timeZone, seed, ...plan }: Plan, begins: Date, n: number) {
  if (schedule.kind === 'once') {
    if (n > 0) return null;
    return schedule.at === null ? plan.startedAt : new Date(schedule.at);
  }
  if (schedule.kind === 'repeat') return repeatedAt(schedule, begins, n, timeZone);
  const { perDay, window } = schedule;
  const date = addDays(localDate(begins, timeZone), Math.floor(n / perDay));
  const fromMs = msOf(window.from);
  const slotMs = (msOf(window.to) - fromMs) / perDay;
  // One in each equal part of the window: by chance, and yet never two at once.
  const ms = Math.floor(fromMs + slotMs * ((n % perDay) + chance(seed, n)));
  return atWallTime(date, ms, timeZone);
}

function repeatedAt(schedule: Repeat, begins: Date, n: number, timeZone: string): Date {
  const { every, unit } = schedule;
  if (unit !== 'day') return new Date(begins.getTime() + n * every * STEP_MS[unit]);
  const today = localDate(begins, timeZone);
  const ms = schedule.at === null ? wallTime(begins, timeZone) : msOf(schedule.at);
  const isOver = atWallTime(today, ms, timeZone).getTime() < begins.getTime();
  return atWallTime(addDays(today, (isOver ? 1 : 0) + n * every), ms, timeZone);
}

/** In [0, 1), the same for ever for a seed and number. */
function chance(seed: string, n: number): number {
  return createHash('sha256').update(`${seed}:${n}`).digest().readUInt32BE() / 2 ** 32;
}

/** `07:30` in milliseconds. */
function msOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return hours * HOUR_MS + minutes * MINUTE_MS;
}

function isQuiet(at: Date, quiet: Quiet | null, timeZone: string): boolean {
  if (quiet === null) return false;
  const [ms, from, to] = [wallTime(at, timeZone), msOf(quiet.from), msOf(quiet.to)];
  return from < to ? from <= ms && ms < to : from <= ms || ms < to;
}

function endOf({ quiet, timeZone, validSeconds }: Plan, dueAt: Date): Date {
  const ends = new Date(dueAt.getTime() + validSeconds * 1_000);
  if (quiet === null) return ends;
  const today = localDate(dueAt, timeZone);
  // Valid for a day at the most: quiet hours of today or tomorrow are all that can come before.
  const begins = [today, addDays(today, 1)]
    .map((date) => atWallTime(date, msOf(quiet.from), timeZone))
    .find((at) => at.getTime() > dueAt.getTime());
  return begins && begins.getTime() < ends.getTime() ? begins : ends;
}
