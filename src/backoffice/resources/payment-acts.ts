/** What staff do with money that came in for the wrong card, or for none. */
import { z } from 'zod';
import type { Site } from '../../billing/catalogue/rules.ts';
import { cardNumberText, id, phone, reason } from '../api/fields.ts';
import { invalidField, type Problem, problem } from '../api/problems.ts';
import { type Call, type Route, route } from '../api/route.ts';
import type { Act } from '../people/approvals.ts';
import { type Principal, siteFilter } from '../people/principal.ts';
import type { Db } from '../people/staff-store.ts';
import {
  type ActDeps,
  doOrAsk,
  moneyAct,
  placeAt,
  placeOfAct,
  settleNow,
  type Wish,
} from './act.ts';
import { approval } from './approval-view.ts';
import { findCards } from './card-store.ts';
import type { Desk } from './desk.ts';
import { moneyAnswer, settledMoney } from './money.ts';
import { type PaymentRecord, paymentById, suspenseById } from './payment-store.ts';
import { channelsOf } from './payments.ts';

export const CLAIM = 'suspense.claim';

const params = z.strictObject({ paymentId: id });
const tag = 'Payments';

const claim = z.strictObject({
  ...placeOfAct,
  provider: z.string(),
  receipt: z.string(),
  cardNumber: z.string(),
  payerMsisdn: z.string().nullable(),
});

/** The act of giving money in suspense to a card. */
export const createClaim = (deps: ActDeps): Act =>
  moneyAct(deps, 'suspense.approve', claim, ({ provider, receipt, cardNumber, payerMsisdn }) => ({
    kind: 'claim',
    original: { provider, receipt },
    ...{ cardNumber, payerMsisdn },
  }));

/** The routes of claims and moves. */
export const paymentActRoutes = (desk: Desk): Route[] => [
  claimRoute(desk),
  moveRoute(desk),
  objectRoute(desk),
];

/** Why a card cannot be named here; null when it can. */
async function cardFault(
  db: Db,
  principal: Principal,
  path: string,
  number: string,
): Promise<Problem | null> {
  const wanted = { number, subscriberId: null, isSuspended: null, after: null, limit: 1 };
  const [card] = await findCards(db, { ...wanted, sites: siteFilter(principal) });
  if (card) return null;
  return invalidField(path, 'unknown', 'Not known here');
}

const claimRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'post', path: '/suspense/{paymentId}/claims', tag, params },
    ...{ access: 'suspense.claim', idempotent: true },
    summary: 'Give money in suspense to the card it was for; above the limit two decide',
    write: { object: 'payment', commits: 'itself' },
    body: z.strictObject({ cardNumber: cardNumberText, reason }),
    example: { cardNumber: '40219999915', reason: 'the payer mistyped the card' },
    answers: { 201: settledMoney, 202: approval },
    problems: ['not_in_suspense', 'currency_mismatch', 'unavailable'],
    async handler(call) {
      const { db, principal, body, params: given } = call;
      const found = await suspenseById(db, given.paymentId, siteFilter(principal));
      const site = found && desk.catalogue().sites.get(found.siteId);
      if (!found || !site) return problem('not_found');
      call.note({ siteId: site.id, reason: body.reason });
      const fault = await cardFault(db, principal, 'cardNumber', body.cardNumber);
      if (fault) return fault;
      const { provider, receipt, payerMsisdn, amount: minor, asset } = found;
      const { cardNumber } = body;
      const needsSecond = desk.needsSecond(minor, asset);
      // Nobody is to decide on what is gone; settlement knows it by itself, and its own repeats.
      if (needsSecond && !found.isOpen) return problem('not_in_suspense');
      return doOrAsk(desk, call, {
        ...{ act: CLAIM, siteId: site.id, amount: { minor, asset }, reason: body.reason },
        input: { ...placeAt(site), provider, receipt, cardNumber, payerMsisdn },
        subject: `${provider} ${receipt} for card ${cardNumber}`,
        needsSecond,
      });
    },
  });

/** Where a payment is moved, and the phone that paid it. */
export const moved = z.strictObject({ toCardNumber: cardNumberText, payerPhone: phone });
type MoveParts = 'db' | 'principal' | 'body';

const moveRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'post', path: '/payments/{paymentId}/moves', tag, params },
    ...{ access: 'payment.move', idempotent: true },
    summary: 'Move a payment to another card, for the phone that paid it',
    write: { object: 'payment', commits: 'itself' },
    body: moved.extend({ reason }),
    example: {
      ...{ toCardNumber: '40219999915', payerPhone: '+254711222333' },
      reason: 'the payer called: wrong card',
    },
    answers: { 201: settledMoney },
    problems: [
      ...(['move_not_allowed', 'move_window_over', 'move_limit', 'currency_mismatch'] as const),
      ...(['card_blocked', 'product_not_on_cas'] as const),
    ],
    async handler(call) {
      const { db, principal, body, params: given } = call;
      const found = await paymentById(db, given.paymentId, channelsOf(desk, principal, undefined));
      if (!found) return problem('not_found');
      call.note({ siteId: found.siteId, reason: body.reason });
      const move = await moveOf(desk, call, found);
      if ('problem' in move) return move;
      const { site, wish } = move;
      return moneyAnswer(await settleNow(desk, call, site, wish), site.currency);
    },
  });

/** What is wished when a payment is moved, and at which site; or why it cannot be. */
export async function moveOf(
  desk: Desk,
  { db, principal, body }: Pick<Call<unknown, unknown, z.output<typeof moved>>, MoveParts>,
  { siteId, provider, receipt }: PaymentRecord,
): Promise<{ site: Site; wish: Wish } | Problem> {
  const { toCardNumber, payerPhone: payerMsisdn } = body;
  const fault = await cardFault(db, principal, 'toCardNumber', toCardNumber);
  if (fault) return fault;
  const site = siteId !== null && desk.catalogue().sites.get(siteId);
  if (!site) return problem('move_not_allowed');
  const original = { provider, receipt };
  return { site, wish: { kind: 'move_payment', original, toCardNumber, payerMsisdn } };
}

const objectRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'post', path: '/payments/{paymentId}/objections', tag, params },
    ...{ access: 'payment.move', idempotent: true },
    summary: 'Object to a move that is not done yet, for the owner of the card',
    write: { object: 'payment', commits: 'itself' },
    ...{ body: z.strictObject({ reason }), example: { reason: 'the owner says it was for them' } },
    ...{ answers: { 201: settledMoney }, problems: ['nothing_pending', 'unavailable'] },
    async handler(call) {
      const { db, principal, body, params: given } = call;
      const found = await paymentById(db, given.paymentId, channelsOf(desk, principal, undefined));
      if (!found) return problem('not_found');
      call.note({ siteId: found.siteId, reason: body.reason });
      const site = found.siteId !== null && desk.catalogue().sites.get(found.siteId);
      if (!site) return problem('nothing_pending');
      const { provider, receipt } = found;
      const wish = { kind: 'object_move', original: { provider, receipt } } as const;
      return moneyAnswer(await settleNow(desk, call, site, wish), site.currency);
    },
  });
