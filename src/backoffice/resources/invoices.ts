/** Invoices: looking, and what is done to documents. */
import { z } from 'zod';
import { findDocuments, readDocument } from '../../billing/postpaid/views.ts';
import { dayIn, id, moneyIn, pageOf, pageQuery, reason, siteCode, text } from '../api/fields.ts';
import { invalidField, problem } from '../api/problems.ts';
import { ok, type Route, route } from '../api/route.ts';
import { type Desk, sitesOf } from './desk.ts';
import { accountActRoute, minorOr, openedAccount, optionalMoney, SECOND } from './postpaid-act.ts';
import { documentView, invoice, invoiceSummary, invoiceView } from './postpaid-views.ts';
import { minorAt } from './wallet-acts.ts';

const ofAccount = z.strictObject({ accountId: id });
const params = z.strictObject({ accountId: id, invoiceId: id });
const tag = 'Invoices';
const why = z.strictObject({ reason });

/** The routes of invoices. */
export const invoiceRoutes = (desk: Desk): Route[] => [
  ...lookRoutes(desk),
  ...makeRoutes(desk),
  ...closeRoutes(desk),
  ...adjustRoutes(desk),
];

const lookRoutes = (desk: Desk): Route[] => [
  route({
    ...{ method: 'get', path: '/invoices', tag, access: 'postpaid.read', paged: true },
    summary: 'Invoices and credit, the newest first; a number finds it however it is typed',
    query: z.strictObject({
      ...pageQuery,
      site: siteCode.optional(),
      accountId: id.optional(),
      subscriberId: id.optional(),
      status: z.enum(['open', 'paid', 'void', 'draft']).optional(),
      number: text(60).optional(),
    }),
    answers: { 200: pageOf(invoiceSummary) },
    async handler({ db, principal, query, page, pageOf: answer }) {
      const rows = await findDocuments(db, {
        sites: sitesOf(desk, principal, query.site),
        accountId: query.accountId ?? null,
        subscriberId: query.subscriberId ?? null,
        status: query.status ?? null,
        number: query.number ?? null,
        after: page.after,
        limit: page.fetch,
      });
      return answer(rows, ({ createdAt: at, id: rowId }) => ({ at, id: rowId }), documentView);
    },
  }),
  route({
    ...{ method: 'get', path: '/postpaid-accounts/{accountId}/invoices/{invoiceId}', tag },
    ...{ access: 'postpaid.read', params, answers: { 200: invoice } },
    summary: 'An invoice with its lines, taxes, payments and credit notes',
    async handler(call) {
      const { accountId, invoiceId } = call.params;
      const opened = await openedAccount(desk, call, accountId);
      const found = opened && (await readDocument(call.db, accountId, invoiceId));
      return found ? ok(invoiceView(found, opened.look)) : problem('not_found');
    },
  }),
];

const makeRoutes = (desk: Desk): Route[] => [
  accountActRoute(desk, {
    ...{ path: 'invoices', tag, access: 'invoice.issue', params: ofAccount },
    summary: 'Have an invoice made of what is due up to a day; none when nothing is',
    body: z.strictObject({ target: dayIn }),
    ...{ example: { target: '2026-12-31' }, problems: ['too_many_repairs'] },
    wish: ({ target }) => ({ action: { act: 'generate_invoice', target } }),
  }),
  accountActRoute(desk, {
    ...{ path: 'external-charges', tag, access: 'invoice.issue', params: ofAccount },
    summary: 'Charge what stands in no plan, as an invoice of its own or as a draft',
    body: z.strictObject({
      amount: moneyIn,
      from: dayIn.optional(),
      /** Exclusive; left out: of no duration. */
      to: dayIn.optional(),
      draft: z.boolean().default(false),
      reason,
    }),
    example: { amount: { amount: '75.00', currency: 'KES' }, reason: 'a lost decoder' },
    problems: ['wrong_currency'],
    wish({ amount, from, to = null, draft }, at) {
      const minor = minorAt(at.account, amount);
      if (typeof minor !== 'bigint') return minor;
      const first = from ?? at.look.today;
      if (to !== null && to <= first)
        return invalidField('to', 'not_after', 'Not after the first day');
      return { action: { act: 'external_charge', amount: minor, from: first, to, draft } };
    },
  }),
  accountActRoute(desk, {
    ...{ path: 'invoices/{invoiceId}/commitments', tag, access: 'invoice.issue', params },
    ...{ summary: 'Issue a draft', body: why, example: { reason: 'checked' } },
    problems: ['invoice_not_draft'],
    wish: (_said, { params: { invoiceId } }) => ({ action: { act: 'commit_invoice', invoiceId } }),
  }),
];

const closeRoutes = (desk: Desk): Route[] => [
  accountActRoute(desk, {
    ...{ path: 'invoices/{invoiceId}/voidings', tag, access: 'invoice.issue', params },
    summary: 'Void an invoice that nobody paid; its number stays; above the limit two decide',
    ...{ body: why, example: { reason: 'made for the wrong hotel' }, maybeAsked: true },
    problems: ['invoice_closed', 'cannot_void_paid_invoice', 'cannot_void_repaired_invoice'],
    wish: (_said, { params: { invoiceId } }) => ({
      action: { act: 'void_invoice', invoiceId },
      second: { act: SECOND.voiding, subject: `Voiding of invoice ${invoiceId}` },
    }),
  }),
  accountActRoute(desk, {
    ...{ path: 'invoices/{invoiceId}/write-offs', tag, access: 'invoice.write_off', params },
    summary: 'Give up what is open on an invoice; above the limit two decide',
    ...{ body: why, example: { reason: 'the hotel has closed' }, maybeAsked: true },
    problems: ['invoice_not_open'],
    wish: (_said, { params: { invoiceId } }) => ({
      action: { act: 'write_off', invoiceId },
      second: { act: SECOND.writeOff, subject: `Write-off of invoice ${invoiceId}` },
    }),
  }),
];

const lineParams = z.strictObject({ accountId: id, invoiceId: id, lineId: id });
const adjustment = 'invoices/{invoiceId}/lines/{lineId}/adjustments';

const adjustRoutes = (desk: Desk): Route[] => [
  accountActRoute(desk, {
    ...{ path: adjustment, tag, access: 'invoice.adjust', params: lineParams, maybeAsked: true },
    summary: 'Lower a charge, by all that is left if no amount is said; above the limit two decide',
    body: z.strictObject({ amount: optionalMoney, reason }),
    example: { amount: { amount: '10.00', currency: 'KES' }, reason: 'two rooms were closed' },
    problems: ['line_not_adjustable', 'too_many_repairs', 'wrong_currency'],
    wish({ amount: said }, at) {
      const { invoiceId, lineId } = at.params;
      const line = at.look.book.rows.lines.find((row) => row.id === lineId);
      if (line?.invoiceId !== invoiceId) return problem('not_found');
      const amount = minorOr(at, said, 'remaining');
      if (typeof amount === 'object') return amount;
      const second = { act: SECOND.adjustment, subject: `Adjustment of line ${lineId}` };
      return { action: { act: 'adjust_item', lineId, amount }, second };
    },
  }),
  accountActRoute(desk, {
    ...{ path: 'open-invoice-adjustments', tag, access: 'invoice.adjust', params: ofAccount },
    ...{ maybeAsked: true, problems: [] },
    summary: 'Lower every line of every open invoice to nothing; above the limit two decide',
    body: z.strictObject({ order: z.enum(['oldest_first', 'newest_first']), reason }),
    example: { order: 'oldest_first', reason: 'settled in court' },
    wish: ({ order }, { account }) => ({
      action: { act: 'adjust_all_open_invoices', order },
      second: {
        ...{ act: SECOND.adjustment },
        subject: `Adjustment of all open invoices of account ${account.id}`,
      },
    }),
  }),
];
