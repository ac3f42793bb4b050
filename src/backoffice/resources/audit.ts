/** Who did what, and what the words of the API mean. */
import { z } from 'zod';
import { idText, instant, pageOf, pageQuery, siteCode, text } from '../api/fields.ts';
import { PROBLEMS, type ProblemCode, problem } from '../api/problems.ts';
import { ok, type Route, route } from '../api/route.ts';
import { type KeptAudit, listAudit } from '../people/audit.ts';
import { PERMISSIONS, permissionsOf, ROLES, type RoleName } from '../people/permissions.ts';
import { codeOf, type Desk, sitesOf } from './desk.ts';

const line = z
  .strictObject({
    id: idText,
    at: instant,
    requestId: z.string(),
    actor: z.string(),
    actorName: z.string(),
    role: z.string(),
    remote: z.string(),
    route: z.string(),
    outcome: z.enum(['asked', 'done', 'refused', 'failed']),
    site: siteCode.nullable(),
    object: z.string(),
    objectId: z.string().nullable(),
    before: z.unknown(),
    after: z.unknown(),
    reason: z.string().nullable(),
  })
  .meta({ id: 'AuditLine' });

/** The routes of the audit, and of the words. */
export const auditRoutes = (desk: Desk): Route[] => [
  route({
    ...{ method: 'get', path: '/audit', tag: 'Audit', access: 'audit.read', paged: true },
    summary: 'Who did what, the newest first; what belongs to no site, only to who sees all',
    query: z.strictObject({
      ...pageQuery,
      site: siteCode.optional(),
      actor: text(60).optional(),
      object: text(40).optional(),
      objectId: text(60).optional(),
    }),
    answers: { 200: pageOf(line) },
    async handler({ db, principal, query, page, pageOf: answer }) {
      const rows = await listAudit(db, {
        sites: sitesOf(desk, principal, query.site),
        actor: query.actor ?? null,
        object: query.object ?? null,
        objectId: query.objectId ?? null,
        after: page.after,
        limit: page.fetch,
      });
      const view = ({ siteId, ...row }: KeptAudit) => ({
        ...row,
        id: row.id.toString(),
        at: row.at.toISOString(),
        site: siteId === null ? null : codeOf(desk, siteId),
      });
      return answer(rows, ({ at, id }) => ({ at, id }), view);
    },
  }),
  ...WORDS,
];

const described = z.strictObject({ name: z.string(), about: z.string() });
const role = z
  .strictObject({ name: z.string(), about: z.string(), permissions: z.array(z.string()) })
  .meta({ id: 'Role' });
const known = z
  .strictObject({ code: z.string(), status: z.int(), title: z.string() })
  .meta({ id: 'KnownProblem' });

const WORDS: Route[] = [
  route({
    ...{ method: 'get', path: '/roles', tag: 'Words', access: 'signed_in' },
    summary: 'Roles and permissions',
    answers: {
      200: z.strictObject({ roles: z.array(role), permissions: z.array(described) }),
    },
    async handler() {
      const roles = Object.entries(ROLES).map(([name, { about }]) => {
        return { name, about, permissions: permissionsOf([name as RoleName]) };
      });
      const permissions = Object.entries(PERMISSIONS).map(([name, about]) => ({ name, about }));
      return ok({ roles, permissions });
    },
  }),
  route({
    ...{ method: 'get', path: '/problems/{code}', tag: 'Words', access: 'public' },
    summary: 'What a problem means',
    params: z.strictObject({ code: text(60) }),
    answers: { 200: known },
    async handler({ params: { code } }) {
      if (!Object.hasOwn(PROBLEMS, code)) return problem('not_found');
      return ok({ code, ...PROBLEMS[code as ProblemCode] });
    },
  }),
];
