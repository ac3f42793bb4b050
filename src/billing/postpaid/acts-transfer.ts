/** A bundle moves from one account to another. */
import { type Answer, refused } from './actions.ts';
import { afterRun, contractOf, isShown, takeBillingDay } from './acts-sales.ts';
import { add } from './books.ts';
import { chargedThrough } from './charged.ts';
import type { Desk } from './desk.ts';
import { viewOf } from './desk.ts';
import { addEvent } from './events.ts';
import type { Contract, ContractEvent } from './rows.ts';
import { allPlanSpans, endOf, eventsOf } from './timeline.ts';

export interface Transfer {
  /** Ref of the base. */
  bundle: string;
  /** Billing end in the old account. */
  cancel: 'immediate' | 'end_of_term';
}

/**
 * Moves a base and its running add-ons from today on: no new trial, phases go on, on the billing
 * day of the new account. Both accounts are run, the old one first.
 */
export function transferBundle(from: Desk, to: Desk, { bundle, cancel }: Transfer): Answer {
  const base = contractOf(from, bundle);
  const view = viewOf(from);
  const isRunning = (row: Contract): boolean => endOf(view, row, 'end_service') > from.today;
  if (!isRunning(base)) return refused('subscription_ended');
  const addOns = from.book.rows.contracts.filter((row) => row.baseId === base.id && isRunning(row));
  const plans = [base, ...addOns].flatMap((row) => allPlanSpans(view, row));
  const isDark = ({ plan, from: since, to: until }: (typeof plans)[number]): boolean =>
    plan !== null && until > to.today && !isShown(to, plan, Math.max(since, to.today));
  if (plans.some(isDark)) return refused('product_not_on_cas');
  const newBase = carryOn(from, to, { contract: base, baseId: null });
  for (const contract of addOns) carryOn(from, to, { contract, baseId: newBase.id });
  for (const contract of [base, ...addOns]) leave(from, contract, cancel);
  const left = afterRun(from);
  return left.ok ? afterRun(to) : left;
}

function carryOn(
  from: Desk,
  to: Desk,
  { contract, baseId }: { contract: Contract; baseId: bigint | null },
): Contract {
  const { book, ids, today } = to;
  const view = viewOf(from);
  const startsOn = Math.max(today, contract.startsOn);
  const carried = add(book, 'contracts', {
    id: ids.next(),
    accountId: book.account.id,
    ref: contract.ref,
    baseId,
    soldOn: today,
    startsOn,
    continuesId: contract.id,
  });
  for (const { event, ...span } of allPlanSpans(view, contract)) {
    if (span.to <= startsOn) continue;
    const { planCode, phasesFrom, price } = event;
    const effective = Math.max(span.from, startsOn);
    addEvent(to, carried, { kind: 'plan', effective, planCode, phasesFrom, price });
  }
  for (const { kind, effective, quantity } of carriedEvents(from, contract)) {
    addEvent(to, carried, { kind, effective: Math.max(effective, startsOn), quantity });
  }
  takeBillingDay(to, carried);
  return carried;
}

/** Units, stops and ends, also those still to come, in the order in which they count. */
function carriedEvents({ book }: Desk, contract: Contract): ContractEvent[] {
  const ends = book.rows.events.filter(
    ({ contractId, kind }) =>
      contractId === contract.id && (kind === 'end_service' || kind === 'end_billing'),
  );
  return [
    ...eventsOf(book, contract, ['quantity', 'pause', 'resume', 'block', 'unblock']),
    ...ends,
  ];
}

function leave(desk: Desk, contract: Contract, cancel: Transfer['cancel']): void {
  const { book, today } = desk;
  const term = Math.max(today, chargedThrough(book, contract));
  addEvent(desk, contract, { kind: 'end_service', effective: today });
  addEvent(desk, contract, {
    kind: 'end_billing',
    effective: cancel === 'immediate' ? today : term,
  });
}
