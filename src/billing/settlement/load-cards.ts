/**
 * Cards with their subscriptions, and the subscribers that own them: found by name, locked, and
 * read behind the locks.
 */
import type { ClientBase } from 'pg';
import { parseLocalDate } from '../../platform/calendar.ts';
import type { CardFacts, Right, SubscriberFacts, SubscriptionFacts } from './facts.ts';
import { FactsMoved, type LoadTools, type Resolved } from './load-tools.ts';
import type { Needs } from './needs.ts';

/** Main cards hang on nothing, so chains are short; more than this is a ring. */
const LINKS_DEEP_MAX = 8;

/** Finds the cards that are named, by number or id, with their owners and those linked to them. */
export async function resolveCards(
  client: ClientBase,
  needs: Needs,
  resolved: Resolved,
): Promise<void> {
  if (resolved.withCards.size > 0) await addCardsOf(client, resolved);
  const numbers = [...needs.cardNumbers];
  if (numbers.length + resolved.cardIds.size === 0) return;
  let linked = await findCards(client, numbers, [...resolved.cardIds], resolved);
  for (let depth = 0; linked.length > 0; depth++) {
    if (depth === LINKS_DEEP_MAX) throw new Error(`Cards hang in a ring: ${linked}`);
    const { rows } = await client.query({
      name: 'settlement-linked',
      text: `SELECT card_id AS id FROM subscription
              WHERE main_card_id = ANY($1::bigint[]) AND card_id IS NOT NULL
              UNION
             SELECT main_card_id FROM subscription
              WHERE card_id = ANY($1::bigint[]) AND main_card_id IS NOT NULL`,
      values: [linked],
    });
    const found = rows.map((row) => row.id).filter((id) => !resolved.ownerOf.has(id));
    linked = found.length === 0 ? [] : await findCards(client, [], found, resolved);
  }
}

async function addCardsOf(client: ClientBase, resolved: Resolved): Promise<void> {
  const { rows } = await client.query({
    name: 'settlement-cards-of',
    text: 'SELECT id, subscriber_id FROM card WHERE subscriber_id = ANY($1::bigint[])',
    values: [[...resolved.withCards]],
  });
  for (const row of rows) {
    resolved.cardIds.add(row.id);
    if (resolved.withLines.has(row.subscriber_id)) resolved.lineCardIds.add(row.id);
  }
}

/**
 * Returns those that are linked to others. Who names a card that was replaced means the one that
 * took its place; who names one by id means that one.
 */
async function findCards(
  client: ClientBase,
  numbers: readonly string[],
  ids: readonly bigint[],
  resolved: Resolved,
): Promise<bigint[]> {
  const { rows } = await client.query({
    name: 'settlement-find-cards',
    text: `SELECT n.number AS named, c.id, c.subscriber_id, c.is_linked
             FROM card n JOIN card c ON c.id = coalesce(n.replaced_by, n.id)
            WHERE n.number = ANY($1::text[])
            UNION ALL
           SELECT NULL, id, subscriber_id, is_linked FROM card WHERE id = ANY($2::bigint[])`,
    values: [numbers, ids],
  });
  for (const row of rows) {
    resolved.cardIds.add(row.id);
    if (row.named !== null) resolved.cardByNumber.set(row.named, row.id);
    resolved.ownerOf.set(row.id, row.subscriber_id);
    resolved.subscriberIds.add(row.subscriber_id);
  }
  return rows.flatMap((row) => (row.is_linked ? [row.id] : []));
}

/** Subscribers by id, as they are before anything is locked; see `checkSubscribers`. */
export async function loadSubscribers(client: ClientBase, ids: ReadonlySet<bigint>) {
  const found = new Map<bigint, SubscriberFacts>();
  if (ids.size === 0) return found;
  const { rows } = await client.query({
    name: 'settlement-subscribers',
    text: `SELECT id, site_id, full_name, contact_msisdn, language, wallet_id, tvu_wallet_id,
                  held_id, promo_id, other_units, owes
             FROM subscriber WHERE id = ANY($1::bigint[])`,
    values: [[...ids]],
  });
  for (const row of rows) {
    found.set(row.id, {
      id: row.id,
      siteId: row.site_id,
      fullName: row.full_name,
      contactMsisdn: row.contact_msisdn,
      language: row.language,
      walletId: row.wallet_id,
      tvuWalletId: row.tvu_wallet_id,
      heldId: row.held_id,
      promoId: row.promo_id,
      otherUnits: readUnits(row.other_units),
      owes: row.owes,
    });
  }
  return found;
}

const readUnits = (stored: Record<string, string>): Map<string, bigint> =>
  new Map(Object.entries(stored).map(([asset, id]) => [asset, BigInt(id)]));

/** What the lock on a wallet guards beside its lots. */
type Guarded = Pick<SubscriberFacts, 'promoId' | 'otherUnits' | 'owes'>;

const isSame = (a: Guarded, b: Guarded): boolean =>
  a.promoId === b.promoId && a.owes === b.owes && a.otherUnits?.size === b.otherUnits?.size;

/** Behind the locks: the subscribers have the wallets and debts that they were read with. */
export async function checkSubscribers(
  client: ClientBase,
  subscribers: ReadonlyMap<bigint, SubscriberFacts>,
  seen: ReadonlyMap<bigint, Guarded>,
): Promise<void> {
  const now = new Map(seen);
  const rest = [...subscribers.keys()].filter((id) => !seen.has(id));
  if (rest.length > 0) {
    for (const [id, one] of await loadSubscribers(client, new Set(rest))) now.set(id, one);
  }
  for (const [id, before] of subscribers) {
    const after = now.get(id);
    if (!after || !isSame(before, after)) throw new FactsMoved(`Subscriber ${id} changed`);
  }
}

export interface LockedCards {
  cards: Map<bigint, CardFacts>;
  linkedCards: Map<bigint, bigint[]>;
  /** What of the owners is guarded by their wallets, as it is behind the locks. */
  owners: Map<bigint, Guarded>;
}

/** Locks the cards by id and reads them with their subscriptions. */
export async function lockCards(
  client: ClientBase,
  resolved: Resolved,
  tools: LoadTools,
): Promise<LockedCards> {
  const locked: LockedCards = { cards: new Map(), linkedCards: new Map(), owners: new Map() };
  if (resolved.cardIds.size === 0) return locked;
  const ids = [...resolved.cardIds];
  const rights = await client.query({
    name: 'settlement-lock-cards',
    text: `SELECT card_id, desired_rev, desired, coverage, older FROM card_rights
            WHERE card_id = ANY($1::bigint[]) ORDER BY card_id FOR NO KEY UPDATE`,
    values: [ids],
  });
  const rightsOf = new Map(rights.rows.map((row) => [row.card_id, row]));
  const { rows } = await client.query({
    name: 'settlement-cards',
    text: `SELECT c.id, c.number, c.site_id, c.subscriber_id, c.is_blocked, c.replaced_by, c.cas_id,
                  o.promo_id, o.owes, o.other_units, o.category, s.id AS subscription_id,
                  s.bouquet_id, s.term, s.auto_renew, s.waiting_term, s.run_from, s.paid_until,
                  s.base_date::text AS base_date, s.anchor_day, s.time_of_day, s.renew_term,
                  s.auto_renew_since, s.closed_at, s.pause_from, s.pause_until, s.paused_year,
                  s.paused_days, s.main_card_id, s.is_main, s.decoder, s.person, s.reseller,
                  s.payments
             FROM card c JOIN subscriber o ON o.id = c.subscriber_id
             LEFT JOIN subscription s ON s.card_id = c.id
            WHERE c.id = ANY($1::bigint[])`,
    values: [ids],
  });
  for (const row of rows) {
    const owner = resolved.ownerOf.get(row.id);
    if (owner !== row.subscriber_id) throw new FactsMoved(`Card ${row.id} changed hands`);
    const isNamed = resolved.cardByNumber.get(row.number) === row.id;
    if (isNamed && row.replaced_by !== null) throw new FactsMoved(`Card ${row.id} was replaced`);
    const right = rightsOf.get(row.id);
    if (!right) throw new Error(`Card ${row.id} has no rights row`);
    const { promo_id: promoId, owes, other_units: units } = row;
    locked.owners.set(row.subscriber_id, { promoId, owes, otherUnits: readUnits(units) });
    const subscription = row.subscription_id === null ? null : subscriptionOf(row);
    noteLink(resolved, locked, row.id, subscription);
    locked.cards.set(row.id, {
      id: row.id,
      number: row.number,
      siteId: row.site_id,
      subscriberId: row.subscriber_id,
      category: row.category,
      casId: row.cas_id,
      isBlocked: row.is_blocked,
      subscription,
      desiredRev: right.desired_rev,
      desired: readRights(right.desired),
      coverage: right.coverage ? readRights(right.coverage) : runCoverage(subscription, tools),
      older: right.older ? readRights(right.older) : [],
    });
  }
  return locked;
}

function noteLink(
  resolved: Resolved,
  { linkedCards }: LockedCards,
  cardId: bigint,
  subscription: SubscriptionFacts | null,
): void {
  const mainId = subscription?.mainCardId ?? null;
  if (mainId === null) return;
  if (!resolved.cardIds.has(mainId)) throw new FactsMoved(`Card ${cardId} hangs on ${mainId} now`);
  linkedCards.set(mainId, [...(linkedCards.get(mainId) ?? []), cardId]);
}

/** What the running term alone lets a card see: coverage is kept only where it is more. */
export function runCoverage(
  subscription: Pick<SubscriptionFacts, 'bouquetId' | 'runFrom' | 'paidUntil'> | null,
  { productsOf }: Pick<LoadTools, 'productsOf'>,
): Right[] {
  const { runFrom: from, paidUntil: to, bouquetId } = subscription ?? {};
  if (!from || !to || bouquetId === undefined) return [];
  return productsOf(bouquetId).map((product) => ({ product, from, to }));
}

// biome-ignore lint/suspicious/noExplicitAny: a row as the driver gives it
function subscriptionOf(row: any): SubscriptionFacts {
  return {
    id: row.subscription_id,
    bouquetId: row.bouquet_id,
    term: row.term,
    autoRenew: row.auto_renew,
    waitingTerm: row.waiting_term,
    runFrom: row.run_from,
    paidUntil: row.paid_until,
    baseDate: row.base_date === null ? null : parseLocalDate(row.base_date),
    anchorDay: row.anchor_day,
    timeOfDay: row.time_of_day,
    renewTerm: row.renew_term,
    autoRenewSince: row.auto_renew_since,
    closedAt: row.closed_at,
    pause: row.pause_from && { from: row.pause_from, until: row.pause_until },
    pausedDays: row.paused_year && { year: row.paused_year, days: row.paused_days },
    mainCardId: row.main_card_id,
    isMain: row.is_main,
    decoder: row.decoder,
    person: row.person,
    reseller: row.reseller,
    payments: row.payments,
  };
}

const readRights = (stored: { product: string; from: string; to: string }[]): Right[] =>
  stored.map(({ product, from, to }) => ({ product, from: new Date(from), to: new Date(to) }));
