/** What happens to subscriptions after their sale: quantity, pauses, ends, billing days. */

import { type Day, firstDayOfMonth } from '../../platform/day.ts';
import { type ActionOf, type Answer, DONE, refused, type When } from './actions.ts';
import { afterRun, contractOf, takeBillingDay } from './acts-sales.ts';
import { add, changeAccount } from './books.ts';
import { chargedThrough, runningSince } from './charged.ts';
import { type Desk, viewOf } from './desk.ts';
import { addEvent } from './events.ts';
import type { Contract, ContractEventKind } from './rows.ts';
import { allPlanSpans, endOf, phaseSpans } from './timeline.ts';

export function changeQuantity(desk: Desk, action: ActionOf<'change_quantity'>): Answer {
  const contract = contractOf(desk, action.ref);
  const { effective, quantity } = action;
  if (effective < lastTransition(desk, contract)) return refused('invalid_requested_date');
  addEvent(desk, contract, { kind: 'quantity', effective, quantity });
  return afterRun(desk);
}

const STOP_EVENTS: Record<ActionOf<'pause'>['act'], ContractEventKind> = {
  pause: 'pause',
  resume: 'resume',
  block_billing: 'block',
  unblock_billing: 'unblock',
};

/** Pause, resume, block, unblock: each may be dated in the past or in the future. */
export function stopOrGoOn(desk: Desk, action: ActionOf<'pause'>): Answer {
  const contract = contractOf(desk, action.ref);
  if (action.effective < contract.startsOn) return refused('invalid_requested_date');
  addEvent(desk, contract, { kind: STOP_EVENTS[action.act], effective: action.effective });
  return afterRun(desk);
}

/** The last sale, phase or plan that has taken effect. */
function lastTransition(desk: Desk, contract: Contract): Day {
  const { today } = desk;
  const spans = allPlanSpans(viewOf(desk), contract).filter(({ from }) => from <= today);
  const phases = spans.flatMap(({ plan, event, from, to }) =>
    plan
      ? phaseSpans(plan, event.phasesFrom ?? from)
          .map((phase) => phase.from)
          .filter((day) => from <= day && day < to && day <= today)
      : [],
  );
  return Math.max(contract.startsOn, ...spans.map(({ from }) => from), ...phases);
}

export function cancel(desk: Desk, action: ActionOf<'cancel'>): Answer {
  const contract = contractOf(desk, action.ref);
  const view = viewOf(desk);
  const hasEnded = (['end_service', 'end_billing'] as const).every(
    (kind) => endOf(view, contract, kind) <= desk.today,
  );
  if (hasEnded) return refused('subscription_ended');
  const earliest = lastTransition(desk, contract);
  const isTooEarly = (when: When): boolean => typeof when === 'number' && when < earliest;
  if (isTooEarly(action.service) || isTooEarly(action.billing)) {
    return refused('invalid_requested_date');
  }
  const service = dayOfWhen(desk, contract, action.service);
  const billing = dayOfWhen(desk, contract, action.billing);
  addEvent(desk, contract, { kind: 'end_service', effective: service });
  addEvent(desk, contract, { kind: 'end_billing', effective: billing });
  return afterRun(desk);
}

/** The first day without. */
export function dayOfWhen({ book, today }: Desk, contract: Contract, when: When): Day {
  if (typeof when === 'number') return when;
  if (when === 'immediate') return Math.max(today, contract.startsOn);
  if (when === 'start_of_term') return runningSince(book, contract, today);
  return Math.max(today, chargedThrough(book, contract));
}

/** Takes effect at the first such day on or after `effectiveFrom`. */
export function setBillingDay(desk: Desk, action: ActionOf<'set_billing_day'>): Answer {
  const contract = contractOf(desk, action.ref);
  const { effectiveFrom, day } = action;
  if (effectiveFrom < desk.today) return refused('invalid_requested_date');
  addEvent(desk, contract, {
    kind: 'billing_day',
    effective: firstDayOfMonth(effectiveFrom, day),
    day,
  });
  return afterRun(desk);
}

/** At once: what is paid beyond the next new billing date is given back. */
export function setAccountBillingDay(
  desk: Desk,
  { day }: ActionOf<'set_account_billing_day'>,
): Answer {
  const { book, ids, today } = desk;
  const before = book.account.billingDay;
  if (before !== null && before !== day) {
    add(book, 'billingDayChanges', {
      id: ids.next(),
      accountId: book.account.id,
      on: today,
      before,
      day,
    });
  }
  changeAccount(book, { billingDay: day });
  return afterRun(desk);
}

/** A bare rate from today on, for what is sold without a plan; it waits for a run on demand. */
export function setRate(desk: Desk, action: ActionOf<'set_rate'>): Answer {
  const { book, ids, today } = desk;
  const known = book.rows.contracts.some(({ ref }) => ref === action.ref);
  const contract = known
    ? contractOf(desk, action.ref)
    : add(book, 'contracts', {
        id: ids.next(),
        accountId: book.account.id,
        ref: action.ref,
        baseId: null,
        soldOn: today,
        startsOn: today,
        continuesId: null,
      });
  const { price, period, billing, billingDay } = action;
  addEvent(desk, contract, {
    kind: 'rate',
    effective: today,
    price,
    period,
    billing,
    day: billingDay,
  });
  takeBillingDay(desk, contract);
  return DONE;
}
