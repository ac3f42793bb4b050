/** Subscribers, phones and cards: who and what, and who owns what. */
import type { Pool, PoolClient } from 'pg';
import { hashMsisdn } from '../platform/phone.ts';
import type { Details } from './details.ts';

type Db = Pool | PoolClient;

export interface NewSubscriber {
  id: bigint;
  siteId: bigint;
  fullName: string;
  /** E.164; also registered as the subscriber's phone. */
  contactMsisdn: string | null;
  language: 'en' | 'fr';
  walletId: bigint;
  tvuWalletId: bigint;
  heldId: bigint;
  createdAt: Date;
}

/** Writes a subscriber with their first phone. */
export async function insertSubscriber(db: Db, subscriber: NewSubscriber): Promise<void> {
  await db.query(
    `INSERT INTO subscriber (id, site_id, full_name, contact_msisdn, language, wallet_id,
                             tvu_wallet_id, held_id, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [
      subscriber.id,
      subscriber.siteId,
      subscriber.fullName,
      subscriber.contactMsisdn,
      subscriber.language,
      subscriber.walletId,
      subscriber.tvuWalletId,
      subscriber.heldId,
      subscriber.createdAt,
    ],
  );
  if (!subscriber.contactMsisdn) return;
  await db.query(
    `INSERT INTO phone (msisdn, subscriber_id, msisdn_hash) VALUES ($1, $2, $3)
     ON CONFLICT (msisdn) DO UPDATE SET subscriber_id = EXCLUDED.subscriber_id`,
    [subscriber.contactMsisdn, subscriber.id, hashMsisdn(subscriber.contactMsisdn)],
  );
}

/** Writes where a subscriber's bills go, where their decoder stands, and how else to reach them. */
export async function writeDetails(db: Db, subscriberId: bigint, details: Details): Promise<void> {
  await db.query(
    `UPDATE subscriber SET billing_address = $2, installation_address = $3, latitude = $4,
                           longitude = $5, landline = $6, email = $7
      WHERE id = $1`,
    [
      subscriberId,
      details.billingAddress,
      details.installationAddress,
      details.position?.latitude ?? null,
      details.position?.longitude ?? null,
      details.landline,
      details.email,
    ],
  );
}

/** Writes a card of a subscriber, with the empty state row of its rights. */
export async function insertCard(
  db: Db,
  card: { id: bigint; number: string; siteId: bigint; subscriberId: bigint; createdAt: Date },
): Promise<void> {
  await db.query(
    `WITH made AS (
       INSERT INTO card (id, number, site_id, subscriber_id, created_at)
       VALUES ($1, $2, $3, $4, $5) RETURNING id)
     INSERT INTO card_rights (card_id) SELECT id FROM made`,
    [card.id, card.number, card.siteId, card.subscriberId, card.createdAt],
  );
}

/** Remembers the language that a phone chose, registered or not. */
export async function setPhoneLanguage(
  db: Db,
  msisdn: string,
  language: 'en' | 'fr',
): Promise<void> {
  await db.query(
    `WITH chosen AS (
       INSERT INTO phone (msisdn, language, msisdn_hash) VALUES ($1, $2, $3)
       ON CONFLICT (msisdn) DO UPDATE SET language = EXCLUDED.language
       RETURNING subscriber_id)
     UPDATE subscriber s SET language = $2 FROM chosen
      WHERE s.id = chosen.subscriber_id AND s.contact_msisdn = $1`,
    [msisdn, language, hashMsisdn(msisdn)],
  );
}

/** Puts a card among those that a phone is offered first. */
export async function saveCard(db: Db, msisdn: string, cardId: bigint): Promise<void> {
  await db.query(
    `INSERT INTO saved_card (msisdn, card_id)
     SELECT $1, $2 WHERE NOT EXISTS (
       SELECT FROM phone p JOIN card c ON c.subscriber_id = p.subscriber_id
        WHERE p.msisdn = $1 AND c.id = $2)
     ON CONFLICT DO NOTHING`,
    [msisdn, cardId],
  );
}
