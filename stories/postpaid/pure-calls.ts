/** Calls that need no account: billing dates, periods, ratios. */

import {
  type PeriodsQuestion,
  periodEnd,
  periodsUntil,
  prorationDays,
  prorationRatio,
  wholePeriods,
} from '../../src/billing/postpaid/periods.ts';
import { firstBillingDate, formatDay, parseDay } from '../../src/platform/day.ts';
import { number, orNull, word } from '../fields.ts';
import type { Action } from './file.ts';
import { BILLINGS, day, PERIODS } from './setup.ts';

type Result = { ok: true; value: unknown } | { ok: false; error: string };

const CALLS: Record<string, (action: Action) => Result> = {
  first_billing_date: (action) => {
    const start = parseDay(action.on);
    const first = firstBillingDate(start, word(action, 'period', PERIODS), number(action, 'bcd'));
    return { ok: true, value: formatDay(first) };
  },
  period_end: (action) => {
    const end = periodEnd(questionOf(action));
    return end.ok ? { ok: true, value: formatDay(end.value) } : end;
  },
  whole_periods: (action) => wholePeriods(questionOf(action)),
  generate_periods: (action) => {
    const periods = periodsUntil(questionOf(action));
    if (!periods.ok) return periods;
    const value = periods.value.map(({ from, to }) => [formatDay(from), formatDay(to)]);
    return { ok: true, value };
  },
  proration_ratio: (action) => {
    const { piece, monthDays } = pieceOf(action);
    const ratio = prorationRatio(piece, word(action, 'period', PERIODS), monthDays);
    return ratio.ok ? { ok: true, value: nineDecimals(ratio.value) } : ratio;
  },
  proration_days: (action) => {
    const { piece, monthDays } = pieceOf(action);
    return prorationDays(piece, monthDays);
  },
};

export const isPureCall = (action: string): boolean => action in CALLS;

/** Answers a pure call. */
export function pureCall(action: Action): { error: string | null; value: unknown } {
  const result = CALLS[action.action]?.(action);
  if (!result) throw new Error(`there is no call ${action.action}`);
  return result.ok ? { error: null, value: result.value } : { error: result.error, value: null };
}

const questionOf = (action: Action): PeriodsQuestion => ({
  start: parseDay(action.on),
  end: orNull(action, 'end', day),
  billingDay: number(action, 'bcd'),
  period: word(action, 'period', PERIODS),
  billing: orNull(action, 'billing', (of, name) => word(of, name, BILLINGS)) ?? 'in_advance',
  target: day(action, 'target'),
});

const pieceOf = (action: Action) => ({
  piece: { from: parseDay(action.on), to: day(action, 'until') },
  monthDays: orNull(action, 'month_days', number),
});

function nineDecimals(billionths: bigint): string {
  const digits = billionths.toString().padStart(10, '0');
  return `${digits.slice(0, -9)}.${digits.slice(-9)}`;
}
