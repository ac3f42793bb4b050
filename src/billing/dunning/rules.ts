/**
 * Dunning as a function of facts and date. Nothing of what it answers is kept anywhere: whatever
 * takes a debt away (a payment, credit, an adjustment, a write-off) takes its consequences away,
 * because the next look does not find it any more.
 */
import { wallTime } from '../../platform/calendar.ts';
import { type Day, dayOfInstant } from '../../platform/day.ts';
import type { DunningPolicy, DunningStep, StepAct } from '../catalogue/dunning-policy.ts';

/** A committed invoice with something left to pay, be it that a payment of it is pending. */
export interface OpenInvoice {
  id: bigint;
  issuedOn: Day;
  /** The last day on which paying is in time. */
  dueOn: Day;
  open: bigint;
}

export type Owing =
  | { kind: 'postpaid'; openInvoices: readonly OpenInvoice[] }
  /** `endsOn`: the first day without (null: never paid, or rests); `price`: to go on, 0 unsold. */
  | { kind: 'prepaid'; endsOn: Day | null; price: bigint };

/** From a day up to, not with, another; null: until it is lifted. */
export interface Span {
  from: Day;
  until: Day | null;
  reason: string;
}

/** Somebody promised on `madeOn`, owing `owed`, to pay `amount` by `dueOn` (inclusive). */
export interface PaymentPromise {
  madeOn: Day;
  dueOn: Day;
  amount: bigint;
  owed: bigint;
}

export interface Flags {
  /** While one runs nothing is taken away; reminders go on. */
  doNotCut: readonly Span[];
  /** While one runs there is no picture, whether something is owed or not. */
  blocks: readonly Span[];
  promises: readonly PaymentPromise[];
}

/** A step that was taken; `round` counts its repetitions from 0. */
export interface StepKey {
  /** The day from which the debt counts: it names the cycle. */
  cycle: Day;
  step: string;
  round: number;
}

export interface DunningFacts {
  today: Day;
  owing: Owing;
  policy: DunningPolicy;
  flags: Flags;
  /** Steps taken before, at least those of the present cycle. */
  taken: readonly StepKey[];
}

export interface DunningAction extends StepKey {
  does: StepAct;
  say: DunningStep['say'];
  /** The day on which it was due. */
  on: Day;
  /** A harder step holds already: this one is only recorded and said. */
  isSkipped: boolean;
}

/** What the subscriber has: everything; a notice over the picture; no picture; no contract. */
export type Level = 'open' | 'walled' | 'stopped' | 'ended';

export interface Dunning {
  /** Name of the hardest step that is reached, or `clear`. */
  state: string;
  /** The day from which `state` holds; null when clear. */
  since: Day | null;
  cycle: Day | null;
  /** Owed on days up to today, in minor units. */
  owed: bigint;
  level: Level;
  because: 'clear' | 'overdue' | 'block';
  /** Of the block. */
  blockedFor: string | null;
  /** What keeps time from going on, or the picture from being taken. */
  held: 'promise' | 'do_not_cut' | null;
  /** What is to be done now, mildest first; each is due once a cycle and round. */
  due: readonly DunningAction[];
  /** What comes next if nothing is paid; a promise is then broken. */
  next: { step: string; on: Day } | null;
}

const LEVEL_OF: Readonly<Record<StepAct, Level>> = {
  remind: 'open',
  wall: 'walled',
  suspend: 'stopped',
  terminate: 'ended',
};

/** A debt by the day from which its age counts. */
interface Debt {
  since: Day;
  issuedOn: Day;
  open: bigint;
}

/** The state of an account on a day, what holds because of it, and what is to be done. */
export function dunningOf(facts: DunningFacts): Dunning {
  const { today, policy, flags } = facts;
  const debts = debtsOf(facts.owing, policy);
  const calendar = calendarOf(facts, debts);
  const protectedBy = flags.doNotCut.find((flag) => covers(flag, today));
  const allowed = policy.steps.filter(({ does }) => !protectedBy || does === 'remind');
  const metBy = calendar.promise === null ? today : Math.min(today, calendar.promise.madeOn);
  const met = allowed.flatMap((step) => {
    const on = calendar.metOn(step);
    return on !== null && on <= metBy ? [{ step, on }] : [];
  });
  const current = met.at(-1) ?? null;
  const block = flags.blocks.find((flag) => covers(flag, today));
  return {
    state: current?.step.name ?? 'clear',
    since: current?.on ?? null,
    cycle: current === null ? null : calendar.anchor,
    owed: debts.reduce((sum, debt) => (debt.since <= today ? sum + debt.open : sum), 0n),
    ...levelOf(current?.step ?? null, { block, kind: facts.owing.kind }),
    held: calendar.promise ? 'promise' : protectedBy ? 'do_not_cut' : null,
    due: isRestDay(policy, today) ? [] : dueOf(facts, met, { cycle: calendar.anchor, metBy }),
    next: nextOf(facts, calendar, current?.step ?? null),
  };
}

function levelOf(
  step: DunningStep | null,
  { block, kind }: { block: Span | undefined; kind: Owing['kind'] },
): Pick<Dunning, 'level' | 'because' | 'blockedFor'> {
  let level: Level = step === null ? 'open' : LEVEL_OF[step.does];
  // Prepaid rights end by themselves; a picture taken as well would have to be given back first,
  // and whoever pays would wait for that.
  if (kind === 'prepaid' && level === 'stopped') level = 'walled';
  if (block && level !== 'ended') {
    return { level: 'stopped', because: 'block', blockedFor: block.reason };
  }
  return { level, because: step === null ? 'clear' : 'overdue', blockedFor: null };
}

/** The debts there are, oldest first. Prepaid time that ended is one: what going on costs. */
function debtsOf(owing: Owing, { countsFrom }: DunningPolicy): Debt[] {
  if (owing.kind === 'prepaid') {
    if (owing.endsOn === null || owing.price <= 0n) return [];
    const lastDay = owing.endsOn - 1;
    return [{ since: lastDay, issuedOn: lastDay, open: owing.price }];
  }
  return owing.openInvoices
    .filter(({ open }) => open > 0n)
    .map(({ issuedOn, dueOn, open }) => ({
      since: countsFrom === 'due' ? dueOn : issuedOn,
      issuedOn,
      open,
    }))
    .sort((a, b) => a.since - b.since);
}

interface DunningCalendar {
  /** The day from which debt counts; null: too little is owed. */
  anchor: Day | null;
  /** The promise that runs today. */
  promise: PaymentPromise | null;
  /** The day, past or to come, on which a step is reached; null: never with these debts. */
  metOn(step: DunningStep): Day | null;
}

function calendarOf(facts: DunningFacts, debts: readonly Debt[]): DunningCalendar {
  const { today, policy, flags } = facts;
  const anchor = reachedOn(debts, policy.ignoreBelow > 0n ? policy.ignoreBelow : 1n);
  const made = flags.promises.filter(({ madeOn }) => madeOn <= today);
  const running = made.filter(({ dueOn }) => today <= dueOn).sort((a, b) => a.madeOn - b.madeOn);
  // The days of a promise that was kept do not count; those of a broken one always did.
  const pauses = made
    .filter((promise) => promise.dueOn < today && isKept(promise, debts))
    .map(({ madeOn, dueOn }) => ({ from: madeOn + 1, to: dueOn + 1 }));
  return {
    anchor,
    promise: running[0] ?? null,
    metOn({ when }) {
      if (anchor === null) return null;
      const on = reached(when);
      return on === null ? null : nextWorkday(policy, Math.max(on, anchor));
    },
  };

  function reached(when: DunningStep['when']): Day | null {
    if ('daysOverdue' in when) {
      return anchor === null ? null : nthCounted(anchor, when.daysOverdue, pauses);
    }
    if ('openInvoices' in when) return debts[when.openInvoices - 1]?.since ?? null;
    return reachedOn(debts, when.totalOwed);
  }
}

/** The day on which the debts, oldest first, first come to `amount`. */
function reachedOn(debts: readonly Debt[], amount: bigint): Day | null {
  let sum = 0n;
  for (const { since, open } of debts) {
    sum += open;
    if (sum >= amount) return since;
  }
  return null;
}

/** Kept: of what was owed then, the promised amount is gone, by whatever means. */
function isKept({ madeOn, amount, owed }: PaymentPromise, debts: readonly Debt[]): boolean {
  const left = debts.reduce((sum, debt) => (debt.issuedOn <= madeOn ? sum + debt.open : sum), 0n);
  return left <= owed - amount;
}

/** The `count`th day after `anchor`, days in pauses not counted. */
function nthCounted(anchor: Day, count: number, pauses: readonly { from: Day; to: Day }[]): Day {
  let day = anchor + count;
  let seenTo = anchor + 1;
  for (const { from, to } of [...pauses].sort((a, b) => a.from - b.from)) {
    const start = Math.max(from, seenTo);
    if (to <= start) continue;
    if (start > day) break;
    // Without a day to wait there is nothing that a pause could put off.
    if (count > 0) day += to - start;
    seenTo = to;
  }
  return day;
}

/** Steps that are reached and not taken; the one that holds is repeated, the others are not. */
function dueOf(
  { taken }: DunningFacts,
  met: readonly { step: DunningStep; on: Day }[],
  { cycle, metBy }: { cycle: Day | null; metBy: Day },
): DunningAction[] {
  if (cycle === null) return [];
  return met.flatMap(({ step, on }, index) => {
    const { name, does, say, repeatDays } = step;
    const isSkipped = index < met.length - 1;
    const round = isSkipped || repeatDays === null ? 0 : Math.floor((metBy - on) / repeatDays);
    const isTaken = taken.some(
      (one) => one.cycle === cycle && one.step === name && one.round >= round,
    );
    if (isTaken) return [];
    const dueOn = on + round * (repeatDays ?? 0);
    return [{ cycle, step: name, round, does, say, on: dueOn, isSkipped }];
  });
}

function nextOf(
  { today, policy, flags }: DunningFacts,
  calendar: DunningCalendar,
  current: DunningStep | null,
): Dunning['next'] {
  const promised = calendar.promise === null ? today : calendar.promise.dueOn + 1;
  const guarded = guardedUntil(flags.doNotCut, today);
  const after = current === null ? -1 : policy.steps.indexOf(current);
  let best: Dunning['next'] = null;
  for (const step of policy.steps.slice(after + 1)) {
    const met = calendar.metOn(step);
    const free = step.does === 'remind' ? today : guarded;
    if (met === null || free === null) continue;
    const on = nextWorkday(policy, Math.max(met, promised, free));
    if (best === null || on <= best.on) best = { step: step.name, on };
  }
  return best;
}

/** The day from which the picture may be taken again; null: no day is set for that. */
function guardedUntil(doNotCut: readonly Span[], today: Day): Day | null {
  let until = today;
  for (const flag of doNotCut) {
    if (!covers(flag, today)) continue;
    if (flag.until === null) return null;
    until = Math.max(until, flag.until);
  }
  return until;
}

const covers = ({ from, until }: Pick<Span, 'from' | 'until'>, day: Day): boolean =>
  from <= day && (until === null || day < until);

/** 1970-01-01, day 0, was a Thursday; 1 is Monday. */
const weekdayOf = (day: Day): number => ((((day + 3) % 7) + 7) % 7) + 1;

const isRestDay = ({ rest }: Pick<DunningPolicy, 'rest'>, day: Day): boolean =>
  rest.weekdays.includes(weekdayOf(day)) || rest.dates.includes(day);

/** One weekday at least is none of rest, and dates are finite: this ends. */
function nextWorkday(policy: DunningPolicy, from: Day): Day {
  let day = from;
  while (isRestDay(policy, day)) day += 1;
  return day;
}

const HOUR_MS = 3_600_000;

/** Whether now something may be said or taken away; giving back is never too late or early. */
export function mayAct(policy: DunningPolicy, now: Date, timeZone: string): boolean {
  const time = wallTime(now, timeZone);
  const { from, until } = policy.hours;
  if (time < from * HOUR_MS || time >= until * HOUR_MS) return false;
  return !isRestDay(policy, dayOfInstant(now, timeZone));
}

export type PromiseRefusal =
  | 'nothing_owed'
  | 'amount_out_of_range'
  | 'date_out_of_range'
  | 'promise_running'
  | 'too_many_promises';

/** Why a promise is not taken; null: it is. */
export function promiseRefusal(
  facts: Pick<DunningFacts, 'today' | 'owing' | 'policy' | 'flags'>,
  { amount, dueOn }: { amount: bigint; dueOn: Day },
): PromiseRefusal | null {
  const { today, policy, flags } = facts;
  const debts = debtsOf(facts.owing, policy);
  const owed = promisable(facts);
  const anchor = debts[0]?.since ?? today;
  if (owed === 0n) return 'nothing_owed';
  if (amount <= 0n || amount > owed) return 'amount_out_of_range';
  if (dueOn < today || dueOn > today + policy.promises.daysMax) return 'date_out_of_range';
  if (flags.promises.some((one) => one.dueOn >= today)) return 'promise_running';
  const made = flags.promises.filter(({ madeOn }) => madeOn >= anchor);
  return made.length >= policy.promises.perCycle ? 'too_many_promises' : null;
}

/** What a promise made today is measured against: all that is billed and open. */
export const promisable = ({
  today,
  owing,
  policy,
}: Pick<DunningFacts, 'today' | 'owing' | 'policy'>): bigint =>
  debtsOf(owing, policy).reduce(
    (sum, debt) => (debt.issuedOn <= today ? sum + debt.open : sum),
    0n,
  );
