/** A further card of a subscriber, or one of theirs whose subscription is closed, opened anew. */
import { z } from 'zod';
import { openSubscription } from '../../billing/subscriptions/service.ts';
import { insertCard } from '../../registry/store.ts';
import { cardNumber, id, idText, term, text } from '../api/fields.ts';
import { type Problem, problem } from '../api/problems.ts';
import { created, type Route, route } from '../api/route.ts';
import type { Db } from '../people/staff-store.ts';
import { cardById, findCards } from './card-store.ts';
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
    problems: ['card_taken'],
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
      if (!(await takeCard(desk, db, { number, ...owner, createdAt: at }))) return TAKEN;
      const { term: ownTerm, decoder, person, reseller } = said;
      const made = await openSubscription(desk.pool, desk.ids, {
        ...{ ...owner, cardNumber: number, bouquetId: bouquet.id, term: ownTerm },
        ...{ decoder, person, mainCardId, reseller, at },
      });
      const ids = { cardId: made.cardId.toString(), subscriptionId: made.id.toString() };
      return created(ids, `/cards/${made.cardId}`);
    },
  }),
];

/**
 * The card is the subscriber's and has no open subscription: new, closed, or left by a process
 * that ended between the two. Its unique number decides between two who take it at once.
 */
async function takeCard(
  desk: Desk,
  db: Db,
  card: Omit<Parameters<typeof insertCard>[1], 'id'>,
): Promise<boolean> {
  const wanted = { number: card.number, subscriberId: null, isSuspended: null };
  const [found] = await findCards(db, { ...wanted, sites: null, after: null, limit: 1 });
  if (found) {
    const isFree = found.subscription === null || found.subscription.closedAt !== null;
    return found.subscriberId === card.subscriberId && isFree;
  }
  try {
    await insertCard(db, { ...card, id: await desk.ids.take() });
    return true;
  } catch (error) {
    if ((error as { constraint?: string }).constraint === 'card_number_key') return false;
    throw error;
  }
}

const fieldProblem = (code: 'card_taken' | 'invalid_body', path: string, what: string): Problem =>
  problem(code, { fields: [{ path, code: what, message: 'Cannot be had' }] });
const TAKEN = fieldProblem('card_taken', 'number', 'taken');
const unknownMain = fieldProblem('invalid_body', 'mainCardId', 'unknown');
