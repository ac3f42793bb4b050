/** What came in, suspense, and taking a payment back. */
import { z } from 'zod';
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
import { problem } from '../api/problems.ts';
import { ok, type Route, route } from '../api/route.ts';
import type { Principal } from '../people/principal.ts';
import { doOrAsk } from './act.ts';
import { approval } from './approval-view.ts';
import { codeOf, type Desk, sitesOf } from './desk.ts';
import { settledMoney } from './money.ts';
import {
  findPayments,
  findSuspense,
  type PaymentRecord,
  paymentById,
  type SuspenseRecord,
} from './payment-store.ts';
import { REVERSAL, reversalInput } from './reversal.ts';

const payment = z
  .strictObject({
    id: idText,
    site: siteCode.nullable(),
    provider: z.string(),
    receipt: z.string(),
    kind: z.string(),
    state: z.enum(['settled', 'suspense', 'refused', 'parked']),
    channel: z.string(),
    receivedAt: instant,
    settledAt: instant.nullable(),
    code: z.string().nullable(),
    amount: money.nullable(),
    isReversed: z.boolean(),
  })
  .meta({ id: 'Payment' });

/** TV units are counted, not money: they have the name of their asset. */
const suspense = z
  .strictObject({
    paymentId: idText,
    site: siteCode,
    asset: z.string(),
    amount: z.string(),
    reason: z.string(),
    accountRef: z.string().nullable(),
    payerPhone: z.string().nullable(),
    state: z.enum(['open', 'claimed', 'returned']),
    createdAt: instant,
  })
  .meta({ id: 'SuspenseItem' });

const params = z.strictObject({ paymentId: id });
const tag = 'Payments';
const DEFAULT_SPAN_MS = 7 * 86_400_000;

/** The routes of payments. */
export const paymentRoutes = (desk: Desk): Route[] => [
  listRoute(desk),
  oneRoute(desk),
  suspenseRoute(desk),
  reverseRoute(desk),
];

/** Channels of the sites a principal sees; null: all. What has no site is for all-sites alone. */
export function channelsOf(
  desk: Desk,
  principal: Principal,
  site: string | undefined,
): string[] | null {
  const sites = sitesOf(desk, principal, site);
  if (sites === null) return null;
  const wanted = new Set(sites);
  return [...desk.channelSites()].filter(([, siteId]) => wanted.has(siteId)).map(([name]) => name);
}

const viewOf = (desk: Desk) => (record: PaymentRecord) => {
  const siteId = record.siteId ?? desk.channelSites().get(record.channelId);
  const { amount } = record;
  return {
    id: record.id.toString(),
    site: siteId === undefined ? null : codeOf(desk, siteId),
    provider: record.provider,
    receipt: record.receipt,
    kind: record.kind,
    state: record.state,
    channel: record.channelId,
    receivedAt: record.receivedAt.toISOString(),
    settledAt: record.settledAt?.toISOString() ?? null,
    code: record.code,
    amount: amount && isMoney(amount.asset) ? moneyOf(amount.minor, amount.asset) : null,
    isReversed: record.isReversed,
  };
};

/** TV units are not: `TVU-KE`. */
const isMoney = (asset: string): boolean => /^[A-Z]{3}$/.test(asset);

const listRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'get', path: '/payments', tag, access: 'payment.read', paged: true },
    summary: 'What came in, the newest first; of the last seven days unless said otherwise',
    query: z.strictObject({
      ...pageQuery,
      site: siteCode.optional(),
      state: z.enum(['settled', 'suspense', 'refused', 'parked']).optional(),
      kind: text(40).optional(),
      receipt: text(120).optional(),
      since: instantIn.optional(),
      until: instantIn.optional(),
    }),
    answers: { 200: pageOf(payment) },
    async handler({ db, principal, query, page, now, pageOf: answer }) {
      const until = query.until ?? now;
      const rows = await findPayments(db, {
        channels: channelsOf(desk, principal, query.site),
        state: query.state ?? null,
        kind: query.kind ?? null,
        receipt: query.receipt ?? null,
        since: query.since ?? new Date(until.getTime() - DEFAULT_SPAN_MS),
        until,
        after: page.after,
        limit: page.fetch,
      });
      const keyOf = ({ receivedAt: at, id: rowId }: PaymentRecord) => ({ at, id: rowId });
      return answer(rows, keyOf, viewOf(desk));
    },
  });

const oneRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'get', path: '/payments/{paymentId}', tag, access: 'payment.read' },
    ...{ summary: 'One of what came in', params, answers: { 200: payment } },
    async handler({ db, principal, params: { paymentId } }) {
      const found = await paymentById(db, paymentId, channelsOf(desk, principal, undefined));
      return found ? ok(viewOf(desk)(found)) : problem('not_found');
    },
  });

const suspenseRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'get', path: '/suspense', tag, access: 'payment.read', paged: true },
    summary: 'Money whose owner is not known, the oldest first',
    query: z.strictObject({
      ...pageQuery,
      site: siteCode.optional(),
      state: z.enum(['open', 'claimed', 'returned']).default('open'),
    }),
    answers: { 200: pageOf(suspense) },
    async handler({ db, principal, query, page, pageOf: answer }) {
      const sites = sitesOf(desk, principal, query.site);
      const { state } = query;
      const wanted = { sites, state, after: page.after, limit: page.fetch };
      const rows = await findSuspense(db, wanted);
      const keyOf = ({ createdAt: at, id: rowId }: SuspenseRecord) => ({ at, id: rowId });
      return answer(rows, keyOf, (row) => ({
        paymentId: row.id.toString(),
        site: codeOf(desk, row.siteId),
        asset: row.asset,
        amount: moneyOf(row.amount, row.asset).amount,
        reason: row.reason,
        accountRef: row.accountRef,
        payerPhone: row.payerMsisdn,
        state: row.state,
        createdAt: row.createdAt.toISOString(),
      }));
    },
  });

const reverseRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'post', path: '/payments/{paymentId}/reversals', tag, params },
    ...{ access: 'payment.reverse', idempotent: true },
    summary: 'Take a payment back; above the limit a second person must approve',
    write: { object: 'payment', commits: 'itself' },
    body: z.strictObject({ reason }),
    example: { reason: 'paid for the wrong card' },
    answers: { 201: settledMoney, 202: approval },
    problems: ['not_reversible', 'unavailable'],
    async handler(call) {
      const { db, principal, body, params: given } = call;
      const found = await paymentById(db, given.paymentId, channelsOf(desk, principal, undefined));
      if (!found) return problem('not_found');
      call.note({ siteId: found.siteId, reason: body.reason });
      const { amount, siteId } = found;
      if (!amount || siteId === null) return problem('not_reversible');
      return doOrAsk(desk, call, {
        ...{ act: REVERSAL, input: reversalInput(found, siteId), siteId, amount },
        subject: `Reversal of ${found.provider} ${found.receipt}`,
        ...{ reason: body.reason, needsSecond: desk.needsSecond(amount.minor, amount.asset) },
      });
    },
  });
