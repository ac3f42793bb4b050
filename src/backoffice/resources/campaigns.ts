/** Campaigns on screen: drafted, looked at, started, stopped, and what became of them. */
import { z } from 'zod';
import {
  addCampaign,
  type Campaign,
  campaignById,
  findCampaigns,
} from '../../entitlement/campaigns/campaign-store.ts';
import {
  content,
  name,
  quiet,
  schedule,
  validSeconds,
  wantedTarget,
} from '../../entitlement/campaigns/content.ts';
import type { Preview } from '../../entitlement/campaigns/preview.ts';
import { reachesBeyond } from '../../entitlement/campaigns/rules.ts';
import {
  findReached,
  progressOf,
  type Reached,
} from '../../entitlement/campaigns/showing-store.ts';
import { id, pageOf, pageQuery, reason, siteCode } from '../api/fields.ts';
import { type Problem, problem } from '../api/problems.ts';
import { created, ok, type Route, route } from '../api/route.ts';
import { type Act, approvalById, keyOfApproval } from '../people/approvals.ts';
import { siteFilter } from '../people/principal.ts';
import { doOrAsk } from './act.ts';
import { approval } from './approval-view.ts';
import { draftOf } from './campaign-draft.ts';
import {
  campaign,
  campaignKind,
  campaignState,
  campaignView,
  oneCampaign,
  preview,
  previewView,
  progressView,
  reached,
  reachedState,
  reachedView,
} from './campaign-view.ts';
import { codeOf, type Desk, siteByCode, sitesOf } from './desk.ts';

export const CAMPAIGN_START = 'campaign.start';

const tag = 'Campaigns';
const params = z.strictObject({ campaignId: id });
const ofCampaign = '/campaigns/{campaignId}';

/** The routes of campaigns. */
export const campaignRoutes = (desk: Desk): Route[] => [
  listRoute(desk),
  oneRoute(desk),
  draftRoute(desk),
  previewRoute(desk),
  startRoute(desk),
  stopRoute(desk),
  reachedRoute(),
];

const listRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'get', path: '/campaigns', tag, access: 'campaign.read', paged: true },
    summary: 'Campaigns, the newest first',
    query: z.strictObject({
      ...pageQuery,
      site: siteCode.optional(),
      state: campaignState.optional(),
      kind: campaignKind.optional(),
    }),
    answers: { 200: pageOf(campaign) },
    async handler({ db, principal, query, page, pageOf: answer }) {
      const { state = null, kind = null, site } = query;
      const wanted = { sites: sitesOf(desk, principal, site), state, kind };
      const rows = await findCampaigns(db, { ...wanted, after: page.after, limit: page.fetch });
      const keyOf = ({ createdAt: at, id: rowId }: Campaign) => ({ at, id: rowId });
      return answer(rows, keyOf, campaignView(desk));
    },
  });

const oneRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'get', path: ofCampaign, tag, access: 'campaign.read', params },
    ...{ summary: 'A campaign, and what became of it', answers: { 200: oneCampaign } },
    async handler({ db, principal, params: { campaignId } }) {
      const found = await campaignById(db, campaignId, siteFilter(principal));
      if (!found) return problem('not_found');
      const progress = progressView(await progressOf(db, found.id));
      return ok({ ...campaignView(desk)(found), progress });
    },
  });

const draftBody = z.strictObject({
  name,
  content,
  target: wantedTarget,
  schedule: schedule.default({ kind: 'once', at: null }),
  quiet: quiet.nullable().default(null),
  validSeconds: validSeconds.default(3_600),
});

const draftRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'post', path: '/sites/{site}/campaigns', tag, access: 'campaign.write' },
    summary: 'Draft a campaign; nothing of it is ever changed, and nothing shown before its start',
    ...{ params: z.strictObject({ site: siteCode }), body: draftBody, bodyBytesMax: 128 * 1_024 },
    example: {
      name: 'Fingerprints in December',
      content: { kind: 'fingerprint', identity: 'vc', durationSeconds: 5 },
      target: { kind: 'filter', filter: { category: 'hotel' } },
    },
    ...{ write: { object: 'campaign', commits: 'here' }, answers: { 201: campaign } },
    problems: ['template_retired'],
    async handler(call) {
      const { db, principal, body, now } = call;
      const site = siteByCode(desk, principal, call.params.site);
      if (!site) return problem('not_found');
      const drafted = await draftOf(
        { db, catalogue: desk.catalogue(), site, principal, now },
        body,
      );
      if ('problem' in drafted) return drafted;
      const made = await addCampaign(db, desk.ids, {
        ...{ ...body, ...drafted, siteId: site.id, by: principal.key, at: now },
      });
      const view = campaignView(desk)(made);
      call.note({ siteId: site.id, objectId: made.id, after: view });
      return created(view, `/campaigns/${made.id}`);
    },
  });

const previewRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'get', path: `${ofCampaign}/preview`, tag, access: 'campaign.read', params },
    summary:
      'What a campaign would show now, to how many, and how long that takes; it costs nothing',
    ...{ answers: { 200: preview }, problems: ['too_many_cards'] },
    async handler({ db, principal, params: { campaignId }, now }) {
      const found = await campaignById(db, campaignId, siteFilter(principal));
      if (!found) return problem('not_found');
      const shown = await desk.campaigns.preview(db, found, now);
      return shown ? ok(previewView(shown)) : problem('too_many_cards');
    },
  });

const startRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'post', path: `${ofCampaign}/starts`, tag, access: 'campaign.write', params },
    summary: 'Start a campaign; to all, to many, or of another programme two decide',
    ...{ body: z.strictObject({ reason }), example: { reason: 'agreed with the office' } },
    ...{
      write: { object: 'campaign', commits: 'itself' },
      answers: { 201: started, 202: approval },
    },
    problems: [
      ...(['campaign_not_draft', 'not_shown_everywhere', 'too_many_cards', 'no_cas'] as const),
      'unavailable',
    ],
    async handler(call) {
      const { body, principal, params: given, now } = call;
      const found = await campaignById(desk.pool, given.campaignId, siteFilter(principal));
      if (!found) return problem('not_found');
      if (found.state !== 'draft') return problem('campaign_not_draft');
      const shown = await desk.campaigns.preview(desk.pool, found, now);
      const fault = startFault(shown);
      if (!shown || fault) return fault ?? problem('too_many_cards');
      call.note({ siteId: found.siteId, objectId: found.id, reason: body.reason });
      const isBeyond = reachesBeyond(found.target, { code: codeOf(desk, found.siteId) });
      // Its state lets it be started once; who asks again after a refusal asks anew.
      const key = { ...call, receipt: `campaign:${found.id}:${call.requestId}` };
      return doOrAsk(desk, key, {
        ...{ act: CAMPAIGN_START, reason: body.reason, amount: null },
        // Beyond its site: seen and decided by who sees all sites.
        siteId: isBeyond ? null : found.siteId,
        input: { campaignId: found.id.toString(), by: principal.key },
        subject: `${found.content.kind} to ${shown.cards} cards: ${found.name}`,
        needsSecond: shown.needsSecond,
      });
    },
  });

const started = z.strictObject({ campaign: z.string(), state: z.string() });

/** What keeps a campaign from being started; null: nothing. */
function startFault(shown: Preview | null): Problem | null {
  if (!shown) return problem('too_many_cards');
  if (shown.leftOut.some(({ why }) => why === 'no_cas')) return problem('no_cas');
  if (shown.misfits.length === 0) return null;
  const fields = shown.misfits.map(({ casId, language, why, cards, length }) => ({
    ...{ path: `${casId}.${language}`, code: why },
    message: length
      ? `${length.chars} characters for ${cards} cards; ${casId} takes ${length.max}`
      : `${casId} cannot show it to ${cards} cards`,
  }));
  return problem('not_shown_everywhere', { fields });
}

const startInput = z.strictObject({ campaignId: z.string().transform(BigInt), by: z.string() });

/** The act: started by who asked, once; who approved it stands with it for ever. */
export const createCampaignStart = ({
  pool,
  campaigns,
}: Pick<Desk, 'pool' | 'campaigns'>): Act => ({
  permission: 'campaign.approve',
  async execute(input, key) {
    const { campaignId, by } = startInput.parse(input);
    const approvedBy = await approverOf(pool, key);
    const isMine = await campaigns.start(campaignId, { key, by, approvedBy });
    if (!isMine) return { kind: 'refused', code: 'campaign_not_draft' };
    return { kind: 'done', result: { campaign: campaignId.toString(), state: 'running' } };
  },
});

/** Who decided on the approval of this key; null: it is not one's. */
async function approverOf(pool: Desk['pool'], key: string): Promise<string | null> {
  const [, digits] = /^approval:(\d+)$/.exec(key) ?? [];
  if (digits === undefined || keyOfApproval(BigInt(digits)) !== key) return null;
  return (await approvalById(pool, BigInt(digits), { sites: null }))?.decidedBy ?? null;
}

const stopRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'post', path: `${ofCampaign}/stops`, tag, access: 'campaign.write', params },
    summary: 'Stop a campaign: what is not sent yet is withdrawn',
    ...{ body: z.strictObject({ reason }), example: { reason: 'a word is wrong' } },
    ...{ write: { object: 'campaign', commits: 'itself' }, problems: ['campaign_not_running'] },
    answers: { 200: z.strictObject({ withdrawn: z.int() }) },
    async handler(call) {
      const { body, principal, params: given } = call;
      const found = await campaignById(desk.pool, given.campaignId, siteFilter(principal));
      if (!found) return problem('not_found');
      call.note({ siteId: found.siteId, objectId: found.id, reason: body.reason });
      const withdrawn = await desk.campaigns.stop(found.id, principal.key);
      if (withdrawn === null) return problem('campaign_not_running');
      call.note({ after: { withdrawn } });
      return ok({ withdrawn });
    },
  });

const reachedRoute = (): Route =>
  route({
    ...{ method: 'get', path: `${ofCampaign}/recipients`, tag, access: 'campaign.read', params },
    ...{ paged: true, summary: 'For whom commands were ordered, the newest first' },
    query: z.strictObject({ ...pageQuery, state: reachedState.optional() }),
    answers: { 200: pageOf(reached) },
    async handler({ db, principal, params: { campaignId }, query, page, pageOf: answer }) {
      const found = await campaignById(db, campaignId, siteFilter(principal));
      if (!found) return problem('not_found');
      const wanted = { state: query.state ?? null, after: page.after?.id ?? null };
      const rows = await findReached(db, found.id, { ...wanted, limit: page.fetch });
      const keyOf = ({ orderedAt: at, commandId }: Reached) => ({ at, id: commandId });
      return answer(rows, keyOf, reachedView);
    },
  });
