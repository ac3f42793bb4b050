/** Suspending a card with reason and end, and giving the picture back. */
import { z } from 'zod';
import { STAFF_REASONS } from '../../entitlement/picture/desk.ts';
import {
  cardNumberText,
  id,
  idText,
  instant,
  instantIn,
  pageOf,
  pageQuery,
  reason,
  siteCode,
} from '../api/fields.ts';
import { invalidField, problem } from '../api/problems.ts';
import { created, noContent, type Route, route } from '../api/route.ts';
import { writeAudit } from '../people/audit.ts';
import { siteFilter } from '../people/principal.ts';
import { cardById } from './card-store.ts';
import { codeOf, type Desk, sitesOf } from './desk.ts';
import {
  dueResumptions,
  findSuspensions,
  markResumed,
  planResumption,
  type SuspensionRecord,
} from './suspension-store.ts';

const suspension = z
  .strictObject({
    id: idText,
    cardId: idText,
    number: cardNumberText,
    site: siteCode,
    reason: z.string(),
    suspendedAt: instant,
    suspendedBy: z.string(),
    resumeAt: instant.nullable(),
    resumedAt: instant.nullable(),
    resumedBy: z.string().nullable(),
  })
  .meta({ id: 'Suspension' });

const params = z.strictObject({ cardId: id });
const tag = 'Suspensions';

/** The routes of suspensions. */
export const suspensionRoutes = (desk: Desk): Route[] => [
  listRoute(desk),
  suspendRoute(desk),
  resumeRoute(desk),
];

const viewOf = (desk: Desk) => (record: SuspensionRecord) => ({
  id: record.id.toString(),
  cardId: record.cardId.toString(),
  number: record.number,
  site: codeOf(desk, record.siteId),
  reason: record.reason,
  suspendedAt: record.suspendedAt.toISOString(),
  suspendedBy: record.suspendedBy,
  resumeAt: record.resumeAt?.toISOString() ?? null,
  resumedAt: record.resumedAt?.toISOString() ?? null,
  resumedBy: record.resumedBy,
});

const listRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'get', path: '/suspensions', tag, access: 'card.read', paged: true },
    summary: 'Suspensions, the newest first',
    query: z.strictObject({
      ...pageQuery,
      site: siteCode.optional(),
      cardId: id.optional(),
      open: z.enum(['true', 'false']).optional(),
    }),
    answers: { 200: pageOf(suspension) },
    async handler({ db, principal, query, page, pageOf: answer }) {
      const rows = await findSuspensions(db, {
        sites: sitesOf(desk, principal, query.site),
        cardId: query.cardId ?? null,
        isOpen: query.open === undefined ? null : query.open === 'true',
        after: page.after,
        limit: page.fetch,
      });
      const keyOf = ({ suspendedAt: at, id: rowId }: SuspensionRecord) => ({ at, id: rowId });
      return answer(rows, keyOf, viewOf(desk));
    },
  });

const suspendRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'post', path: '/cards/{cardId}/suspensions', tag, access: 'card.suspend', params },
    summary: 'Take the picture of a card away, until a time or until it is given back',
    write: { object: 'card', commits: 'itself' },
    body: z.strictObject({
      reason: z.enum(STAFF_REASONS),
      why: reason,
      until: instantIn.optional(),
    }),
    example: { reason: 'vacation', why: 'away until Christmas' },
    ...{ answers: { 201: suspension }, problems: ['already_suspended'] },
    async handler(call) {
      const { db, principal, body, params: given } = call;
      const { cardId } = given;
      const found = await cardById(db, cardId, siteFilter(principal));
      if (!found) return problem('not_found');
      call.note({ siteId: found.siteId, reason: body.why, after: { ...body } });
      if (body.until && body.until.getTime() <= call.now.getTime()) {
        return invalidField('until', 'past', 'Not in the future');
      }
      const by = principal.key;
      const done = await desk.suspensions.suspendCard({ cardId, reason: body.reason, by });
      if (!done.ok) return problem(done.error === 'unknown_card' ? 'not_found' : done.error);
      if (body.until) await planResumption(db, cardId, body.until);
      const open = { sites: null, cardId, isOpen: true, after: null, limit: 1 };
      const [record] = await findSuspensions(db, open);
      if (!record) throw new Error('The suspension is not there');
      return created(viewOf(desk)(record));
    },
  });

const resumeRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'post', path: '/cards/{cardId}/resumptions', tag, access: 'card.suspend', params },
    summary: 'Give the picture of a suspended card back',
    write: { object: 'card', commits: 'itself' },
    body: z.strictObject({ why: reason }),
    ...{ example: { why: 'back from vacation' }, answers: { 204: null } },
    problems: ['not_suspended'],
    async handler({ db, principal, params: { cardId }, body, note }) {
      const found = await cardById(db, cardId, siteFilter(principal));
      if (!found) return problem('not_found');
      note({ siteId: found.siteId, reason: body.why });
      const done = await desk.suspensions.resumeCard({ cardId, by: principal.key });
      if (!done.ok) return problem(done.error === 'unknown_card' ? 'not_found' : done.error);
      return noContent;
    },
  });

const DUE_MAX = 100;

/** Gives back what was suspended until now. Returns how many. */
export async function resumeDue(desk: Desk): Promise<number> {
  const now = desk.clock.now();
  const due = await dueResumptions(desk.pool, now, DUE_MAX);
  for (const { suspensionId, cardId, isOpen } of due) {
    if (isOpen) {
      await writeAudit(desk.pool, desk.ids, {
        ...{ at: now, requestId: `suspension:${suspensionId}`, actor: 'system' },
        ...{ actorName: 'system', role: 'system', remote: '', route: 'resume' },
        ...{ outcome: 'asked', siteId: null, object: 'card', objectId: String(cardId) },
        ...{ before: null, after: null },
        reason: 'the planned end of the suspension',
      });
      await desk.suspensions.resumeCard({ cardId, by: 'system' });
    }
    await markResumed(desk.pool, suspensionId, now);
  }
  return due.length;
}
