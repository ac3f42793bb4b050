/** Overdue states: a pure function of open invoices and the date, and what entering one does. */

import type { Day } from '../../platform/day.ts';
import { openInvoices, totalOwed } from './balances.ts';
import { add, type Book } from './books.ts';
import { chargedThrough } from './charged.ts';
import { type Desk, viewOf } from './desk.ts';
import { addEvent } from './events.ts';
import type { OverdueRule, PostpaidConfig } from './plans.ts';
import { endOf } from './timeline.ts';

export const CLEAR = 'clear';

/** The last state whose threshold is met, mildest first; null = clear. */
export function overdueRuleOn(book: Book, config: PostpaidConfig, today: Day): OverdueRule | null {
  if (config.overdue.length === 0) return null;
  const open = openInvoices(book);
  const earliest = open[0];
  if (!earliest) return null;
  const isMet = (rule: OverdueRule): boolean => {
    if (rule.daysSinceEarliestUnpaid !== null) {
      return today - earliest.on >= rule.daysSinceEarliestUnpaid;
    }
    if (rule.openInvoices !== null) return open.length >= rule.openInvoices;
    return rule.totalOwed !== null && totalOwed(book) >= rule.totalOwed;
  };
  return config.overdue.findLast(isMet) ?? null;
}

/** The state the account is in, as last evaluated. */
export const overdueState = (book: Book): string => book.rows.overdueChanges.at(-1)?.state ?? CLEAR;

/** May plans be changed? */
export const arePlanChangesAllowed = (book: Book): boolean =>
  !(book.rows.overdueChanges.at(-1)?.blocksChanges ?? false);

/** Evaluates the state; true if billing changed, so that a run is due at once. */
export function evaluateOverdue(desk: Desk): boolean {
  const { book, config, ids, today } = desk;
  const rule = overdueRuleOn(book, config, today);
  const state = rule?.state ?? CLEAR;
  if (state === overdueState(book)) return false;
  const stopped = book.rows.overdueChanges.at(-1)?.stops ?? false;
  const stops = rule?.stopServiceAndBilling ?? false;
  add(book, 'overdueChanges', {
    id: ids.next(),
    accountId: book.account.id,
    on: today,
    state,
    blocksChanges: rule?.blockChanges ?? false,
    stops,
  });
  const cancelled = rule?.cancel ? cancelAll(desk, rule.cancel) : false;
  return cancelled || (stopped && !stops);
}

/** Ends all contracts that have not ended earlier: service today, billing by the rule. */
function cancelAll(desk: Desk, billing: 'immediate' | 'end_of_term'): boolean {
  const { book, today } = desk;
  const view = viewOf(desk);
  const ends = book.rows.contracts.map((contract) => {
    const term = Math.max(today, chargedThrough(book, contract));
    return {
      contract,
      service: Math.min(endOf(view, contract, 'end_service'), today),
      isRunning: endOf(view, contract, 'end_billing') > today,
      billing: Math.min(
        endOf(view, contract, 'end_billing'),
        billing === 'immediate' ? today : term,
      ),
    };
  });
  const running = ends.filter(
    ({ contract, isRunning }) => isRunning || endOf(view, contract, 'end_service') > today,
  );
  for (const end of running) {
    addEvent(desk, end.contract, { kind: 'end_service', effective: end.service });
    addEvent(desk, end.contract, { kind: 'end_billing', effective: end.billing });
  }
  return running.length > 0;
}
