/** What staff do to the subscription of a card. */
import { z } from 'zod';
import type { Bouquet, Site } from '../../billing/catalogue/rules.ts';
import { id, reason, term, text } from '../api/fields.ts';
import { invalidField, type Problem, type ProblemCode, problem } from '../api/problems.ts';
import { type Answer, type Call, type Route, type RouteSpec, route } from '../api/route.ts';
import type { Permission } from '../people/permissions.ts';
import { siteFilter } from '../people/principal.ts';
import { settleNow, type Wish } from './act.ts';
import { type CardRecord, cardById } from './card-store.ts';
import type { Desk } from './desk.ts';
import { moneyAnswer, settledMoney } from './money.ts';

const params = z.strictObject({ cardId: id });
const why = z.strictObject({ reason });
const ofTerm = z.strictObject({ term });
/** The longest that may be asked for at once; the site's rules say how long it may be. */
const PAUSE_DAYS_MAX = 366;

interface CardActSpec<B extends z.ZodType> {
  path: string;
  summary: string;
  access: Permission;
  body: B;
  example: z.input<B>;
  problems: readonly ProblemCode[];
  /** What is asked of settlement; a problem when the body names what is not there. */
  wish(said: z.output<B>, card: CardRecord, site: Site): Wish | Problem;
  secrets?: readonly string[];
}

/** A route that has settlement do one thing for one card, once for each key. */
export function cardActRoute<B extends z.ZodType>(desk: Desk, spec: CardActSpec<B>): Route {
  const { path, wish, problems, ...declared } = spec;
  const whole: RouteSpec<typeof params, z.ZodType, B> = {
    ...{ ...declared, method: 'post', path: `/cards/{cardId}/${path}`, tag: 'Cards', params },
    ...{ idempotent: true, write: { object: 'card', commits: 'itself' } },
    ...{ answers: { 201: settledMoney }, problems: [...problems, 'unavailable'] },
    handler: (call) => actOnCard(desk, call, wish),
  };
  return route(whole);
}

async function actOnCard<B>(
  desk: Desk,
  call: Call<z.output<typeof params>, unknown, B>,
  wishOf: (said: B, card: CardRecord, site: Site) => Wish | Problem,
): Promise<Answer | Problem> {
  const { db, principal, body, params: given } = call;
  const card = await cardById(db, given.cardId, siteFilter(principal));
  const site = card && desk.catalogue().sites.get(card.siteId);
  if (!card || !site) return problem('not_found');
  const { reason: said = null } = body as { reason?: string };
  call.note({ siteId: site.id, reason: said });
  const wish = wishOf(body, card, site);
  if ('problem' in wish) return wish;
  return moneyAnswer(await settleNow(desk, call, site, wish), site.currency);
}

/** The routes of subscriptions. */
export const subscriptionActRoutes = (desk: Desk): Route[] => [
  ...renewalRoutes(desk),
  ...planRoutes(desk),
  ...pauseRoutes(desk),
  ...giftRoutes(desk),
];

const renewalRoutes = (desk: Desk): Route[] => [
  cardActRoute(desk, {
    ...{ path: 'renewal-requests', access: 'term.sell', body: ofTerm },
    summary: 'Buy a term now from the owner’s wallet, or as soon as there is money for it',
    example: { term: 'month' },
    problems: ['unknown_card', 'term_not_sold', 'product_not_on_cas', 'paused'],
    wish: (said, { id: cardId }) => ({ kind: 'request_renewal', cardId, term: said.term }),
  }),
  cardActRoute(desk, {
    ...{ path: 'auto-renewals', access: 'subscription.change', body: ofTerm },
    summary: 'Have the subscription renew by itself from now on',
    ...{ example: { term: 'month' }, problems: ['unknown_card', 'product_not_on_cas'] },
    wish: (said, { id: cardId }) => ({ kind: 'set_auto_renew', cardId, term: said.term }),
  }),
  cardActRoute(desk, {
    ...{ path: 'auto-renewal-endings', access: 'subscription.change', body: why },
    summary: 'Stop the renewal by itself; a renewal that waits for its money still does',
    ...{ example: { reason: 'decides each month anew' }, problems: ['unknown_card'] },
    wish: (_said, { id: cardId }) => ({ kind: 'stop_auto_renew', cardId }),
  }),
];

export const planChange = z.strictObject({
  bouquet: text(40),
  policy: z.enum(['immediate', 'end_of_term']),
});
export const addOn = z.strictObject({ bouquet: text(40), term: term.optional() });

/** Another plan for a card, or the problem with its name. */
export function planWish(
  desk: Pick<Desk, 'catalogue'>,
  { bouquet: code, policy }: z.output<typeof planChange>,
  { id: cardId }: Pick<CardRecord, 'id'>,
  site: Pick<Site, 'id'>,
): Wish | Problem {
  const bouquet = bouquetAt(desk, site, code);
  if (!bouquet) return UNKNOWN_BOUQUET;
  return { kind: 'change_plan', cardId, bouquetId: bouquet.id, policy };
}

/** A plan beside that of a card, or the problem with its name. */
export function addOnWish(
  desk: Pick<Desk, 'catalogue'>,
  { bouquet: code, term: ownTerm }: z.output<typeof addOn>,
  { id: cardId }: Pick<CardRecord, 'id'>,
  site: Pick<Site, 'id'>,
): Wish | Problem {
  const bouquet = bouquetAt(desk, site, code);
  if (!bouquet) return UNKNOWN_BOUQUET;
  const own = ownTerm === undefined ? {} : { term: ownTerm };
  return { kind: 'buy_addon', cardId, bouquetId: bouquet.id, ...own };
}

const planRoutes = (desk: Desk): Route[] => [
  cardActRoute(desk, {
    ...{ path: 'plan-changes', access: 'term.sell' },
    summary:
      'Another bouquet: at once, by the site’s rule for what is unused, or from the next term',
    body: planChange,
    example: { bouquet: 'ESSENTIAL', policy: 'end_of_term' },
    problems: [
      ...(['unknown_card', 'insufficient_funds', 'term_not_sold'] as const),
      ...(['product_not_on_cas', 'paused'] as const),
    ],
    wish: (said, card, site) => planWish(desk, said, card, site),
  }),
  cardActRoute(desk, {
    ...{ path: 'add-ons', access: 'term.sell', body: addOn },
    summary: 'Another bouquet beside the running term, to its end or for a term of its own',
    example: { bouquet: 'ESSENTIAL' },
    problems: [
      ...(['unknown_card', 'insufficient_funds', 'not_running', 'term_not_sold'] as const),
      ...(['product_not_on_cas', 'paused', 'addon_not_available', 'addon_limit'] as const),
    ],
    wish: (said, card, site) => addOnWish(desk, said, card, site),
  }),
];

const pauseRoutes = (desk: Desk): Route[] => [
  cardActRoute(desk, {
    ...{ path: 'pauses', access: 'subscription.change' },
    summary: 'Pause the running term for some days at most, within what the site grants a year',
    body: z.strictObject({ days: z.int().min(1).max(PAUSE_DAYS_MAX), reason }),
    example: { days: 7, reason: 'away for a week' },
    problems: ['unknown_card', 'not_running', 'pause_limit', 'paused'],
    wish: (said, { id: cardId }) => ({ kind: 'pause', cardId, days: said.days }),
  }),
  cardActRoute(desk, {
    ...{ path: 'pause-endings', access: 'subscription.change', body: why },
    ...{ summary: 'Let a paused term go on now', example: { reason: 'back already' } },
    problems: ['unknown_card', 'not_paused'],
    wish: (_said, { id: cardId }) => ({ kind: 'resume', cardId }),
  }),
  cardActRoute(desk, {
    ...{ path: 'closures', access: 'subscription.change', body: why },
    summary: 'Close the subscription: no renewal any more, what is paid runs out',
    ...{ example: { reason: 'moved abroad' }, problems: ['unknown_card'] },
    wish: (_said, { id: cardId }) => ({ kind: 'close_subscription', cardId }),
  }),
];

const giftRoutes = (desk: Desk): Route[] => [
  cardActRoute(desk, {
    ...{ path: 'trials', access: 'trial.give', body: why },
    summary: 'A trial, as long as the site’s rules say; once in a while for decoder and person',
    example: { reason: 'new in town' },
    problems: ['unknown_card', 'trial_used', 'product_not_on_cas', 'paused'],
    wish: (_said, { id: cardId }) => ({ kind: 'grant_trial', cardId }),
  }),
  cardActRoute(desk, {
    ...{ path: 'loans', access: 'loan.give', body: why },
    summary: 'A term on loan with its fee, by the site’s rules; the next money repays it',
    example: { reason: 'pays on Friday' },
    problems: [
      ...(['unknown_card', 'loan_open', 'loan_over_cap'] as const),
      ...(['term_not_sold', 'product_not_on_cas', 'paused'] as const),
    ],
    wish: (_said, { id: cardId }) => ({ kind: 'take_loan', cardId }),
  }),
];

/** A bouquet of a site by its code. */
export const bouquetAt = (
  desk: Pick<Desk, 'catalogue'>,
  site: Pick<Site, 'id'>,
  code: string,
): Bouquet | undefined =>
  [...desk.catalogue().bouquets.values()].find(
    (one) => one.siteId === site.id && one.code === code,
  );

export const UNKNOWN_BOUQUET = invalidField('bouquet', 'unknown', 'Not known here');
