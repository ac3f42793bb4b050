/** Who does not pay, what follows, and what staff decide about it. */
import { z } from 'zod';
import type { Site } from '../../billing/catalogue/rules.ts';
import type { FlagAct, PromiseAct } from '../../billing/dunning/acts.ts';
import { dayOfInstant } from '../../platform/day.ts';
import { subscriberById } from '../../registry/desk.ts';
import { dayIn, id, minorOf, moneyIn, pageOf, pageQuery, reason, siteCode } from '../api/fields.ts';
import { invalidField, type Problem, problem } from '../api/problems.ts';
import { type Call, created, noContent, ok, type Route, route } from '../api/route.ts';
import { siteFilter } from '../people/principal.ts';
import { codeOf, type Desk, sitesOf } from './desk.ts';
import { findHolds, flagsOf, type HoldRecord, promisesOf } from './dunning-store.ts';
import {
  debtor,
  dunning,
  flag,
  flagView,
  hold,
  holdView,
  promise,
  promiseView,
  standingView,
} from './dunning-view.ts';

const params = z.strictObject({ subscriberId: id });
const path = '/subscribers/{subscriberId}/dunning';
const tag = 'Dunning';

/** The routes of dunning. */
export const dunningRoutes = (desk: Desk): Route[] => [
  debtorsRoute(desk),
  holdsRoute(desk),
  lookRoute(desk),
  flagRoute(desk),
  liftRoute(desk),
  promiseRoute(desk),
];

/** Debtors are listed by id: no instant orders them. */
const NO_TIME = new Date(0);

const debtorsRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'get', path: '/dunning', tag, access: 'dunning.read', paged: true },
    summary: 'Who owes, and in which state they are; oldest subscribers first',
    query: z.strictObject({ ...pageQuery, site: siteCode.optional() }),
    answers: { 200: pageOf(debtor) },
    async handler({ principal, query, page, now, pageOf: answer }) {
      const sites = desk.catalogue().sites;
      const siteIds = sitesOf(desk, principal, query.site) ?? [...sites.keys()];
      const after = page.after?.id ?? 0n;
      const found: { id: bigint; site: Site }[] = [];
      for (const siteId of siteIds) {
        const site = sites.get(siteId);
        if (!site) continue;
        const ids = await desk.dunning.debtors({ siteId, after, limit: page.fetch });
        found.push(...ids.map((one) => ({ id: one, site })));
      }
      found.sort((a, b) => (a.id < b.id ? -1 : 1));
      const rows = found.slice(0, page.fetch);
      const stands = await desk.dunning.look(rows.map((row) => row.id));
      return answer(
        rows.flatMap((row) => {
          const own = stands.get(row.id);
          return own ? [{ ...row, own }] : [];
        }),
        (row) => ({ at: NO_TIME, id: row.id }),
        (row) => standingView(row.id, row.site, row.own, now),
      );
    },
  });

const holdsRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'get', path: '/dunning/holds', tag, access: 'dunning.read', paged: true },
    summary: 'What was taken from whom, and what came back; the newest first',
    query: z.strictObject({
      ...{ ...pageQuery, site: siteCode.optional(), subscriberId: id.optional() },
      level: z.enum(['walled', 'stopped', 'ended']).optional(),
      open: z.enum(['true', 'false']).optional(),
    }),
    answers: { 200: pageOf(hold) },
    async handler({ db, principal, query, page, pageOf: answer }) {
      const rows = await findHolds(db, {
        ...{ sites: sitesOf(desk, principal, query.site), level: query.level ?? null },
        subscriberId: query.subscriberId ?? null,
        isOpen: query.open === undefined ? null : query.open === 'true',
        ...{ after: page.after, limit: page.fetch },
      });
      const keyOf = ({ fromAt: at, id: rowId }: HoldRecord) => ({ at, id: rowId });
      return answer(rows, keyOf, (row) => ({ ...holdView(row), site: codeOf(desk, row.siteId) }));
    },
  });

/** Holds that a look shows beside the state. */
const HOLDS_SHOWN = 20;

const lookRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'get', path, tag, access: 'dunning.read', params },
    summary: 'How a subscriber stands: what is owed, what follows, and what was decided',
    answers: { 200: dunning },
    async handler({ db, principal, params: { subscriberId }, now }) {
      const site = await siteOf(desk, { db, principal }, subscriberId);
      const stands = site && (await desk.dunning.look([subscriberId])).get(subscriberId);
      if (!stands) return problem('not_found');
      const all = { sites: null, level: null, isOpen: null, after: null, limit: HOLDS_SHOWN };
      const holds = await findHolds(db, { ...all, subscriberId });
      return ok({
        ...standingView(subscriberId, site, stands, now),
        flags: (await flagsOf(db, subscriberId)).map(flagView),
        promises: (await promisesOf(db, subscriberId)).map((one) => promiseView(one, site)),
        holds: holds.map((one) => ({ ...holdView(one), site: site.code })),
      });
    },
  });

type Asked = Pick<Call<unknown, unknown, unknown>, 'db' | 'principal'>;

/** The site of a subscriber whom the caller sees. */
async function siteOf(
  desk: Desk,
  { db, principal }: Asked,
  subscriberId: bigint,
): Promise<Site | null> {
  const found = await subscriberById(db, subscriberId, { sites: siteFilter(principal) });
  return (found && desk.catalogue().sites.get(found.siteId)) ?? null;
}

const wrong = (field: string, message: string): Problem =>
  invalidField(field, 'out_of_range', message);

const flagRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'post', path: `${path}/flags`, tag, access: 'dunning.flag', params },
    summary: 'Keep the picture of a subscriber whatever is owed, or take it until a day',
    write: { object: 'subscriber', commits: 'itself' },
    body: z.strictObject({
      kind: z.enum(['do_not_cut', 'block']),
      reason,
      /** Left out: today. */
      from: dayIn.optional(),
      /** The first day without; a block needs one. */
      until: dayIn.nullable().default(null),
    }),
    example: { kind: 'do_not_cut', reason: 'hospital', until: '2099-01-01' },
    answers: { 201: flag },
    async handler(call) {
      const { principal, body, params: given, now, note } = call;
      const { subscriberId } = given;
      const site = await siteOf(desk, call, subscriberId);
      if (!site) return problem('not_found');
      note({ siteId: site.id, reason: body.reason, after: { ...body } });
      if (body.kind === 'block' && body.until === null) {
        return wrong('until', 'A block needs an end');
      }
      const from = body.from ?? dayOfInstant(now, site.timeZone);
      const act: FlagAct = { ...body, from, subscriberId, by: principal.key };
      const done = await desk.dunning.flag(act);
      if (!done.ok) {
        return done.error === 'bad_dates'
          ? wrong('until', 'Before today, or before it begins')
          : problem('not_found');
      }
      const all = await flagsOf(desk.pool, subscriberId);
      const made = all.find((one) => one.id === done.id);
      if (!made) throw new Error('The flag is not there');
      return created(flagView(made));
    },
  });

const liftRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'post', path: `${path}/flags/{flagId}/liftings`, tag, access: 'dunning.flag' },
    summary: 'End a flag today',
    params: z.strictObject({ subscriberId: id, flagId: id }),
    write: { object: 'subscriber', commits: 'itself' },
    body: z.strictObject({ why: reason }),
    ...{ example: { why: 'out of hospital' }, answers: { 204: null } },
    problems: ['already_lifted'],
    async handler(call) {
      const { subscriberId, flagId } = call.params;
      const site = await siteOf(desk, call, subscriberId);
      const flags = site ? await flagsOf(call.db, subscriberId) : [];
      if (!site || !flags.some((one) => one.id === flagId)) return problem('not_found');
      call.note({ siteId: site.id, reason: call.body.why, before: { flagId } });
      const done = await desk.dunning.liftFlag({ id: flagId, by: call.principal.key });
      if (done.ok) return noContent;
      return problem(done.error === 'already_lifted' ? 'already_lifted' : 'not_found');
    },
  });

const promiseRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'post', path: `${path}/promises`, tag, access: 'dunning.promise', params },
    summary: 'Note that a subscriber promises to pay; nothing goes further until that day',
    write: { object: 'subscriber', commits: 'itself' },
    body: z.strictObject({ amount: moneyIn, dueOn: dayIn, reason }),
    example: {
      ...{ amount: { amount: '650.00', currency: 'KES' }, dueOn: '2026-12-01' },
      reason: 'salary comes on Friday',
    },
    answers: { 201: promise },
    problems: ['nothing_owed', 'promise_running', 'too_many_promises'],
    async handler(call) {
      const { principal, body, params: given, note } = call;
      const { subscriberId } = given;
      const site = await siteOf(desk, call, subscriberId);
      if (!site) return problem('not_found');
      note({ siteId: site.id, reason: body.reason, after: { ...body } });
      const amount = minorOf(body.amount, site.currency);
      if (!amount.ok) return problem('invalid_body', { fields: [amount.fault] });
      const act: PromiseAct = {
        ...{ subscriberId, amount: amount.minor, dueOn: body.dueOn, by: principal.key },
      };
      const done = await desk.dunning.promise(act);
      if (!done.ok) return promiseProblem(done.error);
      const all = await promisesOf(desk.pool, subscriberId);
      const made = all.find((one) => one.id === done.id);
      if (!made) throw new Error('The promise is not there');
      return created(promiseView(made, site));
    },
  });

type PromiseError = Extract<
  Awaited<ReturnType<Desk['dunning']['promise']>>,
  { ok: false }
>['error'];

function promiseProblem(error: PromiseError): Problem {
  switch (error) {
    case 'unknown_subscriber':
      return problem('not_found');
    case 'amount_out_of_range':
      return wrong('amount.amount', 'More than is owed');
    case 'date_out_of_range':
      return wrong('dueOn', 'Past, or later than the site takes promises for');
    default:
      return problem(error);
  }
}
