/** The policies of a site, as the catalogue file has them. */
import { z } from 'zod';
import type { OwnRules, PaymentPolicy, TermName } from './rules.ts';
import { TERM_PATTERN } from './terms.ts';

export const paymentPolicy: z.ZodType<PaymentPolicy> = z.strictObject({
  buys: z.enum(['credit', 'terms']),
  under: z.enum(['credit', 'days']),
  over: z.enum(['one_term', 'whole_terms', 'longest_terms']),
  dayRate: z.enum(['month/30', 'day_term']),
  termsMax: z.int().min(1).optional(),
});

const count = z.int().min(0);
const freeDays = z.int().min(1).max(366).nullable();
/** Minor units, as digits: JSON has no bigint. */
const minor = z
  .string()
  .regex(/^\d{1,18}$/)
  .transform((digits) => BigInt(digits));
const term = z.string().regex(TERM_PATTERN) as unknown as z.ZodType<TermName>;

/** More than the link carries beside what is sold. */
const MESSAGES_A_MINUTE_MAX = 6_000;

/** What a site may say about the prepaid rules; whatever it leaves out is the default. */
export const prepaidRules = z.strictObject({
  termEnd: z.enum(['rest_of_day_free', 'day_counts', 'same_time']).optional(),
  monthAnchor: z.enum(['kept', 'from_last']).optional(),
  grace: z.strictObject({ hours: count, nextTerm: z.enum(['from_now', 'from_end']) }).optional(),
  lots: z.strictObject({ promoPriority: count, paidPriority: count }).optional(),
  move: z.strictObject({ windowHours: count, perMonth: count, objectionMinutes: count }).optional(),
  reversal: z.strictObject({ rights: z.enum(['refuse', 'keep', 'withdraw']) }).optional(),
  pause: z.strictObject({ daysPerYear: count }).optional(),
  trial: z.strictObject({ days: z.int().min(1), onceInMonths: z.int().min(1) }).optional(),
  upgrade: z.enum(['convert_days', 'pay_difference']).optional(),
  loan: z.strictObject({ term, fee: minor, cap: minor }).optional(),
  voucher: z.strictObject({ repeatMinutes: count }).optional(),
  tvu: z
    .strictObject({
      creditStep: minor.nullable(),
      transfersPerDay: z.int().min(1).nullable(),
      leaveAtLeast: minor,
    })
    .optional(),
  incident: z
    .strictObject({
      daysPerIncident: freeDays,
      daysPerCardAndMonth: freeDays,
      daysPerSubscriberAndMonth: freeDays,
      outage: z.strictObject({ minutesMin: count, daysPerStartedDay: count.max(31) }),
    })
    .optional(),
  messages: z
    .strictObject({ cardsAlone: count, perMinute: z.int().min(1).max(MESSAGES_A_MINUTE_MAX) })
    .optional(),
  commission: z
    .strictObject({ percentPermyriad: minor, secondPaymentDays: z.int().min(1) })
    .nullable()
    .optional(),
}) satisfies z.ZodType<OwnRules>;

const alignment = z.enum(['account', 'subscription', 'bundle']);
const DAYS_MAX = 365;
const TRIES_MAX = 20;

/** How a site bills postpaid; whatever it leaves out is usual. */
export const postpaidRules = z.strictObject({
  /** Whose billing day counts. */
  alignment: z
    .strictObject({ default: alignment, annual: alignment, addOn: alignment })
    .default({ default: 'account', annual: 'subscription', addOn: 'bundle' }),
  /** Every month counts so many days; null = its real days. */
  monthDays: z.int().min(28).max(31).nullable().default(null),
  /** Days from an invoice to the day on which it is due. */
  dueDays: z.int().min(0).max(DAYS_MAX).default(14),
  /** Days from each declined automatic payment to its next try. */
  retryDays: z.array(z.int().min(1).max(DAYS_MAX)).max(TRIES_MAX).default([3, 5, 7]),
});
export type PostpaidRules = Readonly<z.output<typeof postpaidRules>>;
