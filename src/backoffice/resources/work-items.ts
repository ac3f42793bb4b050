/** Work for people: cards and commands that the conditional-access system refuses, and why. */
import { z } from 'zod';
import {
  closeWorkItem,
  findWorkItems,
  type WorkItem,
  workItemById,
} from '../../entitlement/work-items/store.ts';
import {
  cardNumberText,
  id,
  idText,
  instant,
  pageOf,
  pageQuery,
  reason,
  siteCode,
} from '../api/fields.ts';
import { problem } from '../api/problems.ts';
import { ok, type Route, route } from '../api/route.ts';
import { siteFilter } from '../people/principal.ts';
import { codeOf, type Desk, sitesOf } from './desk.ts';

const workItem = z
  .strictObject({
    id: idText,
    /** Null: of a decoder, or of a card that nobody uses. */
    cardId: idText.nullable(),
    /** Of the card; null: the work is about a decoder. */
    number: cardNumberText.nullable(),
    /** Serial of the decoder; null: the work is about a card. */
    decoder: z.string().nullable(),
    /** Null: no site has the device. */
    site: siteCode.nullable(),
    /** The command that was refused; null: the rights of the card are. */
    command: z.strictObject({ id: idText, op: z.string() }).nullable(),
    cas: z.string(),
    /** A result code of the system, `NO_ANSWER` or `NOT_SENT`. */
    code: z.string(),
    sentence: z.string(),
    openedAt: instant,
    closedAt: instant.nullable(),
    /** `on_air`: the card came on air; `done`: a later command of the kind was. Else who did. */
    closedBy: z.string().nullable(),
  })
  .meta({ id: 'WorkItem' });

const tag = 'Work items';

/** The routes of work items. */
export const workItemRoutes = (desk: Desk): Route[] => [listRoute(desk), closeRoute(desk)];

const viewOf = (desk: Desk) => (item: WorkItem) => ({
  id: item.id.toString(),
  ...{ cardId: item.cardId?.toString() ?? null, number: item.number, decoder: item.decoder },
  site: item.siteId === null ? null : codeOf(desk, item.siteId),
  command: item.command && { id: item.command.id.toString(), op: item.command.op },
  ...{ cas: item.casId, code: item.code, sentence: item.sentence },
  openedAt: item.openedAt.toISOString(),
  closedAt: item.closedAt?.toISOString() ?? null,
  closedBy: item.closedBy,
});

const listRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'get', path: '/work-items', tag, access: 'work_item.read', paged: true },
    summary: 'Cards and decoders that a person must look at, the newest first',
    query: z.strictObject({
      ...pageQuery,
      site: siteCode.optional(),
      cardId: id.optional(),
      open: z.enum(['true', 'false']).optional(),
    }),
    answers: { 200: pageOf(workItem) },
    async handler({ db, principal, query, page, pageOf: answer }) {
      const rows = await findWorkItems(db, {
        sites: sitesOf(desk, principal, query.site),
        cardId: query.cardId ?? null,
        isOpen: query.open === undefined ? null : query.open === 'true',
        ...{ after: page.after, limit: page.fetch },
      });
      const keyOf = ({ openedAt: at, id: rowId }: WorkItem) => ({ at, id: rowId });
      return answer(rows, keyOf, viewOf(desk));
    },
  });

const closeRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'post', path: '/work-items/{workItemId}/close', tag, access: 'work_item.close' },
    summary: 'Say that the work is done: a refused set of rights is tried again at once',
    params: z.strictObject({ workItemId: id }),
    ...{ body: z.strictObject({ reason }), example: { reason: 'registered the card' } },
    write: { object: 'work_item', commits: 'here' },
    ...{ answers: { 200: workItem }, problems: ['work_item_closed'] },
    async handler({ db, principal, params: { workItemId }, body, now, note }) {
      const sites = siteFilter(principal);
      const before = await workItemById(db, workItemId, sites);
      if (!before) return problem('not_found');
      note({ siteId: before.siteId, reason: body.reason });
      const isMine = await closeWorkItem(db, workItemId, { by: principal.key, at: now });
      const after = isMine ? await workItemById(db, workItemId, sites) : null;
      if (!after) return problem('work_item_closed');
      const view = viewOf(desk)(after);
      note({ before: viewOf(desk)(before), after: view });
      return ok(view);
    },
  });
