/** Campaigns, templates and groups as they are answered. */
import { z } from 'zod';
import type { Campaign } from '../../entitlement/campaigns/campaign-store.ts';
import {
  CAMPAIGN_KINDS,
  content,
  filter,
  quiet,
  schedule,
  texts,
} from '../../entitlement/campaigns/content.ts';
import type { Preview } from '../../entitlement/campaigns/preview.ts';
import type { Progress, Reached } from '../../entitlement/campaigns/showing-store.ts';
import type { CardGroup, Template } from '../../entitlement/campaigns/template-store.ts';
import { idText, instant, siteCode } from '../api/fields.ts';
import { codeOf, type Desk } from './desk.ts';

type Sites = Pick<Desk, 'catalogue'>;

export const template = z
  .strictObject({
    id: idText,
    site: siteCode,
    name: z.string(),
    version: z.int(),
    texts,
    /** From this version on the name is used by no new campaign. */
    isRetired: z.boolean(),
    createdAt: instant,
    createdBy: z.string(),
  })
  .meta({ id: 'MessageTemplate' });

export const templateView =
  (desk: Sites) =>
  ({ id, siteId, createdAt, ...rest }: Template) => ({
    ...{ ...rest, id: id.toString(), site: codeOf(desk, siteId) },
    createdAt: createdAt.toISOString(),
  });

export const group = z
  .strictObject({
    id: idText,
    site: siteCode,
    name: z.string(),
    filter,
    createdAt: instant,
    createdBy: z.string(),
  })
  .meta({ id: 'CardGroup' });

export const groupView =
  (desk: Sites) =>
  ({ id, siteId, createdAt, ...rest }: CardGroup) => ({
    ...{ ...rest, id: id.toString(), site: codeOf(desk, siteId) },
    createdAt: createdAt.toISOString(),
  });

/** Of a list, how many cards: they stand with who was reached. */
const shownTarget = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('cards'), cards: z.int() }),
  z.strictObject({ kind: z.literal('filter'), filter, group: z.string().optional() }),
  z.strictObject({ kind: z.literal('region'), area: z.string() }),
  z.strictObject({ kind: z.literal('all') }),
]);

export const campaignState = z.enum(['draft', 'running', 'stopped', 'finished']);
export const campaignKind = z.enum(CAMPAIGN_KINDS);

const fields = {
  id: idText,
  site: siteCode,
  name: z.string(),
  content,
  target: shownTarget,
  schedule,
  quiet: quiet.nullable(),
  validSeconds: z.int(),
  /** `finished`: nothing more will be ordered; some of it may wait still. */
  state: campaignState,
  createdAt: instant,
  createdBy: z.string(),
  startedAt: instant.nullable(),
  startedBy: z.string().nullable(),
  /** The second person; null: nobody was needed. */
  approvedBy: z.string().nullable(),
  stoppedAt: instant.nullable(),
  stoppedBy: z.string().nullable(),
  /** Showings that began, and how many of these nobody came to in time. */
  occurrences: z.int(),
  skipped: z.int(),
  nextAt: instant.nullable(),
};
export const campaign = z.strictObject(fields).meta({ id: 'Campaign' });

const byReason = z.array(z.strictObject({ why: z.string(), cards: z.int() }));
const commands = z.int();
/** One campaign, with what became of it until now. */
export const oneCampaign = z
  .strictObject({
    ...fields,
    progress: z.strictObject({
      ...{ commands, waiting: commands, onAir: commands, expired: commands, withdrawn: commands },
      refused: z.array(z.strictObject({ code: z.string(), commands })),
      leftOut: byReason,
    }),
  })
  .meta({ id: 'CampaignProgress' });

export const campaignView =
  (desk: Sites) =>
  (made: Campaign): z.input<typeof campaign> => ({
    ...{ id: made.id.toString(), site: codeOf(desk, made.siteId), name: made.name },
    content: made.content,
    target:
      made.target.kind === 'cards'
        ? { kind: 'cards', cards: made.target.numbers.length }
        : made.target,
    ...{ schedule: made.schedule, quiet: made.quiet, validSeconds: made.validSeconds },
    ...{ state: made.state, createdAt: made.createdAt.toISOString(), createdBy: made.createdBy },
    ...{ startedAt: made.startedAt?.toISOString() ?? null, startedBy: made.startedBy },
    ...{ approvedBy: made.approvedBy, stoppedAt: made.stoppedAt?.toISOString() ?? null },
    ...{ stoppedBy: made.stoppedBy, occurrences: made.occurrences, skipped: made.skipped },
    nextAt: made.nextAt?.toISOString() ?? null,
  });

/** What became of it, with reasons as a list. */
export const progressView = ({ leftOut, ...rest }: Progress) => ({
  ...rest,
  leftOut: Object.entries(leftOut).map(([why, cards]) => ({ why, cards })),
});

export const preview = z
  .strictObject({
    /** Of a broadcast: those that may hear it at the most. */
    cards: z.int(),
    commands,
    byCas: z.array(z.strictObject({ cas: z.string(), cards: z.int() })),
    byLanguage: z.array(z.strictObject({ language: z.string(), cards: z.int() })),
    /** Cards to which nothing would be sent. */
    leftOut: byReason,
    /** Systems that cannot show it to some, which keeps it from being started. */
    misfits: z.array(
      z.strictObject({
        cas: z.string(),
        language: z.string(),
        why: z.enum(['too_long', 'not_supported']),
        cards: z.int(),
        /** Characters of the longest, and how many the system takes. */
        chars: z.int().nullable(),
        charsMax: z.int().nullable(),
      }),
    ),
    /** The first of them, as they would stand on the screen; no card: everybody’s. */
    texts: z.array(z.strictObject({ card: z.string().nullable(), text: z.string() })),
    /** How long it takes at the rate of the site, where nothing more urgent is sent. */
    seconds: z.int(),
    needsSecond: z.boolean(),
  })
  .meta({ id: 'CampaignPreview' });

export const previewView = ({ byCas, misfits, ...rest }: Preview): z.input<typeof preview> => ({
  ...rest,
  byCas: byCas.map(({ casId, cards }) => ({ cas: casId, cards })),
  misfits: misfits.map(({ casId, language, why, cards, length }) => ({
    ...{ cas: casId, language, why, cards },
    ...{ chars: length?.chars ?? null, charsMax: length?.max ?? null },
  })),
});

export const reachedState = z.enum(['waiting', 'done', 'rejected', 'expired', 'withdrawn']);
export const reached = z
  .strictObject({
    /** Of its command. */
    id: idText,
    /** The number of the showing, from 0. */
    occurrence: z.int(),
    cas: z.string(),
    /** Null: a broadcast. */
    card: z.string().nullable(),
    state: reachedState,
    /** What the head-end said last, or why it is not known. */
    code: z.string().nullable(),
    orderedAt: instant,
    onAirAt: instant.nullable(),
  })
  .meta({ id: 'CampaignRecipient' });

export const reachedView = (one: Reached) => ({
  ...{ id: one.commandId.toString(), occurrence: one.n, cas: one.casId },
  card: one.reached === '*' ? null : one.reached,
  ...{ state: one.state, code: one.code, orderedAt: one.orderedAt.toISOString() },
  onAirAt: one.firstAirAt?.toISOString() ?? null,
});
