/** When which step of dunning is due, as data: by site and customer category, from a date on. */
import { z } from 'zod';
import { type Day, parseDay } from '../../platform/day.ts';

/** What a step does; each is harder on the subscriber than the one before. */
export const STEP_ACTS = ['remind', 'wall', 'suspend', 'terminate'] as const;
export type StepAct = (typeof STEP_ACTS)[number];

const STEPS_MAX = 20;
const DAYS_MAX = 3_650;
const DATES_MAX = 1_000;

const day = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}$/)
  .transform((text, context): Day => {
    try {
      return parseDay(text);
    } catch {
      context.addIssue({ code: 'custom', message: `no such date: ${text}` });
      return z.NEVER;
    }
  });

/** Minor units, as digits: JSON has no bigint. */
const minor = z
  .string()
  .regex(/^\d{1,18}$/)
  .transform((digits) => BigInt(digits));

/** Each "equals or exceeds". */
const threshold = z.union([
  z.strictObject({ daysOverdue: z.int().min(0).max(DAYS_MAX) }),
  z.strictObject({ openInvoices: z.int().min(1).max(DAYS_MAX) }),
  z.strictObject({ totalOwed: minor.refine((amount) => amount > 0n) }),
]);

const step = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9_]{0,39}$/),
  when: threshold,
  does: z.enum(STEP_ACTS),
  say: z.array(z.enum(['text', 'osd'])).max(2),
  /** While the account is in this step, it is said again each so many days; null: once. */
  repeatDays: z.int().min(1).max(DAYS_MAX).nullable().default(null),
});

/** Mildest step first. What is left out is decent: by day, no day of rest, one promise. */
export const dunningPolicy = z
  .strictObject({
    /** Days overdue count from the date of the invoice, or from the day it was due. */
    countsFrom: z.enum(['issued', 'due']).default('due'),
    /** Nobody is dunned for less than this, in minor units. */
    ignoreBelow: minor.prefault('0'),
    steps: z.array(step).max(STEPS_MAX),
    /** Local hours from and until which something may be said or taken away. */
    hours: z
      .strictObject({ from: z.int().min(0).max(23), until: z.int().min(1).max(24) })
      .refine(({ from, until }) => from < until, 'hours end before they begin')
      .default({ from: 9, until: 20 }),
    /** Days on which nothing is said or taken away: weekdays (1 Monday to 7) and dates. */
    rest: z
      .strictObject({
        weekdays: z
          .array(z.int().min(1).max(7))
          .refine((days) => new Set(days).size < 7, 'all days are days of rest'),
        dates: z.array(day).max(DATES_MAX),
      })
      .prefault({ weekdays: [], dates: [] }),
    promises: z
      .strictObject({ perCycle: z.int().min(0).max(100), daysMax: z.int().min(1).max(DAYS_MAX) })
      .default({ perCycle: 1, daysMax: 14 }),
  })
  .superRefine(({ steps }, context) => {
    for (const message of stepProblems(steps)) {
      context.addIssue({ code: 'custom', path: ['steps'], message });
    }
  });

export type DunningPolicy = Readonly<z.output<typeof dunningPolicy>>;
export type DunningStep = DunningPolicy['steps'][number];

function stepProblems(steps: readonly z.output<typeof step>[]): string[] {
  const problems: string[] = [];
  const names = steps.map(({ name }) => name);
  if (names.includes('clear')) problems.push('clear is the name of owing nothing');
  if (new Set(names).size < names.length) problems.push('two steps have one name');
  steps.forEach((one, index) => {
    const before = steps[index - 1];
    if (before && STEP_ACTS.indexOf(one.does) < STEP_ACTS.indexOf(before.does)) {
      problems.push(`${one.name} is milder than ${before.name} before it`);
    }
  });
  return problems;
}

/** A policy of a site, for one customer category or (null) for all that have none, from a day. */
export interface PolicyVersion {
  siteId: bigint;
  category: string | null;
  from: Day;
  policy: DunningPolicy;
}

/**
 * The policy for a category at a site on a day: the category's own if it has one by then, else the
 * one for all; of each the latest. Null: nobody is dunned there.
 */
export function policyAt(
  versions: readonly PolicyVersion[],
  { siteId, category, on }: { siteId: bigint; category: string; on: Day },
): DunningPolicy | null {
  const latest = (wanted: string | null): PolicyVersion | null =>
    versions.reduce<PolicyVersion | null>((best, version) => {
      if (version.siteId !== siteId || version.category !== wanted) return best;
      if (version.from > on) return best;
      return best === null || version.from > best.from ? version : best;
    }, null);
  return (latest(category) ?? latest(null))?.policy ?? null;
}
