/** When the automatic work of an account has something to do again. Pure. */

import type { Day } from '../../platform/day.ts';
import { isPaymentPending, openInvoices } from './balances.ts';
import type { Book } from './books.ts';
import type { Catalogue, PostpaidConfig } from './plans.ts';
import { nextMoment } from './run.ts';

/** How far a search for the next run looks; an account without one is looked at again then. */
const HORIZON_DAYS = 32;

/**
 * The next day on which work may do something: tomorrow's while money is open (retries, overdue
 * states), else the next day on which a run is due.
 */
export function nextWorkDay(
  book: Book,
  rules: { catalogue: Catalogue; config: PostpaidConfig },
): Day {
  const since = book.account.workedThrough;
  const isOpen =
    openInvoices(book).length > 0 ||
    book.rows.overdueChanges.at(-1)?.stops === true ||
    book.rows.invoices.some((invoice) => isPaymentPending(book, invoice));
  if (isOpen) return since + 1;
  const momentBy = (target: Day) => nextMoment({ book, ...rules, target }, since);
  const isDueBy = (target: Day): boolean => momentBy(target) !== null;
  let [before, due] = [since, since + HORIZON_DAYS];
  const first = momentBy(due);
  if (first === null) return due;
  // Only what is planned can look otherwise from nearer.
  if (!isPlanned(book, since)) return first;
  // What is seen from afar is most often what is seen from near.
  if (isDueBy(first)) due = first;
  if (!isDueBy(first - 1)) before = first - 1;
  while (due - before > 1) {
    const middle = Math.floor((before + due) / 2);
    if (isDueBy(middle)) due = middle;
    else before = middle;
  }
  return due;
}

/** Is anything to take effect after a day? */
const isPlanned = ({ rows }: Book, day: Day): boolean =>
  rows.events.some(({ effective }) => effective > day) ||
  rows.billingDayChanges.some(({ on }) => on > day) ||
  rows.overdueChanges.some(({ on }) => on > day);
