/** Outages: opened and closed by technical staff; what they cost in free days; giving those. */
import { z } from 'zod';
import type { Catalogue, Site } from '../../billing/catalogue/rules.ts';
import {
  beginGiving,
  closeOutage,
  daysOf,
  findOutages,
  type GivingDeps,
  giveDue,
  giveSome,
  incidentOf,
  type Outage,
  openOutage,
  outageById,
  previewOutage,
} from '../../billing/incidents/outages.ts';
import { countGiven } from '../../billing/incidents/reach.ts';
import {
  id,
  idText,
  instant,
  instantIn,
  money,
  moneyOf,
  pageOf,
  pageQuery,
  reason,
  siteCode,
  text,
} from '../api/fields.ts';
import { invalidField, type Problem, problem } from '../api/problems.ts';
import { created, ok, type Route, route } from '../api/route.ts';
import type { Act } from '../people/approvals.ts';
import { type Principal, siteFilter } from '../people/principal.ts';
import type { Db } from '../people/staff-store.ts';
import { type ActDeps, doOrAsk } from './act.ts';
import { approval } from './approval-view.ts';
import { codeOf, type Desk, siteByCode, sitesOf, tillOf } from './desk.ts';
import { cost, costView, needsSecond } from './incidents.ts';

export const OUTAGE_DAYS = 'outage.free_days';

/** Pages of cards that are given to while the caller waits; the others follow by themselves. */
const PAGES_AT_ONCE = 2;
/** Pages of each outage in one round of what is done by itself. */
const PAGES_A_ROUND = 20;

const params = z.strictObject({ outageId: id });
const tag = 'Outages';
const outagePath = '/outages/{outageId}';
const stateName = z.enum(['open', 'closed', 'giving', 'given']);

const outage = z
  .strictObject({
    id: idText,
    site: siteCode,
    product: z.string().nullable(),
    region: z.string().nullable(),
    reason: z.string(),
    from: instant,
    to: instant.nullable(),
    /** Of `given` every card has its days that is to have them; `giving` goes on by itself. */
    state: stateName,
    openedAt: instant,
    /** For each card; null: not decided. */
    days: z.int().nullable(),
    /** At list price, as it was shown before the decision. */
    cost: money.nullable(),
  })
  .meta({ id: 'Outage' });

const daysInput = z.strictObject({
  outageId: z.string().transform(BigInt),
  days: z.int(),
  cost: z.string().transform(BigInt),
});

export type OutageDeps = ActDeps & Pick<Desk, 'pool' | 'logger'> & { catalogue(): Catalogue };

const givingOf = (deps: Omit<OutageDeps, 'clock'>): GivingDeps => ({ ...deps, channelOf: tillOf });

/** The act: what is decided is written first, so that any process can go on giving. */
export const createOutageDays = (deps: OutageDeps): Act => ({
  permission: 'gift.approve',
  async execute(input, key) {
    const { outageId, days, cost: shown } = daysInput.parse(input);
    const at = deps.clock.now();
    const isMine = await beginGiving(deps.pool, outageId, { key, days, cost: shown, at });
    if (!isMine) return { kind: 'refused', code: 'outage_not_closed' };
    await giveSome(givingOf(deps), outageId, at, PAGES_AT_ONCE);
    const found = await outageById(deps.pool, outageId, null);
    const cards = await countGiven(deps.pool, incidentOf({ id: outageId }), null);
    return { kind: 'done', result: { days, cards, isDone: found?.state === 'given' } };
  },
});

/** What is left to give, some pages of each outage. */
export const giveOutagesDue = (desk: Desk): Promise<void> =>
  giveDue(givingOf(desk), desk.clock.now(), PAGES_A_ROUND);

/** The routes of outages. */
export const outageRoutes = (desk: Desk): Route[] => [
  listRoute(desk),
  oneRoute(desk),
  openRoute(desk),
  closeRoute(desk),
  costRoute(desk),
  giveRoute(desk),
];

const viewOf = (desk: Pick<Desk, 'catalogue'>) => (record: Outage) => ({
  id: record.id.toString(),
  site: codeOf(desk, record.siteId),
  ...{ product: record.product, region: record.region, reason: record.reason },
  from: record.from.toISOString(),
  to: record.to?.toISOString() ?? null,
  ...{ state: record.state, openedAt: record.openedAt.toISOString(), days: record.days },
  cost: record.cost === null ? null : moneyOf(record.cost, currencyOf(desk, record)),
});

const currencyOf = (desk: Pick<Desk, 'catalogue'>, { siteId }: Outage): string =>
  desk.catalogue().sites.get(siteId)?.currency ?? '';

const listRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'get', path: '/outages', tag, access: 'outage.read', paged: true },
    summary: 'Outages, the newest first',
    query: z.strictObject({
      ...pageQuery,
      site: siteCode.optional(),
      state: stateName.optional(),
    }),
    answers: { 200: pageOf(outage) },
    async handler({ db, principal, query, page, pageOf: answer }) {
      const wanted = { sites: sitesOf(desk, principal, query.site), state: query.state ?? null };
      const rows = await findOutages(db, { ...wanted, after: page.after, limit: page.fetch });
      const keyOf = ({ openedAt: at, id: rowId }: Outage) => ({ at, id: rowId });
      return answer(rows, keyOf, viewOf(desk));
    },
  });

const oneRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'get', path: outagePath, tag, access: 'outage.read', params },
    ...{ summary: 'An outage', answers: { 200: outage } },
    async handler({ db, principal, params: { outageId } }) {
      const found = await outageById(db, outageId, siteFilter(principal));
      return found ? ok(viewOf(desk)(found)) : problem('not_found');
    },
  });

const openRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'post', path: '/sites/{site}/outages', tag, access: 'outage.write' },
    summary: 'Say that an outage has begun: of the whole site, or of one product',
    ...{ params: z.strictObject({ site: siteCode }), answers: { 201: outage } },
    body: z.strictObject({
      product: text(40).nullable().default(null),
      /** A transmitter or a region, for people to read. */
      region: text(120).nullable().default(null),
      from: instantIn,
      reason,
    }),
    example: { region: 'Hill', from: '2026-11-22T18:00:00Z', reason: 'no power at the mast' },
    ...{ write: { object: 'outage', commits: 'here' }, problems: ['outage_order'] },
    async handler(call) {
      const { db, principal, body, now } = call;
      const site = siteByCode(desk, principal, call.params.site);
      if (!site) return problem('not_found');
      if (body.product !== null && !isSold(desk, site, body.product)) return UNKNOWN_PRODUCT;
      if (body.from.getTime() > now.getTime()) return problem('outage_order');
      const said = { ...body, siteId: site.id, by: principal.key, at: now };
      const made = await openOutage(db, desk.ids, said);
      const view = viewOf(desk)(made);
      call.note({ siteId: site.id, objectId: made.id, after: view, reason: body.reason });
      return created(view, `/outages/${made.id}`);
    },
  });

const isSold = (desk: Desk, site: Site, product: string): boolean =>
  [...desk.catalogue().bouquets.values()].some(
    (one) => one.siteId === site.id && one.products.includes(product),
  );

const UNKNOWN_PRODUCT = invalidField('product', 'unknown', 'Not sold here');

const closeRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'post', path: `${outagePath}/closures`, tag, access: 'outage.write', params },
    summary: 'Say when an outage ended; free days are given when somebody decides it',
    ...{ body: z.strictObject({ to: instantIn, reason }), answers: { 200: outage } },
    example: { to: '2026-11-23T06:00:00Z', reason: 'the power is back' },
    write: { object: 'outage', commits: 'here' },
    problems: ['outage_closed', 'outage_order'],
    async handler(call) {
      const { db, principal, body, now } = call;
      const found = await outageById(db, call.params.outageId, siteFilter(principal));
      if (!found) return problem('not_found');
      const { to } = body;
      const isInOrder = found.from.getTime() < to.getTime() && to.getTime() <= now.getTime();
      if (!isInOrder) return problem('outage_order');
      const made = await closeOutage(db, found.id, { to, by: principal.key, at: now });
      if (!made) return problem('outage_closed');
      const view = viewOf(desk)(made);
      call.note({ siteId: made.siteId, before: viewOf(desk)(found), after: view });
      call.note({ reason: body.reason });
      return ok(view);
    },
  });

interface Wanted {
  found: Outage;
  site: Site;
  days: number;
}

/** A closed outage with the days it gives, or why there are none. */
async function toGive(
  desk: Desk,
  { db, principal }: { db: Db; principal: Principal },
  outageId: bigint,
): Promise<Wanted | Problem> {
  const found = await outageById(db, outageId, siteFilter(principal));
  const site = found && desk.catalogue().sites.get(found.siteId);
  if (!found || !site) return problem('not_found');
  if (found.state !== 'closed') return problem('outage_not_closed');
  const days = daysOf(found, site);
  return days > 0 ? { found, site, days } : problem('outage_too_short');
}

const costRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'get', path: `${outagePath}/free-days-cost`, tag, access: 'incident.give' },
    summary: 'What the free days after an outage would come to, at list price',
    ...{ params, answers: { 200: cost } },
    problems: ['outage_not_closed', 'outage_too_short', 'too_many_cards'],
    async handler(call) {
      const wanted = await toGive(desk, call, call.params.outageId);
      if ('problem' in wanted) return wanted;
      const { found, site, days } = wanted;
      const asking = { site, catalogue: desk.catalogue(), at: call.now, days };
      const shown = await previewOutage(desk.pool, found, asking);
      return shown ? ok(costView(desk, site, days, shown)) : problem('too_many_cards');
    },
  });

const giveRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'post', path: `${outagePath}/free-days`, tag, access: 'incident.give', params },
    summary: 'Give the free days of an outage, each card once; above the limits two decide',
    ...{ body: z.strictObject({ reason }), example: { reason: 'dark for a night' } },
    write: { object: 'outage', commits: 'itself' },
    answers: {
      201: z.strictObject({ days: z.int(), cards: z.int(), isDone: z.boolean() }),
      202: approval,
    },
    problems: [
      ...(['outage_not_closed', 'outage_too_short', 'nobody_to_give_to'] as const),
      ...(['too_many_cards', 'unavailable'] as const),
    ],
    async handler(call) {
      const { body, now, params: given } = call;
      const wanted = await toGive(desk, call, given.outageId);
      if ('problem' in wanted) return wanted;
      const { found, site, days } = wanted;
      call.note({ siteId: site.id, reason: body.reason });
      const asking = { site, catalogue: desk.catalogue(), at: now, days };
      const shown = await previewOutage(desk.pool, found, asking);
      if (!shown) return problem('too_many_cards');
      if (shown.cards.length === 0) return problem('nobody_to_give_to');
      // Its state lets it be given once; who asks again after a refusal asks anew.
      const key = { ...call, receipt: `outage:${found.id}:${call.requestId}` };
      return doOrAsk(desk, key, {
        ...{ act: OUTAGE_DAYS, siteId: site.id, reason: body.reason },
        input: { outageId: found.id.toString(), days, cost: shown.cost.toString() },
        subject: `${days} free days for ${shown.cards.length} cards: ${found.reason}`,
        amount: { minor: shown.cost, asset: site.currency },
        needsSecond: needsSecond(desk, site, days, shown),
      });
    },
  });
