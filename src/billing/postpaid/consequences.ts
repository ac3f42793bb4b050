/** What follows at once from an act or from the work of a day: run, credit, payment, overdue. */

import type { Day } from '../../platform/day.ts';
import { changeAccount } from './books.ts';
import { settleCredit } from './credit.ts';
import type { Desk } from './desk.ts';
import { evaluateOverdue } from './overdue.ts';
import { collect, retryDue } from './payments.ts';
import type { Invoice } from './rows.ts';
import { nextMoment, type RunResult, runInvoice } from './run.ts';

/** Runs that one evaluation may lead to, each changing the state again. */
const EVALUATIONS_MAX = 10;

/** The run that an act calls for; none while invoicing is off or the account is parked. */
export function runNow(desk: Desk): RunResult {
  const { autoInvoice, parked } = desk.book.account;
  if (!autoInvoice || parked) return { ok: true, invoice: null, lines: [] };
  return runTo(desk, desk.today);
}

/** A run to a target, with the use of credit and the automatic payment of what it made. */
export function runTo(desk: Desk, target: Day): RunResult {
  const result = runInvoice(desk, desk.ids, { today: desk.today, target });
  if (result.ok && result.invoice) settleAndCollect(desk, result.invoice);
  return result;
}

/** Uses credit, then collects what is left of a new document. */
export function settleAndCollect(desk: Desk, invoice: Invoice): void {
  settleCredit(desk);
  collect(desk, invoice);
  settleCredit(desk);
}

/** Credit and overdue after an act; a state that is left or cancels calls for a run. */
export function conclude(desk: Desk): void {
  settleCredit(desk);
  evaluate(desk);
}

function evaluate(desk: Desk): void {
  for (let round = 0; round < EVALUATIONS_MAX; round += 1) {
    if (!evaluateOverdue(desk)) return;
    runNow(desk);
  }
}

/**
 * The automatic work of a day, with everything that was due since the last one: run, payment,
 * retries, overdue. Does nothing for a day whose work is done.
 */
export function workDay(desk: Desk): void {
  const { book, today } = desk;
  const since = book.account.workedThrough;
  if (today <= since) return;
  if (nextMoment({ ...desk, target: today }, since) !== null) runNow(desk);
  if (retryDue(desk)) settleCredit(desk);
  evaluate(desk);
  changeAccount(book, { workedThrough: today });
}
