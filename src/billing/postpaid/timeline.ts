/**
 * What facts say about a contract over time: its plans, ends, stops and billing days. Pure. A run
 * that looks at `target` sees what takes effect up to then, and ends also when they are still to
 * come.
 */

import { type Day, plusLength } from '../../platform/day.ts';
import type { Book } from './books.ts';
import { type Interval, merged, OPEN } from './intervals.ts';
import { type Catalogue, type Phase, type Plan, type PostpaidConfig, planOf } from './plans.ts';
import type { Contract, ContractEvent, ContractEventKind } from './rows.ts';

/** Facts, and how far one looks. */
export interface View {
  book: Book;
  catalogue: Catalogue;
  config: PostpaidConfig;
  target: Day;
}

/** A plan (or a bare rate) of a contract, until the next or for ever. */
export interface PlanSpan extends Interval {
  event: ContractEvent;
  plan: Plan | null;
}

export interface PhaseSpan extends Interval {
  phase: Phase;
}

const byEffect = (a: ContractEvent, b: ContractEvent): number =>
  a.effective - b.effective || (a.id < b.id ? -1 : 1);

/** Events of some kinds, in the order in which they take effect. */
export const eventsOf = (
  book: Book,
  contract: Contract,
  kinds: readonly ContractEventKind[],
): ContractEvent[] =>
  book.rows.events
    .filter((event) => event.contractId === contract.id && kinds.includes(event.kind))
    .sort(byEffect);

/** A later act that takes effect no later takes the place of what was planned. */
const standing = (events: readonly ContractEvent[]): ContractEvent[] =>
  events.filter(
    (event) => !events.some((later) => later.id > event.id && later.effective <= event.effective),
  );

/** All plans, also those still to come. */
export function allPlanSpans({ book, catalogue }: View, contract: Contract): PlanSpan[] {
  const events = standing(eventsOf(book, contract, ['plan', 'rate']));
  return events.map((event, at) => ({
    from: event.effective,
    to: events[at + 1]?.effective ?? OPEN,
    event,
    plan: event.planCode === null ? null : planOf(catalogue, event.planCode),
  }));
}

/** The plans that take effect up to the target; the sale is always seen. */
export function planSpans(view: View, contract: Contract): PlanSpan[] {
  const seen = allPlanSpans(view, contract).filter(
    (span, at) => at === 0 || span.from <= view.target,
  );
  const last = seen.at(-1);
  if (last) last.to = OPEN;
  return seen;
}

/** The phases of a plan, counted from a day. */
export function phaseSpans(plan: Plan, phasesFrom: Day): PhaseSpan[] {
  const spans: PhaseSpan[] = [];
  let from = phasesFrom;
  for (const phase of plan.phases) {
    const to = phase.length === null ? OPEN : plusLength(from, phase.length);
    spans.push({ from, to, phase });
    from = to;
  }
  return spans;
}

/** The contract of the bundle's base; null for a base. */
export function baseOf(book: Book, contract: Contract): Contract | null {
  if (contract.baseId === null) return null;
  const base = book.rows.contracts.find((row) => row.id === contract.baseId);
  if (!base) throw new Error(`Contract ${contract.id} has no base`);
  return base;
}

/** First day without, by what was decided for this contract alone; OPEN = none. */
function ownEnd(view: View, contract: Contract, kind: 'end_service' | 'end_billing'): Day {
  const last = view.book.rows.events.findLast(
    (event) => event.contractId === contract.id && event.kind === kind,
  );
  return last?.effective ?? OPEN;
}

/** The day on which the last phase of the plan is over, OPEN = never. */
export function expiryOf(view: View, contract: Contract): Day {
  for (const span of allPlanSpans(view, contract)) {
    if (!span.plan || span.event.phasesFrom === null) continue;
    const end = phaseSpans(span.plan, span.event.phasesFrom).at(-1)?.to ?? OPEN;
    if (end < span.to) return Math.max(end, span.from);
  }
  return OPEN;
}

/** The day from which the base has a plan that does not offer this add-on; OPEN = never. */
function notOfferedFrom(view: View, contract: Contract, base: Contract): Day {
  const bases = allPlanSpans(view, base);
  for (const own of allPlanSpans(view, contract)) {
    const offers = own.plan?.addOn?.availableWith;
    if (!offers) continue;
    const missing = bases.find(
      (span) => span.to > own.from && span.from < own.to && !offers.includes(span.plan?.code ?? ''),
    );
    if (missing) return Math.max(missing.from, own.from);
  }
  return OPEN;
}

/** First day without service or billing: its own, its base's, or when it is no longer offered. */
export function endOf(view: View, contract: Contract, kind: 'end_service' | 'end_billing'): Day {
  const own = Math.min(ownEnd(view, contract, kind), expiryOf(view, contract));
  const base = baseOf(view.book, contract);
  if (!base) return own;
  return Math.min(own, endOf(view, base, kind), notOfferedFrom(view, contract, base));
}

/** Was it ended by an act or its base, rather than by its last phase? */
export const endedByAct = (view: View, contract: Contract): boolean =>
  endOf(view, contract, 'end_service') < expiryOf(view, contract);

/** From `start` to `end` events, the last one possibly open. */
function between(events: readonly ContractEvent[], start: ContractEventKind): Interval[] {
  const intervals: Interval[] = [];
  let since: Day | null = null;
  for (const { kind, effective } of events) {
    if (kind === start) since ??= effective;
    else if (since !== null) {
      intervals.push({ from: since, to: effective });
      since = null;
    }
  }
  if (since !== null) intervals.push({ from: since, to: OPEN });
  return intervals.filter(({ from, to }) => from < to);
}

/** When overdue states stop service and billing of the whole account. */
export function overdueStops({ book }: View): Interval[] {
  const rows = book.rows.overdueChanges;
  const stops = rows.map((row, at) => ({ row, from: row.on, to: rows[at + 1]?.on ?? OPEN }));
  return merged(stops.filter(({ row, from, to }) => row.stops && from < to));
}

const seenEvents = (
  view: View,
  contract: Contract,
  kinds: readonly ContractEventKind[],
): ContractEvent[] =>
  eventsOf(view.book, contract, kinds).filter((event) => event.effective <= view.target);

/** When the contract is paused, as far as the target sees. */
export const pausesOf = (view: View, contract: Contract): Interval[] =>
  between(seenEvents(view, contract, ['pause', 'resume']), 'pause');

/** When nothing is charged: pauses, blocks, overdue stops. */
export const billingStops = (view: View, contract: Contract): Interval[] =>
  merged([
    ...pausesOf(view, contract),
    ...between(seenEvents(view, contract, ['block', 'unblock']), 'block'),
    ...overdueStops(view),
  ]);

/** The units sold on a day. */
export function quantityOn(view: View, contract: Contract, day: Day): number {
  const last = seenEvents(view, contract, ['quantity']).findLast((event) => event.effective <= day);
  return last?.quantity ?? 1;
}

/** Days from which another quantity counts. */
export const quantityChanges = (view: View, contract: Contract): Day[] =>
  seenEvents(view, contract, ['quantity'])
    .map((event) => event.effective)
    .filter((day) => quantityOn(view, contract, day) !== quantityOn(view, contract, day - 1));

/** Billing days that were set on the contract itself, also those still to come. */
export const ownBillingDays = (book: Book, contract: Contract): ContractEvent[] =>
  standing(eventsOf(book, contract, ['billing_day']));
