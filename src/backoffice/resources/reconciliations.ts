/**
 * Reconciliation with the conditional-access systems: asked for, followed, read. A run goes over
 * all sites, so that it exists for who sees all of them; its differences are of the cards' sites.
 */
import { z } from 'zod';
import {
  type DifferenceRecord,
  type ForeignRecord,
  findDifferences,
  findForeign,
  findRuns,
  type RunRecord,
  runById,
  totalsOf,
} from '../../entitlement/reconciliation/report.ts';
import { askRun } from '../../entitlement/reconciliation/run-store.ts';
import { cardNumberText, id, pageOf, pageQuery, reason, siteCode } from '../api/fields.ts';
import { problem } from '../api/problems.ts';
import { created, ok, type Route, route } from '../api/route.ts';
import type { Principal } from '../people/principal.ts';
import { type Desk, sitesOf } from './desk.ts';
import {
  difference,
  differenceClass,
  differenceView,
  file,
  fileOf,
  foreign,
  foreignView,
  oneRun,
  run,
  runViews,
} from './reconciliation-view.ts';

const tag = 'Reconciliation';
const params = z.strictObject({ reconciliationId: id });
const ofRun = '/reconciliations/{reconciliationId}';
const casId = z.string().regex(/^[a-z][a-z0-9-]{0,15}$/);
/** Of one file. */
const FILE_ROWS_MAX = 10_000;

const read = { tag, access: 'reconciliation.read' } as const;
const seesAll = ({ sites }: Principal): boolean => sites === 'all';

/** The routes of reconciliation. */
export const reconciliationRoutes = (desk: Desk): Route[] => [
  listRoute(),
  startRoute(),
  oneRoute(),
  fileRoute(desk),
  foreignRoute(),
  differencesRoute(desk),
];

const listRoute = (): Route =>
  route({
    ...{ ...read, method: 'get', path: '/reconciliations', paged: true },
    summary: 'Comparisons with the conditional-access systems, the newest first',
    query: z.strictObject({ ...pageQuery, cas: casId.optional() }),
    answers: { 200: pageOf(run) },
    async handler({ db, principal, query, page, pageOf: answer }) {
      const wanted = { casId: query.cas ?? null, after: page.after, limit: page.fetch };
      const rows = seesAll(principal) ? await findRuns(db, wanted) : [];
      const keyOf = ({ askedAt: at, id: rowId }: RunRecord) => ({ at, id: rowId });
      return answer(rows, keyOf, runViews.run);
    },
  });

const startRoute = (): Route =>
  route({
    ...{ method: 'post', path: '/reconciliations', tag, access: 'reconciliation.start' },
    summary: 'Have a system compared, and put right unless `heal` is false',
    body: z.strictObject({ cas: casId, heal: z.boolean().default(true), reason }),
    example: { cas: 'vip-control', reason: 'after the outage of the night' },
    write: { object: 'reconciliation', commits: 'here' },
    ...{ answers: { 201: run }, problems: ['not_found', 'reconciliation_waiting'] },
    async handler({ db, principal, body, now, note }) {
      if (!seesAll(principal)) return problem('not_found');
      const { cas, heal } = body;
      const asked = await askRun(db, { casId: cas, heal, by: principal.key, at: now });
      if (!asked.ok) {
        const isUnknown = asked.error === 'unknown_system';
        return problem(isUnknown ? 'not_found' : 'reconciliation_waiting');
      }
      const made = await runById(db, asked.id);
      if (!made) throw new Error('The run was not written');
      const view = runViews.run(made);
      note({ objectId: made.id, reason: body.reason, after: view });
      return created(view, `/reconciliations/${made.id}`);
    },
  });

const oneRoute = (): Route =>
  route({
    ...{ ...read, method: 'get', path: ofRun, params, answers: { 200: oneRun } },
    summary: 'A comparison, with what differed by class and product, and what that is worth',
    async handler({ db, principal, params: { reconciliationId } }) {
      const found = seesAll(principal) ? await runById(db, reconciliationId) : null;
      if (!found) return problem('not_found');
      return ok(runViews.withTotals(found, await totalsOf(db, found.id)));
    },
  });

const fileRoute = (desk: Desk): Route =>
  route({
    ...{ ...read, method: 'get', path: `${ofRun}/file`, params, answers: { 200: file } },
    ...{ summary: 'What a comparison found, as separated values with their SHA-256' },
    problems: ['reconciliation_waiting'],
    async handler({ db, principal, params: { reconciliationId } }) {
      const found = seesAll(principal) ? await runById(db, reconciliationId) : null;
      if (!found) return problem('not_found');
      if (!found.end) return problem('reconciliation_waiting');
      const rows = await findDifferences(db, {
        ...{ sites: null, runId: found.id, class: null, product: null, card: null, isOpen: null },
        ...{ after: null, limit: FILE_ROWS_MAX + 1 },
      });
      return ok(fileOf(desk, rows, FILE_ROWS_MAX));
    },
  });

const foreignRoute = (): Route =>
  route({
    ...{ ...read, method: 'get', path: `${ofRun}/foreign-commands`, params, paged: true },
    summary: 'What the system did, by its own log, that nobody ordered here; the newest first',
    ...{ query: z.strictObject(pageQuery), answers: { 200: pageOf(foreign) } },
    async handler({ db, principal, params: { reconciliationId }, page, pageOf: answer }) {
      const found = seesAll(principal) ? await runById(db, reconciliationId) : null;
      if (!found) return problem('not_found');
      const rows = await findForeign(db, found.id, { after: page.after, limit: page.fetch });
      const keyOf = ({ at, id: rowId }: ForeignRecord) => ({ at, id: rowId });
      return answer(rows, keyOf, foreignView);
    },
  });

const differencesRoute = (desk: Desk): Route =>
  route({
    ...{ ...read, method: 'get', path: '/reconciliation-differences', paged: true },
    summary: 'Cards that a conditional-access system holds otherwise than wanted, the newest first',
    query: z.strictObject({
      ...pageQuery,
      site: siteCode.optional(),
      reconciliationId: id.optional(),
      class: differenceClass.optional(),
      product: z.string().max(200).optional(),
      card: cardNumberText.optional(),
      open: z.enum(['true', 'false']).optional(),
    }),
    answers: { 200: pageOf(difference) },
    async handler({ db, principal, query, page, pageOf: answer }) {
      const rows = await findDifferences(db, {
        sites: sitesOf(desk, principal, query.site),
        runId: query.reconciliationId ?? null,
        ...{ class: query.class ?? null, product: query.product ?? null },
        ...{ card: query.card ?? null, after: page.after, limit: page.fetch },
        isOpen: query.open === undefined ? null : query.open === 'true',
      });
      const keyOf = ({ foundAt: at, id: rowId }: DifferenceRecord) => ({ at, id: rowId });
      return answer(rows, keyOf, differenceView(desk));
    },
  });
