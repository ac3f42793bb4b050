/** Postpaid accounts: opening, looking, settings. */
import { z } from 'zod';
import type { Settings } from '../../billing/postpaid/actions.ts';
import type { Book } from '../../billing/postpaid/books.ts';
import { hasLegalEntity } from '../../billing/postpaid/legal-entities.ts';
import { type AccountView, findAccounts } from '../../billing/postpaid/views.ts';
import { id, pageOf, pageQuery, reason, siteCode } from '../api/fields.ts';
import { type Problem, problem } from '../api/problems.ts';
import { type Call, created, ok, type Route, route } from '../api/route.ts';
import { codeOf, type Desk, sitesOf } from './desk.ts';
import { refusal } from './money.ts';
import { openedAccount, openedFor } from './postpaid-act.ts';
import { accountSummary, accountView, postpaidAccount, summaryView } from './postpaid-views.ts';
import { purseOf } from './wallet-acts.ts';

const params = z.strictObject({ accountId: id });
const tag = 'Postpaid accounts';
const dayOfMonth = z.int().min(1).max(31);
/** A list goes by id alone. */
const NO_TIME = new Date(0);

/** The routes of postpaid accounts. */
export const postpaidAccountRoutes = (desk: Desk): Route[] => [
  openRoute(desk),
  ...lookRoutes(desk),
  changeRoute(desk),
];

const openRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'post', path: '/subscribers/{subscriberId}/postpaid-account', tag },
    ...{ access: 'contract.sell', params: z.strictObject({ subscriberId: id }) },
    summary: 'Open the postpaid account of a subscriber, in the currency of the site',
    write: { object: 'postpaid_account', commits: 'itself' },
    body: z.strictObject({
      /** Null: that of the first sale. */
      billingDay: dayOfMonth.nullable().default(null),
      autoPay: z.boolean().default(false),
      autoInvoice: z.boolean().default(true),
    }),
    example: { billingDay: 1 },
    answers: { 201: postpaidAccount },
    problems: ['account_exists', 'no_legal_entity'],
    async handler(call) {
      const found = await purseOf(desk, call, call.params.subscriberId);
      if (!found) return problem('not_found');
      const { subscriber, site } = found;
      call.note({ siteId: site.id, after: call.body });
      if (!(await hasLegalEntity(desk.pool, site.id))) return problem('no_legal_entity');
      const { timeZone, currency } = site;
      const opening = { ...call.body, timeZone, currency };
      const accountId = await desk.postpaid.openFirst(subscriber.id, opening);
      if (accountId === null) return problem('account_exists');
      call.note({ objectId: accountId });
      return created(await viewOf(desk, call, accountId), `/postpaid-accounts/${accountId}`);
    },
  });

type Reader = Pick<Call<unknown, unknown, unknown>, 'db' | 'principal'>;

/** The account as it is answered; it is there. */
async function viewOf(desk: Desk, call: Reader, accountId: bigint) {
  const opened = await openedAccount(desk, call, accountId);
  if (!opened) throw new Error('The account is not there');
  const { account, look } = opened;
  return accountView(account, codeOf(desk, account.siteId), look);
}

const lookRoutes = (desk: Desk): Route[] => [
  route({
    ...{ method: 'get', path: '/postpaid-accounts', tag, access: 'postpaid.read', paged: true },
    summary: 'Postpaid accounts, the newest first',
    query: z.strictObject({
      ...pageQuery,
      site: siteCode.optional(),
      subscriberId: id.optional(),
    }),
    answers: { 200: pageOf(accountSummary) },
    async handler({ db, principal, query, page, pageOf: answer }) {
      const rows = await findAccounts(db, {
        sites: sitesOf(desk, principal, query.site),
        subscriberId: query.subscriberId ?? null,
        id: null,
        after: page.after?.id ?? null,
        limit: page.fetch,
      });
      const keyOf = ({ id: rowId }: AccountView) => ({ at: NO_TIME, id: rowId });
      return answer(rows, keyOf, (row) => summaryView(row, codeOf(desk, row.siteId)));
    },
  }),
  route({
    ...{ method: 'get', path: '/postpaid-accounts/{accountId}', tag, etag: 'read' },
    ...{ access: 'postpaid.read', params, answers: { 200: postpaidAccount } },
    summary: 'An account with what is owed and its contracts as they are today',
    async handler(call) {
      const opened = await openedAccount(desk, call, call.params.accountId);
      if (!opened) return problem('not_found');
      const { account, look } = opened;
      return ok(accountView(account, codeOf(desk, account.siteId), look));
    },
  }),
];

const changes = z
  .strictObject({
    billingDay: dayOfMonth.optional(),
    autoPay: z.boolean().optional(),
    autoInvoice: z.boolean().optional(),
    hasPaymentMethod: z.boolean().optional(),
    reason: reason.optional(),
  })
  .meta({ id: 'PostpaidAccountChanges' });

const changeRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'patch', path: '/postpaid-accounts/{accountId}', tag, etag: 'write' },
    ...{ access: 'contract.change', params, body: changes, example: { billingDay: 5 } },
    summary: 'Change when an account is billed and how it pays; an invoice may follow at once',
    write: { object: 'postpaid_account', commits: 'itself' },
    ...{ answers: { 200: postpaidAccount }, problems: ['too_many_repairs', 'unavailable'] },
    async handler(call) {
      const opened = await openedFor(desk, call);
      if ('problem' in opened) return opened;
      const { account, look } = opened;
      const before = accountView(account, codeOf(desk, account.siteId), look);
      const stale = call.staleness(before);
      if (stale) return stale;
      const fault = await change(desk, call.body, { account, seen: look.book });
      if (fault) return fault;
      const after = await viewOf(desk, call, account.id);
      call.note({ before: settingsOf(before), after: settingsOf(after) });
      return ok(after);
    },
  });

/** One act under a key of its own; null when it is done. */
async function change(
  desk: Desk,
  { reason: _, hasPaymentMethod: paymentMethod, ...rest }: z.output<typeof changes>,
  { account, seen }: { account: AccountView; seen: Book },
): Promise<Problem | null> {
  const settings = Object.fromEntries(
    Object.entries({ ...rest, paymentMethod }).filter(([, value]) => value !== undefined),
  ) as Settings;
  const key = `settings:${await desk.ids.take()}`;
  const action = { act: 'change_settings', ...settings } as const;
  const outcome = await desk.postpaid.act(account.id, key, action, (book) =>
    isSame(book, seen) ? null : 'precondition_failed',
  );
  if (!outcome.ok) throw new Error('A key that is new was used before');
  const { value } = outcome;
  if (value.ok) return null;
  return refusal(value.error);
}

/** Has nobody changed the settings since they were seen? */
const isSame = ({ account: now }: Book, { account: then }: Book): boolean =>
  now.billingDay === then.billingDay &&
  now.autoPay === then.autoPay &&
  now.autoInvoice === then.autoInvoice &&
  now.paymentMethod === then.paymentMethod;

const settingsOf = ({
  billingDay,
  autoPay,
  autoInvoice,
  hasPaymentMethod,
}: z.output<typeof postpaidAccount>) => ({ billingDay, autoPay, autoInvoice, hasPaymentMethod });
