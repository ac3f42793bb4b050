/** What waits for a second person, and their word. */
import { z } from 'zod';
import { transaction } from '../../platform/database/pool.ts';
import { id, pageOf, pageQuery, reason, siteCode } from '../api/fields.ts';
import { type Problem, problem } from '../api/problems.ts';
import { type Call, ok, type Route, route } from '../api/route.ts';
import {
  type Approval,
  approvalById,
  carryOut,
  decideApproval,
  decisionFault,
  listApprovals,
  unfinishedApprovals,
} from '../people/approvals.ts';
import { writeAudit } from '../people/audit.ts';
import { siteFilter } from '../people/principal.ts';
import { approval, approvalView } from './approval-view.ts';
import { type Desk, sitesOf } from './desk.ts';

const params = z.strictObject({ approvalId: id });
const tag = 'Approvals';
const word = z.strictObject({ reason });

/** The routes of approvals. */
export const approvalRoutes = (desk: Desk): Route[] => [
  route({
    ...{ method: 'get', path: '/approvals', tag, access: 'approval.read', paged: true },
    summary: 'What was asked for, the newest first',
    query: z.strictObject({
      ...pageQuery,
      site: siteCode.optional(),
      state: z.enum(['asked', 'approved', 'done', 'failed', 'refused']).optional(),
    }),
    answers: { 200: pageOf(approval) },
    async handler({ db, principal, query, page, now, pageOf: answer }) {
      const sites = sitesOf(desk, principal, query.site);
      const state = query.state ?? null;
      const rows = await listApprovals(db, { sites, state, after: page.after, limit: page.fetch });
      const keyOf = ({ askedAt: at, id: rowId }: Approval) => ({ at, id: rowId });
      return answer(rows, keyOf, approvalView(desk, now));
    },
  }),
  route({
    ...{ method: 'get', path: '/approvals/{approvalId}', tag, access: 'approval.read' },
    ...{ summary: 'One of them', params, answers: { 200: approval } },
    async handler({ db, principal, params: { approvalId }, now }) {
      const found = await approvalById(db, approvalId, { sites: siteFilter(principal) });
      return found ? ok(approvalView(desk, now)(found)) : problem('not_found');
    },
  }),
  decideRoute(desk, 'approved'),
  decideRoute(desk, 'refused'),
];

const decideRoute = (desk: Desk, state: 'approved' | 'refused'): Route =>
  route({
    method: 'post',
    path: `/approvals/{approvalId}/${state === 'approved' ? 'approval' : 'refusal'}`,
    ...{ tag, access: 'approval.decide', params, body: word },
    summary: state === 'approved' ? 'Approve, and have it done' : 'Refuse',
    write: { object: 'approval', commits: 'itself' },
    ...{ example: { reason: 'seen and checked' }, answers: { 200: approval } },
    problems: ['own_request', 'approval_closed', 'unavailable'],
    async handler(call) {
      const decided = await decide(desk, call, state);
      if ('problem' in decided) return decided;
      call.note({ siteId: decided.siteId, after: { state, input: shortened(decided.input) } });
      if (state === 'refused') return ok(approvalView(desk, call.now)(decided));
      const { now } = call;
      const outcome = await carryOut(desk.pool, desk.acts, { approval: decided, now });
      if (outcome.kind === 'unavailable') {
        return problem('unavailable', {
          detail: 'Approved; it is carried out as soon as it can be.',
        });
      }
      const after = await approvalById(desk.pool, decided.id, { sites: null });
      return ok(approvalView(desk, now)(after ?? decided));
    },
  });

const AUDIT_CHARS_MAX = 2_000;

/** What is too long for a line of the audit stands with the approval. */
function shortened(input: unknown): unknown {
  if (typeof input !== 'object' || input === null) return input;
  return Object.fromEntries(
    Object.entries(input).map(([name, value]) => {
      const isLong = typeof value === 'string' && value.length > AUDIT_CHARS_MAX;
      return [name, isLong ? `${value.length} characters` : value];
    }),
  );
}

type DecideCall = Call<z.output<typeof params>, unknown, z.output<typeof word>>;

/** The decision commits before the act is done: who approved stands fast whatever happens next. */
function decide(
  desk: Desk,
  { principal, params: { approvalId }, body, now, note }: DecideCall,
  state: 'approved' | 'refused',
): Promise<Approval | Problem> {
  note({ reason: body.reason });
  return transaction(desk.pool, async (client) => {
    const sites = siteFilter(principal);
    const found = await approvalById(client, approvalId, { sites, lock: true });
    if (!found) return problem('not_found');
    const fault = decisionFault(found, principal, now);
    if (fault) return problem(fault);
    const by = principal.key;
    await decideApproval(client, { id: approvalId, state, by, why: body.reason, now });
    return (await approvalById(client, approvalId, { sites })) ?? found;
  });
}

const UNFINISHED_AFTER_MS = 60_000;
const UNFINISHED_MAX = 20;

/** Carries out what was approved and never done, because a process ended. Returns how many. */
export async function finishApproved(desk: Desk): Promise<number> {
  const now = desk.clock.now();
  const before = new Date(now.getTime() - UNFINISHED_AFTER_MS);
  const found = await unfinishedApprovals(desk.pool, before, UNFINISHED_MAX);
  for (const approved of found) {
    try {
      await finish(desk, approved, now);
    } catch (error) {
      // The others are not to wait for it.
      desk.logger.error('approval.not_carried_out', { approvalId: approved.id, error });
    }
  }
  return found.length;
}

async function finish(desk: Desk, approved: Approval, now: Date): Promise<void> {
  const outcome = await carryOut(desk.pool, desk.acts, { approval: approved, now });
  if (outcome.kind === 'unavailable') return;
  await writeAudit(desk.pool, desk.ids, {
    ...{ at: now, requestId: `approval:${approved.id}`, actor: 'system', actorName: 'system' },
    ...{
      role: 'system',
      remote: '',
      route: 'finish',
      outcome: outcome.kind,
      siteId: approved.siteId,
    },
    ...{ object: 'approval', objectId: String(approved.id), before: null, after: outcome },
    reason: 'approved, and not carried out before the process ended',
  });
}
