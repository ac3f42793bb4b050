/** Wallets: what is in them, how it came to be, and cash that comes in. */
import { z } from 'zod';
import { id, idText, instant, money, moneyIn, moneyOf, pageOf, plainPage } from '../api/fields.ts';
import { invalidField, problem } from '../api/problems.ts';
import { ok, type Route, route } from '../api/route.ts';
import { siteFilter } from '../people/principal.ts';
import { settleNow } from './act.ts';
import { cardById } from './card-store.ts';
import { type Desk, tillOf } from './desk.ts';
import { moneyAnswer, settledMoney } from './money.ts';
import { minorAt, type Purse, purseOf } from './wallet-acts.ts';
import { statement, walletOf } from './wallet-store.ts';

const wallet = z
  .strictObject({
    subscriberId: idText,
    credit: money,
    promo: money,
    owed: money,
    held: money,
    units: z.string(),
    lots: z.array(
      z.strictObject({
        id: idText,
        kind: z.string(),
        amount: money,
        remaining: money,
        expiresAt: instant.nullable(),
      }),
    ),
  })
  .meta({ id: 'Wallet' });

const entry = z
  .strictObject({
    id: idText,
    at: instant,
    kind: z.string(),
    reference: z.string(),
    amount: money,
    balance: money,
  })
  .meta({ id: 'StatementEntry' });

const params = z.strictObject({ subscriberId: id });
const tag = 'Wallets';

/** The routes of wallets. */
export const walletRoutes = (desk: Desk): Route[] => [
  route({
    ...{ method: 'get', path: '/subscribers/{subscriberId}/wallet', tag, access: 'wallet.read' },
    ...{ summary: 'Credit, TV units and lots', params, answers: { 200: wallet } },
    async handler({ db, principal, params: { subscriberId } }) {
      const found = await walletOf(db, subscriberId, siteFilter(principal));
      if (!found) return problem('not_found');
      const { asset } = found;
      return ok({
        subscriberId: subscriberId.toString(),
        credit: moneyOf(found.credit, asset),
        promo: moneyOf(found.promo, asset),
        owed: moneyOf(found.owed, asset),
        held: moneyOf(found.held, asset),
        units: found.units.toString(),
        lots: found.lots.map((lot) => ({
          id: lot.id.toString(),
          kind: lot.kind,
          amount: moneyOf(lot.amount, asset),
          remaining: moneyOf(lot.remaining, asset),
          expiresAt: lot.expiresAt?.toISOString() ?? null,
        })),
      });
    },
  }),
  route({
    ...{ method: 'get', path: '/subscribers/{subscriberId}/wallet/entries', tag, paged: true },
    ...{ summary: 'The statement, the newest entry first, with the balance after each' },
    ...{ access: 'wallet.read', params, query: plainPage, answers: { 200: pageOf(entry) } },
    async handler({ db, principal, params: { subscriberId }, page, pageOf: answer }) {
      const found = await walletOf(db, subscriberId, siteFilter(principal));
      if (!found) return problem('not_found');
      const rows = await statement(db, found.accountId, page);
      return answer(
        rows,
        ({ at, id: rowId }) => ({ at, id: rowId }),
        (row) => ({
          id: row.id.toString(),
          at: row.at.toISOString(),
          kind: row.kind,
          reference: row.reference,
          amount: moneyOf(row.amount, found.asset),
          balance: moneyOf(row.balance, found.asset),
        }),
      );
    },
  }),
  topUpRoute(desk),
];

const topUpRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'post', path: '/subscribers/{subscriberId}/top-ups', tag },
    ...{ access: 'wallet.top_up', idempotent: true, params },
    summary: 'Take cash at the site’s till, for a card or for the wallet',
    write: { object: 'wallet', commits: 'itself' },
    body: z.strictObject({ amount: moneyIn, cardId: id.optional() }),
    example: { amount: { amount: '650.00', currency: 'KES' } },
    answers: { 201: settledMoney },
    problems: ['wrong_currency', 'unavailable'],
    async handler(call) {
      const { db, body } = call;
      const found = await purseOf(desk, call, call.params.subscriberId);
      if (!found) return problem('not_found');
      const { site, subscriber } = found;
      call.note({ siteId: site.id });
      const amount = minorAt(site, body.amount);
      if (typeof amount !== 'bigint') return amount;
      if (body.cardId === undefined) {
        const { id: subscriberId } = subscriber;
        const paid = { credit: 'paid', expiresAt: null, priority: null } as const;
        const wish = { kind: 'top_up', subscriberId, amount, ...paid } as const;
        return moneyAnswer(await settleNow(desk, call, site, wish), site.currency);
      }
      const card = await cardById(db, body.cardId, [subscriber.siteId]);
      if (card?.subscriberId !== subscriber.id) return NOT_THEIR_CARD;
      const till = tillOf(site);
      const outcome = await desk.settlement.settle({
        ...{ kind: 'payment', provider: till, receipt: call.receipt, channelId: till },
        ...{ siteId: site.id, at: call.now, raw: Buffer.from(call.principal.key) },
        ...{ amount, asset: site.currency, orderId: null, payerHash: null, means: 'cash' },
        ...{ accountRef: card.number, payerMsisdn: ownPhone(subscriber) },
      });
      return moneyAnswer(outcome, site.currency);
    },
  });

/** A contact may be another's phone by now. */
const ownPhone = ({ contactMsisdn, phones }: Purse['subscriber']): string | null =>
  phones.find((one) => one === contactMsisdn) ?? phones[0] ?? null;

const NOT_THEIR_CARD = invalidField('cardId', 'unknown', 'Not a card of the subscriber');
