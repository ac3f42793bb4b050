/** Contracts of postpaid accounts: sale, change, pause, end, and what an act would cost. */

import { z } from 'zod';
import { findAccounts } from '../../billing/postpaid/views.ts';
import { id, idText, money, moneyOf, reason } from '../api/fields.ts';
import { invalidField, type ProblemCode, problem } from '../api/problems.ts';
import { created, ok, type Route, route } from '../api/route.ts';
import type { Permission } from '../people/permissions.ts';
import { siteFilter } from '../people/principal.ts';
import {
  type AccountAct,
  accountAct,
  actionOf,
  type ContractAct,
  SHAPES,
} from './contract-acts.ts';
import type { Desk } from './desk.ts';
import { refusal } from './money.ts';
import { accountActRoute, doWished, openedFor, outcomeOf, postpaidDone } from './postpaid-act.ts';
import { chargeView, previewLine } from './postpaid-views.ts';

const ofAccount = z.strictObject({ accountId: id });
const params = z.strictObject({ accountId: id, contractId: id });
const tag = 'Contracts';
const why = 'asked for by the manager';

/** The routes of contracts. */
export const contractRoutes = (desk: Desk): Route[] => [
  sellRoute(desk),
  ...CONTRACT_ACTS.map((spec) => contractActRoute(desk, spec)),
  transferRoute(desk),
  previewRoute(desk),
];

const soldContracts = z
  .strictObject({
    ...postpaidDone.shape,
    contracts: z.array(z.strictObject({ id: idText, ref: z.string() })),
  })
  .meta({ id: 'SoldContracts' });

const sellRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'post', path: '/postpaid-accounts/{accountId}/contracts', tag },
    ...{ access: 'contract.sell', idempotent: true, params: ofAccount },
    summary: 'Sell a contract, with its add-ons in one act',
    write: { object: 'postpaid_account', commits: 'itself' },
    body: z.strictObject(SHAPES.sell),
    example: { ref: 'rooms-east', plan: 'ROOMS', quantity: 12 },
    answers: { 201: soldContracts },
    problems: [
      ...(['ref_exists', 'plan_not_sold', 'add_on_not_available'] as const),
      ...(['product_not_on_cas', 'invalid_requested_date'] as const),
    ],
    async handler(call) {
      const opened = await openedFor(desk, call);
      if ('problem' in opened) return opened;
      const action = actionOf(opened.look, { act: 'sell', ...call.body });
      if (!action) return problem('not_found');
      const answer = await doWished(desk, call, opened, { action });
      if ('problem' in answer) return answer;
      const { book } = await desk.postpaid.look(opened.account.id);
      const names = [call.body.ref, ...call.body.addOns.map(({ ref }) => ref)];
      const contracts = names.flatMap((ref) => {
        const made = book.rows.contracts.find((row) => row.ref === ref);
        return made ? [{ id: made.id.toString(), ref }] : [];
      });
      return created({ ...(answer.body as object), contracts });
    },
  });

interface ContractActSpec {
  act: ContractAct['act'];
  path: string;
  access: Permission;
  summary: string;
  example: object;
  problems: readonly ProblemCode[];
}

const CONTRACT_ACTS: readonly ContractActSpec[] = [
  {
    ...{ act: 'add_on', path: 'add-ons', access: 'contract.sell' },
    summary: 'Sell an add-on to the bundle of a base',
    example: { ref: 'rooms-east-sports', plan: 'SPORTS' },
    problems: [
      ...(['ref_exists', 'plan_not_sold', 'product_not_on_cas'] as const),
      ...(['add_on_not_available', 'max_per_bundle_on_create'] as const),
    ],
  },
  {
    ...{ act: 'change_plan', path: 'plan-changes', access: 'contract.sell' },
    summary: 'Another plan: at once, or when what is charged ends',
    example: { plan: 'SUITES', policy: 'end_of_term' },
    problems: ['plan_not_sold', 'product_not_on_cas', 'plan_change_blocked', 'subscription_ended'],
  },
  {
    ...{ act: 'change_quantity', path: 'quantity-changes', access: 'contract.sell' },
    summary: 'Another number of units, from a day on',
    ...{ example: { quantity: 14 }, problems: ['invalid_requested_date'] },
  },
  {
    ...{ act: 'pause', path: 'pauses', access: 'contract.change' },
    summary: 'Stop service and billing from a day on',
    ...{ example: {}, problems: ['invalid_requested_date', 'too_many_repairs'] },
  },
  {
    ...{ act: 'resume', path: 'resumptions', access: 'contract.change' },
    summary: 'Go on after a pause',
    ...{ example: {}, problems: ['invalid_requested_date'] },
  },
  {
    ...{ act: 'block_billing', path: 'billing-blocks', access: 'contract.block' },
    summary: 'Stop billing while the service goes on',
    ...{ example: {}, problems: ['invalid_requested_date', 'too_many_repairs'] },
  },
  {
    ...{ act: 'unblock_billing', path: 'billing-releases', access: 'contract.block' },
    ...{ summary: 'Bill again', example: {}, problems: ['invalid_requested_date'] },
  },
  {
    ...{ act: 'cancel', path: 'cancellations', access: 'contract.change' },
    summary: 'End service and billing, each on its own day',
    example: { service: 'end_of_term', billing: 'end_of_term' },
    problems: ['subscription_ended', 'invalid_requested_date'],
  },
  {
    ...{ act: 'set_billing_day', path: 'billing-days', access: 'contract.change' },
    summary: 'Another billing day for this contract',
    ...{ example: { day: 15 }, problems: ['invalid_requested_date'] },
  },
];

const contractActRoute = (
  desk: Desk,
  { act, path, example, ...declared }: ContractActSpec,
): Route =>
  accountActRoute(desk, {
    ...{ ...declared, path: `contracts/{contractId}/${path}`, tag, params },
    body: z.strictObject({ ...SHAPES[act], reason }),
    example: { ...example, reason: why },
    wish({ reason: _, ...said }, { look, params: { contractId } }) {
      const action = actionOf(look, { act, contractId, ...said } as AccountAct);
      return action ? { action } : problem('not_found');
    },
  });

const transferRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'post', path: '/postpaid-accounts/{accountId}/contracts/{contractId}/transfers' },
    ...{ tag, access: 'contract.sell', idempotent: true, params },
    summary: 'Move a base with its running add-ons to another account, from today on',
    write: { object: 'postpaid_account', commits: 'itself' },
    body: z.strictObject({
      toAccountId: id,
      /** When billing ends in the old account. */
      cancel: z.enum(['immediate', 'end_of_term']),
      reason,
    }),
    example: { toAccountId: '1', cancel: 'immediate', reason: 'the hotel was sold' },
    answers: { 201: postpaidDone },
    problems: ['subscription_ended', 'product_not_on_cas', 'unavailable'],
    async handler(call) {
      const opened = await openedFor(desk, call);
      if ('problem' in opened) return opened;
      const { account, look } = opened;
      const { toAccountId, cancel } = call.body;
      const contract = look.book.rows.contracts.find(({ id }) => id === call.params.contractId);
      if (!contract) return problem('not_found');
      const query = { sites: siteFilter(call.principal), subscriberId: null, after: null };
      const [to] = await findAccounts(call.db, { ...query, id: toAccountId, limit: 1 });
      if (!to || to.id === account.id || to.siteId !== account.siteId) {
        return invalidField('toAccountId', 'unknown', 'No other account of the site');
      }
      if (contract.baseId !== null)
        return invalidField('contractId', 'add_on', 'No base of a bundle');
      const accounts = { from: account.id, to: to.id };
      const wanted = { bundle: contract.ref, cancel };
      const outcome = await desk.postpaid.transfer(accounts, call.receipt, wanted);
      if (!outcome.ok) return refusal('idempotency_key_reused');
      const done = outcomeOf(to.id, outcome.value);
      return done.kind === 'done' ? created(done.result) : refusal(outcomeCode(done));
    },
  });

const outcomeCode = (outcome: { kind: string; code?: string }): string =>
  outcome.code ?? 'unavailable';

const preview = z
  .strictObject({ lines: z.array(previewLine), total: money })
  .meta({ id: 'InvoicePreview' });

const previewRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'post', path: '/postpaid-accounts/{accountId}/previews', tag },
    ...{ access: 'contract.preview', params: ofAccount },
    summary: 'The invoice that an act would make now; nothing is done',
    write: { object: 'preview', commits: 'itself' },
    body: accountAct,
    example: { act: 'sell', ref: 'rooms-east', plan: 'ROOMS', quantity: 12 },
    answers: { 200: preview },
    problems: [
      ...(['ref_exists', 'plan_not_sold', 'product_not_on_cas'] as const),
      ...(['invalid_requested_date', 'subscription_ended'] as const),
    ],
    async handler(call) {
      const opened = await openedFor(desk, call);
      if ('problem' in opened) return opened;
      const { account, look } = opened;
      const action = actionOf(look, call.body);
      if (!action) return problem('not_found');
      const seen = await desk.postpaid.preview(account.id, action);
      if (!seen.ok) return refusal(seen.error);
      const known = new Set(look.book.rows.contracts.map((row) => row.id));
      const lines = seen.lines.map((line) => {
        const isKnown = line.contractId !== null && known.has(line.contractId);
        return chargeView(
          { ...line, contractId: isKnown ? line.contractId : null },
          account.currency,
        );
      });
      return ok({ lines, total: moneyOf(seen.total, account.currency) });
    },
  });
