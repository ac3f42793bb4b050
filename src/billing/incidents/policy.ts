/** What may be given away for incidents, and what an outage gives, as data of a site. */
import { z } from 'zod';
import type { IncidentLimits, OutageRule } from './rules.ts';

const days = z.int().min(1).max(366).nullable().default(null);
/** Minor units, as digits: JSON has no bigint. */
const amount = z
  .string()
  .regex(/^\d{1,18}$/)
  .transform((digits) => BigInt(digits))
  .nullable()
  .default(null);

/** What is left out has no limit. */
export const incidentLimits = z.strictObject({
  daysPerIncident: days,
  daysPerCardAndMonth: days,
  daysPerSubscriberAndMonth: days,
  costPerGiverAndMonth: amount,
  secondPerson: z.strictObject({ days, cost: amount }).prefault({}),
}) satisfies z.ZodType<IncidentLimits>;

export const outageRule = z.strictObject({
  minutesMin: z.int().min(0),
  daysPerStartedDay: z.int().min(0).max(31),
}) satisfies z.ZodType<OutageRule>;
