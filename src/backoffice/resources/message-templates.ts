/** Templates of messages on screen, by version, and saved groups of cards. */
import { z } from 'zod';
import { filter, name, type Texts, texts } from '../../entitlement/campaigns/content.ts';
import { productsOf } from '../../entitlement/campaigns/recipients.ts';
import {
  addGroup,
  addTemplate,
  findGroups,
  findTemplates,
  isRetired,
  templateById,
} from '../../entitlement/campaigns/template-store.ts';
import { templateFaults } from '../../entitlement/campaigns/templates.ts';
import { id, pageOf, pageQuery, reason, siteCode } from '../api/fields.ts';
import { type FieldFault, problem } from '../api/problems.ts';
import { created, ok, type Route, route } from '../api/route.ts';
import { siteFilter } from '../people/principal.ts';
import { group, groupView, template, templateView } from './campaign-view.ts';
import { type Desk, siteByCode, sitesOf } from './desk.ts';

const tag = 'Campaigns';
const ofSite = z.strictObject({ site: siteCode });
const params = z.strictObject({ templateId: id });
const query = z.strictObject({ ...pageQuery, site: siteCode.optional(), name: name.optional() });
const keyOf = ({ createdAt: at, id: rowId }: { createdAt: Date; id: bigint }) => ({
  at,
  id: rowId,
});

/** The routes of templates and groups. */
export const messageTemplateRoutes = (desk: Desk): Route[] => [
  listRoute(desk),
  oneRoute(desk),
  addRoute(desk),
  retireRoute(desk),
  groupsRoute(desk),
  addGroupRoute(desk),
];

const listRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'get', path: '/message-templates', tag, access: 'campaign.read', paged: true },
    ...{ summary: 'Versions of templates, the newest first', query },
    answers: { 200: pageOf(template) },
    async handler({ db, principal, query: asked, page, pageOf: answer }) {
      const sites = sitesOf(desk, principal, asked.site);
      const wanted = { sites, name: asked.name ?? null, after: page.after, limit: page.fetch };
      return answer(await findTemplates(db, wanted), keyOf, templateView(desk));
    },
  });

const oneRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'get', path: '/message-templates/{templateId}', tag, access: 'campaign.read' },
    ...{ summary: 'A version of a template', params, answers: { 200: template } },
    async handler({ db, principal, params: { templateId } }) {
      const found = await templateById(db, templateId, siteFilter(principal));
      return found ? ok(templateView(desk)(found)) : problem('not_found');
    },
  });

const EXAMPLE: Texts = {
  en: { subject: null, body: 'Card {last4} is paid until {until}. Next month: {amount}.' },
  fr: { subject: null, body: 'Carte {last4} payée jusqu’au {until}. Mois prochain : {amount}.' },
};

/** What is wrong with the texts of a template for this site. */
const faultsOf = (said: Texts, siteLanguage: 'en' | 'fr'): FieldFault[] => [
  ...templateFaults(said).map(({ path, message }) => ({
    ...{ path: `texts.${path}`, code: 'template', message },
  })),
  ...(said[siteLanguage]
    ? []
    : [{ path: `texts.${siteLanguage}`, code: 'missing', message: 'The site’s own language' }]),
];

const addRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'post', path: '/sites/{site}/message-templates', tag, access: 'campaign.write' },
    summary: 'Write a template, or the next version of one',
    ...{ params: ofSite, body: z.strictObject({ name, texts }), answers: { 201: template } },
    example: { name: 'Paid until', texts: EXAMPLE },
    ...{ write: { object: 'message_template', commits: 'here' }, problems: ['template_changed'] },
    async handler(call) {
      const { db, principal, body, now } = call;
      const site = siteByCode(desk, principal, call.params.site);
      if (!site) return problem('not_found');
      const fields = faultsOf(body.texts, site.language);
      if (fields.length > 0) return problem('invalid_body', { fields });
      const said = { ...body, siteId: site.id, isRetired: false, by: principal.key, at: now };
      const made = await addTemplate(db, desk.ids, said);
      if (!made) return problem('template_changed');
      const view = templateView(desk)(made);
      call.note({ siteId: site.id, objectId: made.id, after: view });
      return created(view, `/message-templates/${made.id}`);
    },
  });

const retireRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'post', path: '/message-templates/{templateId}/retirements', tag, params },
    summary: 'Use the name of a template no more; what runs goes on',
    ...{ access: 'campaign.write', body: z.strictObject({ reason }) },
    ...{ example: { reason: 'worded better elsewhere' }, answers: { 201: template } },
    write: { object: 'message_template', commits: 'here' },
    problems: ['template_changed', 'template_retired'],
    async handler(call) {
      const { db, principal, body, now } = call;
      const found = await templateById(db, call.params.templateId, siteFilter(principal));
      if (!found) return problem('not_found');
      if (await isRetired(db, found)) return problem('template_retired');
      const said = { ...found, isRetired: true, by: principal.key, at: now };
      const made = await addTemplate(db, desk.ids, said);
      if (!made) return problem('template_changed');
      const view = templateView(desk)(made);
      call.note({ siteId: made.siteId, objectId: made.id, after: view, reason: body.reason });
      return created(view, `/message-templates/${made.id}`);
    },
  });

const groupsRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'get', path: '/card-groups', tag, access: 'campaign.read', paged: true },
    ...{ summary: 'Saved groups of cards, the newest first', query },
    answers: { 200: pageOf(group) },
    async handler({ db, principal, query: asked, page, pageOf: answer }) {
      const sites = sitesOf(desk, principal, asked.site);
      const wanted = { sites, name: asked.name ?? null, after: page.after, limit: page.fetch };
      return answer(await findGroups(db, wanted), keyOf, groupView(desk));
    },
  });

const addGroupRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'post', path: '/sites/{site}/card-groups', tag, access: 'campaign.write' },
    summary: 'Save a group of cards by what holds of them; who is in it is looked up at each use',
    ...{ params: ofSite, body: z.strictObject({ name, filter }), answers: { 201: group } },
    example: { name: 'Ends this week', filter: { paidUntil: { fromDays: 0, toDays: 6 } } },
    ...{ write: { object: 'card_group', commits: 'here' }, problems: ['group_taken'] },
    async handler(call) {
      const { db, principal, body, now } = call;
      const site = siteByCode(desk, principal, call.params.site);
      if (!site) return problem('not_found');
      const { bouquet } = body.filter;
      if (bouquet !== undefined && !productsOf(desk.catalogue(), site, bouquet)) {
        return problem('invalid_body', { fields: [UNKNOWN_BOUQUET] });
      }
      const said = { ...body, siteId: site.id, by: principal.key, at: now };
      const made = await addGroup(db, desk.ids, said);
      if (!made) return problem('group_taken');
      const view = groupView(desk)(made);
      call.note({ siteId: site.id, objectId: made.id, after: view });
      return created(view);
    },
  });

export const UNKNOWN_BOUQUET: FieldFault = {
  ...{ path: 'filter.bouquet', code: 'unknown', message: 'Not sold here' },
};
