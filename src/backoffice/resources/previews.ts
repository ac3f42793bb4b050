/**
 * What an act would do, shown before anybody decides on it. Nothing is written but who looked.
 */
import { z } from 'zod';
import type { Site } from '../../billing/catalogue/rules.ts';
import type { Preview } from '../../billing/settlement/preview.ts';
import { id, idText, instant, money, moneyIn, moneyOf } from '../api/fields.ts';
import { type Problem, problem } from '../api/problems.ts';
import { type Answer, type Call, ok, type Route, route } from '../api/route.ts';
import { siteFilter } from '../people/principal.ts';
import { previewNow, type Wish } from './act.ts';
import { cardById } from './card-store.ts';
import { termSale, termWish } from './cards.ts';
import type { Desk } from './desk.ts';
import { refusal } from './money.ts';
import { moved, moveOf } from './payment-acts.ts';
import { paymentById } from './payment-store.ts';
import { channelsOf } from './payments.ts';
import { addOn, addOnWish, planChange, planWish } from './subscription-acts.ts';
import { minorAt, purseOf } from './wallet-acts.ts';

const preview = z
  .strictObject({
    paidUntil: instant.nullable(),
    /** Credit left afterwards. */
    credit: money.nullable(),
    units: z.string().nullable(),
    /** Of a payment that would move: at once, or when the time to object is over. */
    move: z.enum(['moved', 'pending']).nullable(),
    /** What is sold, changed or ended, as it would stand afterwards. */
    lines: z.array(
      z.strictObject({
        change: z.enum(['new', 'changed', 'ended']),
        bouquet: z.string(),
        kind: z.string(),
        days: z.int().nullable(),
        from: instant,
        to: instant,
        price: money,
        tax: money,
      }),
    ),
    /** What wallets would gain; below zero: lose. */
    wallets: z.array(z.strictObject({ subscriberId: idText, paid: money, promo: money })),
  })
  .meta({ id: 'Preview' });

const act = <A extends string>(name: A) => ({ act: z.enum([name]) });
const ofCard = z.union([
  termSale.extend(act('term')),
  planChange.extend(act('plan_change')),
  addOn.extend(act('add_on')),
]);

/** The routes of previews. */
export const previewRoutes = (desk: Desk): Route[] => [
  cardRoute(desk),
  paymentRoute(desk),
  walletRoute(desk),
];

type AnyCall = Pick<Call<unknown, unknown, unknown>, 'receipt' | 'now' | 'principal'>;

/** The answer; a refusal is the one that the act would get. */
async function show(
  desk: Desk,
  call: AnyCall,
  site: Site,
  wish: Wish | Problem,
): Promise<Answer | Problem> {
  if ('problem' in wish) return wish;
  const outcome = await previewNow(desk, call, site, wish);
  if (outcome.kind === 'unavailable') {
    return problem('unavailable', { headers: { 'Retry-After': '1' } });
  }
  const { settled } = outcome.preview;
  if (settled.state === 'refused') return refusal(settled.code ?? 'internal');
  return ok(viewOf(desk, site, outcome.preview));
}

function viewOf(desk: Desk, site: Site, { settled, lines, wallets }: Preview) {
  const { paidUntil, credit, units, result } = settled;
  return {
    ...{ paidUntil, units },
    credit: credit === null ? null : moneyOf(BigInt(credit), site.currency),
    move: result?.kind === 'moved' || result?.kind === 'pending' ? result.kind : null,
    lines: lines.map(({ change, bouquetId, kind, days, from, to, asset, price, tax }) => ({
      ...{ change, kind, days },
      bouquet: desk.catalogue().bouquets.get(bouquetId)?.code ?? bouquetId.toString(),
      ...{ from: from.toISOString(), to: to.toISOString() },
      ...{ price: moneyOf(price, asset), tax: moneyOf(tax, asset) },
    })),
    wallets: wallets.map(({ subscriberId, asset, paid, promo }) => ({
      subscriberId: subscriberId.toString(),
      ...{ paid: moneyOf(paid, asset), promo: moneyOf(promo, asset) },
    })),
  };
}

const cardRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'post', path: '/cards/{cardId}/previews', tag: 'Cards', access: 'term.sell' },
    summary: 'What a term, another plan or an add-on would cost and change now; nothing is done',
    params: z.strictObject({ cardId: id }),
    write: { object: 'card', commits: 'itself' },
    ...{ body: ofCard, answers: { 200: preview } },
    example: { act: 'plan_change', bouquet: 'ESSENTIAL', policy: 'immediate' },
    problems: [
      ...(['unknown_card', 'insufficient_funds', 'insufficient_units', 'no_tariff'] as const),
      ...(['term_not_sold', 'not_running', 'paused', 'promotion_not_valid'] as const),
      ...(['promotion_used', 'promotion_budget_spent', 'unavailable'] as const),
    ],
    async handler(call) {
      const { db, principal, body, params } = call;
      const card = await cardById(db, params.cardId, siteFilter(principal));
      const site = card && desk.catalogue().sites.get(card.siteId);
      if (!card || !site) return problem('not_found');
      if (body.act === 'term') return show(desk, call, site, termWish(card, body));
      if (body.act === 'add_on') return show(desk, call, site, addOnWish(desk, body, card, site));
      return show(desk, call, site, planWish(desk, body, card, site));
    },
  });

const paymentRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'post', path: '/payments/{paymentId}/previews', tag: 'Payments' },
    summary: 'What moving a payment to another card would change now; nothing is done',
    ...{ access: 'payment.move', params: z.strictObject({ paymentId: id }) },
    write: { object: 'payment', commits: 'itself' },
    body: z.strictObject({ ...act('move'), ...moved.shape }),
    example: { act: 'move', toCardNumber: '40219999915', payerPhone: '+254711222333' },
    answers: { 200: preview },
    problems: [
      ...(['move_not_allowed', 'move_window_over', 'move_limit'] as const),
      ...(['card_blocked', 'product_not_on_cas'] as const),
      ...(['currency_mismatch', 'unavailable'] as const),
    ],
    async handler(call) {
      const { db, principal, params } = call;
      const found = await paymentById(db, params.paymentId, channelsOf(desk, principal, undefined));
      if (!found) return problem('not_found');
      const move = await moveOf(desk, call, found);
      return 'problem' in move ? move : show(desk, call, move.site, move.wish);
    },
  });

const walletRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'post', path: '/subscribers/{subscriberId}/previews', tag: 'Wallets' },
    summary: 'What paying credit out would leave; nothing is done',
    ...{ access: 'wallet.refund', params: z.strictObject({ subscriberId: id }) },
    write: { object: 'wallet', commits: 'itself' },
    body: z.strictObject({ ...act('refund'), amount: moneyIn }),
    example: { act: 'refund', amount: { amount: '100.00', currency: 'KES' } },
    ...{ answers: { 200: preview }, problems: ['wrong_currency', 'not_refundable', 'unavailable'] },
    async handler(call) {
      const found = await purseOf(desk, call, call.params.subscriberId);
      if (!found) return problem('not_found');
      const { site, subscriber } = found;
      const amount = minorAt(site, call.body.amount);
      if (typeof amount !== 'bigint') return amount;
      return show(desk, call, site, { kind: 'refund', subscriberId: subscriber.id, amount });
    },
  });
