/** Free days after a fault: what they would cost, and giving them. */
import { createHash } from 'node:crypto';
import type { Pool } from 'pg';
import { z } from 'zod';
import type { Site } from '../../billing/catalogue/rules.ts';
import { cardsInReach, countGiven, givenLately, limitsOf } from '../../billing/incidents/reach.ts';
import { type IncidentPreview, previewIncident } from '../../billing/incidents/rules.ts';
import type { Outcome } from '../../billing/settlement/commands.ts';
import { localDate } from '../../platform/calendar.ts';
import { id, money, moneyOf, reason, siteCode, text } from '../api/fields.ts';
import { problem } from '../api/problems.ts';
import { ok, type Route, route } from '../api/route.ts';
import type { Act } from '../people/approvals.ts';
import type { Principal } from '../people/principal.ts';
import type { Db } from '../people/staff-store.ts';
import { type ActDeps, doOrAsk, placeAt, placeOfAct } from './act.ts';
import { approval } from './approval-view.ts';
import { type Desk, siteByCode } from './desk.ts';

export const FREE_DAYS = 'incident.free_days';

/** More cards than this are named in several calls, so that an act ends while somebody waits. */
const CARDS_MAX = 10_000;
/** Cards of one command: their rights are locked together. */
const BATCH_CARDS = 50;
/** Days times cards that one person gives alone; cost has the limit of every act. */
export const CARD_DAYS_ALONE_MAX = 30;
const DAYS_MAX = 60;

const params = z.strictObject({ site: siteCode });
const tag = 'Incidents';

const given = z
  .strictObject({
    incident: z.string(),
    days: z.int(),
    /** Cards that have these days now. */
    cards: z.int(),
    /** At list price, as it was shown before. */
    cost: money,
  })
  .meta({ id: 'FreeDays' });

export const cost = z
  .strictObject({
    days: z.int(),
    cards: z.int(),
    cost: money,
    /** Cards that get nothing, by reason. */
    leftOut: z.array(z.strictObject({ why: z.string(), cards: z.int() })),
    needsSecond: z.boolean(),
  })
  .meta({ id: 'FreeDaysCost' });

const incidentInput = z.strictObject({
  ...placeOfAct,
  incident: z.string(),
  days: z.int(),
  cardIds: z.array(z.string().transform(BigInt)),
  cost: z.string().transform(BigInt),
});

/**
 * The act: one command for some cards at a time, each once for ever for its key and cards; a card
 * has days of one incident once, whoever gives them.
 */
export const createFreeDays = (deps: ActDeps & { pool: Pool }): Act => ({
  permission: 'gift.approve',
  async execute(input, key) {
    const read = incidentInput.parse(input);
    const { incident, days, cardIds, asset } = read;
    for (let from = 0; from < cardIds.length; from += BATCH_CARDS) {
      const outcome = await giveTo(deps, read, cardIds.slice(from, from + BATCH_CARDS), key);
      if (outcome.kind !== 'done') return { kind: 'unavailable' };
    }
    const cards = await countGiven(deps.pool, incident, cardIds);
    const result = { incident, days, cards, cost: moneyOf(read.cost, asset) };
    return { kind: 'done', result };
  },
});

function giveTo(
  { settlement, clock }: ActDeps,
  { incident, days, channelId, siteId }: z.output<typeof incidentInput>,
  cardIds: readonly bigint[],
  key: string,
): Promise<Outcome> {
  // A call asked again may reach other cards: then it is another receipt.
  const cards = createHash('sha256').update(cardIds.join()).digest('base64url');
  return settlement.settle({
    ...{ kind: 'incident', provider: 'backoffice', receipt: `${key}:${cards}`, channelId, siteId },
    ...{ at: clock.now(), raw: Buffer.from(key), incident, days, cardIds },
  });
}

/** The routes of incidents. */
export const incidentRoutes = (desk: Desk): Route[] => [costRoute(desk), giveRoute(desk)];

interface Ask {
  incident: string | null;
  days: number;
  subscriberId: bigint | null;
  cardIds: readonly bigint[] | null;
}

/** What it would give and cost now; null: too many cards. */
async function preview(
  desk: Desk,
  { db, now, principal }: { db: Db; now: Date; principal: Principal },
  site: Site,
  { incident, days, subscriberId, cardIds }: Ask,
): Promise<IncidentPreview | null> {
  const wanted = { siteId: site.id, subscriberId, cardIds };
  const limits = { at: now, limit: CARDS_MAX + 1, incident, catalogue: desk.catalogue() };
  const cards = await cardsInReach(db, wanted, limits);
  if (cards.length > CARDS_MAX) return null;
  const on = localDate(now, site.timeZone);
  const scope = { kind: 'site', siteId: site.id } as const;
  const ask = { incident: incident ?? '', reason: '', scope, days, by: principal.key, on };
  const given = await givenLately(db, site, cards, now);
  return previewIncident(ask, { cards, given, limits: limitsOf(site) });
}

/** More days than an incident may have here: nobody can give them. */
const isOverLimit = ({ decision }: IncidentPreview): boolean =>
  decision.kind === 'refused' && decision.error === 'incident_limit';

/** Above a number of days times cards, or a cost, a second person decides. */
export const needsSecond = (
  desk: Desk,
  site: Site,
  days: number,
  found: IncidentPreview,
): boolean =>
  found.cards.length * days > CARD_DAYS_ALONE_MAX || desk.needsSecond(found.cost, site.currency);

/** What days would come to, as it is answered. */
export function costView(desk: Desk, site: Site, days: number, found: IncidentPreview) {
  const leftOut = new Map<string, number>();
  for (const { why } of found.leftOut) leftOut.set(why, (leftOut.get(why) ?? 0) + 1);
  return {
    ...{ days, cards: found.cards.length, cost: moneyOf(found.cost, site.currency) },
    leftOut: [...leftOut].map(([why, cards]) => ({ why, cards })),
    needsSecond: needsSecond(desk, site, days, found),
  };
}

const costRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'get', path: '/sites/{site}/free-days-cost', tag, access: 'incident.give' },
    summary: 'What free days would cost at list price; of the whole site unless said otherwise',
    params,
    query: z.strictObject({
      incident: text(60).optional(),
      days: z
        .string()
        .regex(/^([1-9]|[1-5][0-9]|60)$/)
        .default('1'),
      subscriberId: id.optional(),
      cardId: id.optional(),
    }),
    ...{ answers: { 200: cost }, problems: ['too_many_cards', 'days_limit'] },
    async handler(call) {
      const { query, principal } = call;
      const site = siteByCode(desk, principal, call.params.site);
      if (!site) return problem('not_found');
      const days = Number(query.days);
      const found = await preview(desk, call, site, {
        ...{ incident: query.incident ?? null, days, subscriberId: query.subscriberId ?? null },
        cardIds: query.cardId === undefined ? null : [query.cardId],
      });
      if (!found) return problem('too_many_cards');
      return isOverLimit(found) ? problem('days_limit') : ok(costView(desk, site, days, found));
    },
  });

const giveRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'post', path: '/sites/{site}/free-days', tag, access: 'incident.give', params },
    summary: 'Give free days behind running paid terms: a card once for each incident',
    ...{ idempotent: true, write: { object: 'incident', commits: 'itself' } },
    body: z.strictObject({
      incident: text(60, 3),
      days: z.int().min(1).max(DAYS_MAX),
      reason,
      subscriberId: id.nullable().default(null),
      /** Neither: the whole site. */
      cardIds: z.array(id).min(1).max(1_000).nullable().default(null),
    }),
    example: { incident: 'NBO-2026-11-22', days: 1, reason: 'no signal for a day', cardIds: ['1'] },
    answers: { 201: given, 202: approval },
    problems: ['nobody_to_give_to', 'too_many_cards', 'days_limit', 'unavailable'],
    async handler(call) {
      const { body, principal } = call;
      const site = siteByCode(desk, principal, call.params.site);
      if (!site) return problem('not_found');
      const { incident, days, subscriberId, cardIds } = body;
      call.note({ siteId: site.id, objectId: incident, reason: body.reason });
      // Who had days of it is not asked: a call whose process ended asks again for the same cards.
      const asked = { incident: null, days, subscriberId, cardIds };
      const found = await preview(desk, call, site, asked);
      if (!found) return problem('too_many_cards');
      if (isOverLimit(found)) return problem('days_limit');
      if (found.cards.length === 0) return problem('nobody_to_give_to');
      const cards = found.cards.map(({ cardId }) => cardId.toString());
      return doOrAsk(desk, call, {
        ...{ act: FREE_DAYS, siteId: site.id, reason: body.reason },
        input: {
          ...{ ...placeAt(site), incident, days },
          ...{ cardIds: cards, cost: found.cost.toString() },
        },
        subject: `${days} free days for ${cards.length} cards: ${incident}`,
        amount: { minor: found.cost, asset: site.currency },
        needsSecond: needsSecond(desk, site, days, found),
      });
    },
  });
