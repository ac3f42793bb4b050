/** What of a drafted campaign cannot be, and whom a saved group means. */
import type { z } from 'zod';
import type { Catalogue, Site } from '../../billing/catalogue/rules.ts';
import type {
  CampaignTarget,
  content,
  quiet,
  Schedule,
  WantedTarget,
} from '../../entitlement/campaigns/content.ts';
import { productsOf, unknownCards } from '../../entitlement/campaigns/recipients.ts';
import { broadcastTo, reachesBeyond } from '../../entitlement/campaigns/rules.ts';
import { type ScheduleFault, scheduleFault } from '../../entitlement/campaigns/schedule.ts';
import {
  findGroups,
  isRetired,
  type Template,
  templateById,
} from '../../entitlement/campaigns/template-store.ts';
import { namesOf } from '../../entitlement/campaigns/templates.ts';
import { type FieldFault, type Problem, problem } from '../api/problems.ts';
import type { Principal } from '../people/principal.ts';
import type { Db } from '../people/staff-store.ts';

export interface Drafting {
  db: Db;
  catalogue: Catalogue;
  site: Site;
  principal: Principal;
  now: Date;
}

interface Drafted {
  content: z.output<typeof content>;
  target: WantedTarget;
  schedule: Schedule;
  quiet: z.output<typeof quiet> | null;
}

const FAULTS_SHOWN_MAX = 20;

const SCHEDULE_FAULTS: Readonly<Record<ScheduleFault, string>> = {
  too_often: 'More often than every five minutes',
  too_long: 'For longer than 366 days',
  over: 'It is over before it begins',
  quiet: 'It lies in the quiet hours',
  at_of_days: 'A time of day is for what repeats by days',
};

const invalid = (...fields: FieldFault[]): Problem =>
  problem('invalid_body', { fields: fields.slice(0, FAULTS_SHOWN_MAX) });

/** The target as it is kept, or why the draft cannot be. */
export async function draftOf(
  drafting: Drafting,
  draft: Drafted,
): Promise<{ target: CampaignTarget } | Problem> {
  const { site, now } = drafting;
  const late = scheduleFault(draft.schedule, { ...draft, timeZone: site.timeZone }, now);
  if (late) return invalid({ path: 'schedule', code: late, message: SCHEDULE_FAULTS[late] });
  const target = await targetOf(drafting, draft.target);
  if ('problem' in target) return target;
  const fault = await contentFault(drafting, draft, target);
  return fault ?? { target };
}

async function targetOf(
  { db, catalogue, site, principal }: Drafting,
  wanted: WantedTarget,
): Promise<CampaignTarget | Problem> {
  if (principal.sites !== 'all' && reachesBeyond(wanted, site)) {
    return problem('forbidden', {
      detail: `Areas of this site are called ${site.code} or ${site.code}-…`,
    });
  }
  switch (wanted.kind) {
    case 'all':
    case 'region':
      return wanted;
    case 'cards': {
      const unknown = await unknownCards(db, site.id, wanted.numbers);
      if (unknown.length === 0) return wanted;
      return invalid(
        ...unknown.map((number) => ({
          ...{ path: 'target.numbers', code: 'unknown', message: `No card ${number} here` },
        })),
      );
    }
    case 'group': {
      const page = { sites: [site.id], name: wanted.group, after: null, limit: 1 };
      const [found] = await findGroups(db, page);
      if (found) return { kind: 'filter', filter: found.filter, group: found.name };
      return invalid({ path: 'target.group', code: 'unknown', message: 'No such group here' });
    }
    case 'filter': {
      const { bouquet } = wanted.filter;
      if (bouquet === undefined || productsOf(catalogue, site, bouquet)) return wanted;
      const path = 'target.filter.bouquet';
      return invalid({ path, code: 'unknown', message: 'Not sold here' });
    }
  }
}

/** What is wrong with the words for this kind and target; null: nothing. */
async function contentFault(
  { db, site }: Drafting,
  { content: wanted }: Drafted,
  target: CampaignTarget,
): Promise<Problem | null> {
  if (!('templateId' in wanted)) return null;
  const path = 'content.templateId';
  const found = await templateById(db, BigInt(wanted.templateId), [site.id]);
  if (!found) return invalid({ path, code: 'unknown', message: 'No such template here' });
  if (await isRetired(db, found)) return problem('template_retired');
  if (wanted.kind === 'mail' && Object.values(found.texts).some(({ subject }) => !subject)) {
    return invalid({ path, code: 'no_subject', message: 'A mail needs a subject' });
  }
  const named = broadcastTo(target) ? placeholdersOf(found) : [];
  if (named.length === 0) return null;
  const message = `Of everybody there is no ${named.map((one) => `{${one}}`).join(', ')}`;
  return invalid({ path, code: 'placeholders', message });
}

const placeholdersOf = ({ texts }: Template): string[] =>
  Object.values(texts).flatMap(({ subject, body }) => namesOf(`${subject ?? ''}${body}`));
