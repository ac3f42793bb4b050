/** Signing in and out, and what everybody keeps: password, second factor, sessions. */
import { z } from 'zod';
import { transaction } from '../../platform/database/pool.ts';
import { id, idText, instant, siteCode, text } from '../api/fields.ts';
import { type Problem, problem } from '../api/problems.ts';
import { created, noContent, ok, type Route, route } from '../api/route.ts';
import { writeAudit } from '../people/audit.ts';
import { newTotpSecret, totpStep, totpUri } from '../people/codes.ts';
import { beginTry, forgiveTries } from '../people/lockout.ts';
import { passwordFault } from '../people/passwords.ts';
import type { Principal } from '../people/principal.ts';
import { endSession, endSessions, listSessions } from '../people/sessions.ts';
import { signIn } from '../people/sign-in.ts';
import {
  type Db,
  type Staff,
  setPassword,
  setTotp,
  staffById,
  takeTotpStep,
} from '../people/staff-store.ts';
import type { Desk } from './desk.ts';
import { session, sessionView } from './session-view.ts';
import { siteCodes } from './staff-view.ts';

const tag = 'Me';
const password = z
  .string()
  .min(1)
  .max(200)
  .refine((value) => value.isWellFormed(), 'Not well-formed');
const code = z.string().regex(/^[0-9]{6}$/);
const pending = z.enum(['password', 'totp']).nullable();

const me = z
  .strictObject({
    kind: z.enum(['staff', 'api_key']),
    id: idText,
    name: z.string(),
    permissions: z.array(z.string()),
    sites: z.array(siteCode).nullable(),
    /** What must be done before anything else. */
    pending,
  })
  .meta({ id: 'Me' });

/** The routes of whoever calls. */
export const meRoutes = (desk: Desk): Route[] => [
  signInRoute(desk),
  signOutRoute,
  meRoute(desk),
  passwordRoute(desk),
  ...totpRoutes(desk),
  ...sessionRoutes,
];

const signInRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'post', path: '/sessions', tag, access: 'public' },
    summary: 'Sign in; the token is told this once and goes into Authorization: Bearer',
    write: { object: 'session', commits: 'own_audit' },
    body: z.strictObject({ login: text(40), password, code: code.optional() }),
    example: { login: 'cashier', password: 'correct horse battery' },
    answers: {
      201: z.strictObject({ id: idText, token: z.string(), endsAt: instant, pending }),
    },
    problems: ['wrong_credentials', 'code_needed', 'locked_out'],
    async handler({ body, now, remote, agent, requestId }) {
      const given = { remote, agent, requestId, password: body.password };
      const login = body.login.toLowerCase();
      const people = { ...desk, clock: desk.machineClock };
      const done = await signIn(people, { ...given, login, code: body.code ?? null });
      if (done.ok) {
        const { staff, token, endsAt, sessionId } = done;
        const waits = desk.requireTotp && staff.totpSince === null ? 'totp' : null;
        return created({
          id: sessionId.toString(),
          token,
          endsAt: endsAt.toISOString(),
          pending: staff.mustChange ? 'password' : waits,
        });
      }
      if (done.error !== 'locked') return problem(done.error);
      return lockedOut(done.until, now);
    },
  });

const signOutRoute = route({
  ...{ method: 'delete', path: '/me/session', tag, access: 'signed_in', whilePending: true },
  ...{ summary: 'Sign out', answers: { 204: null } },
  write: { object: 'session', commits: 'here' },
  async handler({ db, principal, now, note }) {
    const sessionId = principal.sessionId ?? 0n;
    await endSession(db, { id: sessionId, staffId: principal.id, now });
    note({ objectId: sessionId });
    return noContent;
  },
});

const meRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'get', path: '/me', tag, access: 'signed_in', whilePending: true },
    ...{ summary: 'Who you are and what you may do', answers: { 200: me } },
    async handler({ principal }) {
      const { kind, name, permissions, sites } = principal;
      return ok({
        ...{ kind, id: principal.id.toString(), name, permissions: [...permissions].sort() },
        sites: siteCodes(desk, sites === 'all' ? 'all' : [...sites]),
        pending: principal.pending,
      });
    },
  });

/** Whoever is in a session has an account. */
async function own(db: Db, principal: Principal): Promise<Staff> {
  const found = await staffById(db, principal.id, true);
  if (!found) throw new Error('A session without an account');
  return found;
}

/** As many tries as at sign-in: a session that was left open is no way to guess. */
const passwordRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'post', path: '/me/password', tag, access: 'signed_in', whilePending: true },
    summary: 'Change the password; all other sessions end',
    write: { object: 'staff', commits: 'own_audit' },
    body: z.strictObject({ old: password, new: password }),
    example: { old: 'correct horse battery', new: 'another staple, quite long' },
    answers: { 204: null },
    problems: ['wrong_credentials', 'weak_password', 'locked_out'],
    async handler({ principal, body, now, remote, requestId }) {
      const { id: staffId, name: login, sessionId } = principal;
      const { pool, ids } = desk;
      const until = await transaction(pool, (c) => beginTry(c, 'login', login, now));
      if (until) return lockedOut(until, now);
      const staff = await staffById(pool, staffId);
      const isRight = await desk.passwords.matches(body.old, staff?.passwordHash ?? null);
      if (!isRight) return problem('wrong_credentials');
      const isSame = body.old.normalize('NFKC') === body.new.normalize('NFKC');
      const fault = isSame ? 'Is the old one.' : passwordFault(body.new, login);
      if (fault) return problem('weak_password', { detail: fault });
      const hash = await desk.passwords.hash(body.new);
      await transaction(pool, async (client) => {
        await forgiveTries(client, { login, address: remote });
        await setPassword(client, staffId, hash, false);
        await endSessions(client, staffId, { now, except: sessionId });
        await writeAudit(client, ids, {
          ...{ at: now, requestId, actor: principal.key, actorName: login, remote },
          ...{
            role: principal.role,
            route: 'POST /me/password',
            outcome: 'done',
            siteId: null,
            object: 'staff',
          },
          ...{ objectId: String(staffId), before: null, after: null, reason: null },
        });
      });
      return noContent;
    },
  });

const lockedOut = (until: Date, now: Date): Problem => {
  const waitS = Math.max(1, Math.ceil((until.getTime() - now.getTime()) / 1000));
  return problem('locked_out', { headers: { 'Retry-After': String(waitS) } });
};

const totpRoutes = (desk: Desk): Route[] => [
  route({
    ...{ method: 'post', path: '/me/totp', tag, access: 'signed_in', whilePending: true },
    summary: 'Begin to enrol the second factor; the secret is told this once',
    write: { object: 'staff', commits: 'here' },
    answers: { 201: z.strictObject({ secret: z.string(), uri: z.string() }) },
    problems: ['totp_enrolled'],
    async handler({ db, principal, note }) {
      const staff = await own(db, principal);
      if (staff.totpSince !== null) return problem('totp_enrolled');
      const secret = newTotpSecret();
      await setTotp(db, staff.id, desk.vault.seal(secret));
      note({ objectId: staff.id });
      return created({ secret, uri: totpUri(secret, staff.login) });
    },
  }),
  route({
    ...{ method: 'post', path: '/me/totp/confirmation', tag, access: 'signed_in' },
    summary: 'Confirm the second factor with a first code',
    whilePending: true,
    write: { object: 'staff', commits: 'here' },
    ...{ body: z.strictObject({ code }), example: { code: '123456' } },
    answers: { 204: null },
    problems: ['wrong_credentials', 'totp_enrolled', 'totp_not_begun'],
    async handler({ db, principal, body, now, note }) {
      const staff = await own(db, principal);
      if (staff.totpSince !== null) return problem('totp_enrolled');
      if (staff.totpSealed === null) return problem('totp_not_begun');
      const secret = desk.vault.open(staff.totpSealed) ?? '';
      const step = totpStep(body.code, secret, { now, lastStep: staff.totpStep });
      if (step === null || !(await takeTotpStep(db, staff.id, step, now))) {
        return problem('wrong_credentials');
      }
      note({ objectId: staff.id });
      return noContent;
    },
  }),
];

const sessionRoutes: Route[] = [
  route({
    ...{ method: 'get', path: '/me/sessions', tag, access: 'signed_in' },
    summary: 'Your open sessions',
    answers: { 200: z.strictObject({ items: z.array(session) }) },
    async handler({ db, principal, now }) {
      const items = await listSessions(db, principal.id, now);
      return ok({ items: items.map(sessionView(principal)) });
    },
  }),
  route({
    ...{ method: 'delete', path: '/me/sessions/{sessionId}', tag, access: 'signed_in' },
    summary: 'End one of your sessions',
    write: { object: 'session', commits: 'here' },
    ...{ params: z.strictObject({ sessionId: id }), answers: { 204: null } },
    async handler({ db, principal, params: { sessionId }, now, note }) {
      const ended = await endSession(db, { id: sessionId, staffId: principal.id, now });
      note({ objectId: sessionId });
      return ended ? noContent : problem('not_found');
    },
  }),
];
