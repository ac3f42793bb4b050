/** What the room decides about a picture, and how often it may be refreshed. Pure. */
import type { Right } from '../rights/rules.ts';
import type { Diagnosis, RefreshAnswer, SuspensionReason } from './desk.ts';

/** What the head-end was, or has to be, told about a card. */
export interface BroadcastFacts {
  /** The wanted set; what has ended since it was raised is still in it. */
  desired: readonly Right[];
  desiredRev: number;
  ackedRev: number;
  onAirAt: Date | null;
}

export interface PictureFacts extends BroadcastFacts {
  suspension: { reason: SuspensionReason; since: Date } | null;
  /** Of the subscription: billing's word. The margin of the air is not in it. */
  paidUntil: Date | null;
  raisedAt: Date | null;
  refreshedAt: Date | null;
}

/** A refresh that was asked for. */
export interface Ask {
  at: Date;
  state: 'queued' | 'on_air' | 'failed';
}

export interface Report {
  at: Date;
  answer: 'back' | 'black';
}

const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
/** Who asks again within this time is answered by what was asked before. */
const COALESCE_MS = 60_000;
/** A refresh takes air from everybody's rights; head-ends limit it in the same way. */
const REFRESH_LIMITS = [
  { times: 3, withinMs: HOUR_MS },
  { times: 10, withinMs: DAY_MS },
] as const;
/** So many of a card's last asks decide about the next one. */
export const ASKS_READ_MAX = 10;
/** So often must "black" be said before a person should look. */
export const STILL_BLACK_REPORTS = 2;

/** What is the matter with a card at `now`; the first that holds. */
export function diagnose(facts: PictureFacts, now: Date): Diagnosis {
  if (facts.suspension) return { kind: 'suspended', ...facts.suspension };
  const paidUntil = paidUntilAt(facts, now);
  if (paidUntil === null) return { kind: 'not_paid', paidUntil: lastEnd(facts, now) };
  if (facts.onAirAt === null || facts.ackedRev < facts.desiredRev) {
    return { kind: 'on_its_way', paidUntil, since: facts.raisedAt ?? now };
  }
  const { onAirAt, refreshedAt } = facts;
  return { kind: 'on_air', paidUntil, since: onAirAt, refreshedAt };
}

/** An event that is running is paid for, whatever became of the subscription. */
function paidUntilAt({ paidUntil, desired }: PictureFacts, now: Date): Date | null {
  if (paidUntil && paidUntil > now) return paidUntil;
  return latest(desired.filter(({ from, to }) => from <= now && now < to).map(({ to }) => to));
}

function lastEnd({ paidUntil, desired }: PictureFacts, now: Date): Date | null {
  const ends = desired.map(({ to }) => to);
  return latest([...(paidUntil ? [paidUntil] : []), ...ends].filter((end) => end <= now));
}

const latest = (dates: readonly Date[]): Date | null =>
  dates.reduce<Date | null>((last, date) => (last && last > date ? last : date), null);

/** Is there anything on air for the card, in date or to come, that could be broadcast afresh? */
export function isRefreshable(
  facts: BroadcastFacts & { suspended: SuspensionReason | null },
  now: Date,
): boolean {
  const { suspended, onAirAt, ackedRev, desiredRev, desired } = facts;
  if (suspended !== null || onAirAt === null || ackedRev < desiredRev) return false;
  return desired.some(({ to }) => to > now);
}

/**
 * May a card that is on air be refreshed at `now`? `asks`: its last `ASKS_READ_MAX` asks, the
 * oldest first. What failed counts for the limits, because it has cost the head-end a command.
 */
export function decideRefresh(
  asks: readonly Ask[],
  now: Date,
): Exclude<RefreshAnswer, { kind: 'not_on_air' }> {
  const last = asks.at(-1);
  if (last && isStillGood(last, now)) return { kind: 'already', at: last.at };
  const waits = REFRESH_LIMITS.flatMap(({ times, withinMs }) => {
    const first = asks.at(-times);
    return first ? [new Date(first.at.getTime() + withinMs)] : [];
  });
  const again = latest(waits);
  return again && again > now ? { kind: 'limited', again } : { kind: 'asked', at: now };
}

const isStillGood = ({ at, state }: Ask, now: Date): boolean =>
  state === 'queued' || (state === 'on_air' && now.getTime() - at.getTime() < COALESCE_MS);

/** How often "black" was said since the last "back"; what was said before is over. */
export const blackReports = (reports: readonly Report[]): number =>
  reports.length - 1 - reports.findLastIndex(({ answer }) => answer === 'back');

/**
 * Is a picture black though it was refreshed, so that a person should look? `reports`: the oldest
 * first. `refreshedAt`: when a refresh first was
 * asked for.
 */
export function isStillBlack(reports: readonly Report[], refreshedAt: Date | null): boolean {
  if (refreshedAt === null) return false;
  return blackReports(reports.filter(({ at }) => at >= refreshedAt)) >= STILL_BLACK_REPORTS;
}
