/** Staff accounts, as an administrator keeps them. */
import { z } from 'zod';
import { id, pageOf, plainPage, reason, siteCode, text } from '../api/fields.ts';
import { type Problem, problem } from '../api/problems.ts';
import { created, noContent, ok, type Route, route } from '../api/route.ts';
import { oneTimePassword } from '../people/passwords.ts';
import { ROLE_NAMES, type RoleName, roleConflicts } from '../people/permissions.ts';
import { type Principal, withinSites } from '../people/principal.ts';
import { endSession, endSessions, listSessions } from '../people/sessions.ts';
import {
  type Db,
  insertStaff,
  listStaff,
  type Staff,
  setPassword,
  setTotp,
  staffById,
  updateStaff,
} from '../people/staff-store.ts';
import type { Desk } from './desk.ts';
import { session, sessionView } from './session-view.ts';
import { givenSites, staffMember, staffView } from './staff-view.ts';

const params = z.strictObject({ staffId: id });
const tag = 'Staff';
const staffPath = '/staff/{staffId}';
export const login = z.string().regex(/^[a-z0-9][a-z0-9._-]{1,39}$/);
const roles = z.array(z.enum(ROLE_NAMES)).min(1).max(ROLE_NAMES.length);
const sites = z.array(siteCode).max(200).nullable();
const oneTime = z.strictObject({ staff: staffMember, oneTimePassword: z.string() });

/** The routes of staff. */
export const staffRoutes = (desk: Desk): Route[] => [
  listRoute(desk),
  oneRoute(desk),
  addRoute(desk),
  changeRoute(desk),
  ...resetRoutes(desk),
  ...sessionRoutes(),
];

/** Somebody whose sites are all among the caller's own; of others nothing exists. */
async function visible(
  db: Db,
  principal: Principal,
  staffId: bigint,
  lock = false,
): Promise<Staff | null> {
  const found = await staffById(db, staffId, lock);
  return found && withinSites(principal.sites, found.sites) ? found : null;
}

const listRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'get', path: '/staff', tag, access: 'staff.read', paged: true },
    ...{ summary: 'Staff, the oldest account first', query: plainPage },
    answers: { 200: pageOf(staffMember) },
    async handler({ db, principal, page, pageOf: answer }) {
      const rows = await listStaff(db, principal.sites, { after: page.after, limit: page.fetch });
      const keyOf = ({ createdAt: at, id: rowId }: Staff) => ({ at, id: rowId });
      return answer(rows, keyOf, staffView(desk));
    },
  });

const oneRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'get', path: staffPath, tag, access: 'staff.read', etag: 'read' },
    ...{ summary: 'A member of staff', params, answers: { 200: staffMember } },
    async handler({ db, principal, params: { staffId } }) {
      const found = await visible(db, principal, staffId);
      return found ? ok(staffView(desk)(found)) : problem('not_found');
    },
  });

function conflict(wanted: readonly RoleName[]): Problem | null {
  const conflicts = roleConflicts(wanted);
  if (conflicts.length === 0) return null;
  const fields = conflicts.map((message) => ({ path: 'roles', code: 'conflict', message }));
  return problem('role_conflict', { fields });
}

const addRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'post', path: '/staff', tag, access: 'staff.write' },
    summary: 'Open an account; the one-time password is told this once',
    write: { object: 'staff', commits: 'here' },
    body: z.strictObject({ login, fullName: text(120), roles, sites }),
    example: { login: 'wanjiru', fullName: 'C. Wanjiru', roles: ['cashier'], sites: ['NBO'] },
    answers: { 201: oneTime },
    problems: ['role_conflict', 'login_taken', 'outside_own_sites'],
    async handler({ db, principal, body, now, note }) {
      const refused = conflict(body.roles);
      if (refused) return refused;
      const given = givenSites(desk, principal, body.sites);
      if (typeof given === 'object' && 'problem' in given) return given;
      const password = oneTimePassword();
      const staff = {
        ...{ id: await desk.ids.take(), login: body.login, fullName: body.fullName },
        ...{ roles: [...new Set(body.roles)], sites: given, createdAt: now, mustChange: true },
        passwordHash: await desk.passwords.hash(password),
      };
      if (!(await insertStaff(db, staff))) return problem('login_taken');
      note({ objectId: staff.id, after: { ...body } });
      const made = await staffById(db, staff.id);
      if (!made) throw new Error('The new account is not there');
      const answer = { staff: staffView(desk)(made), oneTimePassword: password };
      return created(answer, `/staff/${staff.id}`);
    },
  });

const changes = z
  .strictObject({
    fullName: text(120).optional(),
    roles: roles.optional(),
    sites: sites.optional(),
    isActive: z.boolean().optional(),
    reason,
  })
  .meta({ id: 'StaffChanges' });

const changeRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'patch', path: staffPath, tag, access: 'staff.write', etag: 'write', params },
    summary: 'Change name, roles, sites or state; a closed account loses its sessions',
    write: { object: 'staff', commits: 'here' },
    body: changes,
    example: { fullName: 'Another Name', reason: 'married' },
    answers: { 200: staffMember },
    problems: ['role_conflict', 'own_account', 'outside_own_sites'],
    async handler(call) {
      const { db, principal, body, now } = call;
      const before = await visible(db, principal, call.params.staffId, true);
      if (!before) return problem('not_found');
      if (principal.key === `staff:${before.id}`) return problem('own_account');
      const view = staffView(desk);
      const stale = call.staleness(view(before));
      if (stale) return stale;
      const after = changed(desk, principal, before, body);
      if ('problem' in after) return after;
      await updateStaff(db, after);
      if (!after.isActive) await endSessions(db, after.id, { now });
      call.note({ objectId: after.id, reason: body.reason });
      call.note({ before: view(before), after: view(after) });
      return ok(view(after));
    },
  });

/** The account as it is to be, or why it may not be so. */
function changed(
  desk: Desk,
  principal: Principal,
  before: Staff,
  body: z.output<typeof changes>,
): Staff | Problem {
  const refused = body.roles ? conflict(body.roles) : null;
  if (refused) return refused;
  const given = body.sites === undefined ? before.sites : givenSites(desk, principal, body.sites);
  if (typeof given === 'object' && 'problem' in given) return given;
  return {
    ...before,
    fullName: body.fullName ?? before.fullName,
    roles: body.roles ? [...new Set(body.roles)] : before.roles,
    sites: given,
    isActive: body.isActive ?? before.isActive,
  };
}

const why = z.strictObject({ reason });

const resetRoutes = (desk: Desk): Route[] => [
  route({
    ...{ method: 'post', path: '/staff/{staffId}/password-resets', tag, access: 'staff.write' },
    summary: 'Give a new one-time password, told this once; all sessions end',
    write: { object: 'staff', commits: 'here' },
    ...{ params, body: why, example: { reason: 'forgotten, seen in person' } },
    ...{ answers: { 201: oneTime }, problems: ['own_account'] },
    async handler({ db, principal, params: { staffId }, body, now, note }) {
      const found = await visible(db, principal, staffId, true);
      if (!found) return problem('not_found');
      if (principal.key === `staff:${found.id}`) return problem('own_account');
      const password = oneTimePassword();
      await setPassword(db, found.id, await desk.passwords.hash(password), true);
      await endSessions(db, found.id, { now });
      note({ objectId: found.id, reason: body.reason });
      const view = staffView(desk)({ ...found, mustChange: true });
      return created({ staff: view, oneTimePassword: password });
    },
  }),
  route({
    ...{ method: 'post', path: '/staff/{staffId}/totp-resets', tag, access: 'staff.write' },
    summary: 'Forget the second factor of a lost phone; all sessions end',
    write: { object: 'staff', commits: 'here' },
    ...{ params, body: why, example: { reason: 'phone lost, seen in person' } },
    ...{ answers: { 204: null }, problems: ['own_account'] },
    async handler({ db, principal, params: { staffId }, body, now, note }) {
      const found = await visible(db, principal, staffId, true);
      if (!found) return problem('not_found');
      if (principal.key === `staff:${found.id}`) return problem('own_account');
      await setTotp(db, found.id, null);
      await endSessions(db, found.id, { now });
      note({ objectId: found.id, reason: body.reason });
      return noContent;
    },
  }),
];

const sessionParams = z.strictObject({ staffId: id, sessionId: id });

const sessionRoutes = (): Route[] => [
  route({
    ...{ method: 'get', path: '/staff/{staffId}/sessions', tag, access: 'staff.read', params },
    summary: 'Open sessions of a member of staff',
    answers: { 200: z.strictObject({ items: z.array(session) }) },
    async handler({ db, principal, params: { staffId }, now }) {
      const found = await visible(db, principal, staffId);
      if (!found) return problem('not_found');
      const items = await listSessions(db, staffId, now);
      return ok({ items: items.map(sessionView(principal)) });
    },
  }),
  route({
    ...{ method: 'delete', path: '/staff/{staffId}/sessions/{sessionId}', tag },
    ...{ access: 'staff.write', params: sessionParams, answers: { 204: null } },
    summary: 'End a session of a member of staff',
    write: { object: 'session', commits: 'here' },
    async handler({ db, principal, params: { staffId, sessionId }, now, note }) {
      const found = await visible(db, principal, staffId);
      const ended = found && (await endSession(db, { id: sessionId, staffId, now }));
      if (!ended) return problem('not_found');
      note({ objectId: sessionId });
      return noContent;
    },
  }),
];
