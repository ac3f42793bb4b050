/** The payment policy of a site, as it is written in operator files and kept with the site. */
import { z } from 'zod';
import type { PaymentPolicy } from './rules.ts';

export const paymentPolicy: z.ZodType<PaymentPolicy> = z.strictObject({
  buys: z.enum(['credit', 'terms']),
  under: z.enum(['credit', 'days']),
  over: z.enum(['one_term', 'whole_terms', 'longest_terms']),
  dayRate: z.enum(['month/30', 'day_term']),
});
