/** How one who does not pay is shown. */
import { z } from 'zod';
import type { Site } from '../../billing/catalogue/rules.ts';
import type { Dunning } from '../../billing/dunning/rules.ts';
import { type Day, dayOfInstant, formatDay } from '../../platform/day.ts';
import { day, idText, instant, money, moneyOf, siteCode } from '../api/fields.ts';
import type { FlagRecord, HoldRecord, PromiseRecord } from './dunning-store.ts';

const standing = {
  subscriberId: idText,
  site: siteCode,
  /** Name of the hardest step that is reached, or `clear`. */
  state: z.string(),
  since: day.nullable(),
  daysOverdue: z.int(),
  owed: money,
  level: z.enum(['open', 'walled', 'stopped', 'ended']),
  because: z.enum(['clear', 'overdue', 'block']),
  /** What keeps it from going on. */
  held: z.enum(['promise', 'do_not_cut']).nullable(),
  next: z.strictObject({ step: z.string(), on: day }).nullable(),
};

/** One who owes, as a list shows them. */
export const debtor = z.strictObject(standing).meta({ id: 'Debtor' });

export const flag = z
  .strictObject({
    ...{ id: idText, kind: z.enum(['do_not_cut', 'block']), reason: z.string() },
    from: day,
    /** Exclusive. */
    until: day.nullable(),
    ...{ setBy: z.string(), liftedOn: day.nullable(), liftedBy: z.string().nullable() },
  })
  .meta({ id: 'DunningFlag' });

export const promise = z
  .strictObject({ id: idText, madeOn: day, dueOn: day, amount: money, madeBy: z.string() })
  .meta({ id: 'PaymentPromise' });

export const hold = z
  .strictObject({
    ...{ id: idText, subscriberId: idText, site: siteCode, because: z.string() },
    level: z.enum(['walled', 'stopped', 'ended']),
    ...{ from: instant, to: instant.nullable() },
  })
  .meta({ id: 'DunningHold' });

export const dunning = z
  .strictObject({
    ...standing,
    ...{ flags: z.array(flag), promises: z.array(promise), holds: z.array(hold) },
  })
  .meta({ id: 'Dunning' });

const dateOf = (day: Day | null): string | null => (day === null ? null : formatDay(day));

/** Days count in the calendar of the site. */
export function standingView(subscriberId: bigint, site: Site, stands: Dunning, now: Date) {
  const { state, since, cycle, owed, level, because, held, next } = stands;
  const today = dayOfInstant(now, site.timeZone);
  return {
    subscriberId: subscriberId.toString(),
    site: site.code,
    ...{ state, since: dateOf(since), level, because, held },
    daysOverdue: cycle === null ? 0 : today - cycle,
    owed: moneyOf(owed, site.currency),
    next: next && { step: next.step, on: formatDay(next.on) },
  };
}

export const flagView = ({ id, kind, reason, setBy, liftedBy, ...days }: FlagRecord) => ({
  ...{ id: id.toString(), kind, reason, setBy, liftedBy },
  ...{ from: formatDay(days.from), until: dateOf(days.until), liftedOn: dateOf(days.liftedOn) },
});

export const promiseView = (
  { id, madeOn, dueOn, amount, madeBy }: PromiseRecord,
  { currency }: Pick<Site, 'currency'>,
) => ({
  ...{ id: id.toString(), madeOn: formatDay(madeOn), dueOn: formatDay(dueOn), madeBy },
  amount: moneyOf(amount, currency),
});

export const holdView = ({ id, subscriberId, level, because, fromAt, toAt }: HoldRecord) => ({
  ...{ id: id.toString(), subscriberId: subscriberId.toString(), level, because },
  ...{ from: fromAt.toISOString(), to: toAt?.toISOString() ?? null },
});
