/** An account as a desk looks at it: what its contracts are today, and what is to come. Pure. */
import type { Day } from '../../platform/day.ts';
import type { Book } from './books.ts';
import { chargedThrough } from './charged.ts';
import { OPEN } from './intervals.ts';
import { nextTryOn } from './payments.ts';
import type { Contract } from './rows.ts';
import { billingDayOn } from './segments.ts';
import { type ContractState, phaseOn, stateOn } from './states.ts';
import { billingStops, endOf, planSpans, quantityOn, type View } from './timeline.ts';

export interface ContractLook {
  contract: Contract;
  /** Null for a bare rate. */
  planCode: string | null;
  phase: string | null;
  state: ContractState;
  /** Nothing is charged today: paused, blocked, or stopped for what is overdue. */
  isBillingStopped: boolean;
  quantity: number;
  /** The first day that is not charged yet. */
  chargedThrough: Day;
  /** The first day without; null = none is known. */
  serviceEndsOn: Day | null;
  billingEndsOn: Day | null;
  /** The day of the month; null where the phase recurs in no calendar period. */
  billingDay: number | null;
}

export interface AccountLook {
  book: Book;
  /** The local day of the account. */
  today: Day;
  contracts: ContractLook[];
  /** When declined automatic payments are tried again, by payment. */
  nextTries: ReadonlyMap<bigint, Day>;
}

/** Looks at an account on the day of the view's target. */
export function lookAt(view: View): AccountLook {
  const { book, config, target: today } = view;
  const tries = book.rows.payments.flatMap((payment): [bigint, Day][] => {
    const day = nextTryOn(book, payment, config);
    return day === null ? [] : [[payment.id, day]];
  });
  const contracts = book.rows.contracts.map((contract) => lookAtContract(view, contract));
  return { book, today, contracts, nextTries: new Map(tries) };
}

function lookAtContract(view: View, contract: Contract): ContractLook {
  const { book, target } = view;
  const day = Math.max(target, contract.startsOn);
  const span = planSpans({ ...view, target: day }, contract).findLast(({ from }) => from <= day);
  const plan = span?.plan ?? null;
  const phase = phaseOn(view, contract);
  const period =
    plan?.phases.find(({ type }) => type === phase)?.period ?? span?.event.period ?? null;
  const end = (kind: 'end_service' | 'end_billing'): Day | null => {
    const on = endOf(view, contract, kind);
    return on === OPEN ? null : on;
  };
  return {
    contract,
    planCode: plan?.code ?? null,
    phase,
    state: stateOn(view, contract),
    isBillingStopped: billingStops(view, contract).some(({ from, to }) => from <= day && day < to),
    quantity: quantityOn({ ...view, target: day }, contract, day),
    chargedThrough: chargedThrough(book, contract),
    serviceEndsOn: end('end_service'),
    billingEndsOn: end('end_billing'),
    billingDay: period && billingDayOn(view, contract, { day, period }),
  };
}
