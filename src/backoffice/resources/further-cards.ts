/** A further card of a subscriber, or one of theirs whose subscription is closed, opened anew. */
import { z } from 'zod';
import { type Opened, openSubscription } from '../../billing/subscriptions/service.ts';
import { cardNumber, id, idText, term, text } from '../api/fields.ts';
import { type Problem, problem } from '../api/problems.ts';
import { created, type Route, route } from '../api/route.ts';
import { cardById } from './card-store.ts';
import type { Desk } from './desk.ts';
import { bouquetAt, UNKNOWN_BOUQUET } from './subscription-acts.ts';
import { purseOf } from './wallet-acts.ts';

const params = z.strictObject({ subscriberId: id });
const opened = z.strictObject({ cardId: idText, subscriptionId: idText });
const body = z.strictObject({
  number: cardNumber,
  bouquet: text(40),
  term: term.default('month'),
  /** Where the card sits and who watches: a trial is counted by them. */
  decoder: text(40).nullable().default(null),
  person: text(120).nullable().default(null),
  /** Another card of the subscriber: this one then sees only what both have. */
  mainCardId: id.nullable().default(null),
  reseller: text(40).nullable().default(null),
});

/** The route of further cards. */
export const furtherCardRoutes = (desk: Desk): Route[] => [
  route({
    ...{ method: 'post', path: '/subscribers/{subscriberId}/cards', tag: 'Subscribers' },
    ...{ access: 'subscriber.write', params, body, answers: { 201: opened } },
    summary: 'Open a further card, or one that was closed, with its subscription',
    write: { object: 'subscriber', commits: 'itself' },
    example: { number: '40219999915', bouquet: 'ESSENTIAL', decoder: 'STB-0001' },
    problems: [
      ...(['card_taken', 'device_blacklisted', 'device_not_listed'] as const),
      ...(['device_state', 'device_other_site'] as const),
    ],
    async handler(call) {
      const { db, body: said, now: at } = call;
      const found = await purseOf(desk, call, call.params.subscriberId);
      if (!found) return problem('not_found');
      const { site, subscriber } = found;
      const { number, mainCardId } = said;
      call.note({ siteId: site.id, after: { ...said } });
      const bouquet = bouquetAt(desk, site, said.bouquet);
      if (!bouquet) return UNKNOWN_BOUQUET;
      const main = mainCardId === null ? null : await cardById(db, mainCardId, [site.id]);
      if (mainCardId !== null && main?.subscriberId !== subscriber.id) return unknownMain;
      if (main?.number === number) return unknownMain;
      const owner = { siteId: site.id, subscriberId: subscriber.id };
      const { term: ownTerm, decoder, person, reseller } = said;
      const productsOf = (of: bigint) => desk.catalogue().bouquets.get(of)?.products ?? [];
      const made = await openSubscription(
        { ...desk, productsOf },
        {
          ...{ ...owner, cardNumber: number, bouquetId: bouquet.id, term: ownTerm },
          ...{ decoder, person, mainCardId, reseller, transfer: false, at },
          ...{ by: call.principal.key, listedOnly: desk.listedOnly(site.id) },
        },
      );
      if (!made.ok) return refused(made.error);
      await desk.devices.sold([number], call.principal.key);
      const ids = { cardId: made.cardId.toString(), subscriptionId: made.id.toString() };
      return created(ids, `/cards/${made.cardId}`);
    },
  }),
];

const fieldProblem = (code: 'card_taken' | 'invalid_body', path: string, what: string): Problem =>
  problem(code, { fields: [{ path, code: what, message: 'Cannot be had' }] });
const TAKEN = fieldProblem('card_taken', 'number', 'taken');
const refused = (error: Extract<Opened, { ok: false }>['error']): Problem =>
  error === 'card_taken' ? TAKEN : problem(error);
const unknownMain = fieldProblem('invalid_body', 'mainCardId', 'unknown');
