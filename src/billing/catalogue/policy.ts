/** The policies of a site, as they are written in operator files and kept with the site. */
import { z } from 'zod';
import type { OwnRules, PaymentPolicy } from './rules.ts';

export const paymentPolicy: z.ZodType<PaymentPolicy> = z.strictObject({
  buys: z.enum(['credit', 'terms']),
  under: z.enum(['credit', 'days']),
  over: z.enum(['one_term', 'whole_terms', 'longest_terms']),
  dayRate: z.enum(['month/30', 'day_term']),
  termsMax: z.int().min(1).optional(),
});

const count = z.int().min(0);
/** Minor units, as digits: JSON has no bigint. */
const minor = z
  .string()
  .regex(/^\d{1,18}$/)
  .transform((digits) => BigInt(digits));
const term = z.enum(['day', 'week', 'month', 'quarter', 'pass24']);

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
  commission: z
    .strictObject({ percentPermyriad: minor, secondPaymentDays: z.int().min(1) })
    .nullable()
    .optional(),
}) satisfies z.ZodType<OwnRules>;
