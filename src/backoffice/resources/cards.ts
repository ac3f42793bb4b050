/** Cards: what they are paid for, whether they are on air, and what is bought for them. */
import { z } from 'zod';
import { percentOf } from '../../billing/catalogue/file/tax.ts';
import type { TermName } from '../../billing/catalogue/rules.ts';
import { paidButDark } from '../../entitlement/picture/dark.ts';
import type { Diagnosis } from '../../entitlement/picture/desk.ts';
import {
  cardNumberText,
  id,
  idText,
  instant,
  money,
  moneyOf,
  pageOf,
  pageQuery,
  plainPage,
  siteCode,
  term,
  text,
} from '../api/fields.ts';
import { problem } from '../api/problems.ts';
import { accepted, ok, type Route, route } from '../api/route.ts';
import { siteFilter } from '../people/principal.ts';
import { settleNow, type Wish } from './act.ts';
import { type CardRecord, cardById, findCards, termsOf } from './card-store.ts';
import { codeOf, type Desk, sitesOf } from './desk.ts';
import { moneyAnswer, settledMoney } from './money.ts';

const card = z
  .strictObject({
    id: idText,
    number: cardNumberText,
    site: siteCode,
    subscriber: z.strictObject({ id: idText, fullName: z.string() }),
    subscription: z
      .strictObject({
        bouquet: z.string(),
        term: z.string(),
        autoRenew: z.boolean(),
        waitingTerm: z.string().nullable(),
        paidUntil: instant.nullable(),
        pausedUntil: instant.nullable(),
        closedAt: instant.nullable(),
      })
      .nullable(),
    suspended: z.string().nullable(),
    isOnAir: z.boolean(),
    onAirAt: instant.nullable(),
    createdAt: instant,
  })
  .meta({ id: 'Card' });

const picture = z
  .strictObject({
    state: z.enum(['suspended', 'not_paid', 'on_its_way', 'on_air']),
    since: instant.nullable(),
    reason: z.string().nullable(),
    paidUntil: instant.nullable(),
    refreshedAt: instant.nullable(),
  })
  .meta({ id: 'Picture' });

const boughtTerm = z
  .strictObject({
    id: idText,
    bouquet: z.string(),
    kind: z.string(),
    days: z.int().nullable(),
    from: instant,
    to: instant,
    price: money,
    /** All taxes together. */
    tax: money,
    /** With the rates of the sale. */
    taxes: z.array(z.strictObject({ code: z.string(), percent: z.string(), amount: money })),
    state: z.enum(['sold', 'void']),
  })
  .meta({ id: 'Term' });

const darkCard = z
  .strictObject({
    cardId: idText,
    number: cardNumberText,
    site: siteCode,
    since: instant,
    reasons: z.array(z.string()),
    failure: z.string().nullable(),
  })
  .meta({ id: 'DarkCard' });

const params = z.strictObject({ cardId: id });
const tag = 'Cards';
const cardPath = '/cards/{cardId}';

/** The routes of cards. */
export const cardRoutes = (desk: Desk): Route[] => [
  ...lookRoutes(desk),
  ...pictureRoutes(desk),
  termsRoute,
  sellRoute(desk),
];

const lookRoutes = (desk: Desk): Route[] => {
  const view = viewOf(desk);
  return [
    route({
      ...{ method: 'get', path: '/cards', tag, access: 'card.read', paged: true },
      summary: 'Find cards by number, subscriber or suspension',
      query: z.strictObject({
        ...pageQuery,
        site: siteCode.optional(),
        number: cardNumberText.optional(),
        subscriberId: id.optional(),
        suspended: z.enum(['true', 'false']).optional(),
      }),
      answers: { 200: pageOf(card) },
      async handler({ db, principal, query, page, pageOf: answer }) {
        const rows = await findCards(db, {
          sites: sitesOf(desk, principal, query.site),
          number: query.number ?? null,
          subscriberId: query.subscriberId ?? null,
          isSuspended: query.suspended === undefined ? null : query.suspended === 'true',
          after: page.after,
          limit: page.fetch,
        });
        return answer(rows, ({ createdAt: at, id: rowId }) => ({ at, id: rowId }), view);
      },
    }),
    route({
      ...{ method: 'get', path: cardPath, tag, access: 'card.read', etag: 'read' },
      ...{ summary: 'A card', params, answers: { 200: card } },
      async handler({ db, principal, params: { cardId } }) {
        const found = await cardById(db, cardId, siteFilter(principal));
        return found ? ok(view(found)) : problem('not_found');
      },
    }),
  ];
};

const viewOf = (desk: Desk) => (record: CardRecord) => ({
  id: record.id.toString(),
  number: record.number,
  site: codeOf(desk, record.siteId),
  subscriber: { id: record.subscriberId.toString(), fullName: record.subscriberName },
  subscription: record.subscription && {
    ...record.subscription,
    paidUntil: record.subscription.paidUntil?.toISOString() ?? null,
    pausedUntil: record.subscription.pausedUntil?.toISOString() ?? null,
    closedAt: record.subscription.closedAt?.toISOString() ?? null,
  },
  suspended: record.suspended,
  isOnAir: record.isOnAir,
  onAirAt: record.onAirAt?.toISOString() ?? null,
  createdAt: record.createdAt.toISOString(),
});

const pictureRoutes = (desk: Desk): Route[] => [
  route({
    ...{ method: 'get', path: '/cards/{cardId}/picture', tag, access: 'card.read' },
    ...{ summary: 'Why a card shows a picture or none', params, answers: { 200: picture } },
    async handler({ db, principal, params: { cardId } }) {
      const found = await cardById(db, cardId, siteFilter(principal));
      const diagnosis = found && (await desk.picture.diagnose(cardId));
      return diagnosis ? ok(pictureView(diagnosis)) : problem('not_found');
    },
  }),
  route({
    ...{ method: 'post', path: '/cards/{cardId}/refreshes', tag, access: 'card.refresh', params },
    summary: 'Have the rights of a card broadcast afresh',
    write: { object: 'card', commits: 'itself' },
    answers: { 202: z.strictObject({ askedAt: instant }) },
    problems: ['refresh_limited', 'refresh_not_possible'],
    async handler({ db, principal, params: { cardId }, now, note }) {
      const found = await cardById(db, cardId, siteFilter(principal));
      if (!found) return problem('not_found');
      note({ siteId: found.siteId });
      const answer = await desk.picture.refresh({ cardId, source: 'staff', msisdn: null });
      if (answer.kind === 'not_on_air') return problem('refresh_not_possible');
      if (answer.kind === 'limited') {
        const waitS = Math.max(1, Math.ceil((answer.again.getTime() - now.getTime()) / 1000));
        return problem('refresh_limited', { headers: { 'Retry-After': String(waitS) } });
      }
      return accepted({ askedAt: answer.at.toISOString() }, `/cards/${cardId}/picture`);
    },
  }),
  route({
    ...{ method: 'get', path: '/dark-cards', tag, access: 'card.read' },
    summary: 'Cards that are paid but dark, the longest dark first, at most 200',
    answers: { 200: z.strictObject({ items: z.array(darkCard) }) },
    async handler({ principal, now }) {
      const sites = siteFilter(principal);
      const found = await paidButDark(desk.pool, { now, afterSeconds: DARK_AFTER_S, sites });
      const items = found.map(({ cardId, number, siteId, since, reasons, failure }) => ({
        ...{ cardId: cardId.toString(), number, site: codeOf(desk, siteId) },
        ...{ since: since.toISOString(), reasons, failure },
      }));
      return ok({ items });
    },
  }),
];

const DARK_AFTER_S = 120;

function pictureView(diagnosis: Diagnosis) {
  const { kind } = diagnosis;
  const since = 'since' in diagnosis ? diagnosis.since : null;
  const paidUntil = 'paidUntil' in diagnosis ? diagnosis.paidUntil : null;
  const refreshedAt = kind === 'on_air' ? diagnosis.refreshedAt : null;
  return {
    state: kind,
    since: since?.toISOString() ?? null,
    reason: kind === 'suspended' ? diagnosis.reason : null,
    paidUntil: paidUntil?.toISOString() ?? null,
    refreshedAt: refreshedAt?.toISOString() ?? null,
  };
}

const termsRoute = route({
  ...{ method: 'get', path: '/cards/{cardId}/terms', tag, access: 'card.read', paged: true },
  ...{ summary: 'What was bought for a card, the latest first' },
  ...{ params, query: plainPage, answers: { 200: pageOf(boughtTerm) } },
  async handler({ db, principal, params: { cardId }, page, pageOf: answer }) {
    const found = await cardById(db, cardId, siteFilter(principal));
    if (!found) return problem('not_found');
    return answer(
      await termsOf(db, cardId, page),
      ({ from: at, id: rowId }) => ({ at, id: rowId }),
      (row) => ({
        id: row.id.toString(),
        bouquet: row.bouquet,
        kind: row.kind,
        days: row.days,
        from: row.from.toISOString(),
        to: row.to.toISOString(),
        price: moneyOf(row.price, row.asset),
        tax: moneyOf(row.tax, row.asset),
        taxes: row.taxes.map(({ code, ppm, amount }) => ({
          code,
          percent: percentOf(ppm),
          amount: moneyOf(amount, row.asset),
        })),
        state: row.state,
      }),
    );
  },
});

/** Three years of months. */
const TERMS_MAX = 36;

export const termSale = z.strictObject({
  term,
  means: z.enum(['credit', 'tvu']).default('credit'),
  /** So many one after another. */
  count: z.int().min(1).max(TERMS_MAX).default(1),
  /** Of a promotion. */
  code: text(40).optional(),
});

/** What is left out is no part of what the key was used for. */
const purposeOf = (
  { id: cardId }: CardRecord,
  { term: name, count, code }: { term: TermName; count: number; code?: string | undefined },
) => ({
  ...({ kind: 'term', cardId, term: name } as const),
  ...(count === 1 ? {} : { count }),
  ...(code === undefined ? {} : { code }),
});

/** A term that the wallet of the card's subscriber pays. */
export const termWish = (card: CardRecord, said: z.output<typeof termSale>): Wish => ({
  ...{ kind: 'buy', purpose: purposeOf(card, said), msisdn: null, means: said.means },
});

const sellRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'post', path: '/cards/{cardId}/terms', tag, access: 'term.sell', params },
    summary: 'Buy a term from the wallet of the card’s subscriber, with credit or TV units',
    ...{ idempotent: true, write: { object: 'card', commits: 'itself' } },
    body: termSale,
    ...{ example: { term: 'month' }, answers: { 201: settledMoney } },
    problems: [
      ...(['insufficient_funds', 'insufficient_units', 'term_not_sold'] as const),
      ...(['promotion_not_valid', 'promotion_used', 'promotion_budget_spent', 'paused'] as const),
    ],
    async handler(call) {
      const { db, principal, body, params: given } = call;
      const found = await cardById(db, given.cardId, siteFilter(principal));
      const site = found && desk.catalogue().sites.get(found.siteId);
      if (!found || !site) return problem('not_found');
      call.note({ siteId: site.id });
      const wish = termWish(found, body);
      return moneyAnswer(await settleNow(desk, call, site, wish), site.currency);
    },
  });
