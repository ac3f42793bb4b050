/** Subscribers and their phones. */
import { z } from 'zod';
import { CardRefused, type NewCard, openCustomer } from '../../billing/subscriptions/service.ts';
import {
  attachPhone,
  cardExists,
  detachPhone,
  findSubscribers,
  ownerOfPhone,
  type SubscriberRecord,
  subscriberById,
  updateSubscriber,
} from '../../registry/desk.ts';
import { NO_DETAILS } from '../../registry/details.ts';
import {
  cardNumber,
  id,
  idText,
  instant,
  language,
  pageOf,
  pageQuery,
  phone,
  siteCode,
  term,
  text,
} from '../api/fields.ts';
import { type Problem, problem } from '../api/problems.ts';
import { created, noContent, ok, type Route, route } from '../api/route.ts';
import { siteFilter } from '../people/principal.ts';
import type { Db } from '../people/staff-store.ts';
import { codeOf, type Desk, siteByCode, sitesOf } from './desk.ts';
import { changedDetails, detailFields, detailsIn, detailsOf } from './subscriber-details.ts';

const category = z.enum(['residential', 'hotel', 'bar', 'institution', 'staff', 'demo']);

const subscriber = z
  .strictObject({
    id: idText,
    site: siteCode,
    fullName: z.string(),
    contactPhone: z.string().nullable(),
    phones: z.array(z.string()),
    language,
    category: z.string(),
    ...detailFields,
    createdAt: instant,
  })
  .meta({ id: 'Subscriber' });

const newSubscriber = z.strictObject({
  site: siteCode,
  fullName: text(120),
  phone: phone.nullable().default(null),
  language: language.optional(),
  ...detailsIn,
  cards: z
    .array(
      z.strictObject({
        number: cardNumber,
        bouquet: text(40),
        term: term.default('month'),
        autoRenew: z.boolean().default(false),
      }),
    )
    .min(1)
    .max(20),
});

const params = z.strictObject({ subscriberId: id });
const subscriberPath = '/subscribers/{subscriberId}';
const tag = 'Subscribers';

/** The routes of subscribers. */
export function subscriberRoutes(desk: Desk): Route[] {
  const view = (record: SubscriberRecord) => ({
    id: record.id.toString(),
    site: codeOf(desk, record.siteId),
    fullName: record.fullName,
    contactPhone: record.contactMsisdn,
    phones: record.phones,
    language: record.language,
    category: record.category,
    ...detailsOf(record),
    createdAt: record.createdAt.toISOString(),
  });
  return [
    ...lookRoutes(desk, view),
    openRoute(desk, view),
    changeRoute(desk, view),
    ...phoneRoutes(),
  ];
}

type View = (record: SubscriberRecord) => z.output<typeof subscriber>;

const lookRoutes = (desk: Desk, view: View): Route[] => [
  route({
    ...{ method: 'get', path: '/subscribers', tag, access: 'subscriber.read', paged: true },
    summary: 'Find subscribers by the beginning of a name, a phone or a card',
    query: z.strictObject({
      ...pageQuery,
      site: siteCode.optional(),
      name: text(120).optional(),
      phone: phone.optional(),
      card: z
        .string()
        .regex(/^[0-9]{1,20}$/)
        .optional(),
    }),
    answers: { 200: pageOf(subscriber) },
    async handler({ db, principal, query, page, pageOf: answer }) {
      const rows = await findSubscribers(db, {
        sites: sitesOf(desk, principal, query.site),
        name: query.name ?? null,
        phone: query.phone ?? null,
        card: query.card ?? null,
        after: page.after,
        limit: page.fetch,
      });
      return answer(rows, ({ createdAt: at, id: rowId }) => ({ at, id: rowId }), view);
    },
  }),
  route({
    ...{ method: 'get', path: subscriberPath, tag, access: 'subscriber.read', etag: 'read' },
    ...{ summary: 'A subscriber', params, answers: { 200: subscriber } },
    async handler({ db, principal, params: { subscriberId } }) {
      const found = await subscriberById(db, subscriberId, { sites: siteFilter(principal) });
      return found ? ok(view(found)) : problem('not_found');
    },
  }),
];

const openRoute = (desk: Desk, view: View): Route =>
  route({
    ...{ method: 'post', path: '/subscribers', tag, access: 'subscriber.write' },
    summary: 'Open a subscriber with their cards',
    write: { object: 'subscriber', commits: 'itself' },
    body: newSubscriber,
    example: {
      site: 'NBO',
      fullName: 'Amina Diallo',
      phone: '+254711222333',
      billingAddress: 'P.O. Box 1, 00100 Nairobi',
      installationAddress: 'Kilimani, Argwings Kodhek Road, House 12',
      position: { latitude: '-1.292066', longitude: '36.782130' },
      landline: '020 2345678',
      email: 'amina@example.com',
      cards: [{ number: '40219999915', bouquet: 'ESSENTIAL' }],
    },
    answers: { 201: subscriber },
    problems: [
      ...(['phone_taken', 'card_taken', 'device_blacklisted'] as const),
      ...(['device_not_listed', 'device_state', 'device_other_site'] as const),
    ],
    async handler(call) {
      const { body, principal, db } = call;
      const site = siteByCode(desk, principal, body.site);
      if (!site) return problem('invalid_body', { fields: [unknownField('site')] });
      const cards = await newCards(desk, db, site.id, body.cards);
      if ('problem' in cards) return cards;
      if (body.phone && (await ownerOfPhone(db, body.phone)) !== null) {
        return problem('phone_taken');
      }
      const details = changedDetails(body, NO_DETAILS, site.country);
      if ('problem' in details) return details;
      const { fullName, phone: msisdn } = body;
      call.note({ siteId: site.id, after: { ...body, ...details } });
      const language = body.language ?? site.language;
      const at = call.now;
      const sale = { at, by: call.principal.key, listedOnly: desk.listedOnly(site.id) };
      const customer = { site, fullName, msisdn, language, cards, details, ...sale };
      const made = await openOrTaken(desk, customer);
      if (typeof made === 'string') return problem(made);
      const numbers = cards.map(({ number }) => number);
      await desk.devices.sold(numbers, principal.key);
      const record = await subscriberById(db, made, { sites: null });
      if (!record) throw new Error('The new subscriber is not there');
      call.note({ objectId: made });
      return created(view(record), `/subscribers/${made}`);
    },
  });

/** The cards with their bouquets, or which of them cannot be had. */
async function newCards(
  desk: Desk,
  db: Db,
  siteId: bigint,
  wanted: z.output<typeof newSubscriber>['cards'],
): Promise<NewCard[] | Problem> {
  const bouquets = [...desk.catalogue().bouquets.values()].filter((b) => b.siteId === siteId);
  const cards: NewCard[] = [];
  for (const [index, card] of wanted.entries()) {
    const bouquet = bouquets.find(({ code }) => code === card.bouquet);
    const path = `cards.${index}`;
    if (!bouquet) return problem('invalid_body', { fields: [unknownField(`${path}.bouquet`)] });
    const again = cards.some(({ number }) => number === card.number);
    if (again || (await cardExists(db, card.number))) return taken(`${path}.number`);
    const { number, term: ownTerm, autoRenew } = card;
    cards.push({ number, bouquetId: bouquet.id, term: ownTerm, autoRenew });
  }
  return cards;
}

/** A problem: somebody was faster with the same card, or it may not be sold. */
async function openOrTaken(
  { pool, ids }: Desk,
  customer: Parameters<typeof openCustomer>[2],
): Promise<bigint | 'card_taken' | CardRefused['fault']> {
  try {
    return await openCustomer(pool, ids, customer);
  } catch (error) {
    if ((error as { constraint?: string }).constraint === 'card_number_key') return 'card_taken';
    if (error instanceof CardRefused) return error.fault;
    throw error;
  }
}

const unknownField = (path: string) => ({ path, code: 'unknown', message: 'Not known here' });

const taken = (path: string): Problem =>
  problem('card_taken', { fields: [{ path, code: 'taken', message: 'Known already' }] });

const changes = z
  .strictObject({
    fullName: text(120).optional(),
    contactPhone: phone.nullable().optional(),
    language: language.optional(),
    category: category.optional(),
    ...detailsIn,
    reason: text(500, 3).optional(),
  })
  .meta({ id: 'SubscriberChanges' });

const changeRoute = (desk: Desk, view: View): Route =>
  route({
    ...{ method: 'patch', path: subscriberPath, tag, access: 'subscriber.write', etag: 'write' },
    summary: 'Change a subscriber; the contact phone is one of their own',
    write: { object: 'subscriber', commits: 'here' },
    ...{ params, body: changes, example: { language: 'fr' }, answers: { 200: subscriber } },
    async handler(call) {
      const { db, principal, body, params: given } = call;
      const sites = siteFilter(principal);
      const before = await subscriberById(db, given.subscriberId, { sites, lock: true });
      if (!before) return problem('not_found');
      const stale = call.staleness(view(before));
      if (stale) return stale;
      const { contactPhone = before.contactMsisdn } = body;
      if (contactPhone !== null && !before.phones.includes(contactPhone)) {
        return problem('invalid_body', { fields: [unknownField('contactPhone')] });
      }
      const country = desk.catalogue().sites.get(before.siteId)?.country ?? '';
      const details = changedDetails(body, before, country);
      if ('problem' in details) return details;
      const after: SubscriberRecord = {
        ...before,
        ...details,
        fullName: body.fullName ?? before.fullName,
        contactMsisdn: contactPhone,
        language: body.language ?? before.language,
        category: body.category ?? before.category,
      };
      await updateSubscriber(db, after);
      call.note({ objectId: before.id, siteId: before.siteId, reason: body.reason ?? null });
      call.note({ before: view(before), after: view(after) });
      return ok(view(after));
    },
  });

const phoneParams = z.strictObject({ subscriberId: id, phone });
const phonePath = '/subscribers/{subscriberId}/phones/{phone}';

const phoneRoutes = (): Route[] => [
  route({
    ...{ method: 'put', path: phonePath, tag, access: 'subscriber.write' },
    ...{ summary: 'Give a subscriber a phone', params: phoneParams, answers: { 204: null } },
    write: { object: 'phone', commits: 'here' },
    problems: ['phone_taken'],
    async handler({ db, principal, params: { subscriberId, phone: msisdn }, note }) {
      const sites = siteFilter(principal);
      const owner = await subscriberById(db, subscriberId, { sites, lock: true });
      if (!owner) return problem('not_found');
      if (!(await attachPhone(db, msisdn, subscriberId))) return problem('phone_taken');
      note({ objectId: msisdn, siteId: owner.siteId, after: { subscriberId } });
      return noContent;
    },
  }),
  route({
    ...{ method: 'delete', path: phonePath, tag, access: 'subscriber.write' },
    ...{ summary: 'Take a phone from a subscriber', params: phoneParams, answers: { 204: null } },
    write: { object: 'phone', commits: 'here' },
    async handler({ db, principal, params: { subscriberId, phone: msisdn }, note }) {
      const sites = siteFilter(principal);
      const owner = await subscriberById(db, subscriberId, { sites, lock: true });
      if (!owner || !(await detachPhone(db, msisdn, subscriberId))) return problem('not_found');
      note({ objectId: msisdn, siteId: owner.siteId, before: { subscriberId } });
      return noContent;
    },
  }),
];
