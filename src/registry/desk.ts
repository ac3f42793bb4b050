/** What staff change about subscribers and their phones. */
import type { Pool, PoolClient } from 'pg';
import { hashMsisdn } from '../platform/phone.ts';
import type { Details } from './details.ts';
import { writeDetails } from './store.ts';

type Db = Pool | PoolClient;

export interface SubscriberRecord extends Details {
  id: bigint;
  siteId: bigint;
  fullName: string;
  contactMsisdn: string | null;
  language: 'en' | 'fr';
  category: string;
  createdAt: Date;
  phones: string[];
}

const SELECT = `
SELECT s.id, s.site_id, s.full_name, s.contact_msisdn, s.language, s.category, s.created_at,
       s.billing_address, s.installation_address, s.latitude, s.longitude, s.landline, s.email,
       coalesce((SELECT array_agg(p.msisdn ORDER BY p.msisdn) FROM phone p
                  WHERE p.subscriber_id = s.id), '{}') AS phones
  FROM subscriber s`;

interface Row {
  id: bigint;
  site_id: bigint;
  full_name: string;
  contact_msisdn: string | null;
  language: 'en' | 'fr';
  category: string;
  created_at: Date;
  billing_address: string | null;
  installation_address: string | null;
  latitude: string | null;
  longitude: string | null;
  landline: string | null;
  email: string | null;
  phones: string[];
}

const recordOf = (row: Row): SubscriberRecord => ({
  id: row.id,
  siteId: row.site_id,
  fullName: row.full_name,
  contactMsisdn: row.contact_msisdn,
  language: row.language,
  category: row.category,
  createdAt: row.created_at,
  phones: row.phones,
  billingAddress: row.billing_address,
  installationAddress: row.installation_address,
  position:
    row.latitude === null || row.longitude === null
      ? null
      : { latitude: row.latitude, longitude: row.longitude },
  landline: row.landline,
  email: row.email,
});

/**
 * A subscriber at one of `sites` (null: all), or null. `lock` keeps others from changing it until
 * the transaction ends.
 */
export async function subscriberById(
  db: Db,
  id: bigint,
  { sites, lock = false }: { sites: bigint[] | null; lock?: boolean },
): Promise<SubscriberRecord | null> {
  const { rows } = await db.query(
    `${SELECT} WHERE s.id = $1 AND ($2::bigint[] IS NULL OR s.site_id = ANY ($2))
     ${lock ? 'FOR UPDATE OF s' : ''}`,
    [id, sites],
  );
  return rows[0] ? recordOf(rows[0]) : null;
}

export interface SubscriberSearch {
  sites: bigint[] | null;
  /** The beginning of a name, whatever its case. */
  name: string | null;
  /** E.164. */
  phone: string | null;
  card: string | null;
  after: { at: Date; id: bigint } | null;
  limit: number;
}

/** Subscribers, the oldest first. */
export async function findSubscribers(db: Db, o: SubscriberSearch): Promise<SubscriberRecord[]> {
  const { rows } = await db.query(
    `${SELECT}
      WHERE ($1::bigint[] IS NULL OR s.site_id = ANY ($1))
        AND ($2::text IS NULL OR lower(s.full_name) LIKE $2)
        AND ($3::text IS NULL OR s.id IN (SELECT subscriber_id FROM phone WHERE msisdn = $3))
        AND ($4::text IS NULL OR s.id IN (SELECT subscriber_id FROM card WHERE number = $4))
        AND ($5::timestamptz IS NULL OR (s.created_at, s.id) > ($5, $6::bigint))
      ORDER BY s.created_at, s.id LIMIT $7`,
    [
      o.sites,
      o.name === null ? null : `${o.name.toLowerCase().replaceAll(/[\\%_]/g, '\\$&')}%`,
      o.phone,
      o.card,
      o.after?.at ?? null,
      o.after?.id ?? null,
      o.limit,
    ],
  );
  return rows.map(recordOf);
}

/** Changes what staff may change; the contact phone must be one of the subscriber's own. */
export async function updateSubscriber(
  db: Db,
  subscriber: Omit<SubscriberRecord, 'siteId' | 'createdAt' | 'phones'>,
): Promise<void> {
  await db.query(
    `UPDATE subscriber SET full_name = $2, contact_msisdn = $3, language = $4, category = $5
      WHERE id = $1`,
    [
      subscriber.id,
      subscriber.fullName,
      subscriber.contactMsisdn,
      subscriber.language,
      subscriber.category,
    ],
  );
  await writeDetails(db, subscriber.id, subscriber);
}

/** Whose phone this is; null when nobody's. */
export async function ownerOfPhone(db: Db, msisdn: string): Promise<bigint | null> {
  const { rows } = await db.query('SELECT subscriber_id FROM phone WHERE msisdn = $1', [msisdn]);
  return rows[0]?.subscriber_id ?? null;
}

/** Gives a phone to a subscriber; false when it is another's. Locks: the phone. */
export async function attachPhone(db: Db, msisdn: string, subscriberId: bigint): Promise<boolean> {
  const { rowCount } = await db.query(
    `INSERT INTO phone AS p (msisdn, subscriber_id, msisdn_hash) VALUES ($1, $2, $3)
     ON CONFLICT (msisdn) DO UPDATE SET subscriber_id = EXCLUDED.subscriber_id
      WHERE p.subscriber_id IS NULL OR p.subscriber_id = EXCLUDED.subscriber_id`,
    [msisdn, subscriberId, hashMsisdn(msisdn)],
  );
  return rowCount === 1;
}

/** Takes a phone from a subscriber, who is no longer reached there; false when it is not theirs. */
export async function detachPhone(db: Db, msisdn: string, subscriberId: bigint): Promise<boolean> {
  const { rowCount } = await db.query(
    'UPDATE phone SET subscriber_id = NULL WHERE msisdn = $1 AND subscriber_id = $2',
    [msisdn, subscriberId],
  );
  await db.query(
    'UPDATE subscriber SET contact_msisdn = NULL WHERE id = $2 AND contact_msisdn = $1',
    [msisdn, subscriberId],
  );
  return rowCount === 1;
}

/** Is the number of a card known already? */
export async function cardExists(db: Db, number: string): Promise<boolean> {
  const { rowCount } = await db.query('SELECT FROM card WHERE number = $1', [number]);
  return rowCount !== 0;
}
