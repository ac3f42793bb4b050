/**
 * When a subscriber is reminded that the term ends, and when not. All days are local to the site.
 * Caps, quiet hours and the stop word answer a complaint heard about every prepaid operator:
 * reminders that harass.
 */
import { DateTime } from 'luxon';
import { addDays, type LocalDate, localDate, midnight } from '../../platform/calendar.ts';
import { daysNamed } from '../catalogue/terms.ts';
import type { ReminderStep } from '../settlement/commands.ts';
import type { TermLength } from '../subscriptions/rules.ts';

/** Reminders go out from this hour of their day. */
export const REMINDER_HOUR = 9;
/** From this hour on nobody is disturbed, until `QUIET_UNTIL_HOUR` of the next day. */
export const QUIET_FROM_HOUR = 20;
export const QUIET_UNTIL_HOUR = 8;
/** Texts of this kind a phone gets in a day at the most, for however many cards. */
export const REMINDER_TEXTS_A_DAY_MAX = 2;

/** The step that cannot wait comes first: a phone with many cards hears of those. */
const STEPS: readonly { step: ReminderStep; daysBefore: number; termDaysMin: number }[] = [
  { step: 'd0', daysBefore: 0, termDaysMin: 1 },
  { step: 'd1', daysBefore: 1, termDaysMin: 3 },
  { step: 'd3', daysBefore: 3, termDaysMin: 14 },
];

/** A step whose hour has come, and for whom. */
export interface DueStep {
  step: ReminderStep;
  /** It is for cards whose paid time ends after `endsAfter` and not after `endsBy`. */
  endsAfter: Date;
  endsBy: Date;
  /** When today began. */
  dayFrom: Date;
  /** Today's last instant for it: what was not said by then is not said at all. */
  notAfter: Date;
}

/** The steps that may be decided at `now`; none before the hour, none in the evening and night. */
export function dueSteps(now: Date, timeZone: string): DueStep[] {
  const today = localDate(now, timeZone);
  const notAfter = atHour(today, QUIET_FROM_HOUR, timeZone);
  if (now < atHour(today, REMINDER_HOUR, timeZone) || now >= notAfter) return [];
  return STEPS.map(({ step, daysBefore }) => {
    // The last day of a term is the one before its exclusive end.
    const lastDay = addDays(today, daysBefore);
    return {
      step,
      endsAfter: midnight(lastDay, timeZone),
      endsBy: midnight(addDays(lastDay, 1), timeZone),
      dayFrom: midnight(today, timeZone),
      notAfter,
    };
  });
}

/** When each step of a term that ends at `paidUntil` is decided at the earliest, in no order. */
export function stepInstants(paidUntil: Date, timeZone: string): Date[] {
  const lastDay = localDate(new Date(paidUntil.getTime() - 1), timeZone);
  return STEPS.map(({ daysBefore }) =>
    atHour(addDays(lastDay, -daysBefore), REMINDER_HOUR, timeZone),
  );
}

/** Not midnight plus hours: on two days of the year that is another time. */
const atHour = (date: LocalDate, hour: number, zone: string): Date =>
  DateTime.fromObject({ ...date, hour }, { zone }).toJSDate();

/** What is known of a card when one of its steps is due. */
export interface ReminderFacts {
  /** The term bought last, and when. */
  length: TermLength;
  boughtAt: Date;
  isSuspended: boolean;
  /** What its next term costs; null when none is sold. */
  price: bigint | null;
  /** What automatic renewals take from the wallet up to and with this card's; null: none does. */
  renewalCost: bigint | null;
  credit: bigint;
  /** Null when the subscriber has no phone. */
  phone: { isStopped: boolean; textsToday: number } | null;
}

/** `sent`, or why not; the words stand in the database and in front of staff. */
export type ReminderDecision =
  | 'sent'
  /** The next three go to the screen alone. */
  | 'no_phone'
  | 'stopped'
  | 'capped'
  | 'suspended'
  | 'renews'
  | 'not_sold'
  | 'just_paid'
  | 'too_short';

/** Whether and how a due step is said. */
export function decideReminder(
  { step, dayFrom }: Pick<DueStep, 'step' | 'dayFrom'>,
  facts: ReminderFacts,
): ReminderDecision {
  const termDaysMin = STEPS.find((known) => known.step === step)?.termDaysMin ?? 0;
  if (facts.isSuspended) return 'suspended';
  if (daysOf(facts.length) < termDaysMin) return 'too_short';
  if (facts.boughtAt >= dayFrom) return 'just_paid';
  if (facts.renewalCost !== null && facts.credit >= facts.renewalCost) return 'renews';
  if (facts.price === null) return 'not_sold';
  if (facts.phone === null) return 'no_phone';
  if (facts.phone.isStopped) return 'stopped';
  return facts.phone.textsToday < REMINDER_TEXTS_A_DAY_MAX ? 'sent' : 'capped';
}

const SHOWN: ReadonlySet<ReminderDecision> = new Set(['sent', 'no_phone', 'stopped', 'capped']);

/** Whether the decision puts the reminder on the subscriber's own screen. */
export const isShown = (decision: ReminderDecision): boolean => SHOWN.has(decision);

/** Days of a term, a month being counted at its shortest. */
function daysOf(length: TermLength): number {
  switch (length.kind) {
    case 'week':
      return 7;
    case 'days':
      return length.days;
    case 'month':
      return 28;
    case 'quarter':
      return 89;
    case 'year':
      return 365;
    default:
      return daysNamed(length.kind) ?? 1;
  }
}
