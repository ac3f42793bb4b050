/** Time that can be moved: the house's, and that of single subscribers; in a demo alone. */
import { z } from 'zod';
import { ADVANCE_DAYS_MAX, type TestClock } from '../../billing/test-clocks/service.ts';
import { instantAfter } from '../../platform/duration.ts';
import { subscriberById } from '../../registry/desk.ts';
import { id, idText, instant, instantIn, siteCode, text } from '../api/fields.ts';
import { invalidField, type Problem, type ProblemCode, problem } from '../api/problems.ts';
import { created, ok, type Route, route } from '../api/route.ts';
import { type Principal, seesSite, siteFilter } from '../people/principal.ts';
import { advanceBody, advanceView } from './clock-view.ts';
import type { DemoClocks } from './demo-clocks.ts';
import { codeOf, type Desk, siteByCode } from './desk.ts';

const tag = 'Test clocks';
const DAY_MS = 86_400_000;

/** One of the two: by how much, or to when. */
const move = z
  .strictObject({
    advance: text(40).optional().meta({ description: 'ISO 8601: P1D, PT3H, P1M.' }),
    to: instantIn.optional(),
  })
  .refine(({ advance, to }) => (advance === undefined) !== (to === undefined), 'Exactly one of two')
  .meta({ id: 'ClockMove' });

/** Where it leads, or what is wrong with it. */
function aimOf(from: Date, { advance, to }: z.output<typeof move>): Date | Problem {
  const aim = to ?? instantAfter(from, advance ?? '');
  if (!aim) return invalidField('advance', 'not_a_duration', 'As P1D or PT3H');
  const aheadMs = aim.getTime() - from.getTime();
  return aheadMs > 0 && aheadMs <= ADVANCE_DAYS_MAX * DAY_MS ? aim : problem('clock_backwards');
}

const houseClock = z
  .strictObject({
    now: instant,
    aheadSeconds: z.int().meta({ description: 'How far ahead of the machine’s time.' }),
  })
  .meta({ id: 'HouseClock' });

const testClock = z
  .strictObject({ id: idText, site: siteCode, at: instant, subscribers: z.array(idText) })
  .meta({ id: 'TestClock' });

const clockView =
  (desk: Pick<Desk, 'catalogue'>) =>
  (clock: TestClock): z.output<typeof testClock> => ({
    id: clock.id.toString(),
    site: codeOf(desk, clock.siteId),
    at: clock.at.toISOString(),
    subscribers: clock.subscriberIds.map(String),
  });

/** The routes of a demo's time. */
export const clockRoutes = (desk: Desk, clocks: DemoClocks): Route[] => [
  ...houseRoutes(desk, clocks),
  makeRoute(desk, clocks),
  readRoute(desk, clocks),
  attachRoute(desk, clocks),
  advanceRoute(desk, clocks),
];

const OF_ALL_SITES: Problem = problem('forbidden', { detail: 'The time is that of all sites.' });

function houseRoutes({ machineClock }: Desk, { house }: DemoClocks): Route[] {
  const view = () => {
    const now = house.now();
    const aheadMs = now.getTime() - machineClock.now().getTime();
    return { now: now.toISOString(), aheadSeconds: Math.round(aheadMs / 1000) };
  };
  return [
    route({
      ...{ method: 'get', path: '/demo/clock', tag, access: 'clock.read' },
      ...{ summary: 'The time of the demo', answers: { 200: houseClock } },
      handler: async () => ok(view()),
    }),
    route({
      ...{ method: 'post', path: '/demo/clock', tag, access: 'clock.move' },
      summary: 'Move the whole demo on; what is due on the way is done, day by day',
      write: { object: 'demo_clock', commits: 'itself' },
      ...{ body: move, example: { advance: 'P1D' }, answers: { 200: houseClock } },
      problems: ['clock_backwards'],
      async handler({ body, principal, note }) {
        if (principal.sites !== 'all') return OF_ALL_SITES;
        const aim = aimOf(house.now(), body);
        if ('problem' in aim) return aim;
        note({ before: view() });
        await house.moveTo(aim);
        note({ after: view() });
        return ok(view());
      },
    }),
  ];
}

const makeRoute = (desk: Desk, { tests }: DemoClocks): Route =>
  route({
    ...{ method: 'post', path: '/test-clocks', tag, access: 'clock.move' },
    summary: 'Make a clock for subscribers of a site, who then live by it alone',
    write: { object: 'test_clock', commits: 'itself' },
    body: z.strictObject({ site: siteCode, at: instantIn }),
    example: { site: 'NBO', at: '2027-01-01T09:00:00Z' },
    answers: { 201: testClock },
    async handler({ body, principal, note }) {
      const site = siteByCode(desk, principal, body.site);
      if (!site) return invalidField('site', 'unknown', 'Not known here');
      const made = await tests.make({ siteId: site.id, at: body.at, by: principal.key });
      note({ objectId: made.id, siteId: site.id, after: { at: body.at } });
      return created(clockView(desk)(made), `/test-clocks/${made.id}`);
    },
  });

const params = z.strictObject({ testClockId: id });

/** A clock at a site that the principal sees. */
async function seen(
  { tests }: DemoClocks,
  principal: Principal,
  clockId: bigint,
): Promise<TestClock | null> {
  const clock = await tests.read(clockId);
  return clock && seesSite(principal, clock.siteId) ? clock : null;
}

const readRoute = (desk: Desk, clocks: DemoClocks): Route =>
  route({
    ...{ method: 'get', path: '/test-clocks/{testClockId}', tag, access: 'clock.read' },
    ...{ summary: 'A test clock', params, answers: { 200: testClock } },
    async handler({ principal, params: { testClockId } }) {
      const clock = await seen(clocks, principal, testClockId);
      return clock ? ok(clockView(desk)(clock)) : problem('not_found');
    },
  });

const attachRoute = (desk: Desk, clocks: DemoClocks): Route =>
  route({
    ...{ method: 'post', path: '/subscribers/{subscriberId}/test-clock', tag },
    access: 'clock.move',
    summary: 'Have a subscriber of whom nothing has a date yet live by a clock',
    write: { object: 'subscriber', commits: 'itself' },
    params: z.strictObject({ subscriberId: id }),
    body: z.strictObject({ testClockId: id }),
    ...{ example: { testClockId: '1' }, answers: { 200: testClock } },
    problems: ['not_fresh'],
    async handler({ db, body, principal, params: { subscriberId }, note }) {
      const owner = await subscriberById(db, subscriberId, { sites: siteFilter(principal) });
      const clock = await seen(clocks, principal, body.testClockId);
      if (!owner || !clock) return problem('not_found');
      note({ siteId: owner.siteId, after: { testClock: clock.id } });
      if (!(await clocks.tests.attach(subscriberId, clock))) return problem('not_fresh');
      const after = await clocks.tests.read(clock.id);
      return ok(clockView(desk)(after ?? clock));
    },
  });

const REFUSED = {
  not_found: 'not_found',
  backwards: 'clock_backwards',
  busy: 'clock_busy',
} as const satisfies Record<string, ProblemCode>;

const advanceRoute = (desk: Desk, clocks: DemoClocks): Route =>
  route({
    ...{ method: 'post', path: '/test-clocks/{testClockId}/advances', tag },
    access: 'clock.move',
    summary: 'Move a clock on; all that is due for its subscribers is done, each at its instant',
    write: { object: 'test_clock', commits: 'itself' },
    ...{ params, body: move, example: { advance: 'P1M' } },
    answers: { 200: advanceBody(testClock) },
    problems: ['clock_backwards', 'clock_busy'],
    async handler({ body, principal, params: { testClockId }, note }) {
      const clock = await seen(clocks, principal, testClockId);
      if (!clock) return problem('not_found');
      const aim = aimOf(clock.at, body);
      if ('problem' in aim) return aim;
      note({ siteId: clock.siteId, before: { at: clock.at } });
      const done = await clocks.tests.advance(testClockId, aim);
      if (!done.ok) return problem(REFUSED[done.error]);
      note({ after: { at: done.advance.clock.at } });
      const isThere = done.advance.clock.at.getTime() === aim.getTime();
      const view = advanceView(done.advance, desk.catalogue().sites.get(clock.siteId));
      return ok({ clock: clockView(desk)(done.advance.clock), isThere, ...view });
    },
  });
