/** What was said to subscribers, by text and on the screen. */
import { z } from 'zod';
import { idText, instant, instantIn, pageOf, pageQuery, siteCode, text } from '../api/fields.ts';
import { type Route, route } from '../api/route.ts';
import type { Db } from '../people/staff-store.ts';
import { codeOf, type Desk, sitesOf } from './desk.ts';

const message = z
  .strictObject({
    id: idText,
    site: siteCode,
    kind: z.enum(['text', 'osd']),
    template: z.string(),
    target: z.string(),
    body: z.string(),
    state: z.string(),
    failure: z.string().nullable(),
    createdAt: instant,
  })
  .meta({ id: 'Message' });

const DEFAULT_SPAN_MS = 7 * 86_400_000;

interface Row {
  id: bigint;
  site_id: bigint;
  kind: string;
  template: string;
  target: string;
  body: string;
  state: string;
  failure: string | null;
  created_at: Date;
}

/** The routes of messages. */
export const messageRoutes = (desk: Desk): Route[] => [
  route({
    ...{ method: 'get', path: '/messages', tag: 'Messages', access: 'message.read', paged: true },
    summary: 'What was said, the newest first; of the last seven days unless said otherwise',
    query: z.strictObject({
      ...pageQuery,
      site: siteCode.optional(),
      kind: z.enum(['text', 'osd']).optional(),
      target: text(40).optional(),
      since: instantIn.optional(),
      until: instantIn.optional(),
    }),
    answers: { 200: pageOf(message) },
    async handler({ db, principal, query, page, now, pageOf: answer }) {
      const until = query.until ?? now;
      const rows = await findMessages(db, [
        sitesOf(desk, principal, query.site),
        query.kind ?? null,
        query.target ?? null,
        query.since ?? new Date(until.getTime() - DEFAULT_SPAN_MS),
        until,
        page.after?.at ?? null,
        page.after?.id ?? null,
        page.fetch,
      ]);
      return answer(
        rows,
        ({ created_at: at, id }) => ({ at, id }),
        (row) => ({
          id: row.id.toString(),
          site: codeOf(desk, row.site_id),
          kind: row.kind,
          template: row.template,
          target: row.target,
          body: row.body,
          state: row.state,
          failure: row.failure,
          createdAt: row.created_at.toISOString(),
        }),
      );
    },
  }),
];

/** Plan: the span of time by `outbound_created`. */
async function findMessages(db: Db, values: unknown[]): Promise<Row[]> {
  const { rows } = await db.query(
    `SELECT id, site_id, kind, template, target, body, state, failure, created_at FROM outbound
      WHERE ($1::bigint[] IS NULL OR site_id = ANY ($1))
        AND ($2::text IS NULL OR kind = $2)
        AND ($3::text IS NULL OR target = $3)
        AND created_at >= $4 AND created_at <= $5
        AND ($6::timestamptz IS NULL OR (created_at, id) < ($6, $7::bigint))
      ORDER BY created_at DESC, id DESC LIMIT $8`,
    values,
  );
  return rows;
}
