/** Opening a customer: a subscriber with a wallet, a card with its subscription. */
import type { Pool, PoolClient } from 'pg';
import { transaction } from '../../platform/database/pool.ts';
import type { Ids } from '../../platform/ports.ts';
import type { Details } from '../../registry/details.ts';
import type { UseFault } from '../../registry/devices/states.ts';
import { takeIntoUse } from '../../registry/devices/store.ts';
import { insertCard, insertSubscriber, writeDetails } from '../../registry/store.ts';
import type { Site, TermName } from '../catalogue/rules.ts';
import { type AccountName, accountKey } from '../ledger/chart.ts';
import { ensureAccounts } from '../ledger/store.ts';

export interface NewCard {
  number: string;
  bouquetId: bigint;
  /** The term that a payment buys when it says nothing else. */
  term: TermName;
  autoRenew: boolean;
}

export interface NewCustomer {
  site: Site;
  fullName: string;
  msisdn: string | null;
  language: 'en' | 'fr';
  cards: readonly NewCard[];
  /** Absent: nothing is known of it yet. */
  details?: Details;
  at: Date;
  /** Who opens them; absent: the system. */
  by?: string;
  /** The site sells listed cards alone. */
  listedOnly?: boolean;
}

/** The card may not be sold: it is blacklisted, in no manufacturer's file, lost, … */
export class CardRefused extends Error {
  readonly fault: UseFault;
  constructor(fault: UseFault) {
    super(fault);
    this.fault = fault;
  }
}

const SYSTEM = 'system';

/**
 * Writes the subscriber, their accounts, phone, cards and subscriptions in one transaction. Throws
 * a `CardRefused` for a card that may not be sold.
 */
export async function openCustomer(pool: Pool, ids: Ids, customer: NewCustomer): Promise<bigint> {
  const subscriberId = await ids.take();
  const { site } = customer;
  const owner = `subscriber:${subscriberId}`;
  const wallet: AccountName = { owner, kind: 'wallet_paid', asset: site.currency };
  const tvu: AccountName = { owner, kind: 'tvu_wallet', asset: site.tvuAsset };
  const held: AccountName = { owner, kind: 'held', asset: site.currency };
  await transaction(pool, async (client) => {
    const accounts = await ensureAccounts(client, ids, [wallet, tvu, held]);
    const idOf = (name: AccountName): bigint => accounts.get(accountKey(name)) ?? 0n;
    await insertSubscriber(client, {
      id: subscriberId,
      siteId: site.id,
      fullName: customer.fullName,
      contactMsisdn: customer.msisdn,
      language: customer.language,
      walletId: idOf(wallet),
      tvuWalletId: idOf(tvu),
      heldId: idOf(held),
      createdAt: customer.at,
    });
    if (customer.details) await writeDetails(client, subscriberId, customer.details);
    for (const card of customer.cards) {
      const cardId = await ids.take();
      const number = card.number;
      const createdAt = customer.at;
      await sell(client, number, { ...customer, siteId: site.id });
      await insertCard(client, { id: cardId, number, siteId: site.id, subscriberId, createdAt });
      await client.query(
        `INSERT INTO subscription (id, card_id, bouquet_id, term, auto_renew)
         VALUES ($1, $2, $3, $4, $5)`,
        [await ids.take(), cardId, card.bouquetId, card.term, card.autoRenew],
      );
    }
  });
  return subscriberId;
}

export interface NewSubscription {
  cardNumber: string;
  subscriberId: bigint;
  siteId: bigint;
  bouquetId: bigint;
  term: TermName;
  /** The decoder that the card sits in, and who watches: a trial is counted by them. */
  decoder: string | null;
  person: string | null;
  /** Card of the subscription that this one hangs on. */
  mainCardId: bigint | null;
  reseller: string | null;
  /**
   * The card may be somebody else's, or in use: it changes hands, and what it had is closed. Else
   * it must be new, or the subscriber's own without an open subscription.
   */
  transfer: boolean;
  at: Date;
  /** Who opens it; absent: the system. */
  by?: string;
  /** The site sells listed cards alone. */
  listedOnly?: boolean;
}

export interface OpeningDeps {
  pool: Pool;
  ids: Ids;
  /** What a bouquet lets a card see. */
  productsOf(bouquetId: bigint): readonly string[];
}

export type Opened =
  | { ok: true; id: bigint; cardId: bigint }
  | { ok: false; error: 'card_taken' | UseFault };

/** The card belongs to somebody else, or is in use: everything is rolled back. */
class CardTaken extends Error {}

/**
 * Opens a subscription on a card, which is made when its number is new. What the card had before
 * is closed, but what is paid of it stays visible. Locks the card, then the cards' rights by id.
 */
export async function openSubscription(
  { pool, ...deps }: OpeningDeps,
  opened: NewSubscription,
): Promise<Opened> {
  try {
    const made = await transaction(pool, (client) => openOn(client, deps, opened));
    return { ok: true, ...made };
  } catch (error) {
    // Of two who take a new number at once, one meets the other's card.
    const isLate = (error as { constraint?: string }).constraint === 'card_number_key';
    if (error instanceof CardTaken || isLate) return { ok: false, error: 'card_taken' };
    if (error instanceof CardRefused) return { ok: false, error: error.fault };
    throw error;
  }
}

async function openOn(
  client: PoolClient,
  { ids, productsOf }: Omit<OpeningDeps, 'pool'>,
  opened: NewSubscription,
): Promise<{ id: bigint; cardId: bigint }> {
  const id = await ids.take();
  await sell(client, opened.cardNumber, opened);
  const cardId = await cardFor(client, ids, opened);
  await client.query(
    `SELECT FROM card_rights WHERE card_id = ANY($1::bigint[]) ORDER BY card_id
        FOR NO KEY UPDATE`,
    [[cardId, opened.mainCardId]],
  );
  if (!opened.transfer) await mustBeFree(client, cardId);
  await closeBefore(client, productsOf, { cardId, at: opened.at });
  const { bouquetId, term, decoder, person, mainCardId, reseller } = opened;
  await client.query(
    `INSERT INTO subscription (id, card_id, bouquet_id, term, decoder, person, main_card_id,
                               reseller)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [id, cardId, bouquetId, term, decoder, person, mainCardId, reseller],
  );
  if (mainCardId !== null) {
    await client.query('UPDATE card SET is_linked = true WHERE id = ANY($1::bigint[])', [
      [cardId, mainCardId],
    ]);
    await client.query('UPDATE subscription SET is_main = true WHERE card_id = $1', [mainCardId]);
  }
  return { id, cardId };
}

/** From stock into use, if it may be. Locks the card as a device. */
async function sell(
  client: PoolClient,
  number: string,
  { siteId, at, by, listedOnly }: Pick<NewSubscription, 'siteId' | 'at' | 'by' | 'listedOnly'>,
): Promise<void> {
  const sale = { siteId, at, by: by ?? SYSTEM, listedOnly: listedOnly ?? false };
  const fault = await takeIntoUse(client, number, sale);
  if (fault) throw new CardRefused(fault);
}

/** The card of this number: made, the subscriber's own, or taken over where that is asked for. */
async function cardFor(client: PoolClient, ids: Ids, opened: NewSubscription): Promise<bigint> {
  const { cardNumber: number, siteId, subscriberId, at: createdAt, transfer } = opened;
  const { rows } = await client.query(
    'SELECT id, subscriber_id FROM card WHERE number = $1 FOR NO KEY UPDATE',
    [number],
  );
  const [found] = rows;
  if (!found) {
    const id = await ids.take();
    await insertCard(client, { id, number, siteId, subscriberId, createdAt });
    return id;
  }
  if (found.subscriber_id === subscriberId) return found.id;
  if (!transfer) throw new CardTaken();
  await client.query('UPDATE card SET subscriber_id = $2, site_id = $3 WHERE id = $1', [
    ...[found.id, subscriberId, siteId],
  ]);
  return found.id;
}

/** Behind the lock on its rights, which guards its subscription. */
async function mustBeFree(client: PoolClient, cardId: bigint): Promise<void> {
  const { rowCount } = await client.query(
    'SELECT FROM subscription WHERE card_id = $1 AND closed_at IS NULL',
    [cardId],
  );
  if (rowCount) throw new CardTaken();
}

/** The subscription before gives the card up; what it still lets the card see is kept beside. */
async function closeBefore(
  client: PoolClient,
  productsOf: OpeningDeps['productsOf'],
  { cardId, at }: { cardId: bigint; at: Date },
): Promise<void> {
  const { rows } = await client.query<{ bouquet_id: bigint }>(
    'SELECT bouquet_id FROM subscription WHERE card_id = $1',
    [cardId],
  );
  const products = rows[0] ? productsOf(rows[0].bouquet_id) : [];
  await client.query(
    `UPDATE card_rights r SET coverage = x.seen, older = x.seen
       FROM (SELECT coalesce(r.coverage, (
                      SELECT jsonb_agg(jsonb_build_object('product', p,
                               'from', s.run_from, 'to', s.paid_until) ORDER BY p)
                        FROM unnest($2::text[]) AS p)) AS seen
               FROM card_rights r JOIN subscription s ON s.card_id = r.card_id
              WHERE r.card_id = $1 AND (r.coverage IS NOT NULL OR s.run_from IS NOT NULL)) x
      WHERE r.card_id = $1`,
    [cardId, products],
  );
  await client.query(
    `UPDATE subscription SET card_id = NULL, former_card_id = card_id, auto_renew = false,
            waiting_term = NULL, closed_at = coalesce(closed_at, $2), pause_from = NULL,
            pause_until = NULL
      WHERE card_id = $1`,
    [cardId, at],
  );
}
