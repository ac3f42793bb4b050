/**
 * The life of a contract cut into stretches of one plan, phase, price, quantity and billing day.
 * A stretch starts its own grid of billing dates. Pure.
 */

import type { Period } from '../../platform/day.ts';
import { type Day, daysOfPeriod, firstBillingDate, plusPeriods } from '../../platform/day.ts';
import { type Interval, OPEN, shared, withoutAll } from './intervals.ts';
import type { Alignment, Billing, Phase, Plan, PriceVersion } from './plans.ts';
import type { Contract } from './rows.ts';
import {
  allPlanSpans,
  baseOf,
  billingStops,
  endOf,
  ownBillingDays,
  type PlanSpan,
  phaseSpans,
  planSpans,
  quantityChanges,
  quantityOn,
  type View,
} from './timeline.ts';

/** What is sold over a stretch of time, before billing days are known. */
interface Offer extends Interval {
  span: PlanSpan;
  phase: Phase | null;
  phaseTo: Day;
  /** The phase, or a new plan in it, starts here: its one-off price is due. */
  opens: boolean;
  units: bigint;
  period: Period | null;
  billing: Billing;
}

export interface Segment extends Interval {
  planCode: string | null;
  phase: string | null;
  /** One-off price due at `from`. */
  fixed: bigint | null;
  /** The end of the phase; null if it also recurs, or never ends. */
  fixedTo: Day | null;
  /** Price of a whole period, all units; null = nothing recurs. */
  price: bigint | null;
  period: Period | null;
  billing: Billing;
  billingDay: number;
  taxCode: string | null;
  /** It starts because the billing day changed from this one. */
  dayBefore: number | null;
  /** A new billing day takes effect: within the segment if the target does not see it yet. */
  dayChange: { at: Day; day: number } | null;
}

/** All stretches of a contract that a view sees, in order. */
export function segmentsOf(view: View, contract: Contract): Segment[] {
  const offers = offersOf(view, contract);
  const end = endOf(view, contract, 'end_billing');
  const stops = billingStops(view, contract);
  return offers
    .flatMap((offer) => byBillingDay(view, contract, offer))
    .flatMap(({ offer, ...days }) =>
      withoutAll({ from: offer.from, to: Math.min(offer.to, end) }, stops).map((left) =>
        segmentOf(offer, left, days),
      ),
    )
    .flatMap(({ segment, offer }) => byPrice(view, segment, offer));
}

function offersOf(view: View, contract: Contract): Offer[] {
  const changes = quantityChanges(view, contract);
  return planSpans(view, contract)
    .flatMap((span) => (span.plan ? offersOfPlan(contract, span, span.plan) : offersOfRate(span)))
    .flatMap((offer) => cutAt(offer, changes))
    .map((offer) => ({ ...offer, units: unitsOf(view, contract, offer) }));
}

const unitsOf = (view: View, contract: Contract, offer: Offer): bigint =>
  offer.span.plan?.perUnit ? BigInt(quantityOn(view, contract, offer.from)) : 1n;

function offersOfPlan(contract: Contract, span: PlanSpan, plan: Plan): Offer[] {
  return phaseSpans(plan, span.event.phasesFrom ?? span.from).flatMap(({ phase, ...phaseSpan }) => {
    const part = shared(span, phaseSpan);
    if (!part) return [];
    // A contract that goes on in another account is in the middle of its phase.
    const carriedOn = contract.continuesId !== null && part.from > phaseSpan.from;
    const opens = !(carriedOn && part.from === contract.startsOn);
    const { period } = phase;
    const { billing } = plan;
    return [{ ...part, span, phase, phaseTo: phaseSpan.to, opens, units: 1n, period, billing }];
  });
}

function offersOfRate(span: PlanSpan): Offer[] {
  const { period, billing, price } = span.event;
  if (price === null || period === null || billing === null) return [];
  const { from, to } = span;
  return [{ from, to, span, phase: null, phaseTo: to, opens: false, units: 1n, period, billing }];
}

/** Cuts at days inside; only the first part opens. */
function cutAt<T extends Interval & { opens: boolean }>(whole: T, days: readonly Day[]): T[] {
  const inside = [...new Set(days)].filter((day) => whole.from < day && day < whole.to);
  const starts = [whole.from, ...inside.sort((a, b) => a - b)];
  return starts.map((from, at) => ({
    ...whole,
    from,
    to: starts[at + 1] ?? whole.to,
    opens: whole.opens && at === 0,
  }));
}

/** The day of the first paid phase; when none is ever paid, of the first that recurs. */
export function firstPaidDay(view: View, contract: Contract): Day {
  const offers = offersOf(view, contract);
  const recurring = offers.filter((offer) => offer.period !== null);
  const paid = recurring.find((offer) => priceAt(offer, offer.from) > 0n);
  return (paid ?? recurring[0] ?? offers[0])?.from ?? contract.startsOn;
}

interface BillingDays {
  billingDay: number;
  dayBefore: number | null;
  dayChange: { at: Day; day: number } | null;
}

/** Cuts an offer where its billing day changes. */
function byBillingDay(
  view: View,
  contract: Contract,
  offer: Offer,
): ({ offer: Offer } & BillingDays)[] {
  const period = offer.period ?? 'monthly';
  const dayAt = (day: Day): number => billingDayOn(view, contract, { day, period });
  // Periods counted in days have no billing day of the month.
  const changes = daysOfPeriod(period) === null ? dayChangesOf(view, contract) : [];
  const all = changes.filter((day) => dayAt(day) !== dayAt(day - 1));
  const parts = cutAt(
    offer,
    all.filter((day) => day <= view.target),
  );
  return parts.map((part) => {
    // With another plan the old cycle just ends; there is nothing to bridge.
    const next = all.find((day) => part.from < day && day <= part.to && day < offer.span.to);
    return {
      offer: part,
      billingDay: dayAt(part.from),
      dayBefore:
        part.from > contract.startsOn && all.includes(part.from) ? dayAt(part.from - 1) : null,
      dayChange: next === undefined ? null : { at: next, day: dayAt(next) },
    };
  });
}

/** Days on which the billing day of a contract may change, in order. */
function dayChangesOf(view: View, contract: Contract): Day[] {
  const base = baseOf(view.book, contract);
  const plans = allPlanSpans(view, contract).map((span) => span.from);
  const own = ownBillingDays(view.book, contract).map((event) => event.effective);
  const days = [
    ...own.filter((day) => day <= view.target || !plans.includes(day)),
    ...(base ? ownBillingDays(view.book, base).map((event) => event.effective) : []),
    ...view.book.rows.billingDayChanges.map((row) => row.on),
    ...planSpans(view, contract).map((span) => span.from),
  ];
  return [...new Set(days)].sort((a, b) => a - b);
}

/** The day of the month on which a contract is billed, as of a day. */
export function billingDayOn(
  view: View,
  contract: Contract,
  { day, period }: { day: Day; period: Period },
): number {
  const own = ownBillingDays(view.book, contract).findLast((event) => event.effective <= day);
  if (own?.day) return own.day;
  const spans = planSpans(view, contract);
  const span = spans.findLast(({ from }) => from <= day) ?? spans[0];
  if (span && !span.plan && span.event.day !== null) return span.event.day;
  const alignment = alignmentOf(view, span?.plan ?? null, period);
  if (alignment === 'account') return accountDayOn(view, day);
  const base = alignment === 'bundle' ? baseOf(view.book, contract) : null;
  if (base) return billingDayOn(view, base, { day, period: periodOn(view, base, day) });
  return new Date(firstPaidDay(view, contract) * 86_400_000).getUTCDate();
}

/** The period in which a contract recurs on a day, or next after it. */
function periodOn(view: View, contract: Contract, day: Day): Period {
  const recurring = offersOf(view, contract).filter((offer) => offer.period !== null);
  const at = recurring.find((offer) => offer.to > day) ?? recurring.at(-1);
  return at?.period ?? 'monthly';
}

function alignmentOf({ config }: View, plan: Plan | null, period: Period): Alignment {
  if (plan?.addOn) return config.alignment.addOn;
  return period === 'annual' ? config.alignment.annual : config.alignment.default;
}

function accountDayOn({ book }: View, day: Day): number {
  const later = book.rows.billingDayChanges.find((row) => row.on > day);
  return later?.before ?? book.account.billingDay ?? 1;
}

function segmentOf(
  offer: Offer,
  { from, to }: Interval,
  days: BillingDays,
): { segment: Segment; offer: Offer } {
  const { span, phase, units } = offer;
  const first = from === offer.from;
  const fixed = phase ? fixedPrice(phase, span) : null;
  const segment: Segment = {
    from,
    to,
    planCode: span.plan?.code ?? null,
    phase: phase?.type ?? null,
    fixed: first && offer.opens && fixed !== null ? fixed * units : null,
    fixedTo: offer.period === null && offer.phaseTo < OPEN ? offer.phaseTo : null,
    price: offer.period === null ? null : priceAt(offer, from),
    period: offer.period,
    billing: offer.billing,
    billingDay: days.billingDay,
    taxCode: span.plan?.taxCode ?? null,
    dayBefore: first ? days.dayBefore : null,
    dayChange: days.dayChange,
  };
  return { segment, offer };
}

/** The one-off price of a phase for one unit; it is agreed with the sale. */
const fixedPrice = ({ fixed, fixedVersions }: Phase, { from }: PlanSpan): bigint | null =>
  fixedVersions ? versionPrice(fixedVersions, { sold: from, billed: from }) : fixed;

/** Cuts a segment at the billing dates from which another version of the price counts. */
function byPrice(view: View, segment: Segment, offer: Offer): Segment[] {
  const { period, billingDay } = segment;
  if (period === null || !isVersioned(offer)) return [segment];
  const first = firstBillingDate(segment.from, period, billingDay);
  const before = plusPeriods(first, period, -1, billingDay);
  const starts: { from: Day; price: bigint }[] = [];
  const leading = priceAt(offer, first > segment.from ? before : first);
  starts.push({ from: segment.from, price: leading });
  let count = 0;
  for (let at = first; at < segment.to && at <= view.target; ) {
    const price = priceAt(offer, at);
    if (price !== starts.at(-1)?.price) starts.push({ from: at, price });
    count += 1;
    at = plusPeriods(first, period, count, billingDay);
  }
  return starts.map(({ from, price }, at) => ({
    ...segment,
    from,
    to: starts[at + 1]?.from ?? segment.to,
    price,
    fixed: at === 0 ? segment.fixed : null,
    dayBefore: at === 0 ? segment.dayBefore : null,
  }));
}

const isVersioned = ({ span, phase }: Offer): boolean =>
  span.event.price === null && phase !== null && phase.price === null && span.plan !== null;

/**
 * The recurring price of an offer, all units: what was agreed, the phase's own, or the version of
 * the sale, or one that reaches existing contracts by the billing date `billed`. Of several, the
 * latest.
 */
function priceAt(offer: Offer, billed: Day): bigint {
  const { span, phase, units } = offer;
  if (!span.plan || !phase) return span.event.price ?? 0n;
  const isLast = phase === span.plan.phases.at(-1);
  if (span.event.price !== null && isLast) return span.event.price * units;
  if (phase.price !== null) return phase.price * units;
  const versions = phase.versions ?? span.plan.priceVersions;
  return versionPrice(versions, { sold: span.from, billed }) * units;
}

/**
 * What a contract sold on a day pays at a billing date: the version of its sale, or a later one
 * that reaches existing contracts, of several the latest. A version for one agreed price reaches
 * only those who have that.
 */
function versionPrice(
  all: readonly PriceVersion[],
  { sold, billed }: { sold: Day; billed: Day },
): bigint {
  const versions = [...all].sort((a, b) => a.from - b.from);
  const open = versions.filter(({ isClosed }) => !isClosed);
  const first = open.findLast(({ from }) => from <= sold) ?? open[0];
  let held = first;
  for (const version of versions) {
    const { from, existingFrom, agreed, isSameAgreed } = version;
    const isLater = first !== undefined && from > first.from;
    if (!isLater || existingFrom === null || existingFrom > billed) continue;
    if (!isSameAgreed || agreed === held?.agreed) held = version;
  }
  return held?.price ?? 0n;
}

/** A segment never ends. */
export const isOpen = ({ to }: Interval): boolean => to >= OPEN;
