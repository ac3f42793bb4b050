/** How a handler has postpaid do something for an account, alone or with a second person. */
import { z } from 'zod';
import type { Action, Answer as Done } from '../../billing/postpaid/actions.ts';
import { type Fault, faultOf } from '../../billing/postpaid/allowed.ts';
import { fromData, toData } from '../../billing/postpaid/kept.ts';
import type { AccountLook } from '../../billing/postpaid/look.ts';
import type { PostpaidService } from '../../billing/postpaid/service.ts';
import { type AccountView, findAccounts } from '../../billing/postpaid/views.ts';
import type { Day } from '../../platform/day.ts';
import { idText, type Money, moneyIn } from '../api/fields.ts';
import { invalidField, type Problem, type ProblemCode, problem } from '../api/problems.ts';
import {
  type Answer,
  type Call,
  created,
  type Route,
  type RouteSpec,
  route,
} from '../api/route.ts';
import type { Act, ActOutcome, Acts } from '../people/approvals.ts';
import type { Permission } from '../people/permissions.ts';
import { type Principal, siteFilter } from '../people/principal.ts';
import type { Db } from '../people/staff-store.ts';
import { doOrAsk } from './act.ts';
import { approval } from './approval-view.ts';
import type { Desk } from './desk.ts';
import { refusal } from './money.ts';
import { givenUpBy } from './postpaid-sums.ts';
import { minorAt } from './wallet-acts.ts';

export interface OpenAccount {
  account: AccountView;
  look: AccountLook;
}

/** An account as it is now, if the principal sees its site. */
export async function openedAccount(
  { postpaid }: Pick<Desk, 'postpaid'>,
  { db, principal }: { db: Db; principal: Principal },
  accountId: bigint,
): Promise<OpenAccount | null> {
  const query = { id: accountId, subscriberId: null, after: null, limit: 1 };
  const [account] = await findAccounts(db, { ...query, sites: siteFilter(principal) });
  return account ? { account, look: await postpaid.look(accountId) } : null;
}

/** Acts that may need a second person, by what is asked for. */
export const SECOND = {
  writeOff: 'postpaid.write_off',
  voiding: 'postpaid.voiding',
  refund: 'postpaid.refund',
  adjustment: 'postpaid.adjustment',
  credit: 'postpaid.credit',
} as const;

const digits = z.string().transform(BigInt);
const kept = z.strictObject({ accountId: digits, action: z.unknown(), atMost: digits });

/** The acts of postpaid that may need a second person. */
export function postpaidActs(postpaid: PostpaidService): Acts {
  const act: Act = {
    permission: 'postpaid.approve',
    async execute(input, key) {
      const { accountId, action, atMost } = kept.parse(input);
      return await perform(postpaid, { accountId, key }, fromData(action) as Action, atMost);
    },
  };
  return Object.fromEntries(Object.values(SECOND).map((name) => [name, act]));
}

/**
 * Does an act once for its key; what is asked of a desk is looked at again under lock, and so is
 * whether it gives up no more than was seen when it was asked for.
 */
async function perform(
  postpaid: PostpaidService,
  { accountId, key }: { accountId: bigint; key: string },
  action: Action,
  atMost: bigint | null = null,
): Promise<ActOutcome> {
  const outcome = await postpaid.act(accountId, key, action, (book): AskedFault | null => {
    const isMore = atMost !== null && givenUpBy(book, action) > atMost;
    return faultOf(book, action) ?? (isMore ? 'amount_grown' : null);
  });
  if (!outcome.ok) return { kind: 'refused', code: 'idempotency_key_reused' };
  return outcomeOf(accountId, outcome.value);
}

type AskedFault = Fault | 'amount_grown';

/** What an act made, or why it did not. */
export function outcomeOf(
  accountId: bigint,
  answer: Done | { ok: false; error: AskedFault },
): ActOutcome {
  if (!answer.ok) return { kind: 'refused', code: answer.error };
  const { documentId, paymentId } = answer;
  const result = {
    accountId: accountId.toString(),
    invoiceId: documentId?.toString() ?? null,
    paymentId: paymentId?.toString() ?? null,
  };
  return { kind: 'done', result };
}

const doneFields = {
  accountId: idText,
  /** The document that was made or changed. */
  invoiceId: idText.nullable(),
  paymentId: idText.nullable(),
};
export const postpaidDone = z.strictObject(doneFields).meta({ id: 'PostpaidDone' });

/** Minor units of the account's currency, or the problem with them; nothing said is `all`. */
export const minorOr = <T extends string>(
  { account }: OpenAccount,
  amount: Money | undefined,
  all: T,
): bigint | T | Problem => (amount === undefined ? all : minorAt(account, amount));

export const optionalMoney = moneyIn.optional();

const DAYS_BACK_MAX = 366;
const DAYS_AHEAD_MAX = 731;
const DAY_FIELDS = ['effective', 'effectiveFrom', 'service', 'billing', 'from', 'to', 'target'];

/** A day so far away that a run to it would be endless, or a slip of the pen. */
export function dayFault(said: object, today: Day): Problem | null {
  const far = Object.entries(said).find(
    ([name, value]) =>
      DAY_FIELDS.includes(name) &&
      typeof value === 'number' &&
      (value < today - DAYS_BACK_MAX || value > today + DAYS_AHEAD_MAX),
  );
  return far ? invalidField(far[0], 'out_of_range', 'Too far from today') : null;
}

/** What a call wants done. */
export interface Wished {
  action: Action;
  /** Where a second person is needed above the limit of what it gives up: as which act. */
  second?: { act: string; subject: string };
}

export interface At<P> extends OpenAccount {
  params: P;
  /** Unique to the call. */
  receipt: string;
}

export interface AccountActSpec<P extends z.ZodType<AccountParams>, B extends z.ZodType> {
  /** Below `/postpaid-accounts/{accountId}/`. */
  path: string;
  tag: string;
  summary: string;
  access: Permission;
  params: P;
  body: B;
  example: z.input<B>;
  problems: readonly ProblemCode[];
  /** It may be asked for instead of done. */
  maybeAsked?: true;
  wish(said: z.output<B>, at: At<z.output<P>>): Wished | Problem;
}

export interface AccountParams {
  accountId: bigint;
}

/** A route that has postpaid do one thing for one account, once for each key. */
export function accountActRoute<P extends z.ZodType<AccountParams>, B extends z.ZodType>(
  desk: Desk,
  spec: AccountActSpec<P, B>,
): Route {
  const { path, wish, problems, maybeAsked, ...declared } = spec;
  const whole: RouteSpec<P, z.ZodType, B> = {
    ...{ ...declared, method: 'post', path: `/postpaid-accounts/{accountId}/${path}` },
    ...{ idempotent: true, write: { object: 'postpaid_account', commits: 'itself' } },
    answers: { 201: postpaidDone, ...(maybeAsked ? { 202: approval } : {}) },
    problems: [...problems, ...(maybeAsked ? (['amount_grown'] as const) : []), 'unavailable'],
    async handler(call) {
      const opened = await openedFor(desk, call);
      if ('problem' in opened) return opened;
      const at = { ...opened, params: call.params, receipt: call.receipt };
      const wished = wish(call.body, at);
      return 'problem' in wished ? wished : await doWished(desk, call, opened, wished);
    },
  };
  return route(whole);
}

type AccountCall = Call<AccountParams, unknown, unknown>;

/** The account of a call, noted for the audit; a problem when a day of the body is far away. */
export async function openedFor(
  desk: Desk,
  call: Pick<AccountCall, 'db' | 'principal' | 'params' | 'body' | 'note'>,
): Promise<OpenAccount | Problem> {
  const opened = await openedAccount(desk, call, call.params.accountId);
  if (!opened) return problem('not_found');
  const { reason = null } = call.body as { reason?: string };
  call.note({ siteId: opened.account.siteId, reason });
  return dayFault(call.body as object, opened.look.today) ?? opened;
}

/** Does what is wished, or asks for the second person it needs. */
export async function doWished(
  desk: Desk,
  call: Pick<AccountCall, 'db' | 'principal' | 'receipt' | 'now' | 'body'>,
  { account, look }: OpenAccount,
  { action, second }: Wished,
): Promise<Answer | Problem> {
  const fault = faultOf(look.book, action);
  if (fault === 'not_found') return problem('not_found');
  if (second) {
    const minor = givenUpBy(look.book, action);
    const needsSecond = desk.needsSecond(minor, account.currency);
    // Nobody is to decide on what cannot be done. Done by one, a repeat gets the first answer.
    if (needsSecond && fault) return refusal(fault);
    return await doOrAskFor(desk, call, account, { action, second, minor, needsSecond });
  }
  const at = { accountId: account.id, key: call.receipt };
  const outcome = await perform(desk.postpaid, at, action);
  return outcome.kind === 'done' ? created(outcome.result) : refusedWith(outcome);
}

const refusedWith = (outcome: Exclude<ActOutcome, { kind: 'done' }>): Problem =>
  refusal(outcome.kind === 'refused' ? outcome.code : 'unavailable');

interface Sum {
  minor: bigint;
  needsSecond: boolean;
}

const doOrAskFor = (
  desk: Desk,
  call: Pick<AccountCall, 'db' | 'principal' | 'receipt' | 'now' | 'body'>,
  { id, siteId, currency }: AccountView,
  { action, second, minor, needsSecond }: Required<Wished> & Sum,
): Promise<Answer | Problem> =>
  doOrAsk(desk, call, {
    ...{ act: second.act, subject: second.subject, siteId, needsSecond },
    input: { accountId: id.toString(), action: toData(action), atMost: minor.toString() },
    reason: (call.body as { reason: string }).reason,
    amount: { minor, asset: currency },
  });
