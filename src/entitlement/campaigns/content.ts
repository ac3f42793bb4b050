/**
 * What a campaign is, as it is written down and as it is asked for: what is shown, to whom, and
 * when. One schema each; what a row holds is read with the same schema that took it in.
 */
import { z } from 'zod';

const NAME_CHARS_MAX = 60;
export const TEXT_CHARS_MAX = 1_000;
const SHOWN_SECONDS_MAX = 3_600;
const SHOWN_TIMES_MAX = 100;
/** One list; more cards than this are a group. */
export const CARDS_MAX = 5_000;
const DAYS_WINDOW_MAX = 3_660;
const PER_DAY_MAX = 48;
const EVERY_MAX = 1_000;
const TIMES_MAX = 100_000;
const VALID_SECONDS_MIN = 60;
const VALID_SECONDS_MAX = 86_400;

/** One line that can be stored and shown: no control characters. */
const line = (max: number, min = 1) =>
  z
    .string()
    .min(min)
    .max(max)
    .regex(/^\P{Cc}*$/u)
    .refine((text) => text.isWellFormed(), 'Not well-formed');
/** How templates, groups and campaigns are called. */
export const name = line(NAME_CHARS_MAX, 3);
const instant = z.iso.datetime().refine((value) => /^(19|20|21)/.test(value), 'Out of range');
const timeOfDay = z.string().regex(/^([01][0-9]|2[0-3]):[0-5][0-9]$/);
const seconds = z.int().min(1).max(SHOWN_SECONDS_MAX);

/** The texts of one version of a template, by language; mails alone have a subject. */
export const texts = z
  .partialRecord(
    z.enum(['en', 'fr']),
    z.strictObject({ subject: line(TEXT_CHARS_MAX).nullable(), body: line(TEXT_CHARS_MAX) }),
  )
  .refine((all) => Object.keys(all).length > 0, 'No language');
export type Texts = z.output<typeof texts>;
export type Language = 'en' | 'fr';

const templateId = z.string().regex(/^[1-9][0-9]{0,17}$/);
const repeated = {
  times: z.int().min(1).max(SHOWN_TIMES_MAX).default(1),
  /** Between two beginnings. */
  intervalSeconds: z.int().min(0).max(SHOWN_SECONDS_MAX).default(0),
};
const percent = z.int().min(0).max(100);
const colour = z.string().regex(/^#[0-9a-f]{6}$/);
const programme = line(NAME_CHARS_MAX);

/** What is sent; a forced message covers the picture, and no decoder lets it be sent away. */
export const content = z.discriminatedUnion('kind', [
  z.strictObject({
    ...{ kind: z.literal('osd'), templateId, durationSeconds: seconds.default(30), ...repeated },
    position: z.enum(['bottom', 'top']).default('bottom'),
  }),
  z.strictObject({
    ...{ kind: z.literal('forced'), templateId, durationSeconds: seconds.default(60), ...repeated },
  }),
  z.strictObject({ kind: z.literal('mail'), templateId }),
  z.strictObject({
    kind: z.literal('fingerprint'),
    identity: z.enum(['stb', 'vc']),
    mode: z.enum(['overt', 'covert']).default('overt'),
    durationSeconds: seconds.default(10),
    /** Left out: each decoder chooses a place by chance. */
    position: z.strictObject({ xPercent: percent, yPercent: percent }).optional(),
    colour: colour.optional(),
    background: colour.optional(),
    /** Only while this programme is shown. */
    service: programme.optional(),
  }),
  z.strictObject({ kind: z.literal('force_tune'), service: programme, durationSeconds: seconds }),
]);
export type Content = z.output<typeof content>;
export type CampaignKind = Content['kind'];
export const CAMPAIGN_KINDS = ['osd', 'forced', 'mail', 'fingerprint', 'force_tune'] as const;

const dayFromToday = z.int().min(-DAYS_WINDOW_MAX).max(DAYS_WINDOW_MAX);
/** Cards of the site of whom all of this holds when the campaign runs. */
export const filter = z.strictObject({
  category: line(NAME_CHARS_MAX).optional(),
  /** Code of a bouquet, all of whose products the card shows now. */
  bouquet: line(NAME_CHARS_MAX).optional(),
  /** The last paid day, counted from today at the site: `{"fromDays": 0, "toDays": 3}`. */
  paidUntil: z
    .strictObject({ fromDays: dayFromToday, toDays: dayFromToday })
    .refine(({ fromDays, toDays }) => fromDays <= toDays, 'Ends before it begins')
    .optional(),
  language: z.enum(['en', 'fr']).optional(),
  /** True: something is owed, or the paid time is over. */
  unpaid: z.boolean().optional(),
});
export type Filter = z.output<typeof filter>;

const area = line(NAME_CHARS_MAX);
const cards = z.strictObject({
  kind: z.literal('cards'),
  numbers: z
    .array(z.string().regex(/^[0-9]{11}$/))
    .min(1)
    .max(CARDS_MAX),
});
const region = z.strictObject({ kind: z.literal('region'), area });
const all = z.strictObject({ kind: z.literal('all') });
/** To whom, as it is asked for. */
export const wantedTarget = z.discriminatedUnion('kind', [
  cards,
  z.strictObject({ kind: z.literal('group'), group: name }),
  z.strictObject({ kind: z.literal('filter'), filter }),
  region,
  all,
]);
export type WantedTarget = z.output<typeof wantedTarget>;
/** To whom, as it is kept: a saved group stands there with what it meant when it was chosen. */
export const target = z.discriminatedUnion('kind', [
  cards,
  z.strictObject({ kind: z.literal('filter'), filter, group: name.optional() }),
  region,
  all,
]);
export type CampaignTarget = z.output<typeof target>;

/** When: days and times of day are those of the site. */
export const schedule = z.discriminatedUnion('kind', [
  /** Null: as soon as it is started. */
  z.strictObject({ kind: z.literal('once'), at: instant.nullable().default(null) }),
  z.strictObject({
    kind: z.literal('repeat'),
    every: z.int().min(1).max(EVERY_MAX),
    unit: z.enum(['minute', 'hour', 'day']),
    /** Of days alone; null: at the time of day at which it begins. */
    at: timeOfDay.nullable().default(null),
    /** Null: from when it is started. */
    from: instant.nullable().default(null),
    until: instant,
    /** At the most. */
    times: z.int().min(1).max(TIMES_MAX).nullable().default(null),
  }),
  /** So often each day, by chance inside the window: nobody can tell when. */
  z.strictObject({
    kind: z.literal('random'),
    perDay: z.int().min(1).max(PER_DAY_MAX),
    window: z
      .strictObject({ from: timeOfDay, to: timeOfDay })
      .refine(({ from, to }) => from < to, 'Ends before it begins'),
    from: instant.nullable().default(null),
    until: instant,
  }),
]);
export type Schedule = z.output<typeof schedule>;

/** Nothing is shown in it; may go over midnight. */
export const quiet = z
  .strictObject({ from: timeOfDay, to: timeOfDay })
  .refine(({ from, to }) => from !== to, 'Has no end');
export type Quiet = z.output<typeof quiet>;

/** How long after its time something may still be shown, in seconds. */
export const validSeconds = z.int().min(VALID_SECONDS_MIN).max(VALID_SECONDS_MAX);
