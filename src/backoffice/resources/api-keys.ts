/** Keys of partners. */
import { z } from 'zod';
import {
  id,
  idText,
  instant,
  instantIn,
  pageOf,
  plainPage,
  siteCode,
  text,
} from '../api/fields.ts';
import { invalidField, problem } from '../api/problems.ts';
import { created, noContent, type Route, route } from '../api/route.ts';
import {
  type ApiKey,
  apiKeyById,
  listApiKeys,
  makeApiKey,
  revokeApiKey,
} from '../people/api-keys.ts';
import { conflictsOf, PARTNER_PERMISSIONS } from '../people/permissions.ts';
import { withinSites } from '../people/principal.ts';
import type { Desk } from './desk.ts';
import { givenSites, siteCodes } from './staff-view.ts';

const partnerPermission = z.enum(PARTNER_PERMISSIONS);
const apiKey = z
  .strictObject({
    id: idText,
    prefix: z.string(),
    name: z.string(),
    permissions: z.array(z.string()),
    sites: z.array(siteCode).nullable(),
    createdAt: instant,
    expiresAt: instant,
    lastUsedAt: instant.nullable(),
    revokedAt: instant.nullable(),
  })
  .meta({ id: 'ApiKey' });

const tag = 'API keys';
const KEY_MS_MAX = 2 * 366 * 86_400_000;

const viewOf = (desk: Desk) => (key: ApiKey) => ({
  id: key.id.toString(),
  prefix: key.prefix,
  name: key.name,
  permissions: key.permissions,
  sites: siteCodes(desk, key.sites),
  createdAt: key.createdAt.toISOString(),
  expiresAt: key.expiresAt.toISOString(),
  lastUsedAt: key.lastUsed?.toISOString() ?? null,
  revokedAt: key.revokedAt?.toISOString() ?? null,
});

/** The routes of keys. */
export const apiKeyRoutes = (desk: Desk): Route[] => [
  route({
    ...{ method: 'get', path: '/api-keys', tag, access: 'api_key.read', paged: true },
    ...{ summary: 'Keys, the oldest first', query: plainPage, answers: { 200: pageOf(apiKey) } },
    async handler({ db, principal, page, pageOf: answer }) {
      const rows = await listApiKeys(db, principal.sites, { after: page.after, limit: page.fetch });
      const keyOf = ({ createdAt: at, id: rowId }: ApiKey) => ({ at, id: rowId });
      return answer(rows, keyOf, viewOf(desk));
    },
  }),
  makeRoute(desk),
  route({
    ...{ method: 'delete', path: '/api-keys/{apiKeyId}', tag, access: 'api_key.write' },
    ...{ summary: 'Revoke a key', params: z.strictObject({ apiKeyId: id }) },
    ...{ answers: { 204: null }, write: { object: 'api_key', commits: 'here' } },
    async handler({ db, principal, params: { apiKeyId }, now, note }) {
      const found = await apiKeyById(db, apiKeyId);
      if (!found || !withinSites(principal.sites, found.sites)) return problem('not_found');
      await revokeApiKey(db, apiKeyId, now);
      note({ objectId: apiKeyId, before: viewOf(desk)(found) });
      return noContent;
    },
  }),
];

const makeRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'post', path: '/api-keys', tag, access: 'api_key.write' },
    summary: 'Give a partner a key, told this once; it lives two years at the most',
    write: { object: 'api_key', commits: 'here' },
    body: z.strictObject({
      name: text(120),
      permissions: z.array(partnerPermission).min(1).max(PARTNER_PERMISSIONS.length),
      sites: z.array(siteCode).max(200).nullable(),
      expiresAt: instantIn,
    }),
    example: {
      name: 'Duka Kiosk',
      permissions: ['card.read', 'wallet.top_up'],
      sites: ['NBO'],
      expiresAt: '2027-06-30T00:00:00Z',
    },
    answers: { 201: z.strictObject({ key: apiKey, token: z.string() }) },
    problems: ['role_conflict', 'outside_own_sites'],
    async handler({ db, principal, body, now, note }) {
      const permissions = [...new Set(body.permissions)];
      const fields = conflictsOf(permissions).map((message) => {
        return { path: 'permissions', code: 'conflict', message };
      });
      if (fields.length > 0) return problem('role_conflict', { fields });
      const sites = givenSites(desk, principal, body.sites);
      if (typeof sites === 'object' && 'problem' in sites) return sites;
      const lifeMs = body.expiresAt.getTime() - now.getTime();
      if (lifeMs <= 0 || lifeMs > KEY_MS_MAX) {
        return invalidField('expiresAt', 'range', 'Not within two years');
      }
      const { key, token } = await makeApiKey(db, {
        ...{ id: await desk.ids.take(), name: body.name, permissions, sites, createdAt: now },
        ...{ createdBy: principal.id, expiresAt: body.expiresAt },
      });
      note({ objectId: key.id, after: viewOf(desk)(key) });
      return created({ key: viewOf(desk)(key), token });
    },
  });
